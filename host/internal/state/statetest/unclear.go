package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// errUnclear is what a writer gets whose answer was lost.
var errUnclear = errors.New("the answer was lost")

// lossy loses the answer of every write once: either after the step was done,
// or the step itself with it. Its caller does what every caller has to: it
// repeats the step as it is.
type lossy struct {
	state.Engine
	done   bool // the step was done before its answer was lost
	writes int
}

// write tries a step whose first answer is lost.
func write[T any](l *lossy, step func() (T, error)) (T, error) {
	l.writes++
	err := errUnclear
	if l.done {
		if _, refusal := step(); refusal != nil {
			err = refusal
		}
	}
	if errors.Is(err, errUnclear) {
		return step()
	}
	var zero T
	return zero, err
}

func (l *lossy) Commit(ctx context.Context, p host.Partition, c state.Change) (host.Sequence, error) {
	return write(l, func() (host.Sequence, error) { return l.Engine.Commit(ctx, p, c) })
}

func (l *lossy) BeginRun(ctx context.Context, p host.Partition, b state.Begin) (state.Lease, error) {
	return write(l, func() (state.Lease, error) { return l.Engine.BeginRun(ctx, p, b) })
}

func (l *lossy) CommitPage(ctx context.Context, p host.Partition, s state.PageStep) (host.Sequence, error) {
	return write(l, func() (host.Sequence, error) { return l.Engine.CommitPage(ctx, p, s) })
}

func (l *lossy) EndRun(ctx context.Context, p host.Partition, o state.Outcome) error {
	_, err := write(l, func() (struct{}, error) { return struct{}{}, l.Engine.EndRun(ctx, p, o) })
	return err
}

func (l *lossy) Push(ctx context.Context, p host.Partition, s state.Push) error {
	_, err := write(l, func() (struct{}, error) { return struct{}{}, l.Engine.Push(ctx, p, s) })
	return err
}

func (l *lossy) Prune(ctx context.Context, p host.Partition, s state.Prune) error {
	_, err := write(l, func() (struct{}, error) { return struct{}{}, l.Engine.Prune(ctx, p, s) })
	return err
}

func (l *lossy) Settle(ctx context.Context, p host.Partition, s []state.Settlement) error {
	_, err := write(l, func() (struct{}, error) { return struct{}{}, l.Engine.Settle(ctx, p, s) })
	return err
}

// unclear walks through everything that writes, with every answer lost once,
// and expects what is found when none is.
func unclear(t *testing.T, open func(t *testing.T) Harness) {
	for name, done := range map[string]bool{"Done": true, "NotDone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := newFixture(t, open(t))
			story(plain)
			h := open(t)
			l := &lossy{Engine: h.Engine, done: done}
			losing := newFixture(t, Harness{Engine: l, Reopen: h.Reopen})
			story(losing)
			if l.writes < 15 {
				t.Fatalf("only %d steps went through the wrapper", l.writes)
			}
			compare(t, plain, losing)
			losing.crash()
			compare(t, plain, losing)
		})
	}
}

// story is a life of an engine in which every kind of step happens.
func story(f *fixture) {
	f.Helper()
	f.connect(plant)
	n := f.put(state.KindEndpoint, "e1", state.Absent, `{"v":1}`)
	n = f.put(state.KindEndpoint, "e1", n, `{"v":2}`)
	f.put(state.KindEndpoint, "e2", state.Absent, `{}`)
	_, err := f.commit(state.Change{
		Puts:   []state.Put{state.Delete(state.KindEndpoint, "e1", n)},
		Events: []state.Event{eventOf("evt_1"), eventOf("evt_2")},
		Queue:  []host.Run{{ID: "run_1", Connection: plant, Entity: orders, Mode: host.Full, Trigger: "manual"}},
	})
	f.must(err)
	l := f.begin("run_1", host.Full, "h1")
	f.page(f.pageOf(l, 1, "a", "b", "c"))
	s := f.pageOf(l, 2, "d")
	s.Records = append(s.Records, recordOf("a", f.head("a").Sequence, host.Updated, "second"))
	f.page(s)
	o := outcomeOf(l, host.RunCompleted)
	o.Events = []state.Event{eventOf("evt_3")}
	f.end(o)
	l = f.begin("run_2", host.Full, "h1")
	s = f.pageOf(l, 1)
	s.Unchanged = []host.RecordID{"a"}
	s.Counts = host.Counts{Read: 1, Unchanged: 1}
	f.page(s)
	o = outcomeOf(l, host.RunFailed)
	o.KeepPass, o.Error = true, &host.Problem{Code: host.CodeUnavailable, Message: "no answer"}
	f.end(o)
	l = f.begin("run_3", host.Full, "h1")
	s = f.pageOf(l, 1)
	s.Records = []state.RecordPut{recordOf("b", f.head("b").Sequence, host.Deleted, "")}
	f.page(s)
	d := deliveryOf("dlv_1", "e2", 0, 0)
	f.must(f.Push(f.ctx, 0, state.Push{
		Position: "dispatch", From: 0, To: 3, At: f.now(), Events: []state.Event{eventOf("evt_4")},
		Deliveries: []host.Delivery{d, deliveryOf("dlv_2", "e2", 0, 1)},
	}))
	f.must(f.Settle(f.ctx, 0, []state.Settlement{settled(d, host.DeliveryPending, 2)}))
	f.push(3, 4, deliveryOf("dlv_3", "e2", 0, 0))
	f.must(f.Settle(f.ctx, 0, []state.Settlement{settled(deliveryOf("dlv_3", "e2", 0, 0), host.DeliveryDelivered, 0)}))
	f.must(f.Prune(f.ctx, 0, state.Prune{IDs: []host.DeliveryID{"dlv_2", "dlv_3"}}))
}

// compare ends the test unless both engines answer everything alike, but for
// the numbers of sequences.
func compare(t *testing.T, a, b *fixture) {
	t.Helper()
	if x, y := portrait(a), portrait(b); x != y {
		t.Fatalf("the engines differ:\n--- want\n%s\n--- got\n%s", x, y)
	}
}

// portrait tells everything that can be read of an engine, with sequences only
// where two of them must be in order.
func portrait(f *fixture) string {
	f.Helper()
	out := ""
	tell := func(format string, args ...any) { out += fmt.Sprintf(format+"\n", args...) }
	for _, k := range []state.Kind{state.KindConnection, state.KindEndpoint, state.KindToken, state.KindDataKey} {
		ds, err := f.Documents(f.ctx, 0, k, "", 100)
		f.must(err)
		for _, d := range ds {
			tell("%s %s %s", k, d.ID, d.Body)
		}
	}
	for _, c := range []host.ConnectionID{plant, "plant-8"} {
		syncs, err := f.Syncs(f.ctx, 0, c)
		f.must(err)
		for _, s := range syncs {
			tell("sync %s of %s: run %q page %d queued %q checkpoint %q records %d last %q %q failures %d error %v pass %t",
				s.Entity, s.Connection, s.Run, s.Page, s.Queued, s.Checkpoint, s.Records, s.LastRun, s.LastStatus, s.Failures, s.Error, s.Pass != nil)
			if s.Pass != nil {
				tell("  pass %s at %q first %t runs %d", s.Pass.Mode, s.Pass.Checkpoint, s.Pass.First, s.Pass.Runs)
			}
			if s.Run != "" {
				ids, err := f.Unseen(f.ctx, 0, state.PageStep{Connection: c, Entity: s.Entity, Run: s.Run, Fence: s.Fence}, "", 100)
				f.must(err)
				tell("  unseen %q", ids)
			}
		}
		runs, err := f.Runs(f.ctx, 0, c, "", "", 100)
		f.must(err)
		for _, r := range runs {
			tell("run %s of %s %s %s %s %+v total %d pages %d resumed %d first %t error %v",
				r.ID, r.Entity, r.Mode, r.Status, r.Trigger, r.Counts, r.Total, r.Pages, r.Resumed, r.First, r.Error)
		}
		f.must(f.Feed(f.ctx, 0, state.Feed{Connection: c}, func(st *state.Stored) (bool, error) {
			hs, _, err := f.Heads(f.ctx, 0, c, st.Entity, []host.RecordID{st.ID})
			f.must(err)
			equal(f, "head of "+string(st.ID), hs[0], state.Head{Sequence: st.Sequence, Operation: st.Operation, Hash: st.Hash})
			f.must(f.Record(f.ctx, 0, c, st.Entity, st.ID, func(by *state.Stored) error {
				equal(f, "sequence of "+string(st.ID), by.Sequence, st.Sequence)
				equal(f, "sealed of "+string(st.ID), string(by.Sealed), string(st.Sealed))
				return nil
			}))
			tell("record %s %q %s %q %x %s %s", st.Entity, st.ID, st.Operation, st.Sealed, st.Hash, host.FormatTime(st.CreatedAt), host.FormatTime(st.SyncedAt))
			return true, nil
		}))
	}
	events, err := f.Events(f.ctx, 0, 0, 1000)
	f.must(err)
	for _, e := range events {
		tell("event %s %s %s", e.ID, e.Type, e.Sealed)
	}
	f.must(f.Followed(f.ctx, 0, 0, func(c *state.Followed) (bool, error) {
		was := "nothing"
		if c.Before != nil {
			was = fmt.Sprintf("%s %q", c.Before.Operation, c.Before.Sealed)
		}
		tell("followed %s of %s in %s %t: %s, now %s %q", c.After.ID, c.Connection, c.Run, c.First, was, c.After.Operation, c.After.Sealed)
		return true, nil
	}))
	ds, counts, err := f.Deliveries(f.ctx, 0, "", "", "", 100)
	f.must(err)
	owed, err := f.Owed(f.ctx, 0)
	f.must(err)
	tell("deliveries %v of %v", counts, owed)
	for _, d := range ds {
		_, attempts, err := f.Delivery(f.ctx, 0, d.ID)
		f.must(err)
		tell("delivery %s to %s %s attempts %d due %s: %d", d.ID, d.Endpoint, d.Status, d.Attempts, host.FormatTime(d.DueAt), len(attempts))
	}
	return out
}
