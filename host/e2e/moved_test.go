package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A connection that is renamed keeps its data, its token, its cursors and what
// it has read; also where the host is killed around it.
func TestMovedConnectionKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	h := newHost(t, fmt.Sprintf(endless, 500))
	h.start()
	token := h.token("plant-1")
	h.synced(token, 1)
	cursor, _ := h.call("GET", "/v1/changes?limit=200", token, "").body["next_cursor"].(string)
	events := len(h.all("/v1/admin/events?type=sync.completed", adminToken))
	h.config = strings.Replace(h.config, `connection "plant-1"`, `connection "plant-one"`, 1) + "\nmoved {\n  from = \"plant-1\"\n  to   = \"plant-one\"\n}\n"
	h.hostBlock("")
	plan, err := h.command("plan").CombinedOutput()
	if err == nil || !strings.Contains(string(plan), "plant-1 -> plant-one: renamed") || strings.Contains(string(plan), "added") || strings.Contains(string(plan), "detached") {
		t.Errorf("the plan is %s (%v)", plan, err)
	}
	check := func() {
		t.Helper()
		if a := h.call("GET", "/v1/connection", token, ""); a.status != http.StatusOK || a.body["id"] != "plant-one" {
			t.Fatalf("%d %v", a.status, a.body)
		}
		if n := len(h.all("/v1/items", token)); n != 500 {
			t.Errorf("%d records", n)
		}
		rest := h.call("GET", "/v1/changes?limit=1000&cursor="+cursor, token, "")
		if data, _ := rest.body["data"].([]any); len(data) != 300 {
			t.Errorf("%d changes from a cursor of before: %d %v", len(data), rest.status, rest.body["code"])
		}
		if a := h.call("GET", "/v1/admin/connections/plant-1", adminToken, ""); a.status != http.StatusNotFound {
			t.Errorf("the old name is there: %d", a.status)
		}
	}
	h.cli("reload")
	check()
	for _, e := range h.all("/v1/admin/events?type=sync.completed", adminToken) {
		if data, _ := e["data"].(map[string]any); data["run_id"] == nil {
			t.Errorf("an event of before cannot be read: %v", e)
		}
	}
	if n := len(h.all("/v1/admin/events?type=sync.completed", adminToken)); n < events {
		t.Errorf("%d events of %d", n, events)
	}
	h.kill()
	h.start()
	check()
	if c := h.run(token, "items", "incremental"); fmt.Sprint(c["created"]) != "0" {
		t.Errorf("after the move, a run brings %v", c)
	}
	h.eventually("it is online", 20*time.Second, func() bool { return h.status("plant-one") == "online" })

	// At the start: the next name, while the host was down.
	h.kill()
	h.config = strings.Replace(h.config, `connection "plant-one"`, `connection "plant-two"`, 1) + "\nmoved {\n  from = \"plant-one\"\n  to   = \"plant-two\"\n}\n"
	h.hostBlock("")
	for range 5 { // killed as soon as it may have begun
		h.process = h.command("serve")
		if err := h.process.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Millisecond)
		h.kill()
	}
	h.start()
	if a := h.call("GET", "/v1/connection", token, ""); a.status != http.StatusOK || a.body["id"] != "plant-two" {
		t.Fatalf("%d %v", a.status, a.body)
	}
	if n := len(h.all("/v1/items", token)); n != 500 {
		t.Errorf("%d records", n)
	}
	if _, err := os.Stat(filepath.Join(h.dir, "data")); err != nil {
		t.Error(err)
	}
}

// host.watch reads files again when they change; a broken one changes nothing.
func TestWatchedFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, fmt.Sprintf(endless, 10))
	h.hostBlock("watch = true")
	h.start()
	h.eventually("it is online", 20*time.Second, func() bool { return h.status("plant-1") == "online" })
	h.config += "\nconnection \"broken\" {\n  system ="
	h.hostBlock("watch = true")
	h.eventually("the mistake is told", 10*time.Second, func() bool { return strings.Contains(h.told(), "was not reloaded") })
	if s := h.status("plant-1"); s != "online" {
		t.Errorf("plant-1 is %s", s)
	}
	h.config = fmt.Sprintf(endless, 10) + strings.Replace(fmt.Sprintf(endless, 10), "plant-1", "plant-2", 1)
	h.hostBlock("watch = true")
	h.eventually("the new connection is online", 20*time.Second, func() bool { return h.status("plant-2") == "online" })
	h.hostBlock("")
	h.eventually("reloaded once more", 10*time.Second, func() bool { return strings.Count(h.told(), "configuration reloaded") == 2 })
	h.config = ""
	h.hostBlock("")
	time.Sleep(time.Second)
	if s := h.status("plant-2"); s != "online" {
		t.Errorf("not watched any more, and plant-2 is %s", s)
	}
}

// told is the host's log as its API tells it.
func (h *dinrail) told() string {
	return fmt.Sprint(h.all("/v1/admin/logs", adminToken))
}
