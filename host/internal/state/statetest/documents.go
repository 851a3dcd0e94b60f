package statetest

import (
	"fmt"
	"slices"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

var documents = []promise{
	{"DocumentIsReadAsItWasPut", func(f *fixture) {
		n := f.put(state.KindEndpoint, "a", state.Absent, `{"v":1}`)
		d, err := f.Document(f.ctx, 0, state.KindEndpoint, "a")
		f.must(err)
		equal(f, "body", string(d.Body), `{"v":1}`)
		equal(f, "revision", d.Revision, n)
		clear(d.Body) // it is the caller's
		d, err = f.Document(f.ctx, 0, state.KindEndpoint, "a")
		f.must(err)
		equal(f, "body after the caller changed its own", string(d.Body), `{"v":1}`)
	}},
	{"AbsentDocumentIsNotFound", func(f *fixture) {
		f.put(state.KindEndpoint, "a", state.Any, `{}`)
		_, err := f.Document(f.ctx, 0, state.KindEndpoint, "b")
		f.refused(err, state.ErrNotFound)
		_, err = f.Document(f.ctx, 0, state.KindSession, "a")
		f.refused(err, state.ErrNotFound)
		_, err = f.Document(f.ctx, 1, state.KindEndpoint, "a")
		f.refused(err, state.ErrNotFound)
	}},
	{"PutIsRefusedAtAnotherRevision", func(f *fixture) {
		first := f.put(state.KindToken, "a", state.Absent, `{"v":1}`)
		second := f.put(state.KindToken, "a", first, `{"v":2}`)
		for _, expect := range []host.Sequence{state.Absent, first, second + 1} {
			_, err := f.commit(state.Change{Puts: []state.Put{{Kind: state.KindToken, ID: "a", Expect: expect, Body: []byte(`{"v":3}`)}}})
			f.refused(err, state.ErrChanged)
		}
		_, err := f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindToken, "a", first)}})
		f.refused(err, state.ErrChanged)
		_, err = f.commit(state.Change{Puts: []state.Put{{Kind: state.KindToken, ID: "b", Expect: first, Body: []byte(`{}`)}}})
		f.refused(err, state.ErrChanged)
	}},
	{"RefusedChangeChangesNothing", func(f *fixture) {
		f.put(state.KindToken, "b", state.Absent, `{"v":1}`)
		before := f.position()
		_, err := f.commit(state.Change{
			Puts: []state.Put{
				{Kind: state.KindToken, ID: "a", Expect: state.Absent, Body: []byte(`{}`)},
				{Kind: state.KindToken, ID: "b", Expect: state.Absent, Body: []byte(`{"v":2}`)},
			},
			Events: []state.Event{{Event: host.Event{ID: "evt_1", Type: "custom.x"}}},
			Queue:  []host.Run{{ID: "run_1", Connection: plant, Entity: orders, Mode: host.Full}},
		})
		f.refused(err, state.ErrChanged)
		_, err = f.Document(f.ctx, 0, state.KindToken, "a")
		f.refused(err, state.ErrNotFound)
		_, err = f.Run(f.ctx, 0, plant, "run_1")
		f.refused(err, state.ErrNotFound)
		events, err := f.Events(f.ctx, 0, 0, 10)
		f.must(err)
		equal(f, "events", len(events), 0)
		equal(f, "position", f.position(), before)
	}},
	{"RepeatedPutIsDone", func(f *fixture) {
		first := f.put(state.KindToken, "a", state.Absent, `{"v":1}`)
		again := f.put(state.KindToken, "a", state.Absent, `{"v":1}`)
		d, err := f.Document(f.ctx, 0, state.KindToken, "a")
		f.must(err)
		equal(f, "revision is what the repetition returned", d.Revision, again)
		equal(f, "revision grows", again > first, true)
		_, err = f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindToken, "a", again)}})
		f.must(err)
		_, err = f.commit(state.Change{Puts: []state.Put{state.Delete(state.KindToken, "a", again)}})
		f.must(err)
	}},
	{"DocumentsAreListedInOrderOfID", func(f *fixture) {
		ids := []string{"a", "a-1", "a0", "b", "B", "a\x00b", "ab", "ä"}
		for _, id := range ids {
			f.put(state.KindSession, id, state.Absent, `"`+fmt.Sprintf("%x", id)+`"`)
			f.put(state.KindWish, id, state.Absent, `{}`)
		}
		slices.Sort(ids)
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			part, err := f.Documents(f.ctx, 0, state.KindSession, after, 3)
			f.must(err)
			for _, d := range part {
				got = append(got, d.ID)
				equal(f, "body of "+d.ID, string(d.Body), `"`+fmt.Sprintf("%x", d.ID)+`"`)
			}
			if len(part) < 3 {
				break
			}
		}
		equal(f, "ids", fmt.Sprintf("%q", got), fmt.Sprintf("%q", ids))
	}},
	{"QueuedRunOfSameOrFullerModeStays", func(f *fixture) {
		wish := func(id host.RunID, mode host.Mode) {
			f.Helper()
			_, err := f.commit(state.Change{Queue: []host.Run{{ID: id, Connection: plant, Entity: orders, Mode: mode, Trigger: "manual"}}})
			f.must(err)
		}
		wish("run_1", host.Incremental)
		wish("run_2", host.Incremental)
		equal(f, "queued", f.sync(orders).Queued, "run_1")
		_, err := f.Run(f.ctx, 0, plant, "run_2")
		f.refused(err, state.ErrNotFound)
		wish("run_3", host.Full)
		equal(f, "queued", f.sync(orders).Queued, "run_3")
		r, err := f.Run(f.ctx, 0, plant, "run_1")
		f.must(err)
		equal(f, "replaced run", r.Status, host.RunCanceled)
		wish("run_4", host.Incremental)
		equal(f, "queued", f.sync(orders).Queued, "run_3")
		r, err = f.Run(f.ctx, 0, plant, "run_3")
		f.must(err)
		equal(f, "status", r.Status, host.RunQueued)
		equal(f, "trigger", r.Trigger, "manual")
	}},
	{"AcknowledgedChangesOutliveACrash", func(f *fixture) {
		n := f.put(state.KindToken, "a", state.Absent, `{"v":1}`)
		_, epoch, err := f.Position(f.ctx, 0)
		f.must(err)
		f.crash()
		d, err := f.Document(f.ctx, 0, state.KindToken, "a")
		f.must(err)
		equal(f, "body", string(d.Body), `{"v":1}`)
		at, again, err := f.Position(f.ctx, 0)
		f.must(err)
		equal(f, "position", at, n)
		equal(f, "epoch", again, epoch)
		equal(f, "next sequence is larger", f.put(state.KindToken, "b", state.Absent, `{}`) > n, true)
	}},
	{"PartitionsDoNotSeeEachOther", func(f *fixture) {
		for _, p := range []host.Partition{0, 1, 0x666f} {
			_, err := f.Commit(f.ctx, p, state.Change{At: f.now(), Puts: []state.Put{
				{Kind: state.KindToken, ID: "a", Body: fmt.Appendf(nil, "%d", p)},
			}})
			f.must(err)
		}
		f.crash()
		for _, p := range []host.Partition{0, 1, 0x666f} {
			ds, err := f.Documents(f.ctx, p, state.KindToken, "", 10)
			f.must(err)
			equal(f, "documents", len(ds), 1)
			equal(f, "body", string(ds[0].Body), fmt.Sprint(p))
			n, _, err := f.Position(f.ctx, p)
			f.must(err)
			equal(f, "position", n, ds[0].Revision)
		}
	}},
}
