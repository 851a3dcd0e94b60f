package definition_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/definition"
)

var update = flag.Bool("update", false, "write the expected messages anew")

func read(t testing.TB, name string) (*definition.System, hcl.Diagnostics) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return definition.Read(name, content, definition.Beside(os.DirFS("testdata"), "."))
}

func mustRead(t testing.TB, name string) *definition.System {
	t.Helper()
	s, diags := read(t, name)
	if diags.HasErrors() {
		t.Fatal(told(diags))
	}
	return s
}

func told(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		line := 0
		if d.Subject != nil {
			line = d.Subject.Start.Line
		}
		fmt.Fprintf(&b, "%d: %s: %s\n", line, d.Summary, d.Detail)
	}
	return b.String()
}

func TestMistakesAreToldWithLineAndRemedy(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad-*.hcl")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		s, diags := read(t, name)
		if s != nil || !diags.HasErrors() {
			t.Errorf("%s was taken", name)
		}
		got, golden := told(diags), strings.TrimSuffix(file, ".hcl")+".want"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got:\n%swant:\n%s", name, got, want)
		}
	}
}

func TestTheContractsExampleIsTaken(t *testing.T) {
	t.Parallel()
	s := mustRead(t, "acme-cmms.hcl")
	if s.Name != "acme-cmms" || s.Label != "Acme CMMS" || !strings.HasPrefix(s.Guide, "# A login") || s.Request.Rate != 10 || len(s.Entities) != 1 {
		t.Errorf("%+v", s)
	}
	if got := s.Files["acme-cmms.md"]; len(got) == 0 {
		t.Error("the guide is not among the files that were read")
	}
	e := s.Entities[0]
	record, err := e.Mapper(nil).Map(decode(t, `{"id":17,"createdAt":"2026-05-04T07:30:00+02:00","name":"Pump","state":"DONE","asset":{"id":"A1"}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if record.ID != "17" || record.CreatedAt.Format("15:04") != "05:30" {
		t.Errorf("%+v", record)
	}
	var got map[string]any
	if err := json.Unmarshal(record.Fields, &got); err != nil {
		t.Fatalf("%v: %s", err, record.Fields)
	}
	if got["status"] != "completed" || got["status_native"] != "DONE" || got["name"] != "Pump" || fmt.Sprint(got["asset"]) != "map[entity:assets id:A1 name:<nil> number:<nil>]" {
		t.Errorf("%s", record.Fields)
	}
	path, err := e.Get.Path.Fill(definition.Given{"id": "a/b c"})
	if err != nil || path != "/workorders/a%2Fb%20c" || e.Get.Path.Template() != "/workorders/{id}" {
		t.Errorf("path %s, %v", path, err)
	}
}

func TestEverythingThatTheLanguageHasIsTaken(t *testing.T) {
	t.Parallel()
	s := mustRead(t, "full.hcl")
	e, ok := s.Entity("work_orders")
	if !ok || len(s.Auth) != 6 || len(s.Errors) != 2 || s.Retry.Attempts != 4 || s.Proof.String() != "checked against description; 2026-05-04; https://full.example.com/openapi.json; reads only" {
		t.Errorf("%+v", s)
	}
	m := e.Mapper(s.WithDefaults(nil))
	record, err := m.Map(decode(t, `{"plant":"1","no":7,"created":"2026-05-04T07:30:00","changed":1767225600000,"state":"IN PROGRESS","title":"","notes":[{"text":"a"},{"text":"b"}],
		"prio":4,"asset":{"no":null},"people":[{"id":1,"first":"Ines","last":"Moreau"},{"id":null}],"due":"04.05.2026","seconds":90,"tags":["x"],
		"tasks":[{"id":1,"text":"look","kind":"C","must":true},{"id":2,"kind":"Z"}],"parts":[{"part":9,"qty":"1.234,50","unit":"ST","cost":"2.50"}],"x_cost_center":17}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"number":"1-7","name":null,"external_reference":null,"url":null,"description":"a\nb","kind":"corrective","kind_native":null,"status":"in_progress","status_native":"IN PROGRESS","priority":"high","priority_native":"4","asset":null,"assets":null,"location":null,"parent":null,"work_request":null,"maintenance_plan":null,"assignees":[{"entity":"people","id":"1","number":null,"name":"Ines Moreau"}],"teams":null,"vendors":null,"requested_by":null,"due_at":null,"due_on":"2026-05-04","scheduled_start_at":null,"scheduled_end_at":null,"started_at":null,"completed_at":null,"completed_by":null,"estimated_minutes":1.5,"actual_minutes":null,"downtime_minutes":null,"failure":null,"categories":null,"tags":["x"],"coding":null,` +
		`"tasks":[{"id":"1","position":1,"name":"look","kind":"check","kind_native":"C","required":true,"result":null,"uom":null,"done_at":null,"done_by":null},{"id":"2","position":2,"name":null,"kind":"unknown","kind_native":"Z","required":null,"result":null,"uom":null,"done_at":null,"done_by":null}],"labor":null,` +
		`"parts":[{"id":null,"position":1,"item":{"entity":"items","id":"9","number":null,"name":null},"planned_quantity":null,"used_quantity":1234.5,"uom":"pcs","unit_cost":{"amount":"2.50","currency":"EUR"},"location":null}],"costs":null,"custom":{"cost_center":17}}`
	if string(record.Fields) != want {
		t.Errorf("got:\n%s\nwant:\n%s", record.Fields, want)
	}
	if record.ID != "1~7" || record.CreatedAt.Format("15:04") != "05:30" || record.UpdatedAt.Year() != 2026 {
		t.Errorf("%+v", record)
	}
	if r, err := m.Map(decode(t, `{"plant":"1~2","no":"7","state":"DELETED"}`), nil); err != nil || !r.Deleted || r.ID != "1%7E2~7" || fmt.Sprint(e.Key(r.ID)) != "[1~2 7]" {
		t.Errorf("%+v, %v", r, err)
	}
	var names []string
	for _, f := range e.Fields() {
		if f.Writable {
			names = append(names, f.Name)
		}
	}
	if strings.Join(names, " ") != "name status asset" || !e.TellsDeletions() {
		t.Errorf("writable: %q", names)
	}
}

func TestWhatDoesNotFitNamesTheField(t *testing.T) {
	t.Parallel()
	e, _ := mustRead(t, "full.hcl").Entity("work_orders")
	for raw, want := range map[string]string{
		`{"no":1}`:                           "id: part 1 of its key is missing",
		`{"plant":"1","no":1,"title":{}}`:    "name: it is text, and an object came",
		`{"plant":"1","no":1,"tags":"x"}`:    `tags: it is a list, and the text "x" came`,
		`{"plant":"1","no":1,"changed":"x"}`: "updated_at: ",
		`{"plant":"1","no":1,"tasks":[{"text":"a"},{"must":"perhaps"}]}`: `tasks[1].required: it is true or false, and the text "perhaps" came`,
		`{"plant":"1","no":1,"parts":[{"cost":"1","qty":"x"}]}`:          "parts: full.hcl:",
		`{"plant":"1","no":1,"due":"2026-05-04"}`:                        "due_on: full.hcl:",
		`[]`: "id: part 1 of its key is missing",
	} {
		_, err := e.Mapper(map[string]any{"zone": "UTC"}).Map(decode(t, raw), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
}

func decode(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
