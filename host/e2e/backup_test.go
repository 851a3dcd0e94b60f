package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A backup is taken while a large sync runs and events come in; restored
// elsewhere it holds what was there: records, tokens, and what endpoints are
// still owed, which then goes out.
func TestBackupUnderLoadIsRestoredElsewhere(t *testing.T) {
	t.Parallel()
	const waiting = 40
	r := newReceiver(t)
	r.status.Store(http.StatusServiceUnavailable)
	config := fmt.Sprintf(endless, 5000) + r.hook("app", `  events = ["custom.*"]
  retry {
    schedule = ["5s", "5s", "5s", "5s", "5s", "5s", "5s", "5s", "5s", "5s", "5s", "5s"]
  }`)
	h := newHost(t, config)
	h.start()
	token := h.token("plant-1")
	h.synced(token, 1)
	for i := range waiting {
		if a := h.call("POST", "/v1/admin/events", adminToken, fmt.Sprintf(`{"type":"custom.before","id":"before-%d","data":{}}`, i)); a.status != http.StatusAccepted {
			t.Fatalf("%d %v", a.status, a.body)
		}
	}
	h.eventually("all of them are owed", 20*time.Second, func() bool {
		return len(h.all("/v1/admin/deliveries?endpoint=app", adminToken)) == waiting
	})
	cursor, _ := h.call("GET", "/v1/changes?limit=1", token, "").body["next_cursor"].(string)

	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				h.call("POST", "/v1/admin/events", adminToken, fmt.Sprintf(`{"type":"custom.later","id":"later-%d","data":{}}`, i))
				h.call("POST", "/v1/sync", token, `{"mode":"full"}`)
			}
		}
	})
	file := filepath.Join(t.TempDir(), "host.backup")
	said := h.cli("backup", file)
	close(stop)
	load.Wait()
	if !strings.Contains(said, file) || !strings.Contains(said, "master key") {
		t.Errorf("it says %q", said)
	}
	if said := h.cli("backup", "verify", file); !strings.Contains(said, "is whole") {
		t.Errorf("it says %q", said)
	}
	if out, err := h.command("backup", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "there already") {
		t.Errorf("a backup over another: %v %s", err, out)
	}
	if out, err := h.command("restore", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "empty data_dir") {
		t.Errorf("a restore over a running host: %v %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{"password": "secret-of-the-plant", "token": token, "record": "pump pump pump"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("the backup shows the %s", what)
		}
	}
	keys, err := os.ReadFile(filepath.Join(h.dir, "data", "keys"))
	if err != nil {
		t.Fatal(err)
	}
	h.kill()

	other := newHost(t, config)
	damaged := filepath.Join(t.TempDir(), "damaged.backup")
	b[len(b)/2] ^= 1
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := other.command("restore", damaged).CombinedOutput(); err == nil || !strings.Contains(string(out), "damaged") {
		t.Errorf("a damaged backup: %v %s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(other.dir, "data", ".restore*")); len(left) > 0 {
		t.Errorf("a damaged backup leaves %v", left)
	}
	said = other.cli("restore", file)
	if !strings.Contains(said, "master key") {
		t.Errorf("it says %q", said)
	}
	if out, err := other.command("serve").CombinedOutput(); err == nil || !strings.Contains(string(out), "is gone") {
		t.Errorf("without its key: %v %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(other.dir, "data", "keys")); err == nil {
		t.Fatal("a new key was made")
	}
	if err := os.WriteFile(filepath.Join(other.dir, "data", "keys"), keys, 0o600); err != nil {
		t.Fatal(err)
	}
	r.status.Store(http.StatusOK)
	other.start()
	if n := len(other.all("/v1/items", token)); n != 5000 {
		t.Errorf("%d records, want 5000", n)
	}
	if a := other.call("GET", "/v1/changes?cursor="+cursor, token, ""); a.status != http.StatusGone {
		t.Errorf("a cursor of before: %d %v", a.status, a.body)
	}
	other.eventually("what was owed has arrived", 30*time.Second, func() bool {
		for i := range waiting {
			if r.count(fmt.Sprintf("before-%d", i)) == 0 {
				return false
			}
		}
		return true
	})
}
