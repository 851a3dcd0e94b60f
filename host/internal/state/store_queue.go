package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// KindDelivery marks, in a Ref, that an endpoint, which the ID names, is owed
// something more or something else.
const KindDelivery Kind = "delivery"

// FollowedRecord is a followed change, opened.
type FollowedRecord struct {
	Sequence host.Sequence
	Run      host.RunID
	First    bool         // no run of the entity had completed before
	Before   *host.Record // nil: there was none
	After    host.Record
}

// Event returns the event at a sequence, or ErrNotFound. One whose connection
// was removed has null data.
func (s *Store) Event(ctx context.Context, n host.Sequence) (host.Event, error) {
	if e, ok := s.fresh.find(n); ok {
		return e, nil
	}
	e, err := s.engine.Event(ctx, 0, n)
	if err != nil {
		return host.Event{}, err
	}
	return s.openEvent(&e), nil
}

// FindEvent is Log.FindEvent.
func (s *Store) FindEvent(ctx context.Context, id host.EventID) (host.Sequence, error) {
	return s.engine.FindEvent(ctx, 0, id)
}

// EventHeads is Events without the events' data, which nothing is opened for.
func (s *Store) EventHeads(ctx context.Context, after host.Sequence, limit int) ([]host.Event, error) {
	stored, err := s.engine.Events(ctx, 0, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]host.Event, len(stored))
	for i := range stored {
		out[i] = stored[i].Event
	}
	return out, nil
}

// EventsBack hands the heads of events before a sequence (0: from the newest) to
// choose, newest first, and returns those that it chooses, opened, at most limit
// of them, after looking at most at so many; and the sequence of the last one
// looked at, 0 where there is none before it.
func (s *Store) EventsBack(ctx context.Context, before host.Sequence, limit, most int, choose func(*host.Event) (bool, error)) ([]host.Event, host.Sequence, error) {
	const atOnce = 200
	var out []host.Event
	for looked := 0; looked < most; looked += atOnce {
		part, err := s.engine.EventsBack(ctx, 0, before, atOnce)
		if err != nil {
			return nil, 0, err
		}
		for i := range part {
			e := part[i].Event
			e.Sequence = part[i].Sequence
			before = e.Sequence
			chosen, err := choose(&e)
			if err != nil {
				return nil, 0, err
			}
			if chosen {
				out = append(out, s.openEvent(&part[i]))
			}
			if len(out) == limit {
				return out, before, nil
			}
		}
		if len(part) < atOnce {
			return out, 0, nil
		}
	}
	return out, before, nil
}

func (s *Store) openEvent(e *Event) host.Event {
	out := e.Event
	out.Data = json.RawMessage("null")
	if plain, err := s.sealer.Open(e.Connection, e.Sealed, []byte(e.ID)); err == nil {
		out.Data = plain
	}
	return out
}

// Pushed is Follow.Pushed.
func (s *Store) Pushed(ctx context.Context, position string) (host.Sequence, error) {
	return s.engine.Pushed(ctx, 0, position)
}

// Followed hands followed changes after a sequence to yield, opened, ascending,
// until it returns false. What belongs to a removed connection is passed by.
func (s *Store) Followed(ctx context.Context, after host.Sequence, yield func(*FollowedRecord) (bool, error)) error {
	return s.engine.Followed(ctx, 0, after, func(f *Followed) (bool, error) {
		r := FollowedRecord{Sequence: f.Sequence, Run: host.RunID(strings.Clone(string(f.Run))), First: f.First}
		var err error
		if r.After, err = s.open(f.Connection, &f.After); err == nil && f.Before != nil {
			var before host.Record
			if before, err = s.open(f.Connection, f.Before); err == nil {
				r.Before = &before
			}
		}
		if err != nil {
			_, _, gone := Get[host.Connection](ctx, s, KindConnection, string(f.Connection))
			if errors.Is(gone, ErrNotFound) {
				return true, nil
			}
			return false, err
		}
		return yield(&r)
	})
}

// Push moves a position and adds deliveries and events, with the events' data
// in clear.
func (s *Store) Push(ctx context.Context, p Push, events []host.Event) error {
	sealed, err := s.sealEvents(events)
	if err != nil {
		return err
	}
	p.Events = sealed
	size := 0
	for i := range sealed {
		size += len(sealed[i].Sealed)
	}
	if n := len(p.Deliveries) + len(events); n > host.MaxStepItems || size > host.MaxStepBytes {
		return host.Errorf(host.CodeTooLarge, "a push of %d items and %d bytes; at most %d and %d go together", n, size, host.MaxStepItems, host.MaxStepBytes)
	}
	err = s.engine.Push(ctx, 0, p)
	if !refused(err) && len(p.Deliveries) > 0 {
		s.owed(p.Deliveries)
	}
	return err
}

// owed tells which endpoints are owed something new.
func (s *Store) owed(ds []host.Delivery) {
	var refs []Ref
	met := map[host.EndpointID]bool{}
	for i := range ds {
		if e := ds[i].Endpoint; ds[i].Status == host.DeliveryPending && !met[e] {
			met[e] = true
			refs = append(refs, Ref{KindDelivery, string(e)})
		}
	}
	s.recent.addRefs(refs)
}

// Claim is Queue.Claim.
func (s *Store) Claim(ctx context.Context, c Claim) ([]host.Delivery, time.Time, error) {
	return s.engine.Claim(ctx, 0, c)
}

// Settle is Queue.Settle, with the attempts' responses in clear.
func (s *Store) Settle(ctx context.Context, all []Settlement) error {
	changed := make([]host.Delivery, 0, len(all))
	for i := range all {
		a := &all[i].Attempt
		if len(a.Response) > 0 {
			sealed, err := s.sealer.Seal(all[i].Delivery.Connection, a.Response, responseOf(a))
			if err != nil {
				return fmt.Errorf("seal the answer to delivery %s: %w", a.Delivery, err)
			}
			a.Response = sealed
		}
		if a.Number == 0 {
			changed = append(changed, all[i].Delivery)
		}
	}
	err := s.engine.Settle(ctx, 0, all)
	if !refused(err) && len(changed) > 0 {
		s.owed(changed)
	}
	return err
}

// responseOf binds a sealed answer to its attempt.
func responseOf(a *host.Attempt) []byte { return fmt.Appendf(nil, "%s/%d", a.Delivery, a.Number) }

// Prune is Queue.Prune.
func (s *Store) Prune(ctx context.Context, p Prune) error { return s.engine.Prune(ctx, 0, p) }

// Owed is Queue.Owed.
func (s *Store) Owed(ctx context.Context) (map[host.EndpointID]map[host.DeliveryStatus]int64, error) {
	return s.engine.Owed(ctx, 0)
}

// Deliveries is Queue.Deliveries.
func (s *Store) Deliveries(ctx context.Context, e host.EndpointID, st host.DeliveryStatus, before host.DeliveryID, limit int) ([]host.Delivery, map[host.DeliveryStatus]int64, error) {
	return s.engine.Deliveries(ctx, 0, e, st, before, limit)
}

// Delivery is Queue.Delivery, with the attempts' responses opened. That of a
// removed connection is gone.
func (s *Store) Delivery(ctx context.Context, id host.DeliveryID) (host.Delivery, []host.Attempt, error) {
	d, attempts, err := s.engine.Delivery(ctx, 0, id)
	for i := range attempts {
		a := &attempts[i]
		if len(a.Response) > 0 {
			if a.Response, _ = s.sealer.Open(d.Connection, a.Response, responseOf(a)); a.Response == nil {
				a.Response = []byte{}
			}
		}
	}
	return d, attempts, err
}
