package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// health notes what an attempt tells of its endpoint: that it began to fail,
// that it is well again, or that it is given up.
func (s *Sender) health(ctx context.Context, l *lane, o outcome) {
	if l.noting || l.e.Disabled != nil {
		return
	}
	var edit func(*host.Endpoint) []host.Event
	switch e := l.e; {
	case o.ok && (!e.FailingSince.IsZero() || e.Recovering):
		edit = s.wellAgain
	case o.gone:
		edit = func(e *host.Endpoint) []host.Event {
			return s.disable(e, "it answered 410: it wants nothing any more")
		}
	case !o.ok && e.FailingSince.IsZero():
		edit = failingSince(o.at)
	case !o.ok && o.at.Sub(e.FailingSince) >= host.DisabledAfter:
		edit = func(e *host.Endpoint) []host.Event {
			return s.disable(e, fmt.Sprintf("no delivery succeeded since %s; the last attempt: %s", host.FormatTime(e.FailingSince), o.trouble))
		}
	default:
		return
	}
	l.noting = true
	id := l.e.ID
	s.work.Go(func() {
		err := s.edit(context.WithoutCancel(ctx), id, edit)
		if err != nil {
			s.trouble(ctx, "note an endpoint's health", id, err)
		}
		s.report(func() { l.noting = false }) // the endpoint itself comes back by state
	})
}

func failingSince(at time.Time) func(*host.Endpoint) []host.Event {
	return func(e *host.Endpoint) []host.Event {
		if e.FailingSince.IsZero() {
			e.FailingSince = at.UTC()
		}
		return nil // it is told when it is given up
	}
}

func (s *Sender) wellAgain(e *host.Endpoint) []host.Event {
	e.FailingSince = time.Time{}
	if !e.Recovering {
		return nil
	}
	e.Recovering = false
	s.Log.Info("endpoint recovered", "endpoint", e.ID)
	return []host.Event{s.event(host.EventEndpointRecovered, e, "a delivery succeeded")}
}

func (s *Sender) disable(e *host.Endpoint, reason string) []host.Event {
	if e.Disabled != nil {
		return nil
	}
	e.Disabled = &host.Disabled{At: time.Now().UTC(), Reason: reason}
	s.Log.Error("endpoint disabled: what it is owed is held until a person enables it", "endpoint", e.ID, "reason", reason)
	return []host.Event{s.event(host.EventEndpointDisabled, e, reason)}
}

func (s *Sender) event(t host.EventType, e *host.Endpoint, reason string) host.Event {
	data, err := json.Marshal(map[string]any{"endpoint": e.ID, "reason": reason})
	if err != nil {
		data = []byte("{}") // two strings can always be marshalled
	}
	return host.Event{ID: host.EventID(s.NewID("evt_")), Type: t, Time: time.Now().UTC(), Data: data, Endpoint: e.ID}
}

// edit changes a stored endpoint together with the events that tell of it.
func (s *Sender) edit(ctx context.Context, id host.EndpointID, change func(*host.Endpoint) []host.Event) error {
	for {
		e, rev, err := state.Get[host.Endpoint](ctx, s.Store, state.KindEndpoint, string(id))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		before := e
		events := change(&e)
		if equalJSON(before, e) {
			return nil
		}
		put, err := state.PutOf(state.KindEndpoint, string(id), rev, &e)
		if err != nil {
			return err
		}
		_, err = s.Store.Commit(ctx, time.Now(), []state.Put{put}, events, nil)
		if !errors.Is(err, state.ErrChanged) {
			return err
		}
	}
}

// moveAtOnce is how many deliveries change their status in one step.
const moveAtOnce = 500

// move brings all deliveries of an endpoint from one status to another, in a
// goroutine of its own.
func (s *Sender) move(ctx context.Context, l *lane, from, to host.DeliveryStatus, reason string) {
	l.moving = true
	id := l.e.ID
	s.work.Go(func() {
		n, err := moveAll(ctx, s.Store, id, from, func(d *host.Delivery) {
			d.Status, d.Reason = to, reason
		})
		if err != nil {
			s.trouble(ctx, "hold deliveries", id, err)
		} else if n > 0 {
			s.Log.Warn("deliveries are held", "endpoint", id, "deliveries", n)
		}
		s.report(func() {
			l.moving = false
			l.owed = l.owed || err != nil
		})
	})
}

// moveAll changes every delivery of an endpoint that has a status, until none
// has.
func moveAll(ctx context.Context, store *state.Store, id host.EndpointID, from host.DeliveryStatus, change func(*host.Delivery)) (int, error) {
	n := 0
	for {
		ds, _, err := store.Deliveries(ctx, id, from, "", moveAtOnce)
		if err != nil || len(ds) == 0 {
			return n, err
		}
		moved := make([]state.Settlement, len(ds))
		for i := range ds {
			change(&ds[i])
			moved[i].Delivery = ds[i]
		}
		if err := store.Settle(ctx, moved); err != nil {
			return n, err
		}
		n += len(ds)
	}
}
