package badger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// claims are who works on what until when: in memory only, so that they end
// with the process.
type claims struct {
	mu    sync.Mutex
	until map[claimed]time.Time
	// low is, for each endpoint that was claimed from, a place that no pending
	// delivery is before. Settled ones leave traces that take time to pass.
	low map[lowMark]key
}

type claimed struct {
	partition host.Partition
	delivery  host.DeliveryID
}

type lowMark struct {
	partition host.Partition
	endpoint  host.EndpointID
	retry     byte
}

func (c *claims) init() {
	c.until = map[claimed]time.Time{}
	c.low = map[lowMark]key{}
}

// lower tells of a delivery that became pending at k.
func (c *claims) lower(p host.Partition, e host.EndpointID, k key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := lowMark{p, e, k[len(name(newKey(p, tableDue), e))]}
	if low, ok := c.low[m]; ok && bytes.Compare(k, low) < 0 {
		c.low[m] = k
	}
}

func (c *claims) settled(p host.Partition, id host.DeliveryID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.until, claimed{p, id})
}

// Push adds deliveries and moves a position of the log.
func (e *Engine) Push(ctx context.Context, p host.Partition, s state.Push) error {
	_, _, err := e.submitted(ctx, p, 0, state.AppendPush(nil, &s))
	return err
}

// Settle writes outcomes and attempts.
func (e *Engine) Settle(ctx context.Context, p host.Partition, s []state.Settlement) error {
	_, _, err := e.submitted(ctx, p, 0, state.AppendSettle(nil, s))
	return err
}

// Pushed returns a named position.
func (e *Engine) Pushed(ctx context.Context, p host.Partition, position string) (n host.Sequence, err error) {
	err = e.view(ctx, p, func(v view) (err error) {
		n, err = v.sequence(last(newKey(p, tablePos), position))
		return err
	})
	return n, err
}

// Followed hands the changes of records that were followed to yield.
func (e *Engine) Followed(ctx context.Context, p host.Partition, after host.Sequence, yield func(*state.Followed) (bool, error)) error {
	return e.view(ctx, p, func(v view) error {
		return v.scan(newKey(p, tableFollow), followKey(p, after+1), func(k []byte, item *badger.Item) (more bool, err error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			err = item.Value(func(b []byte) (err error) {
				var f state.Followed
				if err := state.DecodeFollowed(b, host.Sequence(binary.BigEndian.Uint64(k[3:])), &f); err != nil {
					return err
				}
				more, err = yield(&f)
				return err
			})
			return more, err
		})
	})
}

// Prune deletes deliveries that have ended.
func (e *Engine) Prune(ctx context.Context, p host.Partition, s state.Prune) error {
	step, err := state.AppendPrune(nil, &s)
	if err != nil {
		return err
	}
	_, _, err = e.submitted(ctx, p, 0, step)
	return err
}

// Claim returns deliveries that are due.
func (e *Engine) Claim(ctx context.Context, p host.Partition, c state.Claim) ([]host.Delivery, time.Time, error) {
	e.claims.mu.Lock()
	defer e.claims.mu.Unlock()
	var due []host.Delivery
	var next time.Time
	err := e.view(ctx, p, func(v view) error {
		endpoints := []host.EndpointID{c.Endpoint}
		if c.Endpoint == "" {
			var err error
			if endpoints, err = v.pendingEndpoints(); err != nil {
				return err
			}
		}
		for _, endpoint := range endpoints {
			for retry := range byte(2) {
				at, err := e.claims.due(v, c, lowMark{p, endpoint, retry}, &due)
				if err != nil {
					return err
				}
				if next.IsZero() || !at.IsZero() && at.Before(next) {
					next = at
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	slices.SortFunc(due, func(a, b host.Delivery) int {
		return cmp.Or(cmp.Compare(min(a.Attempts, 1), min(b.Attempts, 1)), a.DueAt.Compare(b.DueAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	if len(due) > c.Limit {
		next = c.Now
	}
	due = due[:min(c.Limit, len(due))]
	for _, d := range due {
		e.claims.until[claimed{p, d.ID}] = c.Until
	}
	return due, next, nil
}

// due appends what an endpoint has due, at most as many as are asked for, and
// returns when it has more.
func (c *claims) due(v view, ask state.Claim, m lowMark, out *[]host.Delivery) (next time.Time, err error) {
	prefix := append(name(newKey(v.p, tableDue), m.endpoint), m.retry)
	found, n := false, 0
	err = v.scan(prefix, c.low[m], func(k []byte, _ *badger.Item) (bool, error) {
		if !found {
			found = true
			c.low[m] = append(key(nil), k...)
		}
		id := host.DeliveryID(k[len(prefix)+8:])
		if until, ok := c.until[claimed{v.p, id}]; ok {
			if until.After(ask.Now) {
				return true, nil
			}
			delete(c.until, claimed{v.p, id})
		}
		if at := timeOfKey(k[len(prefix):]); n == ask.Limit || at.After(ask.Now) {
			next = at
			if n == ask.Limit && at.Before(ask.Now) {
				next = ask.Now
			}
			return false, nil
		}
		d, err := v.delivery(id)
		if err != nil || d == nil {
			return false, cmp.Or(err, errMalformed)
		}
		*out = append(*out, *d)
		n++
		return true, nil
	})
	if !found {
		c.low[m] = prefix.after()
	}
	return next, err
}

// pendingEndpoints returns the endpoints that are owed something.
func (v view) pendingEndpoints() ([]host.EndpointID, error) {
	var out []host.EndpointID
	err := v.counts("", func(e host.EndpointID, counts map[host.DeliveryStatus]int64) error {
		if counts[host.DeliveryPending] > 0 {
			out = append(out, e)
		}
		return nil
	})
	return out, err
}

// counts visits the numbers of deliveries of an endpoint, or of all ("").
func (v view) counts(e host.EndpointID, visit func(host.EndpointID, map[host.DeliveryStatus]int64) error) error {
	prefix := newKey(v.p, tableCounts)
	if e != "" {
		counts := map[host.DeliveryStatus]int64{}
		if _, err := v.json(last(prefix, e), &counts); err != nil {
			return err
		}
		return visit(e, counts)
	}
	return v.scan(prefix, nil, func(k []byte, item *badger.Item) (bool, error) {
		counts := map[host.DeliveryStatus]int64{}
		if err := item.Value(func(b []byte) error { return decodeJSON(b, &counts) }); err != nil {
			return false, err
		}
		return true, visit(host.EndpointID(k[3:]), counts)
	})
}

// Owed returns the numbers of deliveries by endpoint and status.
func (e *Engine) Owed(ctx context.Context, p host.Partition) (map[host.EndpointID]map[host.DeliveryStatus]int64, error) {
	out := map[host.EndpointID]map[host.DeliveryStatus]int64{}
	err := e.view(ctx, p, func(v view) error {
		return v.counts("", func(e host.EndpointID, counts map[host.DeliveryStatus]int64) error {
			if len(counts) > 0 {
				out[e] = counts
			}
			return nil
		})
	})
	return out, err
}

// Deliveries returns deliveries, newest first, with the counts by status.
func (e *Engine) Deliveries(ctx context.Context, p host.Partition, endpoint host.EndpointID, status host.DeliveryStatus, before host.DeliveryID, limit int) ([]host.Delivery, map[host.DeliveryStatus]int64, error) {
	counts := map[host.DeliveryStatus]int64{}
	var out []host.Delivery
	err := e.view(ctx, p, func(v view) error {
		var prefixes []key
		err := v.counts(endpoint, func(e host.EndpointID, of map[host.DeliveryStatus]int64) error {
			for s, n := range of {
				counts[s] += n
				if status == "" || s == status {
					prefixes = append(prefixes, append(name(newKey(p, tableOfEnd), e), statusCode(s)))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if endpoint == "" && status == "" {
			prefixes = []key{newKey(p, tableDeliv)}
		}
		var ids []host.DeliveryID
		for _, prefix := range prefixes {
			part, err := v.idsBack(prefix, before, limit)
			if err != nil {
				return err
			}
			ids = append(ids, part...)
		}
		slices.SortFunc(ids, func(a, b host.DeliveryID) int { return strings.Compare(string(b), string(a)) })
		for _, id := range ids[:min(limit, len(ids))] {
			d, err := v.delivery(id)
			if err != nil || d == nil {
				return cmp.Or(err, errMalformed)
			}
			out = append(out, *d)
		}
		return nil
	})
	return out, counts, err
}

// idsBack returns the last ids of an index before the one given.
func (v view) idsBack(prefix key, before host.DeliveryID, limit int) ([]host.DeliveryID, error) {
	var out []host.DeliveryID
	var from key
	if before != "" {
		from = last(append(key(nil), prefix...), before)
	}
	err := v.scanBack(prefix, from, func(k []byte, _ *badger.Item) (bool, error) {
		if len(out) == limit {
			return false, nil
		}
		out = append(out, host.DeliveryID(k[len(prefix):]))
		return true, nil
	})
	return out, err
}

// Delivery returns one delivery with its attempts.
func (e *Engine) Delivery(ctx context.Context, p host.Partition, id host.DeliveryID) (host.Delivery, []host.Attempt, error) {
	var out host.Delivery
	var attempts []host.Attempt
	err := e.view(ctx, p, func(v view) error {
		d, err := v.delivery(id)
		if err != nil {
			return err
		}
		if d == nil {
			return state.ErrNotFound
		}
		out = *d
		return v.scan(name(newKey(p, tableAttempt), id), nil, func(_ []byte, item *badger.Item) (bool, error) {
			var t host.Attempt
			err := item.Value(func(b []byte) error { return decodeNoun(b, &t, state.DecodeAttempt) })
			attempts = append(attempts, t)
			return true, err
		})
	})
	return out, attempts, err
}
