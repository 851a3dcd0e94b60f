package statetest

import (
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// followed tells the followed changes after a sequence, and the sequence of the
// last.
func (f *fixture) followed(after host.Sequence, limit int) (told string, last host.Sequence) {
	f.Helper()
	last = after
	n := 0
	f.must(f.Followed(f.ctx, 0, after, func(c *state.Followed) (bool, error) {
		if c.Sequence <= last {
			return false, fmt.Errorf("change %d after %d", c.Sequence, last)
		}
		last = c.Sequence
		was := "-"
		if c.Before != nil {
			was = string(c.Before.Sealed)
			equal(f, "id before", c.Before.ID, c.After.ID)
		}
		told += fmt.Sprintf("%s/%s/%s %s: %s > %s\n", c.Connection, c.Entity, c.After.ID, c.After.Operation, was, c.After.Sealed)
		equal(f, "run", c.Run, "run_1")
		equal(f, "first", c.First, true)
		n++
		return n < limit, nil
	}))
	return told, last
}

var follow = []promise{
	{"FollowedChangesKeepWhatWasBefore", func(f *fixture) {
		f.connect(plant)
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a", "b")) // nobody follows these
		s := f.pageOf(l, 2, "c")
		s.Records = append(s.Records,
			recordOf("a", f.head("a").Sequence, host.Updated, "second"),
			recordOf("b", f.head("b").Sequence, host.Deleted, ""))
		s.Follow = true
		f.page(s)
		s = f.pageOf(l, 3)
		s.Records = []state.RecordPut{
			recordOf("a", f.head("a").Sequence, host.Updated, "third"), recordOf("b", f.head("b").Sequence, host.Created, "again"),
		}
		s.Follow = true
		f.page(s)
		f.crash()
		told, last := f.followed(0, 99)
		equal(f, "changes", told, `plant-7/work_orders/c created: - > first of c
plant-7/work_orders/a updated: first of a > second of a
plant-7/work_orders/b deleted: first of b >  of b
plant-7/work_orders/a updated: second of a > third of a
plant-7/work_orders/b created:  of b > again of b
`)
		equal(f, "the change and the record have one sequence", last, f.head("b").Sequence)
		_, third := f.followed(0, 3)
		told, _ = f.followed(third, 1)
		equal(f, "the rest", told, "plant-7/work_orders/a updated: second of a > third of a\n")
	}},
	{"PushDropsWhatItHasPassed", func(f *fixture) {
		f.connect(plant)
		l := f.begin("run_1", host.Full, "h1")
		s := f.pageOf(l, 1, "a", "b", "c")
		s.Follow = true
		f.page(s)
		_, second := f.followed(0, 2)
		push := state.Push{Position: "changes", From: 0, To: second, At: f.now(), Events: []state.Event{eventOf("evt_1"), eventOf("evt_2")}, Drop: true}
		f.must(f.Push(f.ctx, 0, push))
		f.must(f.Push(f.ctx, 0, push)) // repeated as it was
		f.crash()
		told, _ := f.followed(0, 9)
		equal(f, "left", told, "plant-7/work_orders/c created: - > first of c\n")
		all, err := f.Events(f.ctx, 0, 0, 9)
		f.must(err)
		equal(f, "events", len(all), 2)
		one, err := f.Event(f.ctx, 0, all[1].Sequence)
		f.must(err)
		equal(f, "one event", one.ID, "evt_2")
		equal(f, "its data", string(one.Sealed), "data of evt_2")
		_, err = f.Event(f.ctx, 0, all[1].Sequence+1)
		f.refused(err, state.ErrNotFound)
		n, err := f.FindEvent(f.ctx, 0, "evt_2")
		f.must(err)
		equal(f, "found by its id", n, all[1].Sequence)
		_, err = f.FindEvent(f.ctx, 0, "evt_none")
		f.refused(err, state.ErrNotFound)
		for position, want := range map[string]host.Sequence{"changes": second, "dispatch": 0} {
			n, err := f.Pushed(f.ctx, 0, position)
			f.must(err)
			equal(f, position, n, want)
		}
	}},
	{"FollowedChangesOutliveTheirConnectionUntilPassed", func(f *fixture) {
		f.connect(plant)
		l := f.begin("run_1", host.Full, "h1")
		s := f.pageOf(l, 1, "a")
		s.Follow = true
		f.page(s)
		_, err := f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindConnection, string(plant), state.Any)}})
		f.must(err)
		f.sweepUp()
		told, last := f.followed(0, 9)
		equal(f, "changes", told, "plant-7/work_orders/a created: - > first of a\n")
		f.must(f.Push(f.ctx, 0, state.Push{Position: "changes", To: last, Drop: true}))
		told, _ = f.followed(0, 9)
		equal(f, "after the push", told, "")
	}},
}
