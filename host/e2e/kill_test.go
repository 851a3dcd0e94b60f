package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const endless = `
connection "plant-1" {
  system      = "endless"
  settings    = { records = %d, page = 50, delay = "2ms" }
  credentials = { username = "u", password = "secret-of-the-plant" }
}
`

// The host is killed again and again in the middle of a run. After that all is
// there, once, and no connector is left over.
func TestKilledHostCompletesItsRunsExactly(t *testing.T) {
	const records, kills = 20000, 50
	h := newHost(t, fmt.Sprintf(endless, records))
	h.start()
	token := h.token("plant-1")
	for range kills {
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		h.kill()
		h.start()
	}
	h.synced(token, 1)
	seen := map[string]bool{}
	for _, r := range h.all("/v1/items", token) {
		id, _ := r["id"].(string)
		if seen[id] {
			t.Fatalf("record %s is listed twice", id)
		}
		seen[id] = true
	}
	if len(seen) != records {
		t.Fatalf("%d records, want %d", len(seen), records)
	}
	// All may have been synced before the last kill: a check needs a connector.
	if a := h.call("POST", "/v1/admin/connections/plant-1/check", adminToken, ""); a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.body)
	}
	if len(processes(t, "dinrail-plugin-endless")) == 0 {
		t.Fatal("no connector is found while the host runs: nothing could be told of one left over")
	}
	h.stop()
	if left := processes(t, "dinrail-plugin-endless"); len(left) > 0 {
		t.Fatalf("left over: %v", left)
	}
}

// processes returns those that run a connector of this test's own build: others
// on the machine may run one of the same name.
func processes(t testing.TB, name string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if exe, err := os.Readlink(f); err == nil && exe == filepath.Join(bin, "plugins", name) {
			out = append(out, f)
		}
	}
	return out
}

func TestRefusedLoginSaysSoAndNewCredentialsBringItBack(t *testing.T) {
	h := newHost(t, strings.Replace(fmt.Sprintf(endless, 100), "secret-of-the-plant", "wrong", 1))
	h.start()
	h.eventually("the login is refused", 20*time.Second, func() bool { return h.status("plant-1") == "auth_required" })
	token := h.token("plant-1")
	if a := h.call("GET", "/v1/items", token, ""); a.status != http.StatusUnauthorized || a.body["code"] != "connection_auth_required" {
		t.Fatalf("%d %v", a.status, a.body)
	}
	a := h.call("POST", "/v1/admin/connections/plant-1/reconnect", adminToken, `{"credentials":{"username":"u","password":"right"}}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.body)
	}
	if old := h.call("GET", "/v1/connection", token, ""); old.status != http.StatusUnauthorized {
		t.Fatalf("the old token still opens: %d", old.status)
	}
	token, _ = a.body["token"].(string)
	h.synced(token, 1)
}

// What stands on the disk and in the log shows no credential and no token.
func TestNoSecretIsStoredOrLoggedInClear(t *testing.T) {
	h := newHost(t, fmt.Sprintf(endless, 200))
	h.start()
	token := h.token("plant-1")
	h.synced(token, 1)
	running := processes(t, "dinrail-plugin-endless")
	if len(running) == 0 {
		t.Fatal("no connector is found while the host runs")
	}
	for _, p := range running {
		for _, file := range []string{"cmdline", "environ"} {
			if b, err := os.ReadFile(filepath.Join(filepath.Dir(p), file)); err == nil && strings.Contains(string(b), "secret-of-the-plant") {
				t.Errorf("the connector's %s shows the password", file)
			}
		}
	}
	h.stop()
	secrets := map[string]string{"password": "secret-of-the-plant", "connection token": token, "admin token": adminToken, "record": "pump pump pump"}
	for what, s := range secrets {
		if strings.Contains(h.log.String(), s) {
			t.Errorf("the log shows the %s", what)
		}
	}
	err := filepath.WalkDir(filepath.Join(h.dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for what, s := range secrets {
			if strings.Contains(string(b), s) {
				t.Errorf("%s holds the %s in clear", path, what)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBadInputIsAnsweredWithWhatToDo(t *testing.T) {
	h := newHost(t, fmt.Sprintf(endless, 100)+"\nconnection \"second\" {\n  system = \"endless\"\n  credentials = { username = \"u\", password = \"x\" }\n}\nconnection \"broken\" {\n  system = \"endles\"\n}\nconnection \"missing\" {\n  system = \"endless\"\n  credentials = { username = \"u\", password = env(\"NOT_THERE\") }\n}\n")
	h.start()
	token, other := h.token("plant-1"), h.token("second")
	h.synced(token, 1)
	if s := h.status("broken"); s != "invalid" {
		t.Errorf("a connection to an unknown system is %s", s)
	}
	if s := h.status("missing"); s != "invalid" {
		t.Errorf("a connection with a missing variable is %s", s)
	}
	next, _ := h.call("GET", "/v1/items?limit=1", other, "").body["next_cursor"].(string)
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		code                            string
	}{
		{"no token", "GET", "/v1/items", "", "", 401, "unauthorized"},
		{"wrong token", "GET", "/v1/items", "drc_abc_def", "", 401, "unauthorized"},
		{"limit", "GET", "/v1/items?limit=0", token, "", 422, "invalid"},
		{"unknown filter", "GET", "/v1/items?colour=red", token, "", 422, "invalid"},
		{"forged cursor", "GET", "/v1/items?cursor=AAAA", token, "", 422, "invalid_cursor"},
		{"another connection's cursor", "GET", "/v1/items?cursor=" + next, token, "", 410, "cursor_expired"},
		{"unknown entity", "GET", "/v1/things", token, "", 404, "not_found"},
		{"unknown path", "GET", "/v2", token, "", 404, "not_found"},
		{"wrong method", "PATCH", "/v1/items", token, "", 405, "method_not_allowed"},
		{"large body", "POST", "/v1/sync", token, strings.Repeat("x", 10<<20), 413, "too_large"},
		{"unknown field", "POST", "/v1/sync", token, `{"colour":1}`, 422, "invalid"},
		{"data token for administration", "GET", "/v1/admin/connections", token, "", 403, "forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.call(c.method, c.path, c.token, c.body)
			if a.status != c.status || a.body["code"] != c.code || a.body["request_id"] == "" || a.body["detail"] == "" {
				t.Fatalf("%d %v", a.status, a.body)
			}
			if got := a.header.Get("Content-Type"); got != "application/problem+json" {
				t.Fatalf("content type %s", got)
			}
		})
	}
	t.Run("second host on the data_dir", func(t *testing.T) {
		out, err := h.command("serve").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "data") {
			t.Fatalf("%v: %s", err, out)
		}
	})
}

// A connector that dies is told to those who look after the host, once.
func TestKilledConnectorIsTold(t *testing.T) {
	h := newHost(t, fmt.Sprintf(endless, 100_000))
	h.start()
	killed := 0
	for range 2 { // the second is within the hour
		h.eventually("the connector runs", 20*time.Second, func() bool {
			for _, p := range h.all("/v1/admin/connectors", adminToken) {
				if pid, err := strconv.Atoi(fmt.Sprint(p["pid"])); err == nil && p["status"] == "running" && pid != killed {
					killed = pid
					return true
				}
			}
			return false
		})
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	var told []map[string]any
	h.eventually("it is told", 20*time.Second, func() bool {
		told = h.all("/v1/admin/events?type=system.*", adminToken)
		return len(told) > 0
	})
	data, _ := told[0]["data"].(map[string]any)
	if len(told) != 1 || told[0]["type"] != "system.error" || data["key"] != "plugin/endless.endless" || data["code"] != "plugin_crashed" ||
		data["component"] != "plugin" || fmt.Sprint(data["connections"]) != "[plant-1]" || data["first_seen"] == "" {
		t.Fatalf("%+v", told)
	}
	h.stop()
}
