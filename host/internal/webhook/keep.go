package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

const (
	houseEvery  = time.Hour
	pruneAtOnce = 200
)

// keepHouse ends what has waited too long and removes what is kept no longer,
// at the start and then every hour.
func (s *Sender) keepHouse(ctx context.Context) {
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	for {
		if err := s.clean(ctx, time.Now()); err != nil {
			s.trouble(ctx, "clean up deliveries", "", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Sender) clean(ctx context.Context, now time.Time) error {
	owed, err := s.Store.Owed(ctx)
	if err != nil {
		return err
	}
	for id, counts := range owed {
		e, _, err := state.Get[host.Endpoint](ctx, s.Store, state.KindEndpoint, string(id))
		switch {
		case errors.Is(err, state.ErrNotFound):
			err = s.endAll(ctx, id)
		case err == nil && e.Disabled == nil && counts[host.DeliveryHeld] > 0:
			err = s.release(ctx, id)
		case err == nil && e.Disabled != nil && counts[host.DeliveryHeld] > 0:
			err = s.endHeld(ctx, id, now)
		}
		if err != nil {
			return err
		}
	}
	if err := s.prune(ctx, host.DeliveryDead, now.Add(-host.DeadKeptFor)); err != nil {
		return err
	}
	return s.prune(ctx, host.DeliveryDelivered, now.Add(-host.DeliveredKeptFor))
}

// before returns the smallest id of a delivery made at the time.
func before(at time.Time) host.DeliveryID {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		return "" // before 1970: there is none
	}
	return host.DeliveryID(host.DeliveryPrefix + id.String())
}

// prune deletes deliveries of a status that ended before a time.
func (s *Sender) prune(ctx context.Context, status host.DeliveryStatus, until time.Time) error {
	from := before(until) // what was made later has not ended before
	for {
		ds, _, err := s.Store.Deliveries(ctx, "", status, from, moveAtOnce)
		if err != nil || len(ds) == 0 {
			return err
		}
		var old state.Prune
		for i := range ds {
			if ds[i].EndedAt.Before(until) {
				old.IDs = append(old.IDs, ds[i].ID)
			}
		}
		for part := range slices.Chunk(old.IDs, pruneAtOnce) {
			if err := s.Store.Prune(ctx, state.Prune{IDs: part}); err != nil {
				return err
			}
		}
		from = ds[len(ds)-1].ID
	}
}

// endAll ends what a removed endpoint was owed.
func (s *Sender) endAll(ctx context.Context, id host.EndpointID) error {
	for _, status := range []host.DeliveryStatus{host.DeliveryPending, host.DeliveryHeld} {
		if _, err := moveAll(ctx, s.Store, id, status, func(d *host.Delivery) {
			d.End(host.DeliveryDead, time.Now(), "its endpoint was removed")
		}); err != nil {
			return err
		}
	}
	return nil
}

// release makes what was held pending again, in order of age.
func (s *Sender) release(ctx context.Context, id host.EndpointID) error {
	n, err := moveAll(ctx, s.Store, id, host.DeliveryHeld, func(d *host.Delivery) { d.Again(d.CreatedAt) })
	if n > 0 {
		s.Log.Info("held deliveries go out", "endpoint", id, "deliveries", n)
	}
	return err
}

// endHeld ends what has been held for too long.
func (s *Sender) endHeld(ctx context.Context, id host.EndpointID, now time.Time) error {
	old := before(now.Add(-host.DeadKeptFor))
	for {
		ds, _, err := s.Store.Deliveries(ctx, id, host.DeliveryHeld, old, moveAtOnce)
		if err != nil || len(ds) == 0 {
			return err
		}
		ended := make([]state.Settlement, len(ds))
		for i, d := range ds {
			d.End(host.DeliveryDead, now, fmt.Sprintf("it was held for %d days: its endpoint stayed disabled", int(host.DeadKeptFor.Hours()/24)))
			ended[i].Delivery = d
		}
		if err := s.Store.Settle(ctx, ended); err != nil {
			return err
		}
		s.Log.Warn("held deliveries are dead", "endpoint", id, "deliveries", len(ds))
	}
}

// retry fulfils a wish: what it chooses is pending again, the oldest first. The
// wish tells how far it is, and is done when all are.
func (s *Sender) retry(ctx context.Context, id string) error {
	w, _, err := state.Get[host.Wish](ctx, s.Store, state.KindWish, id)
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	if err != nil || w.Kind != host.WishRetry || !w.DoneAt.IsZero() || w.Retry == nil {
		return err
	}
	f, from, now := *w.Retry, host.DeliveryID(""), time.Now().UTC()
	if !f.Until.IsZero() {
		from = before(f.Until.Add(time.Minute)) // ids are made a little before or after what they are for
	}
	for {
		ds, _, err := s.Store.Deliveries(ctx, f.Endpoint, f.Status, from, moveAtOnce)
		if err != nil {
			return err
		}
		var again []state.Settlement
		for i := range ds {
			if f.Matches(&ds[i]) {
				ds[i].Again(now)
				again = append(again, state.Settlement{Delivery: ds[i]})
			}
		}
		if len(again) > 0 {
			if err := s.Store.Settle(ctx, again); err != nil {
				return err
			}
		}
		w.Done += int64(len(again))
		over := len(ds) < moveAtOnce || !f.Since.IsZero() && ds[len(ds)-1].CreatedAt.Before(f.Since.Add(-time.Minute))
		if over {
			w.DoneAt = time.Now().UTC()
		}
		put, err := state.PutOf(state.KindWish, id, state.Any, &w)
		if err != nil {
			return err
		}
		if _, err := s.Store.Commit(ctx, time.Now(), []state.Put{put}, nil, nil); err != nil || over {
			return err
		}
		from = ds[len(ds)-1].ID
	}
}
