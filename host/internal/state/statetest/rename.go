package statetest

import (
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

const moved = host.ConnectionID("plant-9")

// rename gives the connection another id, and its token with it.
func (f *fixture) rename() state.Change {
	f.Helper()
	return state.Change{At: f.now(), Rename: &state.Rename{From: plant, To: moved}, Puts: []state.Put{
		{Kind: state.KindConnection, ID: string(moved), Expect: state.Absent, Body: []byte(`{"label":"moved"}`)},
		{Kind: state.KindToken, ID: "t1", Expect: state.Any, Connection: moved, Body: []byte(`{"moved":true}`)},
	}}
}

var renaming = []promise{
	{"RenamedConnectionKeepsWhatItHas", func(f *fixture) {
		l := f.fill(3)
		_, before := f.feed(state.Feed{}, 9)
		c := f.rename()
		_, err := f.Commit(f.ctx, 0, c)
		f.must(err)
		f.crash()
		f.nothingIsRead()
		got, last := f.feed(state.Feed{Connection: moved}, 9)
		equal(f, "feed", fmt.Sprint(got), "[0.0@created 0.1@created 0.2@created]")
		equal(f, "last sequence", last, before)
		syncs, err := f.Syncs(f.ctx, 0, moved)
		f.must(err)
		equal(f, "syncs", len(syncs), 1)
		equal(f, "the sync's connection", syncs[0].Connection, moved)
		run, err := f.Run(f.ctx, 0, moved, "run_1")
		f.must(err)
		equal(f, "the run's connection", run.Connection, moved)
		_, err = f.Document(f.ctx, 0, state.KindConnection, string(plant))
		f.refused(err, state.ErrNotFound)
		f.refused(f.EndRun(f.ctx, 0, outcomeOf(l, host.RunCompleted)), state.ErrPurged)

		// What was interrupted goes on under the new name.
		b := beginOf("run_1", host.Full, "h2")
		b.Run.Connection, b.At = moved, f.now()
		again, err := f.BeginRun(f.ctx, 0, b)
		f.must(err)
		equal(f, "page", again.Page, 1)
		p := f.pageOf(again, 2, "new")
		p.Connection = moved
		f.page(p)
		o := outcomeOf(again, host.RunCompleted)
		o.Connection, o.At = moved, f.now()
		f.must(f.EndRun(f.ctx, 0, o))
		got, _ = f.feed(state.Feed{Connection: moved}, 9)
		equal(f, "feed", len(got), 4)
	}},
	{"RenamingTwiceIsRenamingOnce", func(f *fixture) {
		f.fill(2)
		c := f.rename()
		_, err := f.Commit(f.ctx, 0, c)
		f.must(err)
		_, err = f.Commit(f.ctx, 0, c)
		f.must(err)
		got, _ := f.feed(state.Feed{Connection: moved}, 9)
		equal(f, "feed", len(got), 2)
	}},
	{"NameThatIsTakenOrGoneIsNotRenamed", func(f *fixture) {
		f.fill(2)
		f.connect(moved)
		_, err := f.Commit(f.ctx, 0, f.rename())
		f.refused(err, state.ErrChanged)
		c := f.rename()
		c.Rename = &state.Rename{From: "nobody", To: "plant-10"}
		c.Puts = nil
		_, err = f.Commit(f.ctx, 0, c)
		f.refused(err, state.ErrChanged)
		got, _ := f.feed(state.Feed{}, 9)
		equal(f, "feed", len(got), 2)
	}},
	{"RenamedConnectionIsRemovedWhole", func(f *fixture) {
		f.fill(2)
		_, err := f.Commit(f.ctx, 0, f.rename())
		f.must(err)
		_, err = f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindConnection, string(moved), state.Any)}})
		f.must(err)
		got, _ := f.feed(state.Feed{Connection: moved}, 9)
		equal(f, "feed", len(got), 0)
		_, err = f.Document(f.ctx, 0, state.KindToken, "t1")
		f.refused(err, state.ErrNotFound)
	}},
	{"OldNameCanBeUsedAgain", func(f *fixture) {
		f.fill(2)
		_, err := f.Commit(f.ctx, 0, f.rename())
		f.must(err)
		f.connect(plant)
		f.nothingIsRead()
		l := f.begin("run_2", host.Full, "h1")
		equal(f, "first", l.Run.First, true)
		f.page(f.pageOf(l, 1, "x"))
		got, _ := f.feed(state.Feed{Connection: moved}, 9)
		equal(f, "feed of the renamed one", len(got), 2)
		got, _ = f.feed(state.Feed{}, 9)
		equal(f, "feed", len(got), 1)
	}},
}
