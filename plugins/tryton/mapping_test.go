package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// rowOf reads a record as received.
func rowOf(t *testing.T, raw []byte) row {
	t.Helper()
	var r row
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecordsBecomeUnifiedOnes maps what a real Tryton answered.
func TestRecordsBecomeUnifiedOnes(t *testing.T) {
	for _, e := range entities {
		t.Run(e.name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + e.name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var raws []json.RawMessage
			if err := json.Unmarshal(text, &raws); err != nil {
				t.Fatal(err)
			}
			got := []any{}
			for _, raw := range raws {
				got = append(got, e.record(rowOf(t, raw), "EUR"))
			}
			b, err := json.MarshalIndent(got, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, '\n')
			golden := "testdata/" + e.name + ".mapped.json"
			if *update {
				if err := os.WriteFile(golden, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b, want) {
				gotLines, wantLines := strings.Split(string(b), "\n"), strings.Split(string(want), "\n")
				for i := range min(len(gotLines), len(wantLines)) {
					if gotLines[i] != wantLines[i] {
						t.Fatalf("line %d is %s, and %s has %s; if it should be so, run with -update", i+1, gotLines[i], golden, wantLines[i])
					}
				}
				t.Fatal("more or fewer lines than " + golden)
			}
		})
	}
}

func TestAnOrderIsAsFarAsItsDeliveries(t *testing.T) {
	line := func(product, done string) string {
		return `{"id":1,"type":"line","move_done":` + done + `,"product.":{"id":7,"type":"` + product + `"}}`
	}
	const comment = `{"id":2,"type":"comment","description":"gate 3","move_done":true}`
	for _, c := range []struct{ name, state, lines, want string }{
		{"nothing came", "processing", line("goods", "false") + "," + comment, "sent"},
		{"a part came", "processing", line("goods", "true") + "," + line("goods", "false"), "partially_received"},
		{"all came", "processing", line("goods", "true") + "," + comment, "received"},
		{"a service is no delivery", "processing", line("service", "true") + "," + line("goods", "false"), "sent"},
		{"services alone", "processing", line("service", "true"), "sent"},
		{"done", "done", line("goods", "true"), "closed"},
		{"a draft", "draft", line("goods", "false"), "draft"},
		{"a word that nobody named", "parked", line("goods", "true"), "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := purchaseOrder(rowOf(t, []byte(`{"id":1,"state":"`+c.state+`","lines":[`+c.lines+`]}`)), "EUR")
			got := read(t, o)
			if got.Status != c.want || got.Native != c.state {
				t.Errorf("it is %+v; want %s", got, c.want)
			}
		})
	}
}

func TestValuesKeepWhatWasSent(t *testing.T) {
	r := rowOf(t, []byte(`{
		"id": 7,
		"quantity": 1234567890123456789.10,
		"price": {"__class__":"Decimal","decimal":"0.1000"},
		"at": {"__class__":"datetime","year":2026,"month":2,"day":28,"hour":23,"minute":59,"second":58,"microsecond":123456},
		"on": {"__class__":"date","year":2026,"month":2,"day":28},
		"active": 1,
		"off": false,
		"gone": null,
		"party.": {"id": 5, "rec_name": "Falk"}
	}`))
	for _, c := range []struct{ what, got, want string }{
		{"number", string(r.number("quantity")), "1234567890123456789.10"},
		{"decimal", r.decimal("price"), "0.1000"},
		{"time", r.time("at").Format("2006-01-02T15:04:05.000000Z07:00"), "2026-02-28T23:59:58.123456Z"},
		{"date", string(r.date("on")), "2026-02-28"},
		{"no date", string(r.date("gone")), ""},
		{"no number", string(r.number("gone")), ""},
		{"nested", r.of("party").text("rec_name"), "Falk"},
		{"nested of none", r.of("nobody").text("rec_name"), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s; want %s", c.what, c.got, c.want)
		}
	}
	if on, off := r.truth("active"), r.truth("off"); on == nil || !*on || off == nil || *off || r.truth("gone") != nil {
		t.Error("truth is read wrongly")
	}
	if at := r.time("at"); !rowOf(t, mustJSON(t, map[string]any{"at": tagged(at)})).time("at").Equal(at) {
		t.Error("a time does not come back as it was sent")
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the connector says that it fills is what its mapping fills: nothing
// else, and all of it but what the records of the golden files are without.
func TestCoverageIsWhatTheMappingFills(t *testing.T) {
	empty := map[string][]string{
		"vendors": {"tax_id", "website"}, "items": {"description"}, "purchase_orders": {"name", "expected_at", "payment_terms", "note"},
		"production_orders": {"lot"}, "production_operations": {"actual_minutes"},
	}
	for i, e := range known() {
		text, err := os.ReadFile("testdata/" + e.Name + ".mapped.json")
		if err != nil {
			t.Fatal(err)
		}
		var records []map[string]any
		if err := json.Unmarshal(text, &records); err != nil {
			t.Fatal(err)
		}
		left := map[string]bool{}
		for _, f := range e.Fields {
			left[f.Name] = true
			if f.Type == "" {
				t.Errorf("%s.%s is no field of the model", e.Name, f.Name)
			}
		}
		for _, r := range records {
			for name, v := range r {
				list, isList := v.([]any)
				if v == nil || v == "" || isList && len(list) == 0 {
					continue
				}
				if !slices.Contains(strings.Fields(entities[i].fills), name) {
					t.Errorf("%s.%s is filled, and not told", e.Name, name)
				}
				delete(left, name)
			}
		}
		for _, name := range empty[e.Name] {
			if !left[name] {
				t.Errorf("%s.%s is filled in the golden file", e.Name, name)
			}
			delete(left, name)
		}
		if len(left) > 0 {
			t.Errorf("of %s is told, and never filled: %v", e.Name, left)
		}
	}
}
