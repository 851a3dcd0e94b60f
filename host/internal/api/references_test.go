package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

// withOrders gives the plant purchase orders that refer to vendors.
func withOrders(r *rig) {
	r.edit(plant, func(c *host.Connection) {
		c.Entities = append(c.Entities, host.Entity{Name: "purchase_orders", Unified: true}, host.Entity{Name: "vendors", Unified: true})
	})
	r.put(plant, "vendors", record{"7", `{"number":"V-7","name":"Fasteners \"Ltd\"","note":{"name":"no"}}`}, record{"8", `{"number":null,"name":"Steel"}`}, record{"9", `{"name":"Gone"}`})
	r.put(plant, "vendors", record{"9", ""})
	r.put(plant, "items", record{"a/1", `{"name":"Bolt"}`})
}

func TestReferencesSayWhatPeopleCallTheirTarget(t *testing.T) {
	live := ""
	r := setup(t, func(p *api.Params) {
		p.Live = func(context.Context, host.ConnectionID, host.EntityName, host.RecordID) (host.Received, error) {
			return host.Received{ID: "1", Body: json.RawMessage(live)}, nil
		}
	})
	withOrders(r)
	for name, c := range map[string]struct{ body, want string }{
		"both from the copy":                 {`{"vendor":{"entity":"vendors","id":"7","number":null,"name":null}}`, `"vendor":{"entity":"vendors","id":"7","number":"V-7","name":"Fasteners \"Ltd\""}`},
		"what the system sent wins":          {`{"vendor":{"entity":"vendors","id":"7","number":"X","name":null}}`, `"vendor":{"entity":"vendors","id":"7","number":"X","name":"Fasteners \"Ltd\""}`},
		"members that are not there":         {`{"vendor":{"entity":"vendors","id":"7"},"total":1}`, `"vendor":{"entity":"vendors","id":"7","number":"V-7","name":"Fasteners \"Ltd\""},"total":1`},
		"another order and blanks":           {`{"vendor": { "name" : null , "id" : "7", "entity" : "vendors" } }`, `{ "name" : "Fasteners \"Ltd\"" , "id" : "7","number":"V-7", "entity" : "vendors" }`},
		"what the copy does not know either": {`{"vendor":{"entity":"vendors","id":"8","number":null,"name":null}}`, `"id":"8","number":null,"name":"Steel"`},
		"a target that is not there":         {`{"vendor":{"entity":"vendors","id":"0","number":null,"name":null}}`, `"id":"0","number":null,"name":null`},
		"a tombstone":                        {`{"vendor":{"entity":"vendors","id":"9","number":null,"name":null}}`, `"id":"9","number":null,"name":null`},
		"an entity that is not there":        {`{"buyer":{"entity":"people","id":"7","number":null,"name":null}}`, `"id":"7","number":null,"name":null`},
		"in lines, among others":             {`{"lines":[{"id":"1","item":{"entity":"items","id":"a\/1","number":null,"name":null}},{"id":"2","item":null},{"item":{"entity":"items","id":"a/1","number":null,"name":null},"name":null}]}`, `"lines":[{"id":"1","item":{"entity":"items","id":"a\/1","number":null,"name":"Bolt"}},{"id":"2","item":null},{"item":{"entity":"items","id":"a/1","number":null,"name":"Bolt"},"name":null}]`},
		"own fields stay":                    {`{"custom":{"v":{"entity":"vendors","id":"7","name":null}}}`, `"custom":{"v":{"entity":"vendors","id":"7","name":null}}`},
		"an id that is a number":             {`{"vendor":{"entity":"vendors","id":7,"name":null}}`, `"vendor":{"entity":"vendors","id":7,"name":null}`},
		"the word in a text":                 {`{"note":"\"entity\":{","name":null}`, `"note":"\"entity\":{","name":null`},
	} {
		t.Run(name, func(t *testing.T) {
			r.put(plant, "purchase_orders", record{"1", c.body})
			live = c.body
			for _, path := range []string{"/v1/purchase_orders", "/v1/purchase_orders/1", "/v1/purchase_orders/1?live=true", "/v1/changes?entities=purchase_orders"} {
				if a := r.ask("GET", path, r.token, ""); !strings.Contains(a.text, c.want) {
					t.Errorf("%s: %s is not in %s", path, c.want, a.text)
				}
			}
		})
	}
	r.put(plant, "native/Bin", record{"1", `{"vendor":{"entity":"vendors","id":"7","name":null}}`})
	if a := r.ask("GET", "/v1/native/Bin", r.token, ""); !strings.Contains(a.text, `"vendor":{"entity":"vendors","id":"7","name":null}`) {
		t.Errorf("a native record is not as the system has it: %s", a.text)
	}
}

func TestReferencesOfAnEventAreThoseOfTheAPI(t *testing.T) {
	r := setup(t)
	withOrders(r)
	r.put(plant, "purchase_orders", record{"1", `{"vendor":{"entity":"vendors","id":"7","number":null,"name":null}}`})
	rec, err := r.store.Record(t.Context(), plant, "purchase_orders", "1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.api.RecordJSON(t.Context(), &rec)
	if err != nil {
		t.Fatal(err)
	}
	r.want("event", string(b)+"\n", r.ask("GET", "/v1/purchase_orders/1", r.token, "").text)
	rec.Connection = "removed"
	if _, err := r.api.RecordJSON(t.Context(), &rec); err != nil {
		t.Error(err)
	}
}

func TestFiltersKnowWhatReferencesAreFilledWith(t *testing.T) {
	r := setup(t)
	withOrders(r)
	r.put(plant, "purchase_orders", record{"1", `{"vendor":{"entity":"vendors","id":"7","number":null,"name":null}}`},
		record{"2", `{"vendor":{"entity":"vendors","id":"8","number":"S-8","name":null},"lines":[{"item":{"entity":"items","id":"a/1","name":null}}]}`}, record{"3", `{"vendor":null}`})
	for query, want := range map[string]string{
		"vendor.id=7": "1", "vendor.number=V-7": "1", "vendor.number=S-8": "2", "vendor.name[in]=Steel,x": "2", "vendor.name[ne]=Steel": "1",
		"vendor.number[null]=true": "3", "lines.item.name=Bolt": "2",
	} {
		a := r.ask("GET", "/v1/purchase_orders?"+query, r.token, "")
		r.want(query, a.ids(), want)
	}
}

func TestExcludedFieldOfAReferenceIsNotFilled(t *testing.T) {
	r := setup(t)
	withOrders(r)
	r.edit(plant, func(c *host.Connection) { c.Exclude = []string{"purchase_orders.vendor.name"} })
	r.put(plant, "purchase_orders", record{"1", `{"vendor":{"entity":"vendors","id":"7","number":null}}`})
	a := r.ask("GET", "/v1/purchase_orders/1", r.token, "")
	r.want("vendor", fmt.Sprint(a.body["vendor"]), "map[entity:vendors id:7 number:V-7]")
}

// FuzzReferencesLeaveJSONWhole: whatever a connector sends for a reference, the
// answer stays JSON with the same members.
func FuzzReferencesLeaveJSONWhole(f *testing.F) {
	for _, s := range []string{`{"a":{"entity":"items","id":"1"}}`, `{"a":[[{"entity":"items","id":"1","name":null}]]}`, `{"entity":"items","id":"1","x":{"name":null,"number":null,"entity":"items","id":"1"}}`} {
		f.Add(s)
	}
	r := setup(f)
	r.put(plant, "items", record{"1", `{"number":"N","name":"B"}`})
	f.Fuzz(func(t *testing.T, body string) {
		var fields map[string]any
		if json.Unmarshal([]byte(body), &fields) != nil {
			t.Skip()
		}
		text, err := r.api.RecordJSON(t.Context(), &host.Record{Connection: plant, Entity: "items", ID: "1", Sequence: 1, Body: json.RawMessage(body)})
		if err != nil || !json.Valid(text) {
			t.Fatalf("%s became %s (%v)", body, text, err)
		}
	})
}
