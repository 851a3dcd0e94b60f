package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/seal"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

const (
	plant  = host.ConnectionID("plant-7")
	orders = host.EntityName("work_orders")
)

// setup returns a store on an engine that forgets, with real keys.
func setup(t *testing.T) (*state.Store, *memory.Engine) {
	t.Helper()
	e := memory.New()
	keys, err := seal.Open(t.Context(), seal.Params{File: filepath.Join(t.TempDir(), "master.key"), Shelf: state.NewShelf(e)})
	if err != nil {
		t.Fatal(err)
	}
	s := state.NewStore(e, keys)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, e
}

func commit(t *testing.T, s *state.Store, puts []state.Put, events []host.Event) {
	t.Helper()
	if _, err := s.Commit(t.Context(), time.Unix(1.7e9, 0), puts, events, nil); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func putOf(t *testing.T, kind state.Kind, id string, v any) state.Put {
	t.Helper()
	p, err := state.PutOf(kind, id, state.Any, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// connect makes a connection of an incarnation.
func connect(t *testing.T, s *state.Store, incarnation string) {
	t.Helper()
	commit(t, s, []state.Put{putOf(t, state.KindConnection, string(plant), host.Connection{ID: plant, Incarnation: incarnation})}, nil)
}

// sync commits a page of the records in a run of its own.
func sync(t *testing.T, s *state.Store, run host.RunID, records ...host.Received) {
	t.Helper()
	l, err := s.BeginRun(t.Context(), state.Begin{Run: host.Run{ID: run, Connection: plant, Entity: orders, Mode: host.Full}, Holder: "h"})
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	step := state.PageStep{Connection: plant, Entity: orders, Run: run, Fence: l.Fence, Number: 1, Total: -1}
	for i := range records {
		r := &records[i]
		sealed, err := s.SealRecord(plant, orders, r)
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		step.Records = append(step.Records, state.RecordPut{ID: r.ID, Operation: host.Created, Hash: state.HashOf(r), Sealed: sealed})
	}
	if _, err := s.CommitPage(t.Context(), step); err != nil {
		t.Fatalf("commit page: %v", err)
	}
	if err := s.EndRun(t.Context(), state.Outcome{Connection: plant, Entity: orders, Run: run, Fence: l.Fence, Status: host.RunCompleted}, nil); err != nil {
		t.Fatalf("end: %v", err)
	}
}

var order = host.Received{ID: "10", Body: json.RawMessage(`{"name":"Oil"}`), Raw: json.RawMessage(`{"NAME":"oil"}`)}

func TestRecordsAreSealedOnTheWayDownAndOpenedOnTheWayUp(t *testing.T) {
	t.Parallel()
	s, e := setup(t)
	connect(t, s, "1")
	sync(t, s, "run_1", order, host.Received{ID: "11", Body: json.RawMessage(`{}`)})
	r, err := s.Record(t.Context(), plant, orders, "10")
	if err != nil || string(r.Body) != string(order.Body) || string(r.Raw) != string(order.Raw) || r.Hash != state.HashOf(&order) {
		t.Fatalf("got %+v, %v", r, err)
	}
	var got []string
	err = s.Feed(t.Context(), state.Feed{Connection: plant}, func(r *host.Record) (bool, error) {
		got = append(got, fmt.Sprintf("%s %s %s", r.ID, r.Body, r.Raw))
		return true, nil
	})
	if err != nil || strings.Join(got, ";") != `10 {"name":"Oil"} {"NAME":"oil"};11 {} ` {
		t.Fatalf("got %q, %v", got, err)
	}
	err = e.Feed(t.Context(), 0, state.Feed{Connection: plant}, func(st *state.Stored) (bool, error) {
		if strings.Contains(strings.ToLower(string(st.Sealed)), "oil") {
			t.Error("a record is stored in clear")
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSealedRecordOpensAtItsPlaceOnly(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	connect(t, s, "1")
	l, err := s.BeginRun(t.Context(), state.Begin{Run: host.Run{ID: "run_1", Connection: plant, Entity: orders, Mode: host.Full}, Holder: "h"})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.SealRecord(plant, orders, &order)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.CommitPage(t.Context(), state.PageStep{
		Connection: plant, Entity: orders, Run: "run_1", Fence: l.Fence, Number: 1, Total: -1,
		Records: []state.RecordPut{{ID: "another", Operation: host.Created, Sealed: sealed}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Record(t.Context(), plant, orders, "another"); err == nil {
		t.Fatalf("a record put in another's place is read as %s", r.Body)
	}
}

func TestHashTellsRecordsApart(t *testing.T) {
	t.Parallel()
	at := time.Unix(1.7e9, 0)
	seen := map[host.Hash]int{}
	for i, r := range []host.Received{
		{ID: "1", Body: []byte(`{}`)},
		{ID: "1", Body: []byte(`{} `)},
		{ID: "1", Body: []byte(`{}`), Raw: []byte(" ")},
		{ID: "1", Body: []byte(`{}`), UpdatedAt: at},
		{ID: "1", Body: []byte(`{}`), CreatedAt: at},
		{ID: "1", Body: []byte(`{}`), Deleted: true},
	} {
		h := state.HashOf(&r)
		if j, ok := seen[h]; ok {
			t.Errorf("records %d and %d have one hash", j, i)
		}
		seen[h] = i
		if again := state.HashOf(&r); again != h {
			t.Errorf("record %d has two hashes", i)
		}
	}
}

func TestBoundsAreKept(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	connect(t, s, "1")
	large := make([]byte, host.MaxValueBytes/2+1)
	tooLarge := func(what string, err error) {
		t.Helper()
		if host.CodeOf(err) != host.CodeTooLarge {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := s.SealRecord(plant, orders, &host.Received{ID: "1", Body: large, Raw: large})
	tooLarge("record", err)
	_, err = s.Commit(t.Context(), time.Time{}, []state.Put{{Kind: state.KindWish, ID: "a", Body: append(large, large...)}}, nil, nil)
	tooLarge("document", err)
	_, err = s.Commit(t.Context(), time.Time{}, make([]state.Put, host.MaxStepItems+1), nil, nil)
	tooLarge("items of a change", err)
	var puts []state.Put
	for range host.MaxStepBytes/len(large) + 1 {
		puts = append(puts, state.Put{Kind: state.KindWish, ID: "a", Body: large})
	}
	_, err = s.Commit(t.Context(), time.Time{}, puts, nil, nil)
	tooLarge("bytes of a change", err)
	_, err = s.CommitPage(t.Context(), state.PageStep{Connection: plant, Records: make([]state.RecordPut, host.MaxStepItems+1)})
	tooLarge("records of a page", err)
	_, err = s.CommitPage(t.Context(), state.PageStep{Connection: plant, Records: []state.RecordPut{{Sealed: make([]byte, host.MaxStepBytes+1)}}})
	tooLarge("bytes of a page", err)
}

func TestRemovedConnectionIsUnreadable(t *testing.T) {
	t.Parallel()
	s, e := setup(t)
	connect(t, s, "1")
	sync(t, s, "run_1", order)
	commit(t, s, []state.Put{
		putOf(t, state.KindToken, "t1", &host.Token{ID: "t1", Connection: plant}),
		putOf(t, state.KindToken, "t2", host.Token{ID: "t2", Role: host.RoleAdmin}),
		putOf(t, state.KindWish, "w1", host.Wish{ID: "w1", Connection: plant}),
	}, []host.Event{
		{ID: "evt_1", Type: "custom.x", Connection: plant, Data: json.RawMessage(`{"a":1}`)},
		{ID: "evt_2", Type: host.EventConnectionRemoved, Connection: plant, Data: json.RawMessage(`{"label":"Plant 7"}`)},
	})
	if err := s.Purge(t.Context(), plant); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), 0, 9)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if string(events[0].Data) != "null" || string(events[1].Data) != `{"label":"Plant 7"}` {
		t.Errorf("events tell %s and %s", events[0].Data, events[1].Data)
	}
	if _, err := s.Record(t.Context(), plant, orders, "10"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("record: %v", err)
	}
	for kind, want := range map[state.Kind]int{state.KindToken: 1, state.KindWish: 0, state.KindConnection: 0, state.KindDataKey: 0} {
		if ds, err := e.Documents(t.Context(), 0, kind, "", 9); err != nil || len(ds) != want {
			t.Errorf("%s: %d documents, %v, want %d", kind, len(ds), err, want)
		}
	}
	if err := s.Purge(t.Context(), plant); err != nil {
		t.Errorf("purged again: %v", err)
	}
	connect(t, s, "2")
	sync(t, s, "run_1", order)
	if _, err := s.Record(t.Context(), plant, orders, "10"); err != nil {
		t.Errorf("record of the new connection: %v", err)
	}
}

// meddling is an engine where something else happens before a change.
type meddling struct {
	*memory.Engine
	before func()
}

func (m *meddling) Commit(ctx context.Context, p host.Partition, c state.Change) (host.Sequence, error) {
	if f := m.before; f != nil {
		m.before = nil
		f()
	}
	return m.Engine.Commit(ctx, p, c)
}

func TestPurgeMeansTheConnectionThatWasThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		incarnation string
		stays       bool
	}{
		"status written meanwhile": {"1", false},
		"made again meanwhile":     {"2", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, e := setup(t)
			m := &meddling{Engine: e}
			keys, err := seal.Open(t.Context(), seal.Params{File: filepath.Join(t.TempDir(), "none"), Shelf: state.NewShelf(memory.New())})
			if err != nil {
				t.Fatal(err)
			}
			s := state.NewStore(m, keys)
			connect(t, s, "1")
			m.before = func() {
				commit(t, s, []state.Put{putOf(t, state.KindConnection, string(plant), host.Connection{ID: plant, Incarnation: c.incarnation, Reason: "new"})}, nil)
			}
			if err := s.Purge(t.Context(), plant); err != nil {
				t.Fatal(err)
			}
			_, _, err = state.Get[host.Connection](t.Context(), s, state.KindConnection, string(plant))
			if stays := err == nil; stays != c.stays {
				t.Fatalf("stays: %t, want %t (%v)", stays, c.stays, err)
			}
		})
	}
}

func TestListsReadAllParts(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	const n = 2*host.MaxListLimit + 5
	for from := 0; from < n; from += 500 {
		var puts []state.Put
		for i := from; i < min(from+500, n); i++ {
			puts = append(puts, putOf(t, state.KindSession, fmt.Sprintf("%05d", i), i))
		}
		commit(t, s, puts, nil)
	}
	all, err := state.All[int](t.Context(), s, state.KindSession)
	if err != nil || len(all) != n {
		t.Fatalf("%d documents, %v", len(all), err)
	}
	for i, v := range all {
		if v.Value != i || v.Revision == 0 {
			t.Fatalf("document %d is %+v", i, v)
		}
	}
	commit(t, s, []state.Put{{Kind: state.KindSession, ID: "00001", Expect: state.Any, Body: []byte("no JSON")}}, nil)
	if _, err := state.All[int](t.Context(), s, state.KindSession); err == nil || !strings.Contains(err.Error(), "00001") {
		t.Fatalf("got %v, want an error that names the document", err)
	}
}
