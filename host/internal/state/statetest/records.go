package statetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

var records = []promise{
	{"RecordIsReadAsItWasCommitted", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		s := f.pageOf(l, 1)
		r := recordOf("10~ä", 0, host.Created, "body")
		r.UpdatedAt = time.Date(1969, 7, 20, 20, 17, 40, 123456000, time.UTC)
		s.Records = []state.RecordPut{r, recordOf("plain", 0, host.Created, "")}
		s.Records[1].CreatedAt = time.Time{}
		n := f.page(s)
		f.crash()
		f.must(f.Record(f.ctx, 0, plant, orders, "10~ä", func(st *state.Stored) error {
			equal(f, "entity", st.Entity, orders)
			equal(f, "id", st.ID, r.ID)
			equal(f, "sealed", string(st.Sealed), string(r.Sealed))
			equal(f, "hash", st.Hash, r.Hash)
			equal(f, "operation", st.Operation, host.Created)
			equal(f, "created", st.CreatedAt.Equal(r.CreatedAt), true)
			equal(f, "updated", st.UpdatedAt.Equal(r.UpdatedAt), true)
			equal(f, "synced", st.SyncedAt.Equal(s.At), true)
			equal(f, "sequence", st.Sequence < n, true)
			return nil
		}))
		f.must(f.Record(f.ctx, 0, plant, orders, "plain", func(st *state.Stored) error {
			equal(f, "created", st.CreatedAt.IsZero(), true)
			equal(f, "sequence of the last is the page's", st.Sequence, n)
			return nil
		}))
		f.refused(f.Record(f.ctx, 0, plant, orders, "none", nil), state.ErrNotFound)
		f.refused(f.Record(f.ctx, 0, plant, items, "plain", nil), state.ErrNotFound)
		f.refused(f.Record(f.ctx, 0, "plant-8", orders, "plain", nil), state.ErrNotFound)
		stop := errors.New("stop")
		f.refused(f.Record(f.ctx, 0, plant, orders, "plain", func(*state.Stored) error { return stop }), stop)
	}},
	{"IDsOfAnyShapeStayApart", func(f *fixture) {
		ids := []host.RecordID{"", "a", "a\x00", "a\x00b", "\x00", "\x00\x01", "\xff", "a\xff", host.RecordID(strings.Repeat("x", host.MaxRecordID))}
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, ids...))
		for _, id := range ids {
			f.must(f.Record(f.ctx, 0, plant, orders, id, func(st *state.Stored) error {
				equal(f, "sealed", string(st.Sealed), "first of "+string(id))
				return nil
			}))
		}
		got, _ := f.feed(state.Feed{}, 100)
		equal(f, "records", len(got), len(ids))
	}},
	{"ChangedRecordHasOneVersionAtItsNewPlace", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a", "b", "c"))
		old := f.head("a")
		s := f.pageOf(l, 2)
		s.Records = []state.RecordPut{recordOf("a", old.Sequence, host.Updated, "second")}
		n := f.page(s)
		got, last := f.feed(state.Feed{}, 100)
		equal(f, "feed", fmt.Sprint(got), "[b@created c@created a@updated]")
		equal(f, "last", last, n)
		equal(f, "revision", f.head("a").Sequence, n)
		equal(f, "records", f.sync(orders).Records, 3)
	}},
	{"TombstoneIsARecordButNotALivingOne", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a", "b"))
		s := f.pageOf(l, 2)
		s.Records = []state.RecordPut{recordOf("a", f.head("a").Sequence, host.Deleted, "gone")}
		f.page(s)
		equal(f, "records", f.sync(orders).Records, 1)
		equal(f, "head", f.head("a").Operation, host.Deleted)
		got, _ := f.feed(state.Feed{}, 100)
		equal(f, "feed", fmt.Sprint(got), "[b@created a@deleted]")
		s = f.pageOf(l, 3)
		s.Records = []state.RecordPut{recordOf("a", f.head("a").Sequence, host.Created, "back")}
		f.page(s)
		equal(f, "records", f.sync(orders).Records, 2)
	}},
	{"PageAtAnotherRevisionIsRefusedWhole", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a"))
		right := f.head("a").Sequence
		for _, expect := range []host.Sequence{0, right - 1, right + 1} {
			s := f.pageOf(l, 2)
			op := host.Updated
			if expect == 0 {
				op = host.Created
			}
			s.Records = []state.RecordPut{recordOf("b", 0, host.Created, "x"), recordOf("a", expect, op, "x")}
			_, err := f.CommitPage(f.ctx, 0, s)
			f.refused(err, state.ErrChanged)
		}
		equal(f, "b", f.head("b").Sequence, 0)
		equal(f, "records", f.sync(orders).Records, 1)
		equal(f, "page", f.sync(orders).Page, 1)
	}},
	{"OwnEarlierPagesAreNotOverlooked", func(f *fixture) {
		// Heads are read once, before several pages: a record that stands in two
		// of them has changed by the second.
		l := f.begin("run_1", host.Full, "h1")
		_, at, err := f.Heads(f.ctx, 0, plant, orders, []host.RecordID{"a", "b"})
		f.must(err)
		s := f.pageOf(l, 1, "a")
		s.ReadAt = at
		f.page(s)
		s = f.pageOf(l, 2, "b", "a")
		s.ReadAt = at
		_, err = f.CommitPage(f.ctx, 0, s)
		f.refused(err, state.ErrChanged)
		s = f.pageOf(l, 2, "b")
		s.ReadAt = at
		f.page(s)
		got, _ := f.feed(state.Feed{}, 100)
		equal(f, "feed", fmt.Sprint(got), "[a@created b@created]")
	}},
	{"ImpossiblePageIsRefused", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		for name, rs := range map[string][]state.RecordPut{
			"twice":           {recordOf("a", 0, host.Created, "x"), recordOf("a", 0, host.Created, "y")},
			"no operation":    {recordOf("a", 0, "", "x")},
			"update of none":  {recordOf("a", 0, host.Updated, "x")},
			"deletes nothing": {recordOf("a", 0, host.Deleted, "x")},
		} {
			s := f.pageOf(l, 1)
			s.Records = rs
			_, err := f.CommitPage(f.ctx, 0, s)
			if host.CodeOf(err) != host.CodeInvalid {
				f.Fatalf("%s: got %v", name, err)
			}
		}
		equal(f, "records", f.sync(orders).Records, 0)
	}},
	{"HeadsComeInTheOrderAsked", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		n := f.page(f.pageOf(l, 1, "a", "b"))
		hs, at, err := f.Heads(f.ctx, 0, plant, orders, []host.RecordID{"none", "b", "a", "b"})
		f.must(err)
		equal(f, "heads", len(hs), 4)
		equal(f, "none", hs[0], state.Head{})
		equal(f, "b", hs[1].Sequence, n)
		equal(f, "a before b", hs[2].Sequence < n && hs[2].Sequence > 0, true)
		equal(f, "b again", hs[3], hs[1])
		equal(f, "read at", at, n)
	}},
	{"FeedMergesEntitiesBySequence", func(f *fixture) {
		a := f.begin("run_1", host.Full, "h1")
		b := beginOf("run_2", host.Full, "h1")
		b.At, b.Run.Entity = f.now(), items
		l, err := f.BeginRun(f.ctx, 0, b)
		f.must(err)
		for i := range int64(3) {
			f.page(f.pageOf(a, i+1, host.RecordID(fmt.Sprintf("o%d", i))))
			f.page(f.pageOf(l, i+1, host.RecordID(fmt.Sprintf("i%d", i))))
		}
		got, last := f.feed(state.Feed{}, 4)
		equal(f, "first part", fmt.Sprint(got), "[o0@created i0@created o1@created i1@created]")
		got, _ = f.feed(state.Feed{After: last}, 4)
		equal(f, "second part", fmt.Sprint(got), "[o2@created i2@created]")
		got, _ = f.feed(state.Feed{Entities: []host.EntityName{items, items, "assets"}}, 9)
		equal(f, "of one", fmt.Sprint(got), "[i0@created i1@created i2@created]")
		got, _ = f.feed(state.Feed{Until: last}, 9)
		equal(f, "until", len(got), 4)
		got, _ = f.feed(state.Feed{Connection: "plant-8"}, 9)
		equal(f, "of another connection", len(got), 0)
	}},
	{"ListsContinueOverChangesWithNothingMissed", func(f *fixture) {
		// Whoever reads part by part while records change meets every record at
		// least once, and at the end knows each at its latest version.
		l := f.begin("run_1", host.Full, "h1")
		var ids []host.RecordID
		for i := range 50 {
			ids = append(ids, host.RecordID(fmt.Sprint(i)))
		}
		f.page(f.pageOf(l, 1, ids...))
		known := map[host.RecordID]host.Sequence{}
		number, after := int64(1), host.Sequence(0)
		for round := 0; ; round++ {
			n := 0
			f.must(f.Feed(f.ctx, 0, state.Feed{Connection: plant, After: after}, func(st *state.Stored) (bool, error) {
				known[st.ID], after = st.Sequence, st.Sequence
				n++
				return n < 7, nil
			}))
			if n == 0 {
				break
			}
			if round < 10 {
				number++
				s := f.pageOf(l, number)
				for _, id := range []host.RecordID{ids[round], ids[49-round]} {
					s.Records = append(s.Records, recordOf(id, f.head(id).Sequence, host.Updated, fmt.Sprint(round)))
				}
				f.page(s)
			}
		}
		for _, id := range ids {
			equal(f, "version of "+string(id), known[id], f.head(id).Sequence)
		}
	}},
	{"UnseenAreThoseThatAFullPassDidNotMeet", func(f *fixture) {
		l := f.begin("run_1", host.Full, "h1")
		f.page(f.pageOf(l, 1, "a", "b", "c", "d", "e", "f", "g"))
		unseen := func(after host.RecordID, limit int) string {
			f.Helper()
			ids, err := f.Unseen(f.ctx, 0, f.pageOf(l, 0), after, limit)
			f.must(err)
			return fmt.Sprint(ids)
		}
		equal(f, "of a first pass", unseen("", 9), "[]")
		f.end(outcomeOf(l, host.RunCompleted))

		l = f.begin("run_2", host.Full, "h1")
		s := f.pageOf(l, 1)
		s.Unchanged = []host.RecordID{"b", "e"}
		f.page(s)
		o := outcomeOf(l, host.RunFailed)
		o.KeepPass = true
		f.end(o)

		l = f.begin("run_3", host.Full, "h1") // goes on with the pass
		s = f.pageOf(l, 1)
		s.Unchanged = []host.RecordID{"f"}
		s.Records = []state.RecordPut{recordOf("a", f.head("a").Sequence, host.Updated, "second")}
		f.page(s)
		equal(f, "all", unseen("", 9), "[c d g]")
		equal(f, "first part", unseen("", 2), "[c d]")
		equal(f, "second part", unseen("d", 2), "[g]")

		f.crash()
		l = f.begin("run_3", host.Full, "h2")
		s = f.pageOf(l, 2)
		s.Records = []state.RecordPut{recordOf("c", f.head("c").Sequence, host.Deleted, "")}
		f.page(s)
		equal(f, "after a crash and a deletion", unseen("", 9), "[d g]")
		f.end(outcomeOf(l, host.RunCompleted))

		l = f.begin("run_4", host.Full, "h2") // meets nothing yet: old names are forgotten
		equal(f, "of a new pass", unseen("", 9), "[a b d e f g]")
	}},
}
