package badger

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// sweepItems is how many keys one step sweeps at most.
const sweepItems = host.MaxStepItems

// swept are the tables that a removed connection leaves things in. The heads go
// first: without them nothing can be found by its name.
var swept = [...]table{tableStream, tableHead, tableRecord, tableMarks, tableRun, tableRunOf}

// Purge sweeps the next part of what a removed connection left behind.
func (e *Engine) Purge(ctx context.Context, p host.Partition, id host.ConnectionID) (bool, error) {
	r, _, err := e.submitted(ctx, p, 0, state.AppendSweep(nil, &state.Sweep{Connection: id}))
	return r.more, err
}

// sweep deletes a part of what nothing reads any more.
func (a *application) sweep(s *state.Sweep) error {
	prefix := newKey(a.p, tableLeft)
	if s.Connection != "" {
		prefix = name(prefix, s.Connection)
	}
	var left key
	err := a.scan(prefix, nil, func(k []byte, _ *badger.Item) (bool, error) {
		left = append(left, k...)
		return false, nil
	})
	if err != nil || left == nil {
		return err
	}
	a.q.result.more = true
	c, rest, ok := takeName(left[3:])
	if !ok || len(rest) != 4 {
		return errMalformed
	}
	until, err := a.sequence(left)
	if err != nil {
		return err
	}
	n, err := a.disown(host.ConnectionID(c), until, sweepItems)
	if err != nil || n == sweepItems {
		return err
	}
	number := binary.BigEndian.Uint32(rest)
	for _, t := range swept {
		if number == 0 {
			break
		}
		m, err := a.sweepTable(ofLife(a.p, t, number), sweepItems-n)
		if n += m; err != nil || n == sweepItems {
			return err
		}
	}
	if err := a.del(left); err != nil {
		return err
	}
	a.q.result.more, err = a.any(prefix)
	return err
}

// sweepTable deletes up to limit keys that begin with prefix.
func (a *application) sweepTable(prefix key, limit int) (int, error) {
	var old []key
	err := a.scan(prefix, nil, func(k []byte, _ *badger.Item) (bool, error) {
		old = append(old, append(key(nil), k...))
		return len(old) < limit, nil
	})
	for _, k := range old {
		if err == nil {
			err = a.del(k)
		}
	}
	return len(old), err
}

// any says whether a key begins with prefix.
func (v view) any(prefix key) (found bool, err error) {
	err = v.scan(prefix, nil, func([]byte, *badger.Item) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// sweepSoon tells that something was left behind.
func (e *Engine) sweepSoon() {
	select {
	case e.sweeps <- struct{}{}:
	default:
	}
}

// keepHouse sweeps what removed connections left behind, also where the
// process that removed them ended first, and gives back the value log's unused
// files, until the context ends.
func (e *Engine) keepHouse(ctx context.Context) {
	e.sweepAll(ctx)
	tick := time.NewTicker(houseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.sweeps:
			e.sweepAll(ctx)
		case <-tick.C:
			e.collect(ctx)
		}
	}
}

func (e *Engine) sweepAll(ctx context.Context) {
	for _, p := range e.wakers.known() {
		for more := true; more; {
			var err error
			if err = e.view(ctx, p, func(v view) error {
				more, err = v.any(newKey(p, tableLeft))
				return err
			}); err != nil || !more {
				break
			}
			if more, err = e.Purge(ctx, p, ""); err != nil {
				if ctx.Err() == nil && !errors.Is(err, state.ErrClosed) {
					e.log.Warn("sweeping failed", "partition", p, "error", err)
				}
				return
			}
		}
	}
}

// collect lets Badger rewrite value log files of which half is unused, one
// after the other.
func (e *Engine) collect(ctx context.Context) {
	for ctx.Err() == nil {
		err := e.db.RunValueLogGC(0.5)
		switch {
		case err == nil:
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrRejected):
			return
		default:
			e.log.Warn("value log was not collected", "error", err)
			return
		}
	}
}
