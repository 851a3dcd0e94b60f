package event

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// A trigger with every is looked at by time: a record fires it where its
// condition did not hold at the look before, or when the record arrived if that
// is later, and holds now. So nothing is remembered of single records; what is
// remembered is when the last look was.

// lookedAt is the document that remembers it.
type lookedAt struct {
	At time.Time `json:"at"`
}

// look looks at the triggers with every, each in its turn.
func (d *Dispatcher) look(ctx context.Context) error {
	for {
		next := time.Now().Add(time.Minute) // the configuration may have changed by then
		for _, t := range d.Triggers() {
			if t.Every <= 0 {
				continue
			}
			at, err := d.lookAt(ctx, &t, time.Now())
			if err != nil {
				return fmt.Errorf("look at trigger %q: %w", t.Name, err)
			}
			if at.Before(next) {
				next = at
			}
		}
		select {
		case <-time.After(max(time.Until(next), 10*time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lookAt looks at one trigger if its time has come, and returns when it comes
// again.
func (d *Dispatcher) lookAt(ctx context.Context, t *Trigger, now time.Time) (time.Time, error) {
	last, rev, err := state.Get[lookedAt](ctx, d.Store, state.KindTrigger, t.Name)
	switch {
	case errors.Is(err, state.ErrNotFound): // the first look sets the state and fires nothing
		last.At = now
		return now.Add(t.Every), d.looked(ctx, t, state.Absent, last, nil)
	case err != nil:
		return time.Time{}, err
	}
	if due := last.At.Add(t.Every); now.Before(due) {
		return due, nil
	}
	conns, err := state.All[host.Connection](ctx, d.Store, state.KindConnection)
	if err != nil {
		return time.Time{}, err
	}
	var events []host.Event
	for i := range conns {
		c := &conns[i].Value
		if !t.covers(c.ID) || !c.DetachedAt.IsZero() {
			continue
		}
		more, err := d.lookOver(ctx, t, c, last.At, now)
		if err != nil {
			return time.Time{}, err
		}
		events = append(events, more...)
	}
	// Their ids follow from the look, so that one that is done again after a
	// crash tells nothing twice.
	for len(events) > pushItems {
		if _, err := d.Store.Commit(ctx, now, nil, events[:pushItems], nil); err != nil {
			return time.Time{}, err
		}
		events = events[pushItems:]
	}
	return now.Add(t.Every), d.looked(ctx, t, rev, lookedAt{now}, events)
}

// looked writes down when the look was, with the last of its events.
func (d *Dispatcher) looked(ctx context.Context, t *Trigger, rev host.Sequence, l lookedAt, events []host.Event) error {
	put, err := state.PutOf(state.KindTrigger, t.Name, rev, l)
	if err != nil {
		return err
	}
	_, err = d.Store.Commit(ctx, l.At, []state.Put{put}, events, nil)
	return err
}

// lookOver returns the events of one connection's records.
func (d *Dispatcher) lookOver(ctx context.Context, t *Trigger, c *host.Connection, from, to time.Time) ([]host.Event, error) {
	var events []host.Event
	over := false
	connection := connectionValues(c.ID, c)
	err := d.Store.Feed(ctx, state.Feed{Connection: c.ID, Entities: []host.EntityName{t.Entity}}, func(r *host.Record) (bool, error) {
		if r.Deleted() {
			return true, nil
		}
		s, err := d.subject(ctx, connection, r, nil)
		if err != nil {
			return false, err
		}
		since := from
		if r.SyncedAt.After(since) {
			since = r.SyncedAt
		}
		begun, err := t.begun(s, since, to)
		var e host.Event
		if err == nil && begun {
			if t.Limit > 0 && len(events) >= t.Limit {
				over = true
				return false, nil
			}
			id := host.EventID("evt_" + idOf(from, "trigger", t.Name, string(c.ID), string(r.ID)))
			e, err = t.event(id, r, s, to)
		}
		switch {
		case err != nil:
			if told, tell := d.failed(t, r, err, to); tell {
				events = append(events, told)
			}
		case begun:
			events = append(events, e)
		}
		return true, nil
	})
	if over {
		d.Log.Warn("a trigger's further events of this look are left out: it has reached its limit", "trigger", t.Name, "connection", c.ID, "limit", t.Limit)
	}
	return events, err
}
