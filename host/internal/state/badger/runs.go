package badger

import (
	"context"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// buffers keeps the bytes of committed pages for the next ones.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// BeginRun makes a run the holder of its sync.
func (e *Engine) BeginRun(ctx context.Context, p host.Partition, b state.Begin) (state.Lease, error) {
	step, err := state.AppendBegin(nil, &b)
	if err != nil {
		return state.Lease{}, err
	}
	r, _, err := e.submitted(ctx, p, 0, step)
	return r.lease, err
}

// CommitPage stores a page in one step.
func (e *Engine) CommitPage(ctx context.Context, p host.Partition, s state.PageStep) (host.Sequence, error) {
	buf := buffers.Get().(*[]byte)
	b := (*buf)[:0]
	if n := state.PageSize(&s); n > cap(b) {
		b = make([]byte, 0, n)
	}
	b, err := state.AppendPage(b, &s)
	if err != nil {
		return 0, err
	}
	r, back, err := e.submitted(ctx, p, 0, b)
	if back {
		*buf = b
		buffers.Put(buf)
	}
	return r.sequence, err
}

// EndRun writes an outcome and frees the sync.
func (e *Engine) EndRun(ctx context.Context, p host.Partition, o state.Outcome) error {
	step, err := state.AppendEnd(nil, &o)
	if err != nil {
		return err
	}
	_, _, err = e.submitted(ctx, p, 0, step)
	return err
}

// Syncs returns all syncs of a connection, by entity.
func (e *Engine) Syncs(ctx context.Context, p host.Partition, id host.ConnectionID) ([]host.Sync, error) {
	var out []host.Sync
	err := e.view(ctx, p, func(v view) error {
		l, _, err := v.life(id)
		if err != nil || l.Number == 0 {
			return err
		}
		return v.streams(l, func(s *stream) {
			s.Connection = id // it may have been renamed
			out = append(out, s.Sync)
		})
	})
	return out, err
}

// streams visits all entities of a life, by name.
func (v view) streams(l life, visit func(*stream)) error {
	return v.scan(ofLife(v.p, tableStream, l.Number), nil, func(_ []byte, item *badger.Item) (bool, error) {
		return true, item.Value(func(b []byte) error {
			var s stream
			if err := decodeJSON(b, &s); err != nil {
				return err
			}
			visit(&s)
			return nil
		})
	})
}

// Run returns one run.
func (e *Engine) Run(ctx context.Context, p host.Partition, c host.ConnectionID, id host.RunID) (host.Run, error) {
	var out host.Run
	err := e.view(ctx, p, func(v view) error {
		l, _, err := v.life(c)
		if err != nil {
			return err
		}
		r, err := v.run(l, id)
		if err != nil {
			return err
		}
		if r == nil {
			return state.ErrNotFound
		}
		out = r.Run
		out.Connection = c // it may have been renamed
		return nil
	})
	return out, err
}

// Runs returns runs, newest first.
func (e *Engine) Runs(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, before host.RunID, limit int) ([]host.Run, error) {
	var out []host.Run
	err := e.view(ctx, p, func(v view) error {
		l, _, err := v.life(c)
		if err != nil || l.Number == 0 {
			return err
		}
		prefix := ofLife(p, tableRun, l.Number)
		if entity != "" {
			_, s, err := v.stream(c, entity)
			if err != nil || s == nil {
				return err
			}
			prefix = ofStream(p, tableRunOf, l.Number, s.Number)
		}
		var from key
		if before != "" {
			from = last(append(key(nil), prefix...), before)
		}
		return v.scanBack(prefix, from, func(k []byte, _ *badger.Item) (bool, error) {
			if len(out) == limit {
				return false, nil
			}
			r, err := v.run(l, host.RunID(k[len(prefix):]))
			if err == nil && r != nil {
				r.Connection = c
				out = append(out, r.Run)
			}
			return true, err
		})
	})
	return out, err
}
