package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// apply applies a step's bytes at the next sequence. The bytes are the engine's
// from then on.
func (e *Engine) apply(ctx context.Context, p host.Partition, step []byte) (host.Sequence, state.Lease, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, state.Lease{}, err
	}
	defer unlock()
	return pt.apply(pt.last+1, step)
}

// Apply applies a step's bytes at a sequence larger than the last. It returns
// the step's sequence, which is the last one that it took, or the refusal.
func (e *Engine) Apply(ctx context.Context, p host.Partition, n host.Sequence, step []byte) (host.Sequence, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if n <= pt.last {
		return 0, fmt.Errorf("apply at %d: the partition is at %d already", n, pt.last)
	}
	n, _, err = pt.apply(n, bytes.Clone(step))
	return n, err
}

func (pt *partition) apply(n host.Sequence, b []byte) (host.Sequence, state.Lease, error) {
	s, err := state.DecodeStep(b)
	if err != nil {
		return 0, state.Lease{}, err
	}
	last := n + host.Sequence(s.Items()) - 1
	var lease state.Lease
	switch {
	case s.Change != nil:
		err = pt.change(s.Change, n, last)
	case s.Begin != nil:
		lease, err = pt.begin(s.Begin, n)
	case s.Page != nil:
		var done host.Sequence
		if done, err = pt.page(s.Page, n, last); done != 0 {
			return done, lease, err
		}
	case s.End != nil:
		err = pt.end(s.End, n)
	case s.Push != nil:
		err = pt.push(s.Push, n)
	case s.Settle != nil:
		err = pt.settle(s.Settle.Settlements)
	case s.Prune != nil:
		pt.prune(s.Prune)
	}
	switch {
	case errors.Is(err, errAgain):
		return pt.last, lease, nil
	case err != nil:
		return 0, lease, err
	}
	pt.last = last
	close(pt.changed)
	pt.changed = make(chan struct{})
	return last, lease, nil
}

// errAgain says that the step was done before: nothing was changed.
var errAgain = errors.New("done before")

// arrived remembers that records or events were given sequences up to n.
func (pt *partition) arrived(at time.Time, n host.Sequence) {
	if at.After(pt.lastAt) {
		pt.lastAt = at
	}
	pt.times = append(pt.times, mark{pt.lastAt, n})
}

func (pt *partition) change(c *state.Change, n, last host.Sequence) error {
	rename := false
	if r := c.Rename; r != nil {
		_, from := pt.documents[state.KindConnection][string(r.From)]
		_, to := pt.documents[state.KindConnection][string(r.To)]
		if rename = from && !to; from == to {
			return fmt.Errorf("rename connection %s to %s: %w", r.From, r.To, state.ErrChanged)
		}
	}
	for _, p := range c.Puts {
		d, ok := pt.documents[p.Kind][p.ID]
		if !expected(d, ok, p) {
			return fmt.Errorf("%s %q: %w", p.Kind, p.ID, state.ErrChanged)
		}
	}
	for _, r := range c.Queue {
		if pt.removedAfter(c.Puts, r.Connection) {
			return fmt.Errorf("connection %s: %w", r.Connection, state.ErrPurged)
		}
	}
	if rename {
		pt.rename(c.Rename)
	}
	for _, p := range c.Puts {
		pt.put(p, last)
	}
	pt.addEvents(c.Events, c.At, n)
	for _, r := range c.Queue {
		pt.queue(r, c.At)
	}
	return nil
}

// expected says whether a put may go ahead: it is at the expected revision, or
// was done before.
func expected(d document, ok bool, p state.Put) bool {
	if !ok {
		return p.Expect == state.Absent || p.Expect == state.Any || p.Body == nil
	}
	return p.Expect == state.Any || p.Expect == d.Revision || p.Body != nil && bytes.Equal(p.Body, d.Body)
}

// removedAfter says whether the connection will be a removed one once the puts
// are done.
func (pt *partition) removedAfter(puts []state.Put, c host.ConnectionID) bool {
	removed := pt.removed[c]
	for _, p := range puts {
		if p.Kind == state.KindConnection && p.ID == string(c) {
			removed = p.Body == nil
		}
	}
	return removed
}

func (pt *partition) put(p state.Put, n host.Sequence) {
	if p.Body == nil {
		delete(pt.documents[p.Kind], p.ID)
		if p.Kind == state.KindConnection {
			pt.remove(host.ConnectionID(p.ID))
		}
		return
	}
	if pt.documents[p.Kind] == nil {
		pt.documents[p.Kind] = map[string]document{}
	}
	pt.documents[p.Kind][p.ID] = document{
		state.Document{Kind: p.Kind, ID: p.ID, Revision: n, Body: p.Body}, p.Connection,
	}
	if p.Kind == state.KindConnection {
		delete(pt.removed, host.ConnectionID(p.ID))
	}
}

// remove ends the life of a connection.
// rename has another name stand for what a connection has.
func (pt *partition) rename(r *state.Rename) {
	delete(pt.documents[state.KindConnection], string(r.From))
	pt.removed[r.From] = true
	delete(pt.removed, r.To)
	l := pt.lives[r.From]
	delete(pt.lives, r.From)
	if l == nil {
		return
	}
	for _, s := range l.streams {
		s.Connection = r.To
	}
	for _, run := range l.runs {
		run.Connection = r.To
	}
	pt.lives[r.To] = l
}

func (pt *partition) remove(c host.ConnectionID) {
	delete(pt.lives, c)
	pt.removed[c] = true
	delete(pt.documents[state.KindDataKey], string(c))
	for _, ds := range pt.documents {
		for id, d := range ds {
			if d.connection == c {
				delete(ds, id)
			}
		}
	}
}

func (pt *partition) addEvents(events []state.Event, at time.Time, n host.Sequence) {
	for i, ev := range events {
		if pt.eventIDs[ev.ID] {
			continue
		}
		ev.Sequence = n + host.Sequence(i)
		pt.eventIDs[ev.ID] = true
		pt.events = append(pt.events, ev)
	}
	if len(events) > 0 {
		pt.arrived(at, n+host.Sequence(len(events))-1)
	}
}

// open returns an entity of a connection, new where it is not there; keep
// keeps a new one.
func (pt *partition) open(c host.ConnectionID, e host.EntityName) (*life, *stream) {
	l := pt.lives[c]
	if l == nil {
		l = &life{streams: map[host.EntityName]*stream{}, runs: map[host.RunID]*state.RunState{}}
	}
	s := l.streams[e]
	if s == nil {
		s = &stream{records: map[host.RecordID]state.Stored{}, marks: map[state.Mark]bool{}}
		s.Connection, s.Entity = c, e
	}
	return l, s
}

func (pt *partition) keep(l *life, s *stream) {
	pt.lives[s.Connection] = l
	l.streams[s.Entity] = s
}

func (pt *partition) queue(r host.Run, at time.Time) {
	l, s := pt.open(r.Connection, r.Entity)
	if l.runs[r.ID] != nil {
		return
	}
	run := &state.RunState{Run: r}
	if s.Enqueue(run, l.runs[s.Queued], at) {
		pt.keep(l, s)
		l.add(s, run)
	}
}

// add keeps a run, and lets the oldest of its sync go where there are too many.
func (l *life) add(s *stream, run *state.RunState) {
	if l.runs[run.ID] == nil {
		s.Runs++
	}
	l.runs[run.ID] = run
	if s.Runs <= state.RunsKept {
		return
	}
	oldest := run.ID
	for id, r := range l.runs {
		if r.Entity == s.Entity && id < oldest {
			oldest = id
		}
	}
	if oldest != run.ID && oldest != s.Run && oldest != s.Queued {
		delete(l.runs, oldest)
		s.Runs--
	}
}

func (pt *partition) begin(b *state.Begin, n host.Sequence) (state.Lease, error) {
	c := b.Run.Connection
	if pt.removed[c] {
		return state.Lease{}, fmt.Errorf("connection %s: %w", c, state.ErrPurged)
	}
	l, s := pt.open(c, b.Run.Entity)
	before := s.Pass
	run, changed, err := s.BeginRun(b, n, l.runs[b.Run.ID])
	if err != nil {
		return state.Lease{}, err
	}
	if !changed {
		return copyOf(s.Lease(run)), errAgain
	}
	if s.Pass != before {
		clear(s.marks)
		s.Marks = 0
	}
	pt.keep(l, s)
	l.add(s, run)
	return copyOf(s.Lease(run)), nil
}

// page applies a page at n to last. It returns the sequence of the page that
// was done before, if it was.
func (pt *partition) page(p *state.Page, n, last host.Sequence) (host.Sequence, error) {
	s, err := pt.held(p.Connection, p.Entity, p.Run, p.Fence)
	if err != nil {
		return 0, err
	}
	switch {
	case p.Number <= s.Page:
		return pt.last, nil
	case p.Number > s.Page+1:
		return 0, fmt.Errorf("page %d of run %s follows page %d: %w", p.Number, p.Run, s.Page, state.ErrChanged)
	}
	for _, r := range p.Stored {
		if s.records[r.ID].Sequence != r.Expect {
			return 0, fmt.Errorf("record %q: %w", r.ID, state.ErrChanged)
		}
	}
	for i, r := range p.Stored {
		var st state.Stored
		if err := state.DecodeStored(r.Value, &st); err != nil {
			return 0, err
		}
		st.Entity, st.Sequence = p.Entity, n+host.Sequence(i)
		if p.Follow {
			f := state.Followed{
				Sequence: st.Sequence, Connection: p.Connection, Entity: p.Entity, Run: p.Run, First: s.LastSuccessAt.IsZero(), After: st,
			}
			if old, ok := s.records[st.ID]; ok {
				f.Before = &old
			}
			pt.followed = append(pt.followed, f)
		}
		s.records[st.ID] = st
	}
	if s.KeepsMarks() {
		for m := range slices.Chunk(p.Marks, len(state.Mark{})) {
			s.marks[state.Mark(m)] = true
		}
	}
	s.CommitPage(p, last, pt.lives[p.Connection].runs[p.Run])
	if len(p.Stored) > 0 {
		pt.arrived(p.At, last)
	}
	return 0, nil
}

// held returns the entity if the run holds it.
func (pt *partition) held(c host.ConnectionID, e host.EntityName, run host.RunID, f host.Fence) (*stream, error) {
	if pt.removed[c] {
		return nil, fmt.Errorf("connection %s: %w", c, state.ErrPurged)
	}
	s := pt.stream(c, e)
	if s == nil {
		return nil, fmt.Errorf("run %s: %w", run, state.ErrFenced)
	}
	return s, s.Held(run, f)
}

func (pt *partition) end(o *state.Outcome, n host.Sequence) error {
	if pt.removed[o.Connection] {
		return fmt.Errorf("connection %s: %w", o.Connection, state.ErrPurged)
	}
	s := pt.stream(o.Connection, o.Entity)
	if s == nil {
		return fmt.Errorf("run %s: %w", o.Run, state.ErrFenced)
	}
	done, err := s.EndRun(o, pt.lives[o.Connection].runs[o.Run])
	if err != nil {
		return err
	}
	if done {
		return errAgain
	}
	if s.Pass == nil {
		clear(s.marks)
		s.Marks = 0
	}
	pt.addEvents(o.Events, o.At, n)
	return nil
}
