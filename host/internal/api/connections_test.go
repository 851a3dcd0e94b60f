package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/state"
)

const (
	asked    = `{"id":"new","system":"erp","settings":{"url":"https://erp.example.com","pin":"4711"},"credentials":{"username":"u","password":"first"}}`
	newPath  = "/v1/admin/connections/new"
	allPaths = "/v1/admin/connections"
)

func TestConnectionIsMadeRenewedAndRemoved(t *testing.T) {
	r := setup(t)
	a := r.ask("POST", allPaths, root, asked)
	r.want("made", a.status, http.StatusCreated)
	token, _ := a.body["token"].(string)
	r.want("its token", r.ask("GET", "/v1/connection", token, "").body["id"], "new")
	r.want("again", r.ask("POST", allPaths, root, asked).code(), "conflict")

	c, _ := r.connection("new")
	if _, clear := c.Settings["pin"]; clear || strings.Contains(a.text, "4711") {
		t.Error("a secret setting is kept or shown in clear")
	}
	r.want("sealed", string(c.Credentials), `{"password":"first","setting.pin":"4711","username":"u"}`)

	a = r.ask("POST", newPath+"/reconnect", root, `{"credentials":{"username":"u","password":"second"}}`)
	r.want("renewed", a.status, http.StatusOK)
	r.want("old token", r.ask("GET", "/v1/connection", token, "").status, http.StatusUnauthorized)
	token, _ = a.body["token"].(string)
	r.want("new token", r.ask("GET", "/v1/connection", token, "").body["status"], "pending")
	c, _ = r.connection("new")
	r.want("the secret setting stays", string(c.Credentials), `{"password":"second","setting.pin":"4711","username":"u"}`)

	r.want("change", r.ask("PATCH", newPath, root, `{"label":"New","settings":{"company":"acme","pin":"1"},"metadata":{"k":"v"}}`).status, http.StatusOK)
	c, _ = r.connection("new")
	r.want("settings", fmt.Sprint(c.Settings), "map[company:acme url:https://erp.example.com]")
	r.want("sealed", string(c.Credentials), `{"password":"second","setting.pin":"1","username":"u"}`)

	r.want("removed", r.ask("DELETE", newPath, root, "").status, http.StatusNoContent)
	r.want("its token", r.ask("GET", "/v1/connection", token, "").status, http.StatusUnauthorized)
	r.want("gone", r.ask("GET", newPath, root, "").status, http.StatusNotFound)
	var types []string
	for _, e := range r.ask("GET", "/v1/admin/events", root, "").data() {
		types = append(types, fmt.Sprint(e["type"]))
	}
	r.want("events", strings.Join(types, " "), "connection.created connection.reconnected connection.removed")
	if strings.Contains(r.log.String(), "second") {
		t.Error("a password is in the log")
	}
}

func TestMistakesInAConnectionAreToldBesideTheirField(t *testing.T) {
	r := setup(t)
	a := r.ask("POST", allPaths, root, `{"id":"a b","system":"erp","settings":{"url":"erp","company":"ACME","colour":1},"credentials":{"username":"","pass":"secret-word"},"sync":{"items":{"every":"soon"}}}`)
	r.want("status", a.status, http.StatusUnprocessableEntity)
	for _, at := range []string{"id", "settings.url", "settings.company", "settings.colour", "credentials.username", "credentials.password", "credentials.pass", "sync.items.every"} {
		if !strings.Contains(a.text, `"location":"body.`+at+`"`) {
			t.Errorf("%s is not named: %s", at, a.text)
		}
	}
	if strings.Contains(a.text, "secret-word") {
		t.Error("a credential is in the answer")
	}
	r.want("unknown system", r.ask("POST", allPaths, root, `{"system":"x"}`).status, http.StatusUnprocessableEntity)
	r.want("unknown auth", r.ask("POST", allPaths, root, `{"system":"erp","auth":"x","settings":{"url":"https://a"}}`).status, http.StatusUnprocessableEntity)
}

func TestConnectionOfAFileIsReadOnlyButForItsCredentials(t *testing.T) {
	r := setup(t)
	r.edit(plant, func(c *host.Connection) { c.ManagedBy, c.Source = host.ManagedByFile, "dinrail.hcl:7" })
	for _, c := range [][3]string{{"PATCH", "", `{"label":"x"}`}, {"POST", "/pause", ""}, {"DELETE", "", ""}} {
		a := r.ask(c[0], "/v1/admin/connections/plant-7"+c[1], root, c[2])
		if a.status != http.StatusConflict || !strings.Contains(a.text, "dinrail.hcl:7") {
			t.Errorf("%s %s: %d %s", c[0], c[1], a.status, a.text)
		}
	}
	r.want("reconnect", r.ask("POST", "/v1/admin/connections/plant-7/reconnect", root, `{"credentials":{"username":"u","password":"n"}}`).status, http.StatusOK)
}

func TestSyncQueuesRunsAndSaysWhyItDoesNot(t *testing.T) {
	r := setup(t)
	a := r.ask("POST", "/v1/sync", r.token, `{"entities":["items"],"mode":"full"}`)
	r.want("status", a.status, http.StatusAccepted)
	first := a.ids()
	r.want("one run", len(a.data()), 1)
	r.want("the queued one stays", r.ask("POST", "/v1/sync", r.token, `{"entities":["items"]}`).ids(), first)
	r.want("run", r.ask("GET", "/v1/sync-runs/"+first, r.token, "").body["status"], "queued")
	r.want("sync status", r.ask("GET", "/v1/sync-status", r.token, "").data()[0]["status"], "queued")
	r.edit(plant, func(c *host.Connection) { c.Paused = true })
	r.want("paused", r.ask("POST", "/v1/sync", r.token, "").code(), "conflict")
}

func TestPausingHoldsAtOnceAndStatusesAreTold(t *testing.T) {
	r := setup(t)
	r.want("paused", r.ask("POST", "/v1/admin/connections/plant-7/pause", root, "").body["status"], "paused")
	r.want("as the token sees it", r.ask("GET", "/v1/connection", r.token, "").body["status"], "paused")
	r.edit(plant, func(c *host.Connection) { c.Status = host.StatusPaused }) // as the syncer does
	r.want("resumed", r.ask("POST", "/v1/admin/connections/plant-7/resume", root, "").body["status"], "pending")
	r.edit(plant, func(c *host.Connection) { c.Status = host.StatusAuthRequired })
	r.want("reconnect", r.ask("POST", "/v1/admin/connections/plant-7/reconnect", root, `{"credentials":{"username":"u","password":"n"}}`).status, http.StatusOK)
	told := r.ask("GET", "/v1/admin/events?type=connection.status_changed", root, "").data()
	if len(told) != 1 {
		t.Fatalf("%v", told)
	}
	data, _ := told[0]["data"].(map[string]any)
	r.want("previous", data["previous"], "auth_required")
	r.want("status", data["status"], "pending")
}

func TestSystemsAndEntitiesHaveAllTheirFields(t *testing.T) {
	known := erp
	known.Entities = []host.Entity{{Name: "items", Unified: true, Fields: []host.Field{{Name: "name"}, {Name: "uom"}}}, {Name: "native/Bin"}}
	r := setup(t, func(p *api.Params) { p.Systems = func() []host.System { return []host.System{known} } })
	system := r.ask("GET", "/v1/admin/systems/erp", root, "").body
	for _, name := range []string{"name", "label", "vendor", "category", "auth", "settings", "entities", "coverage", "guide", "proof"} {
		if _, ok := system[name]; !ok {
			t.Errorf("a system has no %s", name)
		}
	}
	all, _ := system["coverage"].(map[string]any)
	items, _ := all["items"].(map[string]any)
	r.want("filled", fmt.Sprint(items["filled"]), "[name uom]")
	if missing := fmt.Sprint(items["missing"]); !strings.Contains(missing, "unit_cost") || strings.Contains(missing, "uom ") {
		t.Errorf("missing: %s", missing)
	}
	for _, e := range r.ask("GET", "/v1/entities", r.token, "").data() {
		for _, name := range []string{"name", "unified", "incremental", "creatable", "updatable", "deletable", "actions", "watchable", "records", "schema"} {
			if _, ok := e[name]; !ok {
				t.Errorf("%v has no %s", e["name"], name)
			}
		}
		if e["name"] == "items" {
			r.want("schema", e["schema"], "/openapi.json#/components/schemas/items")
		}
	}
}

func TestStatusTellsWhatTheHostItselfNeeds(t *testing.T) {
	r := setup(t)
	for _, c := range []host.Condition{
		{Key: host.DiskCondition, Component: "state", Message: "the disk is nearly full"},
		{Key: host.EndpointCondition + "app", Component: "webhook endpoint", Message: "app is disabled"},
		{Key: host.EndpointCondition + "well", Component: "webhook endpoint", Message: "well is disabled", RecoveredAt: r.now()},
	} {
		put, err := state.PutOf(state.KindCondition, c.Key, state.Absent, &c)
		if err == nil {
			_, err = r.store.Commit(t.Context(), r.now(), []state.Put{put}, nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := r.ask("GET", "/v1/admin/status", root, "").text
	for _, want := range []string{"the disk is nearly full", "dinrail webhook enable app"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not told: %s", want, text)
		}
	}
	if strings.Contains(text, "well is disabled") {
		t.Errorf("what has recovered is told: %s", text)
	}
}

func TestProgressOfARunIsShown(t *testing.T) {
	r := setup(t)
	ctx := t.Context()
	run := host.Run{ID: "run_1", Connection: plant, Entity: "items", Mode: host.Full, Trigger: "manual", Total: -1}
	lease, err := r.store.BeginRun(ctx, state.Begin{Run: run, Holder: "test", At: r.now()})
	if err != nil {
		t.Fatal(err)
	}
	for page, total := range []int64{-1, 2000} {
		_, err := r.store.CommitPage(ctx, state.PageStep{
			Connection: plant, Entity: "items", Run: run.ID, Fence: lease.Fence, Number: int64(page) + 1, At: r.now(),
			Checkpoint: []byte("c"), Counts: host.Counts{Read: 50}, Total: total,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "map[read:50 total:<nil>]"
		if total > 0 {
			want = "map[read:100 total:2000]"
		}
		r.want("sync status", fmt.Sprint(r.ask("GET", "/v1/sync-status", r.token, "").data()[0]["progress"]), want)
	}
	r.want("run", r.ask("GET", "/v1/sync-runs/run_1", r.token, "").body["total"], 2000.0)
	r.want("no run", r.ask("GET", "/v1/sync-status", r.token, "").data()[1]["progress"], nil)
}

func TestRequestWithAKeyIsMadeOnce(t *testing.T) {
	r := setup(t)
	const key = "Idempotency-Key: k1"
	a := r.ask("POST", allPaths, root, asked, key)
	b := r.ask("POST", allPaths, root, asked, key)
	r.want("made", a.status, http.StatusCreated)
	r.want("again", b.status, http.StatusCreated)
	r.want("the same answer", b.text, a.text)
	r.want("replayed", b.header.Get("Idempotent-Replayed"), "true")
	r.want("another request", r.ask("POST", allPaths, root, `{"system":"erp"}`, key).code(), "idempotency_key_reused")
	r.want("another caller", r.ask("POST", "/v1/sync", r.token, "", key).status, http.StatusAccepted)
	r.later(24 * 60 * 60 * 1e9)
	r.want("a day later", r.ask("POST", allPaths, root, asked, key).code(), "conflict")

	keys, err := state.All[map[string]any](context.Background(), r.store, state.KindIdempotency)
	if err != nil {
		t.Fatal(err)
	}
	r.want("old keys are forgotten", len(keys), 1)
	for _, k := range keys { // as the host leaves it that dies in between
		delete(k.Value, "answer")
		k.Value["done"] = false
		put, err := state.PutOf(state.KindIdempotency, k.ID, k.Revision, k.Value)
		if err == nil {
			_, err = r.store.Commit(context.Background(), r.now(), []state.Put{put}, nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a = r.ask("POST", allPaths, root, asked, key)
	r.want("unknown outcome", a.code(), "outcome_unknown")
	r.want("unknown outcome", a.status, http.StatusConflict)
}

func TestDescriptionAndRoutesAreTheSame(t *testing.T) {
	r := setup(t)
	a := r.ask("GET", "/openapi.json", "", "")
	r.want("version", a.body["openapi"], "3.1.0")
	paths, _ := a.body["paths"].(map[string]any)
	if len(paths) < 30 {
		t.Fatalf("%d paths", len(paths))
	}
	for path, v := range paths {
		operations, _ := v.(map[string]any)
		for method := range operations {
			filled := strings.NewReplacer("{connection}", "nowhere", "{entity}", "nowhere", "{id}", "1", "{name}", "n", "{run}", "r", "{action}", "a", "{system}", "s").Replace(path)
			got := r.ask(strings.ToUpper(method), filled, "", "")
			if got.status == http.StatusMethodNotAllowed || got.status == http.StatusNotFound {
				t.Errorf("%s %s is described and not there: %d", method, path, got.status)
			}
		}
	}
	for at, want := range map[string]string{
		"/v1/changes":           `"next_cursor"`,
		"/v1/admin/connections": `"credentials"`,
		"/v1/sync-runs/{run}":   `"started_at"`,
	} {
		b, err := json.Marshal(paths[at])
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s does not tell of %s", at, want)
		}
	}
	docs := r.ask("GET", "/docs", "", "")
	r.want("docs", docs.status, http.StatusOK)
	if strings.Contains(docs.text, "https://") || strings.Contains(docs.text, "//cdn") {
		t.Error("the page needs the network")
	}
	for path := range paths {
		if !strings.Contains(docs.text, path+"</code>") {
			t.Errorf("%s is not on the page", path)
		}
	}
}

func TestOldKeysAreForgottenAFewAtATime(t *testing.T) {
	r := setup(t)
	count := func() int {
		keys, err := state.All[map[string]any](t.Context(), r.store, state.KindIdempotency)
		if err != nil {
			t.Fatal(err)
		}
		return len(keys)
	}
	for i := range 250 {
		r.ask("POST", "/v1/sync", r.token, `{"entities":["items"]}`, fmt.Sprint("Idempotency-Key: old", i))
	}
	r.want("kept", count(), 250)
	r.later(25 * time.Hour)
	for i := range 4 { // each forgets some, and adds its own
		r.ask("POST", "/v1/sync", r.token, `{"entities":["items"]}`, fmt.Sprint("Idempotency-Key: new", i))
		if i == 0 {
			r.want("after one", count(), 151)
		}
	}
	r.want("after four", count(), 4)
}
