package statetest

import (
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// fill gives the connection records, runs and documents of its own.
func (f *fixture) fill(records int) state.Lease {
	f.Helper()
	f.connect(plant)
	f.put(state.KindDataKey, string(plant), state.Absent, "key")
	_, err := f.commit(state.Change{Puts: []state.Put{
		{Kind: state.KindToken, ID: "t1", Connection: plant, Body: []byte(`{}`)},
		{Kind: state.KindToken, ID: "t2", Connection: "plant-8", Body: []byte(`{}`)},
	}})
	f.must(err)
	l := f.begin("run_1", host.Full, "h1")
	for n := range (records + 999) / 1000 {
		var ids []host.RecordID
		for i := range min(1000, records-n*1000) {
			ids = append(ids, host.RecordID(fmt.Sprint(n, ".", i)))
		}
		f.page(f.pageOf(l, int64(n+1), ids...))
	}
	return l
}

// remove deletes the connection's document.
func (f *fixture) remove() {
	f.Helper()
	_, err := f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindConnection, string(plant), state.Any)}})
	f.must(err)
}

// nothingIsRead ends the test where something of the connection still shows.
func (f *fixture) nothingIsRead() {
	f.Helper()
	got, _ := f.feed(state.Feed{}, 9)
	equal(f, "feed", len(got), 0)
	syncs, err := f.Syncs(f.ctx, 0, plant)
	f.must(err)
	equal(f, "syncs", len(syncs), 0)
	runs, err := f.Runs(f.ctx, 0, plant, "", "", 9)
	f.must(err)
	equal(f, "runs", len(runs), 0)
	_, err = f.Run(f.ctx, 0, plant, "run_1")
	f.refused(err, state.ErrNotFound)
	equal(f, "head", f.head("0.0"), state.Head{})
	f.refused(f.Record(f.ctx, 0, plant, orders, "0.0", nil), state.ErrNotFound)
}

// sweepUp purges until nothing is left.
func (f *fixture) sweepUp() {
	f.Helper()
	for more := true; more; {
		var err error
		more, err = f.Purge(f.ctx, 0, plant)
		f.must(err)
	}
}

var removal = []promise{
	{"NothingOfARemovedConnectionIsRead", func(f *fixture) {
		l := f.fill(5)
		f.remove()
		f.nothingIsRead()
		for _, k := range []struct {
			kind state.Kind
			id   string
		}{{state.KindConnection, string(plant)}, {state.KindDataKey, string(plant)}, {state.KindToken, "t1"}} {
			_, err := f.Document(f.ctx, 0, k.kind, k.id)
			f.refused(err, state.ErrNotFound)
		}
		_, err := f.Document(f.ctx, 0, state.KindToken, "t2")
		f.must(err)

		_, err = f.CommitPage(f.ctx, 0, f.pageOf(l, 2, "x"))
		f.refused(err, state.ErrPurged)
		f.refused(f.EndRun(f.ctx, 0, outcomeOf(l, host.RunCompleted)), state.ErrPurged)
		b := beginOf("run_2", host.Full, "h1")
		b.At = f.now()
		_, err = f.BeginRun(f.ctx, 0, b)
		f.refused(err, state.ErrPurged)
		_, err = f.commit(state.Change{Queue: []host.Run{{ID: "run_3", Connection: plant, Entity: orders, Mode: host.Full}}})
		f.refused(err, state.ErrPurged)
		_, err = f.Unseen(f.ctx, 0, f.pageOf(l, 2), "", 9)
		f.refused(err, state.ErrPurged)
		f.crash()
		f.nothingIsRead()
	}},
	{"EventsOfARemovedConnectionStay", func(f *fixture) {
		f.fill(1)
		_, err := f.commit(state.Change{Events: []state.Event{eventOf("evt_1")}})
		f.must(err)
		f.remove()
		f.sweepUp()
		all, err := f.Events(f.ctx, 0, 0, 9)
		f.must(err)
		equal(f, "events", len(all), 1)
	}},
	{"ConnectionMadeAgainStartsFromNothing", func(f *fixture) {
		l := f.fill(5)
		f.remove()
		f.connect(plant)
		f.nothingIsRead()
		_, err := f.CommitPage(f.ctx, 0, f.pageOf(l, 2, "x"))
		f.refused(err, state.ErrFenced)
		l = f.begin("run_1", host.Full, "h1")
		equal(f, "first", l.Run.First, true)
		f.page(f.pageOf(l, 1, "0.0", "new"))
		f.sweepUp() // of the first life only
		f.crash()
		got, _ := f.feed(state.Feed{}, 9)
		equal(f, "feed", fmt.Sprint(got), "[0.0@created new@created]")
		equal(f, "records", f.sync(orders).Records, 2)
		_, err = f.Document(f.ctx, 0, state.KindConnection, string(plant))
		f.must(err)
	}},
	{"LargeConnectionIsPurgedInParts", func(f *fixture) {
		f.fill(7000)
		f.remove()
		f.nothingIsRead()
		f.crash() // what is left behind is still known
		f.sweepUp()
		f.nothingIsRead()
		more, err := f.Purge(f.ctx, 0, plant)
		f.must(err)
		equal(f, "more", more, false)
	}},
	{"LivingConnectionIsNotPurged", func(f *fixture) {
		f.fill(3)
		f.sweepUp()
		equal(f, "records", f.sync(orders).Records, 3)
		_, err := f.Document(f.ctx, 0, state.KindToken, "t1")
		f.must(err)
	}},
	{"RemovalIsRefusedAtAnotherRevision", func(f *fixture) {
		f.fill(3)
		d, err := f.Document(f.ctx, 0, state.KindConnection, string(plant))
		f.must(err)
		f.put(state.KindConnection, string(plant), d.Revision, `{"label":"new"}`)
		_, err = f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindConnection, string(plant), d.Revision)}})
		f.refused(err, state.ErrChanged)
		equal(f, "records", f.sync(orders).Records, 3)
	}},
}
