package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// plant is a frozen sandbox plant in a process of its own.
type plant struct {
	t   *testing.T
	url string
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "dinrail-sandbox"), "--listen", "127.0.0.1:0", "--speed", "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(line)
	return &plant{t, fields[len(fields)-1]}
}

// control sets switches, or does one thing, or reads what was counted.
func (p *plant) control(method, path, body string) map[string]any {
	p.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, p.url+"/control"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || res.StatusCode >= 400 {
		p.t.Fatalf("control %s %s: %s %v", path, body, res.Status, v)
	}
	return v
}

func (p *plant) host(entities ...string) (*dinrail, string) {
	p.t.Helper()
	config := "connection \"plant\" {\n  system = \"sandbox\"\n  settings = { url = \"" + p.url + "\" }\n  credentials = { username = \"operator\", password = \"plant-7\" }\n  check_every = \"1s\"\n"
	for _, e := range entities {
		config += "  sync \"" + e + "\" {\n    every = \"1h\"\n  }\n"
	}
	h := newHost(p.t, config+"}\n")
	h.start()
	token := h.token("plant")
	h.synced(token, len(entities))
	return h, token
}

// metrics reads what Prometheus would.
func (h *dinrail) metrics() string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.addr+"/metrics", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func (h *dinrail) syncNow(token, mode string) {
	h.t.Helper()
	a := h.call("POST", "/v1/sync", token, `{"mode":"`+mode+`"}`)
	if a.status != http.StatusAccepted {
		h.t.Fatalf("%d %v", a.status, a.body)
	}
	data, _ := a.body["data"].([]any)
	for _, d := range data {
		m, _ := d.(map[string]any)
		id, _ := m["id"].(string)
		h.eventually("run "+id+" has ended", time.Minute, func() bool {
			s := h.call("GET", "/v1/sync-runs/"+id, token, "").body["status"]
			return s != "queued" && s != "running"
		})
	}
}

// The password is changed in the plant: one attempt, one that confirms it, and
// no further login.
func TestSandboxPasswordChangedNeedsAPerson(t *testing.T) {
	p := newPlant(t)
	h, _ := p.host("work_orders")
	p.control("POST", "/stats/reset", "")
	p.control("POST", "", `{"password":"another-1"}`)
	p.control("POST", "/end-sessions", "")
	h.eventually("the login is refused", 30*time.Second, func() bool { return h.status("plant") == "auth_required" })
	time.Sleep(3 * time.Second) // several checks would have been due
	if n := p.control("GET", "/stats", "")["failedLogins"]; n != float64(2) {
		t.Fatalf("%v failed logins, want 2", n)
	}
}

func TestSandboxOfflineAndBack(t *testing.T) {
	p := newPlant(t)
	h, token := p.host("work_orders")
	if got := h.metrics(); !strings.Contains(got, `dinrail_system_call_duration_seconds_count{connector="sandbox",status="2xx",system="sandbox"}`) {
		t.Errorf("the plant's calls are not counted: %s", got)
	}
	p.control("POST", "", `{"offline":"closed"}`)
	h.eventually("the connection is offline", time.Minute, func() bool { return h.status("plant") == "offline" })
	if a := h.call("GET", "/v1/work_orders?limit=1", token, ""); a.status != http.StatusOK || a.header.Get("Dinrail-Stale-Since") == "" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	p.control("POST", "", `{"offline":""}`)
	h.eventually("the connection is online", time.Minute, func() bool { return h.status("plant") == "online" })
}

func TestSandboxGarbageFailsTheRunAndStoresNothing(t *testing.T) {
	p := newPlant(t)
	h, token := p.host("work_orders")
	before := len(h.all("/v1/work_orders?include=deleted", token))
	p.control("POST", "", `{"garbage":{"requests":-1,"mode":"html","only":"workOrders"}}`)
	h.syncNow(token, "full")
	a := h.call("GET", "/v1/sync-status", token, "")
	data, _ := a.body["data"].([]any)
	st, _ := data[0].(map[string]any)
	problem, _ := st["error"].(map[string]any)
	if st["status"] != "failed" || problem["message"] == "" {
		t.Fatalf("%v", st)
	}
	if after := len(h.all("/v1/work_orders?include=deleted", token)); after != before {
		t.Fatalf("%d records, before %d", after, before)
	}
}

func TestSandboxRateLimitIsWaitedFor(t *testing.T) {
	for name, limit := range map[string]string{"with Retry-After": `{"requests":2,"retryAfter":1,"only":"workOrders"}`, "without": `{"requests":1,"only":"workOrders"}`} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t)
			h, token := p.host("work_orders")
			p.control("POST", "", `{"tooMany":`+limit+`}`)
			h.syncNow(token, "full")
			h.synced(token, 1)
		})
	}
}

// A record that is gone without a trace is found by the next full run, not by
// an incremental one.
func TestSandboxDeletedRecordBecomesATombstone(t *testing.T) {
	p := newPlant(t)
	h, token := p.host("work_orders")
	all := h.all("/v1/work_orders", token)
	id, _ := all[0]["id"].(string)
	p.control("POST", "/delete", `{"collection":"workOrders","id":`+id+`}`)
	h.syncNow(token, "incremental")
	if n := len(h.all("/v1/work_orders", token)); n != len(all) {
		t.Fatalf("%d records after an incremental run, want %d", n, len(all))
	}
	h.syncNow(token, "full")
	if n := len(h.all("/v1/work_orders", token)); n != len(all)-1 {
		t.Fatalf("%d records after a full run, want %d", n, len(all)-1)
	}
	for _, r := range h.all("/v1/work_orders?include=deleted", token) {
		if r["id"] == id && r["deleted"] != true {
			t.Fatalf("the record is %v", r)
		}
	}
}
