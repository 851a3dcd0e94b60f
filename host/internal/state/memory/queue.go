package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Push adds deliveries and moves a position of the log.
func (e *Engine) Push(ctx context.Context, p host.Partition, s state.Push) error {
	_, _, err := e.apply(ctx, p, state.AppendPush(nil, &s))
	return err
}

func (pt *partition) push(s *state.Push, n host.Sequence) error {
	switch at := pt.positions[s.Position]; {
	case at == s.To && s.From != s.To:
		return errAgain
	case at != s.From:
		return fmt.Errorf("position %s is %d: %w", s.Position, at, state.ErrChanged)
	}
	pt.positions[s.Position] = s.To
	for _, d := range s.Deliveries {
		if pt.deliveries[d.ID] == nil {
			pt.deliveries[d.ID] = &delivery{Delivery: d}
		}
	}
	if s.Drop {
		pt.followed = slices.DeleteFunc(pt.followed, func(f state.Followed) bool { return f.Sequence <= s.To })
	}
	pt.addEvents(s.Events, s.At, n)
	return nil
}

// Pushed returns a named position.
func (e *Engine) Pushed(ctx context.Context, p host.Partition, position string) (host.Sequence, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, err
	}
	defer unlock()
	return pt.positions[position], nil
}

// Followed hands the changes of records that were followed to yield.
func (e *Engine) Followed(ctx context.Context, p host.Partition, after host.Sequence, yield func(*state.Followed) (bool, error)) error {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return err
	}
	all := slices.Clone(pt.followed)
	unlock()
	for i := range all {
		if all[i].Sequence <= after {
			continue
		}
		if more, err := yield(&all[i]); err != nil || !more {
			return err
		}
	}
	return nil
}

// Settle writes outcomes and attempts.
func (e *Engine) Settle(ctx context.Context, p host.Partition, s []state.Settlement) error {
	_, _, err := e.apply(ctx, p, state.AppendSettle(nil, s))
	return err
}

func (pt *partition) settle(all []state.Settlement) error { //nolint:unparam // steps are applied alike, and others can be refused
	for _, s := range all {
		d := pt.deliveries[s.Delivery.ID]
		if d == nil || state.Settled(&d.Delivery, &s) {
			continue
		}
		d.Delivery = s.Delivery
		d.claimed = time.Time{}
		if s.Attempt.Number != 0 {
			d.attempts = append(d.attempts, s.Attempt)
		}
	}
	return nil
}

// Claim returns deliveries that are due.
func (e *Engine) Claim(ctx context.Context, p host.Partition, c state.Claim) ([]host.Delivery, time.Time, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer unlock()
	var due []*delivery
	var next time.Time
	for _, d := range pt.deliveries {
		switch {
		case d.Status != host.DeliveryPending || d.claimed.After(c.Now) || c.Endpoint != "" && d.Endpoint != c.Endpoint:
		case !d.DueAt.After(c.Now):
			due = append(due, d)
		case next.IsZero() || d.DueAt.Before(next):
			next = d.DueAt
		}
	}
	slices.SortFunc(due, func(a, b *delivery) int {
		return cmp.Or(cmp.Compare(min(a.Attempts, 1), min(b.Attempts, 1)), a.DueAt.Compare(b.DueAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	if len(due) > c.Limit {
		next = c.Now
	}
	var out []host.Delivery
	for _, d := range due[:min(c.Limit, len(due))] {
		d.claimed = c.Until
		out = append(out, d.Delivery)
	}
	return out, next, nil
}

// Prune deletes deliveries that have ended.
func (e *Engine) Prune(ctx context.Context, p host.Partition, s state.Prune) error {
	step, err := state.AppendPrune(nil, &s)
	if err != nil {
		return err
	}
	_, _, err = e.apply(ctx, p, step)
	return err
}

func (pt *partition) prune(s *state.Prune) {
	for _, id := range s.IDs {
		if d := pt.deliveries[id]; d != nil && d.Ended() {
			delete(pt.deliveries, id)
		}
	}
}

// Deliveries returns deliveries, newest first, with the counts by status.
func (e *Engine) Deliveries(ctx context.Context, p host.Partition, endpoint host.EndpointID, status host.DeliveryStatus, before host.DeliveryID, limit int) ([]host.Delivery, map[host.DeliveryStatus]int64, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	counts := map[host.DeliveryStatus]int64{}
	var out []host.Delivery
	for id, d := range pt.deliveries {
		if endpoint != "" && d.Endpoint != endpoint {
			continue
		}
		counts[d.Status]++
		if (status == "" || d.Status == status) && (before == "" || id < before) {
			out = append(out, d.Delivery)
		}
	}
	slices.SortFunc(out, func(a, b host.Delivery) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return out[:min(limit, len(out))], counts, nil
}

// Owed returns the numbers of deliveries by endpoint and status.
func (e *Engine) Owed(ctx context.Context, p host.Partition) (map[host.EndpointID]map[host.DeliveryStatus]int64, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	out := map[host.EndpointID]map[host.DeliveryStatus]int64{}
	for _, d := range pt.deliveries {
		if out[d.Endpoint] == nil {
			out[d.Endpoint] = map[host.DeliveryStatus]int64{}
		}
		out[d.Endpoint][d.Status]++
	}
	return out, nil
}

// Delivery returns one delivery with its attempts.
func (e *Engine) Delivery(ctx context.Context, p host.Partition, id host.DeliveryID) (host.Delivery, []host.Attempt, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return host.Delivery{}, nil, err
	}
	defer unlock()
	d := pt.deliveries[id]
	if d == nil {
		return host.Delivery{}, nil, state.ErrNotFound
	}
	return d.Delivery, copyOf(d.attempts), nil
}
