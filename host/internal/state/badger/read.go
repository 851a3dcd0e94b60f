package badger

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Commit applies a change.
func (e *Engine) Commit(ctx context.Context, p host.Partition, c state.Change) (host.Sequence, error) {
	step, err := state.AppendChange(nil, &c)
	if err != nil {
		return 0, err
	}
	r, _, err := e.submitted(ctx, p, 0, step)
	return r.sequence, err
}

// Document returns one document.
func (e *Engine) Document(ctx context.Context, p host.Partition, kind state.Kind, id string) (state.Document, error) {
	var out state.Document
	err := e.view(ctx, p, func(v view) error {
		d, ok, err := v.document(kind, id)
		if err != nil {
			return err
		}
		if !ok {
			return state.ErrNotFound
		}
		out = state.Document{Kind: kind, ID: id, Revision: d.revision, Body: d.body}
		return nil
	})
	return out, err
}

// Documents returns documents of a kind in order of id.
func (e *Engine) Documents(ctx context.Context, p host.Partition, kind state.Kind, after string, limit int) ([]state.Document, error) {
	var out []state.Document
	err := e.view(ctx, p, func(v view) error {
		prefix := docKey(p, kind, "")
		from := docKey(p, kind, after)
		return v.scan(prefix, from, func(k []byte, item *badger.Item) (bool, error) {
			if len(out) == limit {
				return false, nil
			}
			if after != "" && bytes.Equal(k, from) {
				return true, nil
			}
			id := string(k[len(prefix):])
			return true, item.Value(func(b []byte) error {
				d, err := decodeDocument(b)
				out = append(out, state.Document{Kind: kind, ID: id, Revision: d.revision, Body: append([]byte{}, d.body...)})
				return err
			})
		})
	})
	return out, err
}

// Heads returns the heads of records.
func (e *Engine) Heads(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, ids []host.RecordID) ([]state.Head, host.Sequence, error) {
	out := make([]state.Head, len(ids))
	at, _ := e.wakers.position(p) // before the transaction, which sees at least this
	err := e.view(ctx, p, func(v view) error {
		l, s, err := v.stream(c, entity)
		if err != nil || s == nil || s.Total == 0 {
			return err
		}
		k := ofStream(p, tableHead, l.Number, s.Number)
		for i, id := range ids {
			k = append(k[:streamPrefix], id...)
			_, err := v.get(k, func(b []byte) (err error) {
				out[i], err = state.DecodeHead(b)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, at, err
}

// Record hands a record to yield.
func (e *Engine) Record(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, id host.RecordID, yield func(*state.Stored) error) error {
	return e.view(ctx, p, func(v view) error {
		l, s, err := v.stream(c, entity)
		if err != nil {
			return err
		}
		if s == nil {
			return state.ErrNotFound
		}
		var h state.Head
		ok, err := v.get(last(ofStream(p, tableHead, l.Number, s.Number), id), func(b []byte) (err error) {
			h, err = state.DecodeHead(b)
			return err
		})
		if err != nil {
			return err
		}
		if !ok {
			return state.ErrNotFound
		}
		st := state.Stored{Entity: entity, Sequence: h.Sequence}
		ok, err = v.get(ofStream(p, tableRecord, l.Number, s.Number).uint64(uint64(h.Sequence)), func(b []byte) error {
			if err := state.DecodeStored(b, &st); err != nil {
				return err
			}
			st.ID = id
			return yield(&st)
		})
		if err == nil && !ok {
			return errMalformed
		}
		return err
	})
}

// Feed hands records to yield, ascending by sequence.
func (e *Engine) Feed(ctx context.Context, p host.Partition, f state.Feed, yield func(*state.Stored) (bool, error)) error {
	return e.view(ctx, p, func(v view) error {
		l, _, err := v.life(f.Connection)
		if err != nil || l.Number == 0 {
			return err
		}
		m := merge{until: f.Until}
		defer m.close()
		err = v.feeding(l, &f, func(s *stream) {
			if s.Changed > f.After {
				m.add(v, l, s, f.After)
			}
		})
		if err != nil {
			return err
		}
		return m.run(ctx, yield)
	})
}

// feeding visits the entities that a feed is over.
func (v view) feeding(l life, f *state.Feed, visit func(*stream)) error {
	if len(f.Entities) == 0 {
		return v.streams(l, visit)
	}
	for i, e := range f.Entities {
		if slices.Contains(f.Entities[:i], e) {
			continue
		}
		_, s, err := v.stream(f.Connection, e)
		if err != nil {
			return err
		}
		if s != nil {
			visit(s)
		}
	}
	return nil
}

// merge walks the records of several entities in one order of sequences. It is
// a heap of iterators by their next sequence.
type merge struct {
	until   host.Sequence
	sources []*source
	all     []*source
}

// source is one entity's records.
type source struct {
	it     *badger.Iterator
	entity host.EntityName
	next   host.Sequence
}

func (m *merge) add(v view, l life, s *stream, after host.Sequence) {
	prefix := ofStream(v.p, tableRecord, l.Number, s.Number)
	src := &source{it: v.txn.NewIterator(badger.IteratorOptions{Prefix: prefix}), entity: s.Entity}
	m.all = append(m.all, src)
	src.it.Seek(prefix.uint64(uint64(after) + 1))
	if src.settle(m.until) {
		m.sources = append(m.sources, src)
	}
}

// settle reads where the source stands and says whether there is something.
func (s *source) settle(until host.Sequence) bool {
	if !s.it.Valid() {
		return false
	}
	s.next = host.Sequence(binary.BigEndian.Uint64(s.it.Item().Key()[streamPrefix:]))
	return until == 0 || s.next <= until
}

func (m *merge) run(ctx context.Context, yield func(*state.Stored) (bool, error)) error {
	heap.Init(m)
	var st state.Stored
	for n := 0; len(m.sources) > 0; n++ {
		if n%256 == 255 && ctx.Err() != nil {
			return ctx.Err()
		}
		src := m.sources[0]
		more := false
		err := src.it.Item().Value(func(b []byte) (err error) {
			if err := state.DecodeStored(b, &st); err != nil {
				return err
			}
			st.Entity, st.Sequence = src.entity, src.next
			id := host.RecordID(string([]byte(st.ID))) // outlives what it was read from
			st.ID = id
			more, err = yield(&st)
			return err
		})
		if err != nil || !more {
			return err
		}
		src.it.Next()
		if src.settle(m.until) {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return nil
}

func (m *merge) close() {
	for _, s := range m.all {
		s.it.Close()
	}
}

// Len, Less, Swap, Push and Pop make a heap of the sources.
func (m *merge) Len() int           { return len(m.sources) }
func (m *merge) Less(i, j int) bool { return m.sources[i].next < m.sources[j].next }
func (m *merge) Swap(i, j int)      { m.sources[i], m.sources[j] = m.sources[j], m.sources[i] }
func (m *merge) Push(x any)         { m.sources = append(m.sources, x.(*source)) }

// Pop takes the last source off.
func (m *merge) Pop() any {
	n := len(m.sources) - 1
	s := m.sources[n]
	m.sources = m.sources[:n]
	return s
}

// SequenceAt returns the last sequence given at or before t.
func (e *Engine) SequenceAt(ctx context.Context, p host.Partition, t time.Time) (host.Sequence, error) {
	var n host.Sequence
	err := e.view(ctx, p, func(v view) error {
		prefix := newKey(p, tableTime)
		// The key just behind t's own, so that t's own counts.
		return v.scanBack(prefix, append(append(key(nil), prefix...).time(t), 0), func(_ []byte, item *badger.Item) (bool, error) {
			return false, item.Value(func(b []byte) (err error) {
				n, err = decodeSequence(b)
				return err
			})
		})
	})
	return n, err
}

// Events returns events after a sequence.
func (e *Engine) Events(ctx context.Context, p host.Partition, after host.Sequence, limit int) ([]state.Event, error) {
	var out []state.Event
	err := e.view(ctx, p, func(v view) error {
		return v.scan(newKey(p, tableEvent), eventKey(p, after+1), func(k []byte, item *badger.Item) (bool, error) {
			if len(out) == limit {
				return false, nil
			}
			n := host.Sequence(binary.BigEndian.Uint64(k[3:]))
			return true, item.Value(func(b []byte) error {
				ev, err := decodeEvent(b)
				ev.Sequence = n
				out = append(out, ev)
				return err
			})
		})
	})
	return out, err
}

// EventsBack returns events before a sequence, newest first.
func (e *Engine) EventsBack(ctx context.Context, p host.Partition, before host.Sequence, limit int) ([]state.Event, error) {
	var out []state.Event
	var from key
	if before != 0 {
		from = eventKey(p, before)
	}
	err := e.view(ctx, p, func(v view) error {
		return v.scanBack(newKey(p, tableEvent), from, func(k []byte, item *badger.Item) (bool, error) {
			if len(out) == limit {
				return false, nil
			}
			n := host.Sequence(binary.BigEndian.Uint64(k[3:]))
			return true, item.Value(func(b []byte) error {
				ev, err := decodeEvent(b)
				ev.Sequence = n
				out = append(out, ev)
				return err
			})
		})
	})
	return out, err
}

// Event returns the event at a sequence.
func (e *Engine) Event(ctx context.Context, p host.Partition, n host.Sequence) (state.Event, error) {
	var out state.Event
	err := e.view(ctx, p, func(v view) error {
		ok, err := v.get(eventKey(p, n), func(b []byte) (err error) {
			out, err = decodeEvent(b)
			return err
		})
		if err == nil && !ok {
			return state.ErrNotFound
		}
		out.Sequence = n
		return err
	})
	return out, err
}

// FindEvent returns the sequence of the event with an id.
func (e *Engine) FindEvent(ctx context.Context, p host.Partition, id host.EventID) (n host.Sequence, err error) {
	err = e.view(ctx, p, func(v view) (err error) {
		if n, err = v.sequence(last(newKey(p, tableEventID), id)); err == nil && n == 0 {
			err = state.ErrNotFound
		}
		return err
	})
	return n, err
}
