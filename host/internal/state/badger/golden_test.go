package badger_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	bare "github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
)

var update = flag.Bool("update", false, "write the golden files anew: only for a new format")

// history makes one of everything that an engine keeps.
func history(t *testing.T, e *badger.Engine) {
	t.Helper()
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	event := state.Event{Event: host.Event{ID: "evt_1", Type: "custom.x", Time: at, Connection: "plant"}, Sealed: []byte("sealed data")}
	_, err := e.Commit(ctx, 0, state.Change{
		At: at,
		Puts: []state.Put{
			{Kind: state.KindConnection, ID: "plant", Body: []byte(`{"id":"plant"}`)},
			{Kind: state.KindToken, ID: "t1", Connection: "plant", Body: []byte(`{"id":"t1"}`)},
		},
		Events: []state.Event{event},
		Queue:  []host.Run{{ID: "run_1", Connection: "plant", Entity: "work_orders", Mode: host.Full, Trigger: "manual"}},
	})
	must(err)
	for i, unchanged := range [][]host.RecordID{nil, {"a"}} {
		l, err := e.BeginRun(ctx, 0, state.Begin{
			Run:    host.Run{ID: host.RunID(fmt.Sprint("run_", i+1)), Connection: "plant", Entity: "work_orders", Mode: host.Full, Trigger: "schedule"},
			Holder: "h", At: at.Add(time.Minute),
		})
		must(err)
		step := state.PageStep{
			Connection: "plant", Entity: "work_orders", Run: l.Run.ID, Fence: l.Fence, Number: 1, At: at.Add(2 * time.Minute),
			Checkpoint: []byte("after 1"), Total: 2, Unchanged: unchanged, Counts: host.Counts{Read: 2, Created: 2},
			Bad: []host.BadRecord{{ID: "c", Field: "id", Reason: "too long"}},
		}
		if i == 0 {
			step.Records = []state.RecordPut{
				{ID: "a", Operation: host.Created, Hash: host.Hash{1, 2}, CreatedAt: at, Sealed: []byte("sealed a")},
				{ID: "b", Operation: host.Created, Hash: host.Hash{3, 4}, UpdatedAt: at, Sealed: bytes.Repeat([]byte("b"), 300)},
			}
		}
		_, err = e.CommitPage(ctx, 0, step)
		must(err)
		if i == 0 {
			must(e.EndRun(ctx, 0, state.Outcome{
				Connection: "plant", Entity: "work_orders", Run: l.Run.ID, Fence: l.Fence, At: at.Add(3 * time.Minute),
				Status: host.RunCompleted, NextRunAt: at.Add(time.Hour),
			}))
		}
	}
	d := host.Delivery{ID: "dlv_1", Event: "evt_1", EventType: "custom.x", Endpoint: "e1", Status: host.DeliveryPending, CreatedAt: at, DueAt: at}
	must(e.Push(ctx, 0, state.Push{Position: "dispatch", From: 0, To: 3, Deliveries: []host.Delivery{d}}))
	d.Attempts, d.DueAt = 1, at.Add(time.Minute)
	must(e.Settle(ctx, 0, []state.Settlement{{Delivery: d, Attempt: host.Attempt{Delivery: d.ID, Number: 1, StartedAt: at, Status: 503}}}))
	_, err = e.Commit(ctx, 0, state.Change{Puts: []state.Put{{Kind: state.KindConnection, ID: "gone", Body: []byte(`{}`)}}})
	must(err)
}

// told is what can be read of the history.
func told(t *testing.T, e *badger.Engine) string {
	t.Helper()
	ctx, out := t.Context(), ""
	tell := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("%+v\n", v)
	}
	tell(e.Document(ctx, 0, state.KindConnection, "plant"))
	tell(e.Document(ctx, 0, state.KindToken, "t1"))
	tell(e.Run(ctx, 0, "plant", "run_1"))
	tell(e.Runs(ctx, 0, "plant", "work_orders", "", 9))
	syncs, err := e.Syncs(ctx, 0, "plant")
	tell(len(syncs), err)
	tell(syncs[0].Records, nil)
	tell(e.Unseen(ctx, 0, state.PageStep{Connection: "plant", Entity: "work_orders", Run: syncs[0].Run, Fence: syncs[0].Fence}, "", 9))
	tell("feed", e.Feed(ctx, 0, state.Feed{Connection: "plant"}, func(st *state.Stored) (bool, error) {
		out += fmt.Sprintf("%+v\n", *st)
		return true, nil
	}))
	heads, _, err := e.Heads(ctx, 0, "plant", "work_orders", []host.RecordID{"a", "b"})
	tell(heads, err)
	tell(e.Events(ctx, 0, 0, 9))
	tell(e.SequenceAt(ctx, 0, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)))
	ds, counts, err := e.Deliveries(ctx, 0, "", "", "", 9)
	tell(ds, err)
	tell(counts, nil)
	_, attempts, err := e.Delivery(ctx, 0, "dlv_1")
	tell(attempts, err)
	due, _, err := e.Claim(ctx, 0, state.Claim{Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Limit: 9})
	tell(due, err)
	return out
}

var epoch = regexp.MustCompile(`"epoch":\d+`)

// dump returns all keys and values of a folder, a line each.
func dump(t *testing.T, dir string) string {
	t.Helper()
	db, err := bare.Open(bare.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = db.View(func(txn *bare.Txn) error {
		it := txn.NewIterator(bare.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			v = epoch.ReplaceAll(v, []byte(`"epoch":7`))
			fmt.Fprintf(&out, "%x %x %q\n", it.Item().Key(), v, v)
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// load fills a folder with the keys and values of a dump.
func load(t *testing.T, dir, lines string) {
	t.Helper()
	db, err := bare.Open(bare.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *bare.Txn) error {
		for line := range strings.Lines(lines) {
			parts := strings.SplitN(line, " ", 3)
			k, err := hex.DecodeString(parts[0])
			if err != nil {
				return err
			}
			v, err := hex.DecodeString(parts[1])
			if err != nil {
				return err
			}
			if err := txn.Set(k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Yesterday's folder: what was once stored must be read for ever, as it was
// meant, and is stored the same today.
func TestGoldenFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir)
	history(t, e)
	want := told(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "folder.golden")
	now := dump(t, dir)
	if *update {
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var golden []byte
	// The second is from when deliveries, attempts and events were JSON.
	for _, file := range []string{file, filepath.Join("testdata", "folder_json.golden")} {
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if golden == nil {
			golden = stored
		}
		old := t.TempDir()
		load(t, old, string(stored))
		e := open(t, old)
		if got := told(t, e); got != want {
			t.Errorf("what was stored once is read as\n%s\nwant\n%s", got, want)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if now != string(golden) {
		t.Errorf("keys or values changed: give them a new version, and keep reading the old one\n%s", now)
	}
}
