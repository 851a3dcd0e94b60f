// Package statetest is the suite that every engine of the state contract
// passes: each promise of the contract is a test with its name, the promises on
// repetition are tried through a wrapper that loses answers, and a random walk
// compares the engine with the reference, step by step.
//
// An engine's test is three lines:
//
//	func TestEngine(t *testing.T) {
//		statetest.Run(t, func(t *testing.T) statetest.Harness { … })
//	}
//
// It refuses to look into an engine: what it knows of one, it knows by the
// contract.
package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Harness is an empty engine under test.
type Harness struct {
	Engine state.Engine
	// Reopen ends the engine as a crash would and returns it as it is found
	// afterwards: with all that was acknowledged, and nothing half.
	Reopen func() state.Engine
}

// Run tries every promise on engines that open returns, one each.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, group := range [][]promise{documents, runs, records, log, follow, queue, removal, renaming} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.try(newFixture(t, open(t)))
			})
		}
	}
	t.Run("UnclearStepsAreRepeatedAsTheyAre", func(t *testing.T) { unclear(t, open) })
	t.Run("WalksLikeTheReference", func(t *testing.T) { walk(t, open) })
}

// promise is one promise of the contract and how it is tried.
type promise struct {
	name string
	try  func(f *fixture)
}

// fixture is an engine under test with words for what the tests do.
type fixture struct {
	testing.TB
	state.Engine
	harness Harness
	ctx     context.Context
	at      time.Time
	leases  []state.Lease // that a walk was given
}

// The connection and entity of tests that need one.
const (
	plant  = host.ConnectionID("plant-7")
	orders = host.EntityName("work_orders")
	items  = host.EntityName("items")
)

func newFixture(t *testing.T, h Harness) *fixture {
	f := &fixture{TB: t, Engine: h.Engine, harness: h, at: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	f.ctx = ctx
	t.Cleanup(func() {
		cancel()
		if err := f.Engine.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

// crash ends the engine as a crash would, and goes on with what is found.
func (f *fixture) crash() { f.Engine = f.harness.Reopen() }

// now returns a time later than every one before.
func (f *fixture) now() time.Time {
	f.at = f.at.Add(time.Second)
	return f.at
}

// must ends the test where a step that has to be done is not.
func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("unexpected error: %v", err)
	}
}

// refused ends the test unless the error is the refusal expected.
func (f *fixture) refused(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("got error %v, want %v", err, want)
	}
}

// equal ends the test unless both are the same.
func equal[T comparable](f *fixture, what string, got, want T) {
	f.Helper()
	if got != want {
		f.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (f *fixture) commit(c state.Change) (host.Sequence, error) {
	if c.At.IsZero() {
		c.At = f.now()
	}
	return f.Commit(f.ctx, 0, c)
}

// put writes one document, which has to work.
func (f *fixture) put(kind state.Kind, id string, expect host.Sequence, body string) host.Sequence {
	f.Helper()
	n, err := f.commit(state.Change{Puts: []state.Put{{Kind: kind, ID: id, Expect: expect, Body: []byte(body)}}})
	f.must(err)
	return n
}

// connect makes the connection.
func (f *fixture) connect(c host.ConnectionID) {
	f.Helper()
	f.put(state.KindConnection, string(c), state.Any, `{"id":"`+string(c)+`"}`)
}

func beginOf(run host.RunID, mode host.Mode, holder string) state.Begin {
	return state.Begin{Run: host.Run{ID: run, Connection: plant, Entity: orders, Mode: mode, Trigger: "schedule"}, Holder: holder}
}

// begin begins a run, which has to work.
func (f *fixture) begin(run host.RunID, mode host.Mode, holder string) state.Lease {
	f.Helper()
	b := beginOf(run, mode, holder)
	b.At = f.now()
	l, err := f.BeginRun(f.ctx, 0, b)
	f.must(err)
	return l
}

// pageOf makes the next page of a run: records that are new.
func (f *fixture) pageOf(l state.Lease, number int64, ids ...host.RecordID) state.PageStep {
	s := state.PageStep{
		Connection: l.Run.Connection, Entity: l.Run.Entity, Run: l.Run.ID, Fence: l.Fence, Number: number,
		At: f.now(), Checkpoint: fmt.Appendf(nil, "after %d", number), Total: -1,
	}
	for _, id := range ids {
		s.Records = append(s.Records, recordOf(id, 0, host.Created, "first"))
	}
	s.Counts = host.Counts{Read: int64(len(ids)), Created: int64(len(ids))}
	return s
}

func recordOf(id host.RecordID, expect host.Sequence, op host.Operation, body string) state.RecordPut {
	r := state.RecordPut{
		ID: id, Expect: expect, Operation: op, Sealed: []byte(body + " of " + string(id)),
		CreatedAt: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	copy(r.Hash[:], body)
	return r
}

func (f *fixture) page(s state.PageStep) host.Sequence {
	f.Helper()
	n, err := f.CommitPage(f.ctx, 0, s)
	f.must(err)
	return n
}

func outcomeOf(l state.Lease, status host.RunStatus) state.Outcome {
	return state.Outcome{Connection: l.Run.Connection, Entity: l.Run.Entity, Run: l.Run.ID, Fence: l.Fence, Status: status}
}

func (f *fixture) end(o state.Outcome) {
	f.Helper()
	if o.At.IsZero() {
		o.At = f.now()
	}
	f.must(f.EndRun(f.ctx, 0, o))
}

// sync returns the state of the sync.
func (f *fixture) sync(e host.EntityName) host.Sync { //nolint:unparam // says at each call whose sync is meant
	f.Helper()
	all, err := f.Syncs(f.ctx, 0, plant)
	f.must(err)
	for _, s := range all {
		if s.Entity == e {
			return s
		}
	}
	return host.Sync{}
}

// feed returns what a feed tells, as "id@operation" in its order, and the last
// sequence.
func (f *fixture) feed(q state.Feed, limit int) (ids []string, last host.Sequence) {
	f.Helper()
	if q.Connection == "" {
		q.Connection = plant
	}
	last = q.After
	err := f.Feed(f.ctx, 0, q, func(st *state.Stored) (bool, error) {
		if st.Sequence <= last {
			return false, fmt.Errorf("sequence %d after %d", st.Sequence, last)
		}
		last = st.Sequence
		ids = append(ids, fmt.Sprintf("%s@%s", st.ID, st.Operation))
		return len(ids) < limit, nil
	})
	f.must(err)
	return ids, last
}

// head returns the revision of a record.
func (f *fixture) head(id host.RecordID) state.Head {
	f.Helper()
	hs, _, err := f.Heads(f.ctx, 0, plant, orders, []host.RecordID{id})
	f.must(err)
	return hs[0]
}

// position returns the last sequence.
func (f *fixture) position() host.Sequence {
	f.Helper()
	n, _, err := f.Position(f.ctx, 0)
	f.must(err)
	return n
}
