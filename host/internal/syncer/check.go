package syncer

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// settleFlags brings the status in line with pause and resume.
func (s *Syncer) settleFlags(ctx context.Context, l *link, now time.Time) {
	c := l.doc
	var want host.ConnectionStatus
	var reason string
	switch {
	case c.Invalid != "" || !c.DetachedAt.IsZero():
		return // the configuration has set it
	case c.Paused && c.Status != host.StatusPaused:
		want, reason = host.StatusPaused, "paused by a person"
	case !c.Paused && (c.Status == host.StatusPaused || c.Status == host.StatusDetached || c.Status == host.StatusInvalid):
		want, reason = host.StatusPending, "to be checked"
		l.checkAt = time.Time{}
	default:
		return
	}
	err := s.setStatus(ctx, c.ID, now, func(c *host.Connection) bool {
		c.Status, c.Reason, c.ReasonCode = want, reason, ""
		return true
	})
	if err != nil && ctx.Err() == nil {
		s.Log.Error("write a connection's status", "connection", c.ID, "error", err)
	}
	c.Status = want // the change comes back by state; until then this holds
}

// startCheck checks a connection in a goroutine of its own.
func (s *Syncer) startCheck(ctx context.Context, l *link) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.checking = cancel
	s.checks++
	wishes := l.wishes
	l.wishes = nil
	doc, old := *l.doc, l.session
	askEntities := time.Since(l.seenAt) >= entitiesFor || len(doc.Entities) == 0
	failures := l.failures
	once := l.suspect || len(wishes) > 0 && doc.Status == host.StatusAuthRequired
	s.work.Go(func() {
		r := s.check(ctx, &doc, old, askEntities, once)
		stopped := ctx.Err() != nil
		if !stopped {
			s.conclude(ctx, &doc, &r, failures)
		}
		s.fulfil(ctx, wishes, r.err)
		cancel(nil)
		s.report(func() {
			s.checks--
			l.checking = nil
			if l.session == nil && s.links[doc.ID] == l && !stopped {
				l.session = r.session
			} else if r.session != nil && r.session != l.session {
				_ = r.session.Close()
			}
			l.lastUsed = time.Now()
			if stopped {
				return
			}
			l.suspect = false
			l.failures = r.failures
			l.checkAt = r.next
			l.blocked = r.blocked
			if r.err == nil && askEntities {
				l.seenAt = time.Now()
			}
		})
	})
}

// checked is the outcome of a check.
type checked struct {
	session  Session
	entities []host.Entity // nil: not asked
	err      error
	refused  bool // the login was refused twice
	failures int
	next     time.Time
	blocked  time.Time
}

// check logs in; a refused login is confirmed by exactly one more attempt.
// With once, this is that attempt: the login was refused before.
func (s *Syncer) check(ctx context.Context, c *host.Connection, session Session, askEntities, once bool) checked {
	r := checked{session: session}
	attempt := func() error {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		if r.session == nil {
			session, err := s.Open(ctx, c)
			if err != nil {
				return err
			}
			r.session = session
		}
		return r.session.Check(ctx)
	}
	r.err = attempt()
	if died(r.err) { // the process went away: a new one is a new question
		r.session = nil
		r.err = attempt()
	}
	if host.CodeOf(r.err) == host.CodeAuthRequired && ctx.Err() == nil {
		if !once {
			r.err = attempt()
		}
		r.refused = host.CodeOf(r.err) == host.CodeAuthRequired
		if r.refused {
			return r
		}
	}
	if r.err != nil || !askEntities {
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, entitiesTimeout)
	defer cancel()
	r.entities, r.err = r.session.Entities(ctx)
	if r.err == nil && r.entities == nil {
		r.entities = []host.Entity{}
	}
	return r
}

// conclude writes what a check means for the connection.
func (s *Syncer) conclude(ctx context.Context, asked *host.Connection, r *checked, failures int) {
	now := time.Now()
	every := checkEvery(asked)
	answered := r.err == nil
	switch host.CodeOf(r.err) {
	case host.CodeRateLimited:
		// The system is there and knows us; it wants fewer calls.
		answered = asked.Status == host.StatusOnline
		r.blocked = now.Add(time.Minute)
		if at := host.RetryAtOf(r.err); at.After(now) {
			r.blocked = minTime(at, now.Add(time.Hour))
		}
	case host.CodePermissionDenied:
		answered = asked.Status == host.StatusOnline
	}
	if answered {
		r.next = now.Add(every)
	} else {
		r.failures = failures + 1
		r.next = now.Add(host.RetryCheckAfter)
		if r.failures >= host.OfflineAfter && asked.Status == host.StatusOffline {
			r.next = now.Add(offlineCheck(r.failures))
		}
	}
	err := s.setStatus(ctx, asked.ID, now, func(c *host.Connection) bool {
		if c.CredentialsRevision != asked.CredentialsRevision || c.Incarnation != asked.Incarnation ||
			c.Invalid != "" || !c.DetachedAt.IsZero() {
			return false // the answer is about something that is no longer so
		}
		before := *c
		switch {
		case r.refused:
			c.Status, c.Reason, c.ReasonCode = host.StatusAuthRequired, refusedWords(r.err), host.CodeAuthRequired
		case answered:
			c.Status, c.Reason, c.ReasonCode, c.StaleSince = host.StatusOnline, "", "", time.Time{}
		case r.failures >= host.OfflineAfter:
			if c.Status != host.StatusOffline {
				c.StaleSince = now
			}
			c.Status, c.Reason, c.ReasonCode = host.StatusOffline, host.MessageOf(r.err), host.CodeOf(r.err)
		default:
			if c.Status == host.StatusPending { // say why it still is
				c.Reason, c.ReasonCode = host.MessageOf(r.err), host.CodeOf(r.err)
			}
		}
		if c.Paused {
			c.Status, c.Reason = before.Status, before.Reason
		}
		if r.entities != nil {
			c.Entities = r.entities
		}
		return c.Status != before.Status || c.Reason != before.Reason || !reflect.DeepEqual(c.Entities, before.Entities)
	})
	if err != nil && ctx.Err() == nil {
		s.Log.Error("write a check's outcome", "connection", asked.ID, "error", err)
		r.next = now.Add(storageRetryAfter)
	}
	if r.err != nil && host.CodeOf(r.err) == host.CodeInternal {
		s.Log.Warn("check failed", "connection", asked.ID, "error", r.err)
	}
}

// offlineCheck slows checks of a system that stays away: 10 s for the first
// minutes, up to a minute later, so that it is seen soon when it is back.
func offlineCheck(failures int) time.Duration {
	if failures < 30 {
		return host.RetryCheckAfter
	}
	return time.Minute
}

func refusedWords(err error) string {
	return "the system refused the login: " + host.MessageOf(err) + "; give new credentials to go on"
}

// died says whether the connector's process went away under the call.
func died(err error) bool {
	c := host.CodeOf(err)
	return c == host.CodePluginCrashed || c == host.CodeOutOfMemory
}

// fulfil writes the outcome of wishes; whoever made them reads it there.
func (s *Syncer) fulfil(ctx context.Context, wishes []host.Wish, outcome error) {
	for _, w := range wishes {
		w.DoneAt = time.Now()
		w.Error = host.ProblemOf(outcome)
		put, err := state.PutOf(state.KindWish, string(w.ID), state.Any, &w)
		if err == nil {
			_, err = s.Store.Commit(context.WithoutCancel(ctx), w.DoneAt, []state.Put{put}, nil, nil)
		}
		if err != nil && !errors.Is(err, state.ErrClosed) {
			s.Log.Error("write a wish's outcome", "connection", w.Connection, "error", err)
		}
	}
}
