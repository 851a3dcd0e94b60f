package state_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew: only for a new version of the encoding")

// filled sets every field below v to a value that is not its zero, so that an
// encoder that forgets one is found.
func filled(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, *n%60, 123456000, time.UTC)))
			return
		}
		for i := range v.NumField() {
			filled(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			filled(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			filled(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 251))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("a field of kind " + v.Kind().String() + " needs a value")
	}
}

func of[T any]() *T {
	v, n := new(T), 0
	filled(reflect.ValueOf(v).Elem(), &n)
	return v
}

// stepCase is a step of each kind with every field set: how it is encoded, and
// what is decoded from it.
type stepCase struct {
	name   string
	encode func() ([]byte, error)
	want   *state.Step
}

func stepCases() []stepCase {
	change := of[state.Change]()
	for i := range change.Events {
		bare(&change.Events[i])
	}
	renamed := *change
	change.Rename = nil
	begin := of[state.Begin]()
	page := of[state.PageStep]()
	page.Records[0].Operation, page.Records[1].Operation = host.Created, host.Deleted
	decoded := &state.Page{PageStep: *page}
	decoded.Records, decoded.Unchanged = nil, nil
	for _, id := range page.Unchanged {
		m := state.MarkOf(id)
		decoded.Marks = append(decoded.Marks, m[:]...)
	}
	for i := range page.Records {
		r := &page.Records[i]
		decoded.Stored = append(decoded.Stored, state.StoredPut{ID: r.ID, Expect: r.Expect, Operation: r.Operation, Hash: r.Hash})
	}
	end := of[state.Outcome]()
	for i := range end.Events {
		bare(&end.Events[i])
	}
	page.Follow = false
	followed := *page
	followed.Follow = true
	decodedFollowed := *decoded
	decoded.Follow, decodedFollowed.Follow = false, true
	pushEvents, settle, sweep, prune := of[state.Push](), of[state.Settle](), of[state.Sweep](), of[state.Prune]()
	for i := range pushEvents.Events {
		bare(&pushEvents.Events[i])
	}
	pushEvents.Deliveries[0].Status, pushEvents.Deliveries[1].Status = host.DeliveryPending, host.DeliveryHeld
	settle.Settlements[0].Delivery.Status, settle.Settlements[1].Delivery.Status = host.DeliveryDelivered, host.DeliveryDead
	push := of[state.Push]()
	push.Events, push.Deliveries = nil, pushEvents.Deliveries
	return []stepCase{
		{"change", func() ([]byte, error) { return state.AppendChange(nil, change) }, &state.Step{Change: change}},
		{"rename", func() ([]byte, error) { return state.AppendChange(nil, &renamed) }, &state.Step{Change: &renamed}},
		{"begin", func() ([]byte, error) { return state.AppendBegin(nil, begin) }, &state.Step{Begin: begin}},
		{"page", func() ([]byte, error) { return state.AppendPage(nil, page) }, &state.Step{Page: decoded}},
		{"end", func() ([]byte, error) { return state.AppendEnd(nil, end) }, &state.Step{End: end}},
		{"followed", func() ([]byte, error) { return state.AppendPage(nil, &followed) }, &state.Step{Page: &decodedFollowed}},
		{"push_events", func() ([]byte, error) { return state.AppendPush(nil, pushEvents), nil }, &state.Step{Push: pushEvents}},
		{"prune", func() ([]byte, error) { return state.AppendPrune(nil, prune) }, &state.Step{Prune: prune}},
		{"push", func() ([]byte, error) { return state.AppendPush(nil, push), nil }, &state.Step{Push: push}},
		{"settle", func() ([]byte, error) { return state.AppendSettle(nil, settle.Settlements), nil }, &state.Step{Settle: settle}},
		{"sweep", func() ([]byte, error) { return state.AppendSweep(nil, sweep), nil }, &state.Step{Sweep: sweep}},
	}
}

// bare is an event as it stands in a step: what the engine gives, and what is
// sealed, is not in it.
func bare(e *state.Event) { e.Data, e.Sequence = nil, 0 }

// records checks the stored forms of a decoded page, and takes them out.
func records(t *testing.T, p *state.Page) {
	t.Helper()
	page := of[state.PageStep]()
	for i := range p.Stored {
		var st state.Stored
		if err := state.DecodeStored(p.Stored[i].Value, &st); err != nil {
			t.Fatalf("decode record: %v", err)
		}
		r := page.Records[i]
		want := state.Stored{
			ID: r.ID, Operation: p.Stored[i].Operation, Hash: r.Hash, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			SyncedAt: page.At, Sealed: r.Sealed,
		}
		if !reflect.DeepEqual(st, want) {
			t.Fatalf("record %d:\n got %+v\nwant %+v", i, st, want)
		}
		p.Stored[i].Value = nil
	}
}

func TestStepsAreDecodedAsTheyWereEncoded(t *testing.T) {
	t.Parallel()
	for _, c := range stepCases() {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.encode()
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			got, err := state.DecodeStep(b)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if got.Page != nil {
				records(t, got.Page)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Fatalf("\n got %+v\nwant %+v", got, c.want)
			}
			for n := range b {
				if s, err := state.DecodeStep(b[:n]); err == nil {
					t.Fatalf("decoded %+v from the first %d of %d bytes", s, n, len(b))
				}
			}
			if _, err := state.DecodeStep(append(b, 0)); err == nil {
				t.Fatal("decoded a step with a byte too many")
			}
		})
	}
}

// Yesterday's bytes: what was once written must be read for ever, as it was
// meant.
func TestGoldenSteps(t *testing.T) {
	t.Parallel()
	for _, c := range stepCases() {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join("testdata", "step_"+c.name+".golden")
			b, err := c.encode()
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(hex.Dump(b)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden := readDump(t, file)
			got, err := state.DecodeStep(golden)
			if err != nil {
				t.Fatalf("decode what was written once: %v", err)
			}
			if got.Page != nil {
				records(t, got.Page)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Fatalf("\n got %+v\nwant %+v", got, c.want)
			}
			if !bytes.Equal(b, golden) {
				t.Fatalf("the encoding changed: give it a new version, and keep reading the old one\n%s", hex.Dump(b))
			}
		})
	}
}

// What was written in forms that are not written any more, or before a noun
// gained a field, is read as what it was: in the form of today it is the same.
func TestOlderStepsAreStillRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "older", "*.golden"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		older, err := state.DecodeStep(readDump(t, file))
		if err != nil {
			t.Fatalf("decode %s: %v", file, err)
		}
		var b []byte
		switch {
		case older.Change != nil:
			b, err = state.AppendChange(nil, older.Change)
		case older.End != nil:
			b, err = state.AppendEnd(nil, older.End)
		case older.Push != nil:
			b = state.AppendPush(nil, older.Push)
		case older.Settle != nil:
			b = state.AppendSettle(nil, older.Settle.Settlements)
		}
		if err != nil {
			t.Fatal(err)
		}
		if again, err := state.DecodeStep(b); err != nil || !reflect.DeepEqual(again, older) {
			t.Errorf("%s is %+v, written again %+v (%v)", file, older, again, err)
		}
	}
}

// readDump reads bytes back from the form of hex.Dump.
func readDump(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for line := range strings.Lines(string(text)) {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line[10:58]), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

func TestNewerStepIsRefused(t *testing.T) {
	t.Parallel()
	_, err := state.DecodeStep([]byte{2, 1, 0})
	if err == nil || !strings.Contains(err.Error(), "version 2 is not known") {
		t.Fatalf("got %v", err)
	}
}

func TestHeadIsDecodedAsItWasEncoded(t *testing.T) {
	t.Parallel()
	want := state.Head{Sequence: 0x0102030405060708, Operation: host.Deleted, Hash: host.Hash{0xa0, 15: 0xaf}}
	b := make([]byte, state.HeadSize)
	state.PutHead(b, want)
	if got, err := state.DecodeHead(b); err != nil || got != want {
		t.Fatalf("got %+v, %v, want %+v", got, err, want)
	}
	const golden = "07" + "0102030405060708" + "a00000000000000000000000000000af"
	if got := hex.EncodeToString(b); got != golden {
		t.Fatalf("the form of a head changed: %s", got)
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append([]byte{9 << 2}, b[1:]...), append([]byte{1 << 2}, b[1:]...)} {
		if h, err := state.DecodeHead(bad); err == nil {
			t.Fatalf("decoded %+v from %x", h, bad)
		}
	}
}

// FuzzDecodeStep: no bytes, however damaged, may do more than be refused.
func FuzzDecodeStep(f *testing.F) {
	for _, c := range stepCases() {
		b, err := c.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := state.DecodeStep(b)
		if err != nil {
			return
		}
		if s.Items() < 1 {
			t.Fatalf("a step of %d items", s.Items())
		}
		if s.Page != nil {
			for i := range s.Page.Stored {
				var st state.Stored
				if err := state.DecodeStored(s.Page.Stored[i].Value, &st); err != nil || st.ID != s.Page.Stored[i].ID {
					t.Fatalf("a record that cannot be read: %v", err)
				}
			}
		}
	})
}
