package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

// description is the API's own description, ready to be asked what an answer
// looks like.
type description struct {
	*rig
	compiler *jsonschema.Compiler
	paths    map[string]any
}

func described(r *rig) *description {
	r.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(r.ask("GET", "/openapi.json", "", "").text))
	if err != nil {
		r.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("http://dinrail/openapi.json", doc); err != nil {
		r.Fatal(err)
	}
	all, _ := doc.(map[string]any)
	paths, _ := all["paths"].(map[string]any)
	return &description{r, c, paths}
}

// schema compiles the schema at a JSON pointer.
func (d *description) schema(parts ...string) *jsonschema.Schema {
	d.Helper()
	at := "http://dinrail/openapi.json#"
	for _, p := range parts {
		at += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p)
	}
	s, err := d.compiler.Compile(at)
	if err != nil {
		d.Fatalf("%s: %v", at, err)
	}
	return s
}

// check says whether an answer is as it is described.
func (d *description) check(call string, a answer) {
	d.Helper()
	method, path, _ := strings.Cut(call, " ")
	parts := []string{"paths", path, strings.ToLower(method), "responses", fmt.Sprint(a.status), "content", "application/json", "schema"}
	if a.status >= http.StatusBadRequest {
		parts = []string{"paths", path, strings.ToLower(method), "responses", "default", "content", "application/problem+json", "schema"}
	}
	got, err := jsonschema.UnmarshalJSON(strings.NewReader(a.text))
	if err != nil {
		d.Fatalf("%s: %v", call, err)
	}
	if err := d.schema(parts...).Validate(got); err != nil {
		d.Errorf("%s: %v\n%s", call, err, a.text)
	}
}

func TestEverySchemaOfTheDescriptionIsOne(t *testing.T) {
	d := described(setup(t))
	n := 0
	var walk func(v any, at ...string)
	walk = func(v any, at ...string) {
		m, ok := v.(map[string]any)
		if !ok {
			if list, ok := v.([]any); ok {
				for i := range list {
					walk(list[i], append(at, fmt.Sprint(i))...)
				}
			}
			return
		}
		for name, inside := range m {
			if name == "schema" {
				d.schema(append(at, name)...)
				n++
				continue
			}
			walk(inside, append(at, name)...)
		}
	}
	walk(d.paths, "paths")
	if n < 100 {
		t.Errorf("%d schemas were found", n)
	}
}

func TestAnswersAreAsTheyAreDescribed(t *testing.T) {
	r := setup(t, func(p *api.Params) { p.PageURL = func() string { return "https://connect.example.com" } })
	d := described(r)
	r.edit(plant, func(c *host.Connection) {
		c.Syncs = map[host.EntityName]host.Order{"items": {Every: time.Minute, Full: time.Hour}, "native/Bin": {Every: time.Minute}}
	})
	r.put(plant, "items", record{"1", `{"number":"I-1","name":"Bolt","unit_cost":{"amount":"1.50","currency":"EUR"}}`}, record{"2", `{}`})
	r.put(plant, "items", record{"2", ""})
	r.put(plant, "native/Bin", record{"1", `{"code":"a"}`})
	for _, c := range []struct{ call, path, token, body string }{
		{"GET /healthz", "", "", ""}, {"GET /readyz", "", "", ""},
		{"GET /v1/connection", "", r.token, ""}, {"GET /v1/entities", "", r.token, ""}, {"GET /v1/changes", "/v1/changes?include=raw", r.token, ""},
		{"GET /v1/sync-status", "", r.token, ""}, {"GET /v1/sync-runs", "", r.token, ""}, {"GET /v1/sync-runs/{run}", "/v1/sync-runs/run_000001", r.token, ""},
		{"POST /v1/sync", "", r.token, `{"mode":"full"}`}, {"GET /v1/{entity}", "/v1/items?include=raw,deleted", r.token, ""}, {"GET /v1/{entity}/{id}", "/v1/items/1", r.token, ""},
		{"GET /v1/native/{name}", "/v1/native/Bin", r.token, ""}, {"GET /v1/native/{name}/{id}", "/v1/native/Bin/1", r.token, ""},
		{"POST /v1/{entity}", "/v1/items", r.token, `{}`}, {"GET /v1/{entity}/{id}", "/v1/items/9", r.token, ""}, {"GET /v1/{entity}", "/v1/items?limit=0", r.token, ""},

		{"GET /v1/admin/status", "", root, ""}, {"GET /v1/admin/systems", "", root, ""}, {"GET /v1/admin/systems/{system}", "/v1/admin/systems/erp", root, ""},
		{"GET /v1/admin/connectors", "", root, ""}, {"GET /v1/admin/connections", "", root, ""}, {"POST /v1/admin/connections", "", root, asked},
		{"GET /v1/admin/connections/{connection}", "/v1/admin/connections/plant-7", root, ""},
		{"PATCH /v1/admin/connections/{connection}", "/v1/admin/connections/plant-7", root, `{"label":"x"}`},
		{"POST /v1/admin/connections/{connection}/pause", "/v1/admin/connections/plant-7/pause", root, ""},
		{"POST /v1/admin/connections/{connection}/sync", "/v1/admin/connections/plant-7/sync", root, ""},
		{"POST /v1/admin/connections/{connection}/resume", "/v1/admin/connections/plant-7/resume", root, ""},
		{"POST /v1/admin/connections/{connection}/sync", "/v1/admin/connections/plant-7/sync", root, ""},
		{"GET /v1/admin/connections/{connection}/tokens", "/v1/admin/connections/plant-7/tokens", root, ""},
		{"POST /v1/admin/connections/{connection}/token", "/v1/admin/connections/plant-7/token", root, `{"name":"b"}`},
		{"DELETE /v1/admin/connections/{connection}/token", "/v1/admin/connections/plant-7/token?name=b", root, ""},
		{"POST /v1/admin/connections/{connection}/reconnect", "/v1/admin/connections/plant-7/reconnect", root, `{"credentials":{"username":"u","password":"n"}}`},
		{"POST /v1/admin/tokens", "", root, `{"name":"b"}`}, {"GET /v1/admin/tokens", "", root, ""}, {"DELETE /v1/admin/tokens", "/v1/admin/tokens?name=b", root, ""},
		{"POST /v1/admin/webhooks", "", root, hook}, {"GET /v1/admin/webhooks", "", root, ""}, {"GET /v1/admin/webhooks/{endpoint}", "/v1/admin/webhooks/app", root, ""},
		{"PATCH /v1/admin/webhooks/{endpoint}", "/v1/admin/webhooks/app", root, `{"events":["*"]}`}, {"GET /v1/admin/webhooks/{endpoint}/secret", "/v1/admin/webhooks/app/secret", root, ""},
		{"POST /v1/admin/webhooks/{endpoint}/test", "/v1/admin/webhooks/app/test", root, ""}, {"POST /v1/admin/webhooks/{endpoint}/rotate-secret", "/v1/admin/webhooks/app/rotate-secret", root, ""},
		{"POST /v1/admin/webhooks/{endpoint}/disable", "/v1/admin/webhooks/app/disable", root, ""}, {"POST /v1/admin/webhooks/{endpoint}/enable", "/v1/admin/webhooks/app/enable", root, ""},
		{"POST /v1/admin/events", "", root, `{"type":"custom.a","data":{"x":1}}`}, {"GET /v1/admin/events", "", root, ""},
		{"GET /v1/admin/deliveries", "", root, ""}, {"POST /v1/admin/deliveries/retry", "", root, `{}`},
		{"GET /v1/admin/deliveries/{delivery}", "/v1/admin/deliveries/del_9", root, ""},
		{"POST /v1/admin/connect-sessions", "", root, `{"systems":["erp"],"end_user":{"id":"u1"}}`},
	} {
		path := c.path
		if path == "" {
			_, path, _ = strings.Cut(c.call, " ")
		}
		method, _, _ := strings.Cut(c.call, " ")
		a := r.ask(method, path, c.token, c.body)
		if a.status >= http.StatusInternalServerError && a.status != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", c.call, a.status, a.text)
		}
		d.check(c.call, a)
	}
}

// A unified record is as its entity is described, filled or not.
func TestUnifiedRecordsAreAsTheirEntityIsDescribed(t *testing.T) {
	r := setup(t)
	withOrders(r)
	d := described(r)
	r.put(plant, "purchase_orders", record{"1", `{"number":"PO-1","name":null,"vendor":{"entity":"vendors","id":"7","number":null,"name":null},"lines":[]}`})
	got, err := jsonschema.UnmarshalJSON(strings.NewReader(r.ask("GET", "/v1/purchase_orders/1", r.token, "").text))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.schema("components", "schemas", "purchase_orders").Validate(got); err != nil {
		t.Error(err)
	}
}
