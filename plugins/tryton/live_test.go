package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

var update = flag.Bool("update", false, "write testdata anew: records from a running Tryton, then what becomes of them")

// book takes the pages of a read, as a host does.
type book struct {
	records    map[string]sdk.Record
	order      []string
	bad        []string
	total      int64
	checkpoint []byte
	pages      int
	most       int // pages that are taken; 0: all
}

var errFull = errors.New("the book is full")

func (b *book) Upsert(r sdk.Record) error {
	if b.records == nil {
		b.records = map[string]sdk.Record{}
	}
	b.records[r.ID] = r
	b.order = append(b.order, r.ID)
	return nil
}

func (b *book) Bad(id, field, reason string) error {
	b.bad = append(b.bad, id+" "+field+": "+reason)
	return nil
}

func (b *book) Total(n int64) { b.total = n }

func (b *book) Flush(checkpoint []byte) error {
	b.checkpoint = checkpoint
	b.pages++
	if b.pages == b.most {
		return errFull
	}
	return nil
}

func codeOf(err error) sdk.Code {
	var f *sdk.Failure
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

func open(t *testing.T, url, user, password string) *connection {
	t.Helper()
	c, err := connector{}.Open(t.Context(), sdk.OpenRequest{
		Settings: sdk.Settings{"url": url}, Credentials: map[string]string{"username": user, "password": password}, HTTP: &http.Client{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*connection)
}

// facts are what the script that starts Tryton prints: one start for all tests.
var facts = sync.OnceValues(func() (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "../../host/e2e/systems/tryton/up").Output()
	if err != nil {
		return nil, fmt.Errorf("start Tryton: %w: %s", err, out)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[name] = value
		}
	}
	return all, nil
})

// running opens a connection to a real Tryton, which is installed and started
// where root on Debian can.
func running(t *testing.T, user, password string) *connection {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		why := "it is installed from Debian's packages by root"
		if f := os.Getenv("DINRAIL_LEFT_OUT"); f != "" {
			if w, err := os.OpenFile(f, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				fmt.Fprintf(w, "plugins/tryton against a running Tryton: %s\n", why)
				_ = w.Close()
			}
		}
		t.Skip("LEFT OUT: a running Tryton: " + why)
	}
	all, err := facts()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, all["TRYTON_URL"], user, all[password])
}

func TestTheRealTrytonIsReadWhole(t *testing.T) {
	c := running(t, "reader", "TRYTON_READER_PASSWORD")
	lines, texts := 0, 0
	for name, want := range map[string]int{
		"vendors": 8, "items": 48, "purchase_orders": 24, "goods_receipts": 8, "lots": 8, "locations": 13, "boms": 4, "production_orders": 16, "production_operations": 30,
	} {
		var b book
		if err := c.read(t.Context(), sdk.ReadRequest{Entity: name, Full: true}, &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(b.records) != want || b.total != int64(want) || len(b.order) != want || len(b.bad) > 0 {
			t.Errorf("%s: %d records, total %d, bad %v; want %d", name, len(b.records), b.total, b.bad, want)
		}
		for id, r := range b.records {
			o := read(t, r.Fields)
			if name == "items" && (o.UnitCost == nil || o.UnitCost.Amount == "0" || o.UnitCost.Currency != "EUR") {
				t.Errorf("item %s costs %v; each has a cost at the company", id, o.UnitCost)
			}
			if o.Status == "unknown" || o.Kind == "unknown" {
				t.Errorf("%s %s has a word that nobody named", name, id)
			}
			for _, l := range o.Lines {
				if name != "purchase_orders" {
					break
				}
				lines++
				if l.Kind == "text" {
					texts++
				}
				if (l.Kind == "text") != (l.Item == nil) {
					t.Errorf("%s %s has a line of kind %s with item %v", name, id, l.Kind, l.Item)
				}
			}
		}
		if *update {
			keep(t, name, b)
		}
	}
	var levels book
	if err := c.read(t.Context(), sdk.ReadRequest{Entity: "inventory_levels", Full: true}, &levels); err != nil || len(levels.records) < 30 {
		t.Fatalf("%d levels, %v", len(levels.records), err)
	}
	if *update {
		keep(t, "inventory_levels", levels)
	}
	if lines != 77 || texts != 5 {
		t.Errorf("%d lines, %d of them texts; want 77 and 5", lines, texts)
	}
}

// unified is what tests look at of a record as it travels.
type unified struct {
	Status   string                             `json:"status"`
	Native   string                             `json:"status_native"`
	Kind     string                             `json:"kind"`
	UnitCost *struct{ Amount, Currency string } `json:"unit_cost"`
	Lines    []struct {
		Kind string
		Item *struct{ ID string }
	}
}

func read(t *testing.T, fields any) unified {
	t.Helper()
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var u unified
	if err := json.Unmarshal(b, &u); err != nil {
		t.Fatal(err)
	}
	return u
}

// keep writes the first records that were read to testdata.
func keep(t *testing.T, name string, b book) {
	t.Helper()
	var some []json.RawMessage
	for _, id := range b.order[:min(6, len(b.order))] {
		some = append(some, b.records[id].Raw)
	}
	text, err := json.MarshalIndent(some, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/"+name+".json", append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAChangedLineBringsItsOrder(t *testing.T) {
	c := running(t, "reader", "TRYTON_READER_PASSWORD")
	var full book
	if err := c.read(t.Context(), sdk.ReadRequest{Entity: "purchase_orders", Full: true}, &full); err != nil {
		t.Fatal(err)
	}
	// The description of a draft's line is written as it is: its stamp changes,
	// what others count on does not.
	s, err := c.scope(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	drafts, err := s.search(t.Context(), "purchase.line", []any{[]any{"purchase.state", "=", "draft"}, []any{"type", "=", "line"}}, 1, "id", []string{"purchase", "description"})
	if err != nil || len(drafts) != 1 {
		t.Fatalf("find a draft's line: %v, %v", drafts, err)
	}
	write := []any{[]any{drafts[0]["id"]}, map[string]any{"description": drafts[0]["description"]}, map[string]any{}}
	if err := c.rpc.call(t.Context(), nil, "model.purchase.line.write", write...); err != nil {
		t.Fatal(err)
	}
	var next book
	if err := c.read(t.Context(), sdk.ReadRequest{Entity: "purchase_orders", Checkpoint: full.checkpoint}, &next); err != nil {
		t.Fatal(err)
	}
	if _, ok := next.records[drafts[0].text("purchase")]; !ok {
		t.Errorf("the order %s is not among %v", drafts[0].text("purchase"), next.order)
	}
}

func TestWhatTheRealTrytonDoesNotAllowIsTold(t *testing.T) {
	c := running(t, "planner", "TRYTON_PLANNER_PASSWORD")
	es, err := c.Entities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	may := map[string]bool{ // what production needs
		"items": true, "boms": true, "production_orders": true, "production_operations": true, "locations": true, "inventory_levels": true,
	}
	for _, e := range es {
		if (e.Denied == "") != may[e.Name] {
			t.Errorf("%s: denied %q", e.Name, e.Denied)
		}
	}
	err = c.read(t.Context(), sdk.ReadRequest{Entity: "purchase_orders", Full: true}, &book{})
	if codeOf(err) != sdk.CodePermissionDenied {
		t.Errorf("the read ends with %v", err)
	}
}
