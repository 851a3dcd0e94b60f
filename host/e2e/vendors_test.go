package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var installPrism = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "systems/prism/install").Output()
	if err != nil {
		return "", fmt.Errorf("install Prism: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
})

// The files of vendors' systems ask for nothing that the vendors' own
// descriptions forbid, and what these answer is mapped. The descriptions lie
// beside the project; they are not ours to keep.
func TestVendorsSystemsKeepToTheirDescriptions(t *testing.T) {
	t.Parallel()
	const suite = "systems against mocks of their vendors' descriptions"
	folder := filepath.Join("..", "..", "..", "shared", "openapi")
	if _, err := os.Stat(folder); err != nil {
		leaveOut(t, suite, "the vendors' descriptions are not beside the project")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		leaveOut(t, suite, "npm is not installed")
	}
	prism, err := installPrism()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		system, description, credentials string
		paths                            []string
	}{
		{"maintainx", "maintainx.json", `token = "abc"`, []string{"/assets", "/locations", "/parts", "/vendors", "/workorders"}},
		{"limble", "limble.yaml", `username = "a", password = "b"`, []string{"/assets", "/locations", "/tasks", "/vendors"}},
	} {
		t.Run(c.system, func(t *testing.T) {
			address := freeAddress(t)
			_, port, _ := net.SplitHostPort(address)
			var said bytes.Buffer
			cmd := exec.Command(prism, "mock", "--host", "127.0.0.1", "--port", port, "--multiprocess", "false", filepath.Join(folder, c.description))
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stop := sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			t.Cleanup(stop)
			h := newHost(t, fmt.Sprintf("connection \"vendor\" {\n  system = %q\n  settings = { url = \"http://%s\" }\n  credentials = { %s }\n}\n", c.system, address, c.credentials))
			h.eventually("the mock answers", 90*time.Second, func() bool {
				conn, err := net.Dial("tcp", address)
				if err == nil {
					_ = conn.Close()
				}
				return err == nil
			})
			h.start()
			token := h.token("vendor")
			// A mock's pages never end, so the runs do, by the guard against that.
			h.eventually("every entity was read", time.Minute, func() bool {
				done := 0
				for _, s := range h.all("/v1/sync-status", token) {
					if s["last_run"] != nil && s["status"] != "running" && s["status"] != "queued" {
						done++
					}
				}
				return done == len(c.paths)
			})
			var asked []string
			for _, r := range h.all("/v1/admin/requests?kind=system", adminToken) {
				path, _ := r["path"].(string)
				if fmt.Sprint(r["status"]) != "200" {
					t.Errorf("%v %v answers %v: %v", r["method"], path, r["status"], r["error"])
				}
				if !slices.Contains(asked, path) {
					asked = append(asked, path)
				}
			}
			slices.Sort(asked)
			if !slices.Equal(asked, c.paths) {
				t.Errorf("asked for %v, want %v", asked, c.paths)
			}
			h.stop()
			stop()
			if text := said.String(); strings.Contains(text, "Violation: request") {
				t.Errorf("the description forbids what was asked:\n%s", text)
			}
		})
	}
}
