package statetest

import (
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

var runs = []promise{
	{"SecondRunIsRefusedWhileOneHoldsTheSync", func(f *fixture) {
		f.begin("run_1", host.Full, "h1")
		b := beginOf("run_2", host.Full, "h1")
		b.At = f.now()
		_, err := f.BeginRun(f.ctx, 0, b)
		f.refused(err, state.ErrRunning)
		b.Run.Entity = items
		_, err = f.BeginRun(f.ctx, 0, b)
		f.must(err)
	}},
	{"SameHolderGetsTheSameLease", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a"))
		before := f.position()
		again := f.begin("run_1", host.Full, "h1")
		equal(f, "fence", again.Fence, l.Fence)
		equal(f, "page", again.Page, 1)
		equal(f, "checkpoint", string(again.Checkpoint), "after 1")
		equal(f, "position", f.position(), before)
	}},
	{"AnotherHolderTakesOverAfterTheLastPage", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a", "b"))
		f.crash()
		on := f.begin("run_1", host.Full, "h2")
		equal(f, "page", on.Page, 1)
		equal(f, "checkpoint", string(on.Checkpoint), "after 1")
		equal(f, "fence grows", on.Fence > l.Fence, true)
		equal(f, "resumed", on.Run.Resumed, 1)
		equal(f, "read so far", on.Run.Counts.Read, 2)
		_, err := f.CommitPage(f.ctx, 0, f.pageOf(l, 2, "c"))
		f.refused(err, state.ErrFenced)
		f.refused(f.EndRun(f.ctx, 0, outcomeOf(l, host.RunFailed)), state.ErrFenced)
		f.page(f.pageOf(on, 2, "c"))
		f.end(outcomeOf(on, host.RunCompleted))
		equal(f, "records", f.sync(orders).Records, 3)
	}},
	{"OlderPageIsDoneAlready", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		one := f.pageOf(l, 1, "a")
		f.page(one)
		f.page(f.pageOf(l, 2, "b"))
		f.page(one)
		s := f.sync(orders)
		equal(f, "records", s.Records, 2)
		equal(f, "page", s.Page, 2)
		r, err := f.Run(f.ctx, 0, plant, "run_1")
		f.must(err)
		equal(f, "created", r.Counts.Created, 2)
		equal(f, "pages", r.Pages, 2)
	}},
	{"PageThatSkipsOneIsRefused", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		_, err := f.CommitPage(f.ctx, 0, f.pageOf(l, 2, "a"))
		f.refused(err, state.ErrChanged)
		equal(f, "records", f.sync(orders).Records, 0)
	}},
	{"EndedRunIsFenced", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a"))
		f.end(outcomeOf(l, host.RunCompleted))
		_, err := f.CommitPage(f.ctx, 0, f.pageOf(l, 2, "b"))
		f.refused(err, state.ErrFenced)
		b := beginOf("run_1", host.Full, "h2")
		b.At = f.now()
		_, err = f.BeginRun(f.ctx, 0, b)
		f.refused(err, state.ErrFenced)
		f.end(outcomeOf(l, host.RunCompleted)) // repeated as it was
		f.refused(f.EndRun(f.ctx, 0, outcomeOf(l, host.RunFailed)), state.ErrFenced)
		_, err = f.Unseen(f.ctx, 0, f.pageOf(l, 2), "", 10)
		f.refused(err, state.ErrFenced)
	}},
	{"CompletedCheckpointIsWhereIncrementalRunsStart", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		equal(f, "first", l.Run.First, true)
		f.page(f.pageOf(l, 1, "a"))
		f.end(outcomeOf(l, host.RunCompleted))
		f.crash()
		l = f.begin("run_2", host.Incremental, "h1")
		equal(f, "checkpoint", string(l.Checkpoint), "after 1")
		equal(f, "page", l.Page, 0)
		equal(f, "first", l.Run.First, false)
		o := outcomeOf(l, host.RunCompleted)
		f.end(o)
		l = f.begin("run_3", host.Full, "h1")
		equal(f, "checkpoint of a full run", string(l.Checkpoint), "")
		equal(f, "checkpoint of the sync", string(l.Sync.Checkpoint), "after 1")
	}},
	{"FailedRunKeepsItsPassWhenAskedTo", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a"))
		o := outcomeOf(l, host.RunFailed)
		o.KeepPass, o.Error = true, &host.Problem{Code: host.CodeUnavailable, Message: "no answer"}
		f.end(o)
		s := f.sync(orders)
		equal(f, "failures", s.Failures, 1)
		equal(f, "error", s.Error.Code, host.CodeUnavailable)
		equal(f, "status", s.Status(false), host.SyncFailed)

		l = f.begin("run_2", host.Full, "h1")
		equal(f, "checkpoint", string(l.Checkpoint), "after 1")
		equal(f, "page", l.Page, 0)
		equal(f, "still the first pass", l.Run.First, true)
		o = outcomeOf(l, host.RunFailed)
		f.end(o)
		equal(f, "failures", f.sync(orders).Failures, 2)
		equal(f, "pass", f.sync(orders).Pass, nil)

		l = f.begin("run_3", host.Full, "h1")
		equal(f, "checkpoint", l.Checkpoint == nil, true)
		f.end(outcomeOf(l, host.RunCompleted))
		s = f.sync(orders)
		equal(f, "failures", s.Failures, 0)
		equal(f, "error", s.Error, nil)
	}},
	{"QueuedRunBegins", func(f *fixture) {
		queued := f.now()
		_, err := f.commit(state.Change{At: queued, Queue: []host.Run{{ID: "run_1", Connection: plant, Entity: orders, Mode: host.Full, Trigger: "manual"}}})
		f.must(err)
		equal(f, "status", new(f.sync(orders)).Status(false), host.SyncQueued)
		l := f.begin("run_1", host.Full, "h1")
		equal(f, "trigger", l.Run.Trigger, "manual")
		equal(f, "queued at", l.Run.QueuedAt.Equal(queued), true)
		equal(f, "queued", f.sync(orders).Queued, "")
		_, err = f.commit(state.Change{Queue: []host.Run{{ID: "run_1", Connection: plant, Entity: orders, Mode: host.Full}}})
		f.must(err)
		equal(f, "queued again", f.sync(orders).Queued, "")
	}},
	{"PartOfAPageKeepsTheCheckpoint", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a"))
		part := f.pageOf(l, 2, "b")
		part.Checkpoint = nil
		f.page(part)
		f.crash()
		l = f.begin("run_1", host.Full, "h2")
		equal(f, "checkpoint", string(l.Checkpoint), "after 1")
		equal(f, "page", l.Page, 2)
	}},
	{"RunTellsItsProgress", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		equal(f, "total at first", l.Run.Total, -1)
		s := f.pageOf(l, 1, "a")
		s.Total = 40
		for i := range 30 {
			s.Bad = append(s.Bad, host.BadRecord{ID: host.RecordID(fmt.Sprint(i)), Reason: "no id"})
		}
		s.Counts.Bad = 30
		f.page(s)
		f.page(f.pageOf(l, 2, "b"))
		r, err := f.Run(f.ctx, 0, plant, "run_1")
		f.must(err)
		equal(f, "total", r.Total, 40)
		equal(f, "counts", r.Counts, host.Counts{Read: 2, Created: 2, Bad: 30})
		equal(f, "the first few bad ones", len(r.Bad) > 0 && len(r.Bad) < 30, true)
		equal(f, "status", r.Status, host.RunRunning)
	}},
	{"OutcomeAndItsEventsAreOneStep", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		o := outcomeOf(l, host.RunCompleted)
		o.Events = []state.Event{{Event: host.Event{ID: "evt_1", Type: host.EventSyncCompleted, Connection: plant, Time: f.now()}, Sealed: []byte("x")}}
		o.NextRunAt, o.At = f.now(), f.now()
		f.end(o)
		f.end(o)
		f.crash()
		events, err := f.Events(f.ctx, 0, 0, 10)
		f.must(err)
		equal(f, "events", len(events), 1)
		equal(f, "type", events[0].Type, host.EventSyncCompleted)
		equal(f, "sealed", string(events[0].Sealed), "x")
		s := f.sync(orders)
		equal(f, "next run", s.NextRunAt.Equal(o.NextRunAt), true)
		equal(f, "last full", s.LastFullAt.Equal(o.At), true)
		equal(f, "last run", s.LastRun, "run_1")
		equal(f, "run", s.Run, "")
	}},
	{"RunsAreListedNewestFirst", func(f *fixture) {
		for i := range 6 {
			b := beginOf(host.RunID(fmt.Sprintf("run_%d", i)), host.Incremental, "h1")
			b.At = f.now()
			if i%3 == 2 {
				b.Run.Entity = items
			}
			l, err := f.BeginRun(f.ctx, 0, b)
			f.must(err)
			f.end(outcomeOf(l, host.RunCompleted))
		}
		list := func(e host.EntityName, before host.RunID, limit int) (ids string) {
			f.Helper()
			rs, err := f.Runs(f.ctx, 0, plant, e, before, limit)
			f.must(err)
			for _, r := range rs {
				ids += string(r.ID[4:])
			}
			return ids
		}
		equal(f, "all", list("", "", 10), "543210")
		equal(f, "first two", list("", "", 2), "54")
		equal(f, "next two", list("", "run_4", 2), "32")
		equal(f, "of an entity", list(items, "", 10), "52")
		equal(f, "of an entity, older", list(items, "run_5", 10), "2")
		equal(f, "of an unknown one", list("assets", "", 10), "")
	}},
	{"OldestRunsAreForgotten", func(f *fixture) {
		for i := range state.RunsKept + 20 {
			l := f.begin(host.RunID(fmt.Sprintf("run_%04d", i)), host.Incremental, "h1")
			f.end(outcomeOf(l, host.RunCompleted))
		}
		rs, err := f.Runs(f.ctx, 0, plant, orders, "", host.MaxListLimit)
		f.must(err)
		equal(f, "kept", len(rs), state.RunsKept)
		_, err = f.Run(f.ctx, 0, plant, "run_0000")
		f.refused(err, state.ErrNotFound)
	}},
}
