package syncer

import (
	"context"
	"hash/fnv"
	"sort"
	"time"

	"github.com/dinrail/dinrail/host"
)

// dispatch starts what is due and returns how long until something else is.
func (s *Syncer) dispatch(ctx context.Context, now time.Time) time.Duration {
	next := now.Add(sweepEvery)
	sooner := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	var due []dueRun
	for _, l := range s.links {
		s.settleFlags(ctx, l, now)
		if at, want := l.nextCheck(); want {
			if !at.After(now) {
				if s.checks < parallelChecks {
					s.startCheck(ctx, l)
				}
			} else {
				sooner(at)
			}
		}
		if !l.syncable() {
			continue
		}
		for i := range l.doc.Entities {
			e := &l.doc.Entities[i]
			at, r, ok := l.nextRun(e, now)
			if !ok {
				continue
			}
			if at.Before(l.blocked) {
				at = l.blocked
			}
			if at.After(now) {
				sooner(at)
				continue
			}
			due = append(due, dueRun{l, e, r, at})
		}
		if l.session != nil && len(l.running) == 0 && l.checking == nil {
			if end := l.lastUsed.Add(idleSession); !end.After(now) {
				l.closeSession()
			} else {
				sooner(end)
			}
		}
	}
	// Longest overdue first; what never ran has no time and goes first.
	sort.SliceStable(due, func(i, j int) bool { return due[i].at.Before(due[j].at) })
	for _, d := range due {
		if s.runs >= s.Parallel {
			break
		}
		if len(d.link.running) < parallelOneLogin && d.link.checking == nil {
			s.startRun(ctx, d.link, d.entity, d.run)
		}
	}
	return max(next.Sub(now), time.Millisecond)
}

type dueRun struct {
	link   *link
	entity *host.Entity
	run    host.Run
	at     time.Time
}

// syncable says whether runs may start.
func (l *link) syncable() bool {
	return active(l.doc) && l.doc.Status == host.StatusOnline && !l.suspect
}

// nextCheck returns when the connection is to be checked, and whether it is.
func (l *link) nextCheck() (time.Time, bool) {
	if l.checking != nil || l.doc.Invalid != "" || !l.doc.DetachedAt.IsZero() || l.doc.Credentials == nil {
		return time.Time{}, false
	}
	if len(l.wishes) > 0 {
		return time.Time{}, true
	}
	if l.doc.Paused || l.doc.Status == host.StatusAuthRequired {
		return time.Time{}, false
	}
	at := l.checkAt
	if at.Before(l.blocked) {
		at = l.blocked
	}
	return at, true
}

// nextRun returns the entity's next run and when it is due.
func (l *link) nextRun(e *host.Entity, now time.Time) (time.Time, host.Run, bool) {
	if _, runs := l.running[e.Name]; runs {
		return time.Time{}, host.Run{}, false
	}
	st := l.syncs[e.Name]
	run := host.Run{Connection: l.doc.ID, Entity: e.Name, Status: host.RunQueued, Trigger: "schedule", QueuedAt: now, Total: -1}
	if st != nil && st.Run != "" { // interrupted: goes on
		run.ID = st.Run
		return time.Time{}, run, true
	}
	if st != nil && st.Queued != "" {
		run.ID, run.Trigger = st.Queued, "manual"
		return time.Time{}, run, true
	}
	order, ok := l.doc.OrderFor(*e)
	if !ok {
		return time.Time{}, host.Run{}, false
	}
	run.Mode = mode(e, st, order, now)
	switch {
	case st == nil || st.LastRun == "":
		return time.Time{}, run, true
	case st.LastStatus == host.RunFailed && st.NextRunAt.IsZero():
		return now, run, true
	case st.NextRunAt.IsZero():
		return st.LastEndedAt.Add(order.Every), run, true
	default:
		// A shorter interval in the configuration counts at once.
		return minTime(st.NextRunAt, st.LastEndedAt.Add(max(order.Every, retryLimit(st)))), run, true
	}
}

func retryLimit(st *host.Sync) time.Duration {
	if st.LastStatus == host.RunFailed {
		return 24 * time.Hour // the back-off decides
	}
	return 0
}

// mode decides how much a scheduled run reads.
func mode(e *host.Entity, st *host.Sync, order host.Order, now time.Time) host.Mode {
	switch {
	case st != nil && st.Pass != nil: // a failed run left its position: the same mode goes on
		return st.Pass.Mode
	case !e.Incremental || st == nil || st.LastFullAt.IsZero():
		return host.Full
	case order.Full > 0 && !e.TellsDeletions && !now.Before(st.LastFullAt.Add(order.Full)):
		return host.Full
	default:
		return host.Incremental
	}
}

// afterSuccess returns when the next run of a sync is due: within one interval,
// at a place in it that is the sync's own, so that repeats of many connections
// spread.
func afterSuccess(id string, now time.Time, every time.Duration) time.Time {
	if every <= 0 {
		return time.Time{}
	}
	if every < time.Minute {
		return now.Add(every)
	}
	// Not sooner than half an interval from now.
	earliest := now.Add(every / 2)
	slot := earliest.Truncate(every).Add(spread(id, every))
	for slot.Before(earliest) {
		slot = slot.Add(every)
	}
	return slot
}

// afterFailure returns when a failed run is tried again: after 30 s, doubling,
// at most an hour and at most the interval; later where the system says so.
func afterFailure(now time.Time, failures int, every time.Duration, retryAt time.Time) time.Time {
	d := 30 * time.Second << min(failures-1, 7)
	d = min(d, time.Hour)
	if every > 0 {
		d = min(d, every)
	}
	at := now.Add(d)
	if retryAt.After(at) && retryAt.Before(now.Add(24*time.Hour)) {
		at = retryAt
	}
	return at
}

// spread returns a place in the interval that is always the same for an id.
func spread(id string, every time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id))
	return time.Duration(h.Sum64() % uint64(max(every, 1)))
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
