package event

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// dispatch makes deliveries of events, in the order of the log.
func (d *Dispatcher) dispatch(ctx context.Context) error {
	written, err := d.Store.Pushed(ctx, dispatchPosition)
	if err != nil {
		return fmt.Errorf("read the position: %w", err)
	}
	seen, looked := written, written // up to where events were matched, and the log was looked at
	for {
		last, err := d.wait(ctx, looked, seen != written)
		if errors.Is(err, context.DeadlineExceeded) {
			// Nothing was owed for what was seen last: only the position moves.
			if err := d.Store.Push(ctx, state.Push{Position: dispatchPosition, From: written, To: seen, At: time.Now()}, nil); err != nil {
				return fmt.Errorf("write the position: %w", err)
			}
			written = seen
			continue
		}
		if err != nil {
			return err
		}
		for {
			events, err := d.Store.EventHeads(ctx, seen, readItems)
			if err != nil {
				return fmt.Errorf("read events: %w", err)
			}
			if len(events) == 0 {
				break
			}
			to := events[len(events)-1].Sequence
			pushed, err := d.push(ctx, events, written, to)
			if err != nil {
				return err
			}
			if seen = to; pushed {
				written = to
			}
		}
		looked = max(last, seen)
	}
}

// wait waits for something newer in the log; with a deadline, only so long.
func (d *Dispatcher) wait(ctx context.Context, after host.Sequence, deadline bool) (host.Sequence, error) {
	if !deadline {
		return d.Store.Wait(ctx, "", after)
	}
	short, cancel := context.WithTimeout(ctx, positionAfter)
	defer cancel()
	return d.Store.Wait(short, "", after)
}

// push owes events to the endpoints that want them, and moves the position; it
// says whether there was anything to push.
func (d *Dispatcher) push(ctx context.Context, events []host.Event, from, to host.Sequence) (bool, error) {
	if err := d.subscriptions.refresh(ctx); err != nil {
		return false, err
	}
	endpoints := d.subscriptions.all()
	var owed []host.Delivery
	now := time.Now().UTC()
	for i := range events {
		ev := &events[i]
		for _, e := range endpoints {
			wants, err := d.subscriptions.wants(ctx, e, ev)
			if err != nil {
				return false, err
			}
			if wants {
				owed = append(owed, deliveryOf(ev, e, now))
			}
		}
		// Many endpoints: part by part, the position last. What is pushed twice
		// has the same id.
		for len(owed) > pushItems {
			if err := d.Store.Push(ctx, state.Push{Position: dispatchPosition, From: from, To: from, At: now, Deliveries: owed[:pushItems]}, nil); err != nil {
				return false, fmt.Errorf("push deliveries: %w", err)
			}
			owed = owed[pushItems:]
		}
	}
	if len(owed) == 0 {
		return false, nil
	}
	if err := d.Store.Push(ctx, state.Push{Position: dispatchPosition, From: from, To: to, At: now, Deliveries: owed}, nil); err != nil {
		return false, fmt.Errorf("push deliveries: %w", err)
	}
	return true, nil
}

// deliveryOf is what an endpoint is owed for an event. Its id follows from both
// of them, so that it is the same however often it is made.
func deliveryOf(ev *host.Event, e *host.Endpoint, now time.Time) host.Delivery {
	d := host.Delivery{
		ID:    host.DeliveryID(host.DeliveryPrefix + idOf(ev.Time, string(ev.ID), string(e.ID))),
		Event: ev.ID, EventType: ev.Type, Sequence: ev.Sequence, Endpoint: e.ID, Connection: ev.Connection,
		Status: host.DeliveryPending, CreatedAt: now, DueAt: now,
	}
	if e.Disabled != nil {
		d.Status, d.Reason, d.DueAt = host.DeliveryHeld, "its endpoint is disabled: "+e.Disabled.Reason, time.Time{}
	}
	return d
}

// idOf returns a ULID of the time that follows from the parts.
func idOf(at time.Time, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	var id ulid.ULID
	if at.UnixMilli() > 0 {
		_ = id.SetTime(ulid.Timestamp(at)) // fails only after the year 10889
	}
	_ = id.SetEntropy(h.Sum(nil)[:10]) // fails only for another length
	return id.String()
}
