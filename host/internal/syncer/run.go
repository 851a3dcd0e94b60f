package syncer

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// A run survives the death of its connector's process as long as it gets on:
// after so many deaths without a committed page between them it fails.
const deathsWithoutPage = 3

// A system that asks for fewer calls is waited for within a run so often and
// so long; past that the run fails and its next one goes on from there.
const (
	waitsWithoutPage = 4
	longestWait      = 2 * time.Minute
	firstWait        = 5 * time.Second
)

// A system that goes away in mid-run is waited for so often, firstWait and then
// twice as long each time: a restart of it ends no run.
const outagesWithoutPage = 3

// startRun carries a run in a goroutine of its own.
func (s *Syncer) startRun(ctx context.Context, l *link, e *host.Entity, run host.Run) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.running[e.Name] = cancel
	s.runs++
	if run.ID == "" {
		run.ID = host.RunID(s.NewID("run_"))
	}
	order, _ := l.doc.OrderFor(*e)
	r := &runner{
		outage: func() { s.report(func() { l.checkAt = time.Time{} }) }, // see at once whether the system is gone
		s:      s, doc: *l.doc, entity: *e, order: order, run: run, session: l.session,
		shape: host.NewShape(e.Name, l.doc.Exclude, s.Mapping(l.doc.ID, e.Name)),
	}
	if st := l.syncs[e.Name]; st != nil {
		r.failedBefore = st.Failures
	}
	s.work.Go(func() {
		err := r.carry(ctx)
		// The sync as it stands now, and a session that others may go on with.
		syncs, listErr := s.Store.Syncs(context.WithoutCancel(ctx), r.doc.ID)
		cancel(nil)
		s.report(func() {
			s.runs--
			delete(l.running, e.Name)
			l.lastUsed = time.Now()
			s.adopt(l, r, err)
			if listErr == nil {
				for i := range syncs {
					l.syncs[syncs[i].Entity] = &syncs[i]
				}
			}
		})
	})
}

// adopt draws the conclusions of a run's end for its connection.
func (s *Syncer) adopt(l *link, r *runner, err error) {
	if r.session != l.session && r.session != nil {
		if l.session == nil && s.links[r.doc.ID] == l && l.doc.CredentialsRevision == r.doc.CredentialsRevision && active(l.doc) {
			l.session = r.session
		} else {
			_ = r.session.Close()
		}
	}
	if err == nil || l.doc.CredentialsRevision != r.doc.CredentialsRevision {
		return
	}
	switch host.CodeOf(err) {
	case host.CodeAuthRequired:
		if !l.suspect && l.doc.Status == host.StatusOnline {
			l.suspect = true
			for _, cancel := range l.running {
				cancel(errRefused)
			}
			l.checkAt, l.blocked = time.Time{}, time.Time{}
		}
	case host.CodeRateLimited:
		if at := host.RetryAtOf(err); at.After(l.blocked) {
			l.blocked = minTime(at, time.Now().Add(time.Hour))
		}
	case host.CodeUnavailable:
		l.checkAt = time.Time{} // see at once whether the system is gone
	case host.CodePluginCrashed, host.CodeOutOfMemory:
		if l.session == r.session {
			l.session = nil
		}
	case host.CodeStorage:
		// The store could not be written: nothing is tried until it may be better.
		l.blocked = time.Now().Add(storageRetryAfter)
	}
}

// runner carries one run.
type runner struct {
	s            *Syncer
	doc          host.Connection
	entity       host.Entity
	order        host.Order
	run          host.Run
	session      Session
	shape        host.Shape
	failedBefore int
	outage       func()

	lease   state.Lease
	page    int64 // last committed
	mark    []byte
	counts  host.Counts
	unknown int64 // bad records without an id: no deletion may be concluded
	scratch pageScratch
}

// carry begins the run, reads it to its end, and writes the outcome. The error
// is the run's; one that stopped it from outside leaves the run as it stands,
// to be resumed.
func (r *runner) carry(ctx context.Context) error {
	lease, err := r.s.Store.BeginRun(ctx, state.Begin{Run: r.run, Holder: r.s.holder, At: time.Now()})
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, state.ErrRunning) || errors.Is(err, state.ErrPurged) {
			return nil
		}
		r.s.Log.Error("begin a run", "connection", r.doc.ID, "entity", r.entity.Name, "error", err)
		return host.Errorf(host.CodeStorage, "the store could not begin the run: %w", err)
	}
	r.lease, r.run, r.page, r.mark, r.counts = lease, lease.Run, lease.Page, lease.Checkpoint, lease.Run.Counts
	if lease.Sync.Pass != nil {
		r.unknown = lease.Sync.Pass.Unknown
	}
	err = r.read(ctx)
	if err == nil && r.run.Mode == host.Full && !r.run.First {
		err = r.sweep(ctx)
	}
	switch {
	case errors.Is(err, state.ErrFenced), errors.Is(err, state.ErrPurged):
		return nil // somebody else has it, or it is gone
	case ctx.Err() != nil && err != nil:
		if cause := context.Cause(ctx); errors.Is(cause, errStopped) || errors.Is(cause, errRefused) {
			return r.end(context.WithoutCancel(ctx), host.RunCanceled, host.Errorf(host.CodeCanceled, "the run was stopped: %w", cause))
		}
		return nil // the host stops, or the connection is gone: resumed or forgotten
	case err != nil:
		if endErr := r.end(ctx, host.RunFailed, err); endErr != nil {
			return endErr
		}
		return err
	default:
		return r.end(ctx, host.RunCompleted, nil)
	}
}

// read reads to the end, over deaths of the connector's process and waits that
// the system asks for.
func (r *runner) read(ctx context.Context) error {
	deaths, waits, outages := 0, 0, 0
	wait := firstWait
	for {
		before := r.page
		err := r.readOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if r.page > before {
			deaths, waits, outages, wait = 0, 0, 0, firstWait
		}
		switch {
		case died(err):
			r.session = nil
			if deaths++; deaths >= deathsWithoutPage {
				return err
			}
			r.s.Log.Warn("connector died in a run; going on after the last page", "connection", r.doc.ID, "entity", r.entity.Name, "run", r.run.ID, "page", r.page, "error", err)
		case host.CodeOf(err) == host.CodeRateLimited:
			d := wait
			if at := host.RetryAtOf(err); !at.IsZero() {
				d = time.Until(at)
			}
			if waits++; waits > waitsWithoutPage || d > longestWait {
				return err
			}
			wait = min(wait*2, longestWait)
			if !sleep(ctx, d) {
				return err
			}
		case host.CodeOf(err) == host.CodeUnavailable:
			r.outage()
			if outages++; outages > outagesWithoutPage {
				return err
			}
			r.s.Log.Info("the system is away in a run; waiting for it", "connection", r.doc.ID, "entity", r.entity.Name, "run", r.run.ID, "page", r.page, "wait", wait, "error", err)
			if !sleep(ctx, wait) {
				return err
			}
			wait = min(wait*2, longestWait)
		default:
			return err
		}
	}
}

func (r *runner) readOnce(ctx context.Context) error {
	if r.session == nil {
		session, err := r.s.Open(ctx, &r.doc)
		if err != nil {
			return err
		}
		r.session = session
	}
	read := Read{Entity: r.entity.Name, Mode: r.run.Mode, Checkpoint: r.mark}
	if r.order.History > 0 && r.run.First {
		read.Since = r.run.QueuedAt.Add(-r.order.History)
		if r.run.QueuedAt.IsZero() {
			read.Since = time.Now().Add(-r.order.History)
		}
	}
	return r.session.Read(ctx, read, func(p host.Page) error { return r.commit(ctx, p) })
}

// end writes the run's outcome with its event.
func (r *runner) end(ctx context.Context, status host.RunStatus, cause error) error {
	now := time.Now()
	o := state.Outcome{
		Connection: r.doc.ID, Entity: r.entity.Name, Run: r.run.ID, Fence: r.lease.Fence,
		At: now, Status: status, Error: host.ProblemOf(cause),
	}
	id := string(r.doc.ID) + "/" + string(r.entity.Name)
	var events []host.Event
	switch status {
	case host.RunCompleted:
		o.NextRunAt = afterSuccess(id, now, r.order.Every)
		started := r.run.StartedAt
		completed := r.s.event(host.EventSyncCompleted, r.doc.ID, now, map[string]any{
			"run_id": r.run.ID, "entity": r.entity.Name, "mode": r.run.Mode,
			"created": r.counts.Created, "updated": r.counts.Updated, "deleted": r.counts.Deleted, "unchanged": r.counts.Unchanged,
			"duration_ms": now.Sub(started).Milliseconds(), "cursor": r.s.Cursor(&r.doc, r.run.StartSequence),
		})
		completed.Quiet = r.counts.Created+r.counts.Updated+r.counts.Deleted == 0 && r.failedBefore == 0
		events = append(events, completed)
	case host.RunFailed:
		o.KeepPass = resumable(cause)
		o.NextRunAt = afterFailure(now, r.failedBefore+1, r.order.Every, host.RetryAtOf(cause))
		events = append(events, r.s.event(host.EventSyncFailed, r.doc.ID, now, map[string]any{
			"run_id": r.run.ID, "entity": r.entity.Name, "mode": r.run.Mode, "error": o.Error,
			"records_before_failure": r.counts.Read, "next_run_at": host.FormatTime(o.NextRunAt),
		}))
		r.s.Log.Warn("run failed", "connection", r.doc.ID, "entity", r.entity.Name, "run", r.run.ID, "code", host.CodeOf(cause), "error", cause)
	default: // canceled: goes on where it stopped as soon as it may
		o.KeepPass = true
		o.NextRunAt = now
	}
	err := r.s.Store.EndRun(ctx, o, events)
	if err == nil || errors.Is(err, state.ErrFenced) || errors.Is(err, state.ErrPurged) || errors.Is(err, state.ErrClosed) {
		return nil
	}
	r.s.Log.Error("end a run", "connection", r.doc.ID, "entity", r.entity.Name, "run", r.run.ID, "error", err)
	return host.Errorf(host.CodeStorage, "the store could not end the run: %w", err)
}

// resumable says whether the next run goes on from the last page. A connector
// that refuses its own checkpoint, or too many bad records, start over.
func resumable(err error) bool {
	switch host.CodeOf(err) {
	case host.CodeInvalid, host.CodeConflict, host.CodeNotFound, host.CodeUnsupported, host.CodeBadRecords:
		return false
	default:
		return true
	}
}

// sleep waits; it returns false if the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
