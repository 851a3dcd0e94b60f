package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemsFolder holds the sandbox plant's file under another name.
func systemsFolder(t *testing.T, change ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, ext := range []string{"hcl", "md"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "configs", "systems", "sandbox-rest."+ext))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(append([]string{"sandbox-rest", "our-plant"}, change...)...).Replace(string(b))
		if err := os.WriteFile(filepath.Join(dir, "our-plant."+ext), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A system that is one file beside the configuration is listed, synced, and
// changed without a stop; a file with a mistake harms no other.
func TestSystemFromAFile(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	h := newHost(t, fmt.Sprintf(`
connection "plant" {
  system      = "our-plant"
  settings    = { url = %q }
  credentials = { username = "operator", password = "plant-7" }
  sync "work_orders" {
    every = "1h"
  }
  sync "vendors" {
    every = "1h"
  }
}
`, p.url))
	dir := systemsFolder(t)
	h.hostBlock(fmt.Sprintf("systems_dir = %q", dir))
	broken := filepath.Join(dir, "broken.hcl")
	if err := os.WriteFile(broken, []byte("system \"broken\" {\n  labell = \"x\"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := h.command("validate").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "broken.hcl") || !strings.Contains(string(out), "label") {
		t.Errorf("validate: %v %s", err, out)
	}
	h.start()
	token := h.token("plant")
	h.synced(token, 2)
	if text := h.cli("system", "show", "our-plant"); !strings.Contains(text, "work_orders") || !strings.Contains(text, "rest") {
		t.Errorf("system show: %s", text)
	}
	if logs := h.cli("logs"); !strings.Contains(logs, "broken.hcl") {
		t.Error("the broken file is not told")
	}
	orders := h.all("/v1/work_orders", token)
	if len(orders) < 100 {
		t.Fatalf("%d work orders", len(orders))
	}
	// The same data by the connector in Go: the same records.
	direct, other := p.host("work_orders")
	for i, r := range direct.all("/v1/work_orders", other) {
		if mine := orders[i]; mine["id"] != r["id"] || mine["name"] != r["name"] || mine["status"] != r["status"] || mine["due_at"] != r["due_at"] {
			t.Fatalf("by the file %v, by the connector %v", mine, r)
		}
	}
	// A mistake refuses a reload; without it, what changed in a file is mapped so.
	if out, err := h.command("reload").CombinedOutput(); err == nil || !strings.Contains(string(out), "broken.hcl:2") {
		t.Errorf("reload with a mistake: %v %s", err, out)
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	changed := systemsFolder(t, "= raw.title", `= "${raw.title} (plant)"`)
	b, err := os.ReadFile(filepath.Join(changed, "our-plant.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "our-plant.hcl"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	h.cli("reload")
	h.syncNow(token, "full")
	h.eventually("the records are mapped as the file says now", 20*time.Second, func() bool {
		for _, r := range h.all("/v1/work_orders", token) {
			if name, _ := r["name"].(string); !strings.HasSuffix(name, " (plant)") {
				return false
			}
		}
		return true
	})
}
