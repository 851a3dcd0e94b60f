package e2e_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A host that cannot start says what is wrong, where, and what to do, and ends.
func TestHostThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name, config string
		want         []string
	}{
		{"a broken file", "connection \"a\" {\n  system = \n}\n", []string{"dinrail.hcl:", "system ="}},
		{"an unknown attribute of the host", "host {\n  lisen = \"127.0.0.1:1\"\n}\n", []string{"dinrail.hcl:2", "lisen", "listen"}},
		{"a data_dir that cannot be written", "host {\n  data_dir = \"/proc/no-such-place\"\n  listen = \"127.0.0.1:0\"\n}\n", []string{"/proc/no-such-place", "data_dir"}},
		{"a taken port", "host {\n  listen = \"" + taken.Addr().String() + "\"\n}\n", []string{taken.Addr().String(), "taken", "host.listen"}},
		{"a file that is not there", "", []string{"dinrail.hcl"}},
		{"a listener for everybody without TLS", "host {\n  listen = \"0.0.0.0:0\"\n}\n", []string{"dinrail.hcl:2", "tls"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &dinrail{t: t, dir: t.TempDir()}
			file := filepath.Join(h.dir, "dinrail.hcl")
			if c.config != "" {
				if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := h.command("serve")
			cmd.Dir = h.dir
			ended := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			out, err := cmd.CombinedOutput()
			ended.Stop()
			if err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Fatalf("it ended with %v:\n%s", err, out)
			}
			for _, w := range c.want {
				if !strings.Contains(string(out), w) {
					t.Errorf("%q is not told:\n%s", w, out)
				}
			}
			if bytes.Contains(out, []byte("goroutine ")) {
				t.Errorf("a stack is no message:\n%s", out)
			}
		})
	}
}

// What is wrong with one block is told with its place, and all else runs.
func TestWrongBlocksHarmNothingElse(t *testing.T) {
	t.Parallel()
	h := newHost(t, `
connection "well" {
  system      = "endless"
  settings    = { records = 10 }
  credentials = { username = "u", password = "p" }
}

connection "unknown" {
  system      = "endles"
  credentials = { username = "u", password = "p" }
}

connection "missing" {
  system      = "endless"
  credentials = { username = "u", password = env("NO_SUCH_VARIABLE_OF_THIS_TEST") }
}

connector "other" {
  source = "dinrail-plugin-sandbox"
  sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
}

connector "text" {
  source = "`+notAPlugin(t)+`"
}
`)
	h.start()
	token := h.token("well")
	h.synced(token, 1)
	for id, want := range map[string]string{"unknown": "endless", "missing": "NO_SUCH_VARIABLE_OF_THIS_TEST"} {
		a := h.call("GET", "/v1/admin/connections/"+id, adminToken, "")
		reason, _ := a.body["reason"].(string)
		if a.body["status"] != "invalid" || !strings.Contains(reason, want) || !strings.Contains(reason, "dinrail.hcl:") {
			t.Errorf("%s is %v: %s", id, a.body["status"], reason)
		}
	}
	log := h.log.String()
	for _, want := range []string{"sha256", "connector=other", "connector=text"} {
		if !strings.Contains(log, want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
	status := h.command("status")
	if out, err := status.CombinedOutput(); err == nil || !strings.Contains(string(out), "unknown") || !strings.Contains(string(out), "missing") {
		t.Errorf("status says %v:\n%s", err, out)
	}
	// A second host on the same data is told so, and the first goes on.
	second := h.command("serve")
	out, err := second.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "data_dir") && !strings.Contains(string(out), "data folder") {
		t.Errorf("a second host: %v\n%s", err, out)
	}
	if a := h.call("GET", "/v1/items?limit=1", token, ""); a.status != http.StatusOK {
		t.Errorf("the first host answers %d", a.status)
	}
}

// notAPlugin is a program that is no connector.
func notAPlugin(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dinrail-plugin-text")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho hello\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}
