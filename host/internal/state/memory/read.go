package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// epoch is the epoch of all partitions: what forgets is never restored.
const epoch = 1

// Commit applies a change.
func (e *Engine) Commit(ctx context.Context, p host.Partition, c state.Change) (host.Sequence, error) {
	step, err := state.AppendChange(nil, &c)
	if err != nil {
		return 0, err
	}
	n, _, err := e.apply(ctx, p, step)
	return n, err
}

// Document returns one document.
func (e *Engine) Document(ctx context.Context, p host.Partition, kind state.Kind, id string) (state.Document, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return state.Document{}, err
	}
	defer unlock()
	d, ok := pt.documents[kind][id]
	if !ok {
		return state.Document{}, state.ErrNotFound
	}
	return d.copy(), nil
}

func (d document) copy() state.Document {
	return state.Document{
		Kind: state.Kind(strings.Clone(string(d.Kind))), ID: strings.Clone(d.ID),
		Revision: d.Revision, Body: bytes.Clone(d.Body),
	}
}

// Documents returns documents of a kind in order of id.
func (e *Engine) Documents(ctx context.Context, p host.Partition, kind state.Kind, after string, limit int) ([]state.Document, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var out []state.Document
	for id, d := range pt.documents[kind] {
		if id > after || after == "" {
			out = append(out, d.copy())
		}
	}
	slices.SortFunc(out, func(a, b state.Document) int { return strings.Compare(a.ID, b.ID) })
	return out[:min(limit, len(out))], nil
}

// Purge has nothing to do: what a removed connection had went with it.
func (e *Engine) Purge(ctx context.Context, p host.Partition, id host.ConnectionID) (bool, error) {
	_, _, err := e.apply(ctx, p, state.AppendSweep(nil, &state.Sweep{Connection: id}))
	return false, err
}

// Heads returns the heads of records.
func (e *Engine) Heads(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, ids []host.RecordID) ([]state.Head, host.Sequence, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	defer unlock()
	out := make([]state.Head, len(ids))
	if s := pt.stream(c, entity); s != nil {
		for i, id := range ids {
			r := s.records[id]
			out[i] = state.Head{Sequence: r.Sequence, Operation: r.Operation, Hash: r.Hash}
		}
	}
	return out, pt.last, nil
}

// Record hands a record to yield.
func (e *Engine) Record(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, id host.RecordID, yield func(*state.Stored) error) error {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return err
	}
	var r state.Stored
	if s := pt.stream(c, entity); s != nil {
		r = s.records[id]
	}
	unlock()
	if r.Sequence == 0 {
		return state.ErrNotFound
	}
	return handOver(r, func(st *state.Stored) error { return yield(st) })
}

// handOver gives yield a record of its own, and spoils what is only lent.
func handOver(r state.Stored, yield func(*state.Stored) error) error {
	r.ID = host.RecordID(strings.Clone(string(r.ID)))
	r.Sealed = bytes.Clone(r.Sealed)
	defer clear(r.Sealed)
	return yield(&r)
}

// Feed hands records to yield, ascending by sequence.
func (e *Engine) Feed(ctx context.Context, p host.Partition, f state.Feed, yield func(*state.Stored) (bool, error)) error {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return err
	}
	var found []state.Stored
	if l := pt.lives[f.Connection]; l != nil {
		for name, s := range l.streams {
			if len(f.Entities) > 0 && !slices.Contains(f.Entities, name) {
				continue
			}
			for _, r := range s.records {
				if r.Sequence > f.After && (f.Until == 0 || r.Sequence <= f.Until) {
					found = append(found, r)
				}
			}
		}
	}
	unlock()
	slices.SortFunc(found, func(a, b state.Stored) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, r := range found {
		more := false
		err := handOver(r, func(st *state.Stored) (err error) {
			more, err = yield(st)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// Position returns the last sequence and the epoch.
func (e *Engine) Position(ctx context.Context, p host.Partition) (host.Sequence, uint32, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	defer unlock()
	return pt.last, epoch, nil
}

// SequenceAt returns the last sequence given at or before t.
func (e *Engine) SequenceAt(ctx context.Context, p host.Partition, t time.Time) (host.Sequence, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, err
	}
	defer unlock()
	i := sort.Search(len(pt.times), func(i int) bool { return pt.times[i].at.After(t) })
	if i == 0 {
		return 0, nil
	}
	return pt.times[i-1].sequence, nil
}

// Events returns events after a sequence.
func (e *Engine) Events(ctx context.Context, p host.Partition, after host.Sequence, limit int) ([]state.Event, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	i := sort.Search(len(pt.events), func(i int) bool { return pt.events[i].Sequence > after })
	var out []state.Event
	for _, ev := range pt.events[i:min(i+limit, len(pt.events))] {
		ev.Sealed = bytes.Clone(ev.Sealed)
		out = append(out, ev)
	}
	return out, nil
}

// EventsBack returns events before a sequence, newest first.
func (e *Engine) EventsBack(ctx context.Context, p host.Partition, before host.Sequence, limit int) ([]state.Event, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	i := sort.Search(len(pt.events), func(i int) bool { return before != 0 && pt.events[i].Sequence >= before })
	var out []state.Event
	for i--; i >= 0 && len(out) < limit; i-- {
		ev := pt.events[i]
		ev.Sealed = bytes.Clone(ev.Sealed)
		out = append(out, ev)
	}
	return out, nil
}

// Event returns the event at a sequence.
func (e *Engine) Event(ctx context.Context, p host.Partition, n host.Sequence) (state.Event, error) {
	all, err := e.Events(ctx, p, n-1, 1)
	if err != nil {
		return state.Event{}, err
	}
	if len(all) == 0 || all[0].Sequence != n {
		return state.Event{}, state.ErrNotFound
	}
	return all[0], nil
}

// FindEvent returns the sequence of the event with an id.
func (e *Engine) FindEvent(ctx context.Context, p host.Partition, id host.EventID) (host.Sequence, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, err
	}
	defer unlock()
	for i := range pt.events {
		if pt.events[i].ID == id {
			return pt.events[i].Sequence, nil
		}
	}
	return 0, state.ErrNotFound
}
