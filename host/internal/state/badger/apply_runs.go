package badger

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// open returns an entity of a connection, with numbers where it had none;
// setStream keeps them.
func (a *application) open(c host.ConnectionID, e host.EntityName) (life, *stream, error) {
	l, s, err := a.stream(c, e)
	if err != nil || s != nil {
		return l, s, err
	}
	if l.Number == 0 {
		a.meta.Lives++
		l = life{Number: a.meta.Lives}
	}
	l.Streams++
	s = &stream{Number: l.Streams}
	s.Connection, s.Entity, s.fresh = c, e, true
	return l, s, nil
}

func (a *application) setStream(l life, s *stream) error {
	if s.fresh {
		if err := a.set(lifeKey(a.p, s.Connection), l.encode()); err != nil {
			return err
		}
	}
	return a.setJSON(last(ofLife(a.p, tableStream, l.Number), s.Entity), s)
}

func (a *application) setRun(l life, r *state.RunState) error {
	return a.setJSON(last(ofLife(a.p, tableRun, l.Number), r.ID), r)
}

// alive refuses what is for a removed connection.
func (a *application) alive(c host.ConnectionID) error { return a.notRemoved(nil, c) }

// queue wishes for a run.
func (a *application) queue(r *host.Run, at time.Time) error {
	l, s, err := a.open(r.Connection, r.Entity)
	if err != nil {
		return err
	}
	if known, err := a.run(l, r.ID); err != nil || known != nil {
		return err
	}
	var queued *state.RunState
	if s.Queued != "" {
		if queued, err = a.run(l, s.Queued); err != nil {
			return err
		}
	}
	run := &state.RunState{Run: *r}
	if !s.Enqueue(run, queued, at) {
		return nil
	}
	if queued != nil {
		if err := a.setRun(l, queued); err != nil {
			return err
		}
	}
	if err := a.addRun(l, s, run, true); err != nil {
		return err
	}
	return a.setStream(l, s)
}

// addRun keeps a run, and lets the oldest of its sync go where there are too
// many.
func (a *application) addRun(l life, s *stream, run *state.RunState, isNew bool) error {
	if err := a.setRun(l, run); err != nil {
		return err
	}
	if !isNew {
		return nil
	}
	runs := ofStream(a.p, tableRunOf, l.Number, s.Number)
	if err := a.set(last(runs, run.ID), nil); err != nil {
		return err
	}
	if s.Runs++; s.Runs <= state.RunsKept {
		return nil
	}
	var oldest host.RunID
	err := a.scan(runs, nil, func(k []byte, _ *badger.Item) (bool, error) {
		oldest = host.RunID(k[streamPrefix:])
		return false, nil
	})
	if err != nil || oldest == run.ID || oldest == s.Run || oldest == s.Queued {
		return err
	}
	s.Runs--
	if err := a.del(last(runs, oldest)); err != nil {
		return err
	}
	return a.del(last(ofLife(a.p, tableRun, l.Number), oldest))
}

func (a *application) begin(b *state.Begin) error {
	if err := a.alive(b.Run.Connection); err != nil {
		return err
	}
	l, s, err := a.open(b.Run.Connection, b.Run.Entity)
	if err != nil {
		return err
	}
	known, err := a.run(l, b.Run.ID)
	if err != nil {
		return err
	}
	isNew, before := known == nil, s.Pass
	run, changed, err := s.BeginRun(b, a.last, known)
	if err != nil {
		return err
	}
	if !changed {
		a.q.result.lease = s.Lease(run)
		return errDone
	}
	if s.Pass != before {
		if err := a.dropMarks(l, s); err != nil {
			return err
		}
	}
	if err := a.addRun(l, s, run, isNew); err != nil {
		return err
	}
	a.q.result.lease = s.Lease(run)
	return a.setStream(l, s)
}

// held returns the entity if the run holds it.
func (a *application) held(c host.ConnectionID, e host.EntityName, run host.RunID, f host.Fence) (life, *stream, error) {
	if err := a.alive(c); err != nil {
		return life{}, nil, err
	}
	l, s, err := a.stream(c, e)
	if err != nil {
		return l, nil, err
	}
	if s == nil {
		return l, nil, fmt.Errorf("run %s: %w", run, state.ErrFenced)
	}
	return l, s, s.Held(run, f)
}

func (a *application) page(p *state.Page) error {
	l, s, err := a.held(p.Connection, p.Entity, p.Run, p.Fence)
	if err != nil {
		return err
	}
	switch {
	case p.Number <= s.Page:
		return errDone
	case p.Number > s.Page+1:
		return fmt.Errorf("page %d of run %s follows page %d: %w", p.Number, p.Run, s.Page, state.ErrChanged)
	}
	if err := a.expectations(l, s, p); err != nil {
		return err
	}
	run, err := a.run(l, p.Run)
	if err != nil {
		return err
	}
	if p.Follow {
		if err := a.follow(l, s, p); err != nil {
			return err
		}
	}
	if err := a.records(l, s, p); err != nil {
		return err
	}
	if s.KeepsMarks() && len(p.Marks) > 0 {
		k := ofStream(a.p, tableMarks, l.Number, s.Number).uint64(uint64(a.last))
		if err := a.set(k, append([]byte{valueVersion}, p.Marks...)); err != nil {
			return err
		}
	}
	s.CommitPage(p, a.last, run)
	if err := a.setRun(l, run); err != nil {
		return err
	}
	if err := a.setStream(l, s); err != nil {
		return err
	}
	if len(p.Stored) == 0 {
		return nil
	}
	return a.arrived(p.At)
}

// expectations refuses a page where a record is not at the revision expected.
// Most pages need no looking: nothing but the run's own pages changed the
// entity since the caller looked, and what those changed is remembered.
func (a *application) expectations(l life, s *stream, p *state.Page) error {
	id := streamID{a.p, l.Number, s.Number}
	defer func() { a.c.recent.add(id, s.Changed, p) }()
	if p.ReadAt >= s.Changed {
		return nil
	}
	seen, sure := a.c.recent.since(id, p.ReadAt)
	sure = sure && p.ReadAt >= s.Foreign
	k := ofStream(a.p, tableHead, l.Number, s.Number)
	for i := range p.Stored {
		r := &p.Stored[i]
		if sure && !seen.has(r.ID) {
			continue
		}
		var h state.Head
		k = append(k[:streamPrefix], r.ID...)
		_, err := a.get(k, func(b []byte) (err error) {
			h, err = state.DecodeHead(b)
			return err
		})
		if err != nil {
			return err
		}
		if h.Sequence != r.Expect {
			return fmt.Errorf("record %q: %w", r.ID, state.ErrChanged)
		}
	}
	return nil
}

// follow keeps each record's change, with the version that it replaces.
func (a *application) follow(l life, s *stream, p *state.Page) error {
	recordOf := ofStream(a.p, tableRecord, l.Number, s.Number)
	for i := range p.Stored {
		r := &p.Stored[i]
		var v []byte
		entry := func(before []byte) error {
			v = state.AppendFollowed(nil, p, s.LastSuccessAt.IsZero(), r.Expect, before, r.Value)
			return nil
		}
		found := false
		if r.Expect != 0 {
			var err error
			if found, err = a.get(recordOf.uint64(uint64(r.Expect)), entry); err != nil {
				return err
			}
		}
		if !found {
			_ = entry(nil)
		}
		if err := a.set(followKey(a.p, a.first+host.Sequence(i)), v); err != nil {
			return err
		}
	}
	return nil
}

// records writes a page's records: a head by id, and the record by sequence.
// Keys, heads and entries of all of them are made in three allocations; the
// records stand in the step as they are stored.
func (a *application) records(l life, s *stream, p *state.Page) error {
	const recordKey = streamPrefix + 8
	size := 0
	for i := range p.Stored {
		r := &p.Stored[i]
		size += streamPrefix + len(r.ID) + state.HeadSize + recordKey
		if r.Expect != 0 {
			size += recordKey
		}
	}
	slab := make([]byte, 0, size)
	cut := func(n int) []byte {
		from := len(slab)
		slab = slab[:from+n]
		return slab[from : from+n : from+n]
	}
	entries := make([]badger.Entry, 2*len(p.Stored))
	headOf := ofStream(a.p, tableHead, l.Number, s.Number)
	recordOf := ofStream(a.p, tableRecord, l.Number, s.Number)
	record := func(n host.Sequence) key {
		k := key(cut(recordKey))
		copy(k, recordOf)
		binary.BigEndian.PutUint64(k[streamPrefix:], uint64(n))
		return k
	}
	for i := range p.Stored {
		r := &p.Stored[i]
		n := a.first + host.Sequence(i)
		k := cut(streamPrefix + len(r.ID))
		copy(k, headOf)
		copy(k[streamPrefix:], r.ID)
		v := cut(state.HeadSize)
		state.PutHead(v, state.Head{Sequence: n, Operation: r.Operation, Hash: r.Hash})
		entries[2*i] = badger.Entry{Key: k, Value: v}
		entries[2*i+1] = badger.Entry{Key: record(n), Value: r.Value}
		if err := a.txn.SetEntry(&entries[2*i]); err != nil {
			return err
		}
		if err := a.txn.SetEntry(&entries[2*i+1]); err != nil {
			return err
		}
		if r.Expect != 0 {
			if err := a.del(record(r.Expect)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *application) end(o *state.Outcome) error {
	if err := a.alive(o.Connection); err != nil {
		return err
	}
	l, s, err := a.stream(o.Connection, o.Entity)
	if err != nil {
		return err
	}
	if s == nil {
		return fmt.Errorf("run %s: %w", o.Run, state.ErrFenced)
	}
	run, err := a.run(l, o.Run)
	if err != nil {
		return err
	}
	done, err := s.EndRun(o, run)
	if err != nil {
		return err
	}
	if done {
		return errDone
	}
	if s.Pass == nil {
		if err := a.dropMarks(l, s); err != nil {
			return err
		}
	}
	id := streamID{a.p, l.Number, s.Number}
	a.c.recent.forget(id)
	a.b.after = append(a.b.after, func() { a.c.e.unseen.drop(id) })
	if err := a.setRun(l, run); err != nil {
		return err
	}
	if err := a.setStream(l, s); err != nil {
		return err
	}
	return a.events(o.Events, o.At)
}

// dropMarks deletes marks of passes that are over, a bounded number each time:
// what is left lies before every later pass and is not read.
func (a *application) dropMarks(l life, s *stream) error {
	if s.Marks == 0 {
		return nil
	}
	var old []key
	err := a.scan(ofStream(a.p, tableMarks, l.Number, s.Number), nil, func(k []byte, _ *badger.Item) (bool, error) {
		old = append(old, append(key(nil), k...))
		return len(old) < sweepItems, nil
	})
	for _, k := range old {
		if err == nil {
			err = a.del(k)
		}
	}
	s.Marks -= len(old)
	return err
}
