package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// many connections, whose credentials are given by the file once.
const many = `
connection "plant" {
  for_each    = toset([for i in range(%d) : tostring(i)])
  system      = "endless"
  settings    = { records = 20, page = 20 }
  credentials = { username = "u", password = "secret-of-the-plant" }
}
`

// The master key is rotated while the host works, and the host is killed in the
// middle of it, again and again. All opens afterwards, and a last rotation
// leaves nothing that needs a key before it.
func TestKilledRotationLosesNothing(t *testing.T) {
	t.Parallel()
	const connections, kills = 60, 20
	r := newReceiver(t)
	h := newHost(t, fmt.Sprintf(many, connections)+r.hook("app", `  events = ["webhook.test"]`))
	h.start()
	token := h.token("plant-7")
	h.synced(token, 1)
	file := filepath.Join(h.dir, "data", "keys")
	first := keyset(t, file)
	for range kills {
		done := make(chan struct{})
		go func() {
			defer close(done)
			req, _ := http.NewRequest(http.MethodPost, "http://"+h.addr+"/v1/admin/keys/rotate", nil)
			req.Header.Set("Authorization", "Bearer "+adminToken)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		h.kill()
		<-done
		h.start()
	}
	if keyset(t, file).Primary == first.Primary {
		t.Fatal("no rotation began before it was killed: nothing was tried")
	}
	if told := h.cli("keys", "rotate"); !strings.Contains(told, "seals from now on") || !strings.Contains(told, "Keep a copy of "+file) {
		t.Fatalf("it says %q", told)
	}
	h.stop()
	keys := keyset(t, file)
	for _, k := range keys.Keys {
		if fmt.Sprint(k["keyId"]) == keys.Primary.String() {
			keys.Keys = []map[string]any{k}
			break
		}
	}
	b, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	h.start()
	allOpens(t, h, r, connections)
	if n := len(h.all("/v1/items", token)); n != 20 {
		t.Fatalf("%d records, want 20", n)
	}
}

// allOpens logs in with every connection's stored credentials and sends a
// delivery that is verified.
func allOpens(t *testing.T, h *dinrail, r *receiver, connections int) {
	t.Helper()
	for i := range connections {
		if a := h.call("POST", fmt.Sprintf("/v1/admin/connections/plant-%d/check", i), adminToken, ""); a.status != http.StatusOK || a.body["ok"] == false {
			t.Fatalf("connection plant-%d: %d %v", i, a.status, a.body)
		}
	}
	a := h.call("POST", "/v1/admin/webhooks/app/test", adminToken, "")
	id, _ := a.body["id"].(string)
	if id == "" {
		id, _ = a.body["event_id"].(string)
	}
	h.eventually("the test arrives", 20*time.Second, func() bool { return r.count(id) > 0 })
}

type masterKeys struct {
	Primary json.Number      `json:"primaryKeyId"`
	Keys    []map[string]any `json:"key"`
}

func keyset(t *testing.T, file string) masterKeys {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var k masterKeys
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&k); err != nil {
		t.Fatal(err)
	}
	return k
}

// A key from outside is rotated there: the new one in the first line, the old
// one below it, and after a start the old one is of no use.
func TestGivenKeyIsRotatedByItsLines(t *testing.T) {
	t.Parallel()
	const connections = 5
	line := func(c string) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(c, 32))) }
	r := newReceiver(t)
	h := newHost(t, fmt.Sprintf(many, connections)+r.hook("app", `  events = ["webhook.test"]`))
	h.hostBlock(`key = env("PLANT_KEY")`)
	h.env = []string{"PLANT_KEY=" + line("a")}
	h.start()
	token := h.token("plant-1")
	h.synced(token, 1)
	if out, err := h.command("keys", "rotate").CombinedOutput(); err == nil || !strings.Contains(string(out), "in the first line") {
		t.Fatalf("%v: %s", err, out)
	}
	h.stop()
	h.env = []string{"PLANT_KEY=" + line("b") + "\n" + line("a")}
	h.start()
	h.eventually("all is sealed anew", 20*time.Second, func() bool { return strings.Contains(h.cli("logs"), "was sealed anew") })
	h.stop()
	h.env = []string{"PLANT_KEY=" + line("b")}
	h.start()
	allOpens(t, h, r, connections)
	if n := len(h.all("/v1/items", token)); n != 20 {
		t.Fatalf("%d records, want 20", n)
	}
	h.stop()
	h.env = []string{"PLANT_KEY=" + line("a")}
	out, err := h.command("serve").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is not the one that the stored data was sealed with") {
		t.Fatalf("the old key still opens: %v: %s", err, out)
	}
}
