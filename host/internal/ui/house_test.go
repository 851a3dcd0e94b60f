package ui_test

import (
	"html"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

var linked = regexp.MustCompile(`href="(/[^"#]*)|action="(/search|/log|/events|/deliveries|/connections)"`)

// Whatever page leads to another, that is there.
func TestNoLinkOfTheDashboardIsDead(t *testing.T) {
	r := setup(t)
	r.connection(plant, host.StatusOffline, "no route to it")
	r.put(state.KindProcess, "sandbox.sandbox", &host.Process{ID: "sandbox.sandbox", Connector: "sandbox", Status: host.ProcessCrashed, Since: time.Now(), Reason: "it ended", Log: []string{"panic: <no>"}})
	b := r.as("admin")
	seen, todo := map[string]bool{"/": true}, []string{"/"}
	for len(todo) > 0 {
		page := todo[0]
		todo = todo[1:]
		status, text := b.get(page)
		if status == http.StatusNotFound || status >= http.StatusInternalServerError {
			t.Errorf("%s answers %d", page, status)
		}
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			to := html.UnescapeString(m[1] + m[2])
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	for _, page := range []string{"/events", "/plugins", "/systems", "/log", "/search", "/deliveries", "/endpoints", "/connections/plant-7"} {
		if !seen[page] {
			t.Errorf("nothing leads to %s", page)
		}
	}
}

func TestPagesOfTheHouse(t *testing.T) {
	r := setup(t)
	r.connection(plant, host.StatusOnline, "")
	r.put(state.KindProcess, "sandbox.sandbox", &host.Process{ID: "sandbox.sandbox", Connector: "sandbox", Status: host.ProcessCrashed, Since: time.Now(), Reason: "it ended", Memory: 5 << 20, Restarts: 3, Log: []string{"panic: <no>"}})
	if _, err := r.store.Commit(t.Context(), time.Now(), nil, []host.Event{{ID: "evt_1", Type: "custom.order", Time: time.Now(), Connection: plant, Data: []byte(`{"order":"A-17"}`)}}, nil); err != nil {
		t.Fatal(err)
	}
	b := r.as("admin")
	for page, words := range map[string][]string{
		"/plugins":                    {"sandbox.sandbox", "crashed", "it ended", "5 MB", "panic: &lt;no&gt;"},
		"/systems":                    {"erp"},
		"/log":                        {"Log"},
		"/events":                     {"evt_1", "custom.order", "plant-7"},
		"/events?type=custom.nothing": {"No such event", "!evt_1"},
		"/events/evt_1":               {"A-17", "custom.order"},
		"/search?q=plant-7":           {"The plant-7", "online"},
		"/search?q=evt_1":             {"A-17"},
		"/search?q=The+plant":         {"Connections", "plant-7"},
		"/search?q=zzz":               {"Nothing has this name"},
	} {
		_, text := b.get(page)
		r.must(shows(text, words...))
	}
	if _, text := r.as("limited").get("/log"); shows(text, "name one of them") != nil {
		t.Error("a limited token is not asked for a connection")
	}
}
