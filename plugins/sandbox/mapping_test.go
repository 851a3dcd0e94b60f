package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// received are records as a plant answered them.
func received(t *testing.T, entity string) []json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("testdata/" + entity + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(text, &raws); err != nil {
		t.Fatal(err)
	}
	return raws
}

// Side by side: testdata/ENTITY.json is what the plant answered,
// testdata/ENTITY.mapped.json what it becomes.
func TestRecordsBecomeUnifiedOnes(t *testing.T) {
	for _, e := range entities {
		t.Run(e.name, func(t *testing.T) {
			type mapped struct {
				ID        string    `json:"id"`
				CreatedAt time.Time `json:"created_at"`
				UpdatedAt time.Time `json:"updated_at"`
				Fields    any       `json:"fields"`
			}
			var got []mapped
			for _, raw := range received(t, e.name) {
				r, bad := e.record(raw)
				if bad != nil {
					t.Fatalf("record %s: %s %s", bad.id, bad.field, bad.reason)
				}
				if !bytes.Equal(r.Raw, raw) {
					t.Error("raw is not what was received")
				}
				got = append(got, mapped{r.ID, r.CreatedAt, r.UpdatedAt, r.Fields})
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
				t.Fatalf("%s has %d lines, want %d", golden, len(gotLines), len(wantLines))
			}
		})
	}
}

// A rule for a field that the plant does not send would map nothing, unnoticed;
// so would a word that is in no table.
func TestEveryRuleMeetsWhatThePlantSends(t *testing.T) {
	for _, e := range entities {
		t.Run(e.name, func(t *testing.T) {
			var all []map[string]any
			for _, raw := range received(t, e.name) {
				var m map[string]any
				if err := json.Unmarshal(raw, &m); err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			meet(t, e.rules, all)
			for name := range all[0] {
				if _, ok := leftOut[name]; !ok && !slices.ContainsFunc(e.rules, func(r rule) bool { return r.theirs == name }) {
					t.Errorf("the plant sends %s, which is neither mapped nor left out on purpose", name)
				}
			}
		})
	}
}

// leftOut is what of the plant is no field of ours, and why.
var leftOut = map[string]string{
	"id": "the record's id", "createdAt": "the record's own", "changedAt": "the record's own", "externalKey": "external_reference, of every entity",
	"revision":   "the plant's mark for writing",
	"runState":   "of the moment: equipment_events tell it over time",
	"expectedOn": "a day, where ours is a moment",
}

func meet(t *testing.T, rules []rule, records []map[string]any) {
	t.Helper()
	for _, r := range rules {
		sent := false
		for _, m := range records {
			v, ok := m[r.theirs]
			sent = sent || ok
			if word, isWord := v.(string); isWord && r.kind == "words" && r.words[word] == "" {
				t.Errorf("%s: the plant's word %q is in no table", r.theirs, word)
			}
			if list, isList := v.([]any); isList && r.kind == "list" && len(list) > 0 {
				var lines []map[string]any
				for _, x := range list {
					line, _ := x.(map[string]any)
					lines = append(lines, line)
				}
				meet(t, lineTables[r.arg], lines)
			}
		}
		if !sent {
			t.Errorf("the plant sends no %s, from which %s is mapped", r.theirs, r.ours)
		}
	}
}

func TestRecordThatCannotBeReadIsToldWithItsPlace(t *testing.T) {
	e, _ := lookup("work_orders")
	for raw, want := range map[string]unreadable{
		`[]`:                              {"", "", "it is no JSON object"},
		`{"title":"Belt"}`:                {"", "", "it has no id"},
		`{"id":null}`:                     {"", "", "it has no id"},
		`{"id":7,"title":["Belt"]}`:       {"7", "name", `it cannot be ["Belt"]`},
		`{"id":7,"plannedMinutes":"ten"}`: {"7", "estimated_minutes", `it cannot be "ten"`},
		`{"id":7,"steps":["grease it"]}`:  {"7", "tasks", `it cannot be ["grease it"]`},
	} {
		if _, bad := e.record(json.RawMessage(raw)); bad == nil || *bad != want {
			t.Errorf("%s: %+v, want %+v", raw, bad, want)
		}
	}
}

// What nobody knows stays as it is: a word becomes unknown beside its own, a
// number keeps its digits, a missing field is null.
func TestUnknownWordsAndLongNumbersAreKept(t *testing.T) {
	e, _ := lookup("work_orders")
	r, bad := e.record(json.RawMessage(`{"id":9007199254740993,"status":"DREAMT_OF","actualMinutes":12.50,"externalKey":"M-1"}`))
	if bad != nil {
		t.Fatalf("%+v", bad)
	}
	b, err := json.Marshal(r.Fields)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "9007199254740993" {
		t.Errorf("the id is %s", r.ID)
	}
	for _, want := range []string{`"status":"unknown"`, `"status_native":"DREAMT_OF"`, `"actual_minutes":12.50`, `"name":null`, `"external_reference":"M-1"`} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
}

func TestDescriptionTellsWhatTheMappingFills(t *testing.T) {
	for i, d := range described() {
		told := map[string]string{}
		for _, f := range d.Fields {
			told[f.Name] = f.Type
		}
		for _, r := range entities[i].rules {
			if told[r.ours] == "" {
				t.Errorf("%s.%s is mapped and not told", d.Name, r.ours)
			}
		}
	}
	for _, f := range described()[2].Fields { // work orders
		if want := map[string]string{"status": "string", "status_native": "string", "asset": "reference", "tasks": "array", "due_at": "timestamp", "estimated_minutes": "number"}[f.Name]; want != "" && f.Type != want {
			t.Errorf("%s is a %s, want %s", f.Name, f.Type, want)
		}
	}
}
