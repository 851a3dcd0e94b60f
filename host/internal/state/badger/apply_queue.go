package badger

import (
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func (a *application) push(s *state.Push) error {
	k := last(newKey(a.p, tablePos), s.Position)
	at, err := a.sequence(k)
	if err != nil {
		return err
	}
	switch {
	case at == s.To && s.From != s.To:
		return errDone
	case at != s.From:
		return fmt.Errorf("position %s is %d: %w", s.Position, at, state.ErrChanged)
	}
	for i := range s.Deliveries {
		d := &s.Deliveries[i]
		known, err := a.has(last(newKey(a.p, tableDeliv), d.ID))
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if err := a.setDelivery(d); err != nil {
			return err
		}
		a.count(d.Endpoint, d.Status, 1)
	}
	if s.Drop {
		if err := a.dropFollowed(s.To); err != nil {
			return err
		}
	}
	if err := a.events(s.Events, s.At); err != nil {
		return err
	}
	return a.set(k, encodeSequence(s.To))
}

// dropFollowed deletes followed changes up to a sequence. Whoever follows
// passes as many in a step as one takes; should there be more, the rest goes
// with the next.
func (a *application) dropFollowed(until host.Sequence) error {
	var old []key
	err := a.scan(newKey(a.p, tableFollow), nil, func(k []byte, _ *badger.Item) (bool, error) {
		if host.Sequence(binary.BigEndian.Uint64(k[3:])) > until {
			return false, nil
		}
		old = append(old, append(key(nil), k...))
		return len(old) < sweepItems, nil
	})
	for _, k := range old {
		if err == nil {
			err = a.del(k)
		}
	}
	return err
}

// setDelivery writes a delivery and its places in the indexes.
func (a *application) setDelivery(d *host.Delivery) error {
	if err := a.set(last(newKey(a.p, tableDeliv), d.ID), encodeNoun(d, state.AppendDelivery)); err != nil {
		return err
	}
	if err := a.set(ofEndpointKey(a.p, d), nil); err != nil {
		return err
	}
	if d.Status != host.DeliveryPending {
		return nil
	}
	k := dueKey(a.p, d)
	a.b.after = append(a.b.after, func() { a.c.e.claims.lower(a.p, d.Endpoint, k) })
	return a.set(k, nil)
}

func (a *application) settle(all []state.Settlement) error {
	for i := range all {
		s := &all[i]
		old, err := a.delivery(s.Delivery.ID)
		if err != nil {
			return err
		}
		if old == nil || state.Settled(old, s) {
			continue
		}
		if err := a.unplace(old); err != nil {
			return err
		}
		if err := a.setDelivery(&s.Delivery); err != nil {
			return err
		}
		a.count(old.Endpoint, old.Status, -1)
		a.count(s.Delivery.Endpoint, s.Delivery.Status, 1)
		if s.Attempt.Number != 0 {
			if err := a.set(attemptKey(a.p, old.ID, s.Attempt.Number), encodeNoun(&s.Attempt, state.AppendAttempt)); err != nil {
				return err
			}
		}
		a.b.after = append(a.b.after, func() { a.c.e.claims.settled(a.p, old.ID) })
	}
	return nil
}

// unplace takes a delivery out of the indexes.
func (a *application) unplace(d *host.Delivery) error {
	if err := a.del(ofEndpointKey(a.p, d)); err != nil {
		return err
	}
	if d.Status != host.DeliveryPending {
		return nil
	}
	return a.del(dueKey(a.p, d))
}

// prune deletes deliveries that have ended.
func (a *application) prune(s *state.Prune) error {
	for _, id := range s.IDs {
		d, err := a.delivery(id)
		if err != nil {
			return err
		}
		if d == nil || !d.Ended() {
			continue
		}
		if err := a.unplace(d); err != nil {
			return err
		}
		for n := range d.Attempts {
			if err := a.del(attemptKey(a.p, id, n+1)); err != nil {
				return err
			}
		}
		if err := a.del(last(newKey(a.p, tableDeliv), id)); err != nil {
			return err
		}
		a.count(d.Endpoint, d.Status, -1)
	}
	return nil
}

// count takes note of how the numbers of deliveries change. They are written
// with the transaction, once an endpoint whatever the number of its steps.
func (a *application) count(e host.EndpointID, s host.DeliveryStatus, n int64) {
	k := owing{a.p, e}
	if a.b.counts == nil {
		a.b.counts = map[owing]map[host.DeliveryStatus]int64{}
	}
	if a.b.counts[k] == nil {
		a.b.counts[k] = map[host.DeliveryStatus]int64{}
	}
	a.b.counts[k][s] += n
}

// owing is whose deliveries are counted.
type owing struct {
	partition host.Partition
	endpoint  host.EndpointID
}

// writeCounts brings the numbers of deliveries in line with the batch.
func (c *committer) writeCounts(b *batch) error {
	for k, change := range b.counts {
		counts := maps.Clone(c.counts[k])
		at := last(newKey(k.partition, tableCounts), k.endpoint)
		if counts == nil {
			counts = map[host.DeliveryStatus]int64{}
			if _, err := (view{b.txn, k.partition}).json(at, &counts); err != nil {
				return err
			}
		}
		for s, n := range change {
			if counts[s] += n; counts[s] == 0 {
				delete(counts, s)
			}
		}
		v, err := encodeJSON(counts)
		if err != nil {
			return err
		}
		if err := b.txn.Set(at, v); err != nil {
			return err
		}
		b.counts[k] = counts
	}
	return nil
}
