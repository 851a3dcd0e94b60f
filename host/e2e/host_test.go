// Package e2e_test runs the whole program against real systems: the binaries
// as they are built, killed as the world kills them.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// bin holds the programs under test.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dinrail-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin = dir
	for out, pkg := range map[string]string{
		"dinrail":                        "cmd/dinrail",
		"dinrail-sandbox":                "cmd/dinrail-sandbox",
		"plugins/dinrail-plugin-sandbox": "plugins/sandbox",
		"plugins/dinrail-plugin-rest":    "plugins/rest",
		"plugins/dinrail-plugin-tryton":  "plugins/tryton",
		"plugins/dinrail-plugin-sql":     "plugins/sql",
		"plugins/dinrail-plugin-odata":   "plugins/odata",
		"plugins/dinrail-plugin-endless": "host/e2e/plugins/endless",
		"floor":                          "host/e2e/floor",
	} {
		build := exec.Command("go", "build", "-o", filepath.Join(bin, out), "github.com/dinrail/dinrail/"+pkg)
		if text, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("build %s: %v\n%s", pkg, err, text))
		}
	}
	return m.Run()
}

const adminToken = "dra_for_tests_only_0123456789abcdef"

// dinrail is a host in a folder of its own.
type dinrail struct {
	t       testing.TB
	dir     string
	addr    string
	env     []string
	config  string
	process *exec.Cmd
	log     *bytes.Buffer
}

// newHost writes the configuration; start starts the program.
func newHost(t testing.TB, config string, env ...string) *dinrail {
	t.Helper()
	h := &dinrail{t: t, dir: t.TempDir(), addr: freeAddress(t), env: env}
	h.configure(config)
	t.Cleanup(func() { h.kill() })
	return h
}

// freeAddress is an address of this machine that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (h *dinrail) configure(config string) {
	h.t.Helper()
	h.config = config
	h.hostBlock("")
}

// hostBlock adds attributes to the host block.
func (h *dinrail) hostBlock(more string) {
	h.t.Helper()
	text := fmt.Sprintf("host {\n  listen = %q\n  data_dir = %q\n  plugin_dir = %q\n  admin_tokens = [%q]\n  %s\n}\n", h.addr, filepath.Join(h.dir, "data"), filepath.Join(bin, "plugins"), adminToken, more) + h.config
	if err := os.WriteFile(filepath.Join(h.dir, "dinrail.hcl"), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// example takes a file of configs as the configuration, with addresses of its
// own in the place of its host block's defaults.
func (h *dinrail) example(name string) {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "configs", name))
	if err != nil {
		h.t.Fatal(err)
	}
	own := fmt.Sprintf("host {\n  listen = %q\n  data_dir = %q\n  plugin_dir = %q\n", h.addr, filepath.Join(h.dir, "data"), filepath.Join(bin, "plugins"))
	changed := strings.Replace(string(text), "host {\n", own, 1)
	if changed == string(text) {
		h.t.Fatalf("%s has no host block", name)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "dinrail.hcl"), []byte(changed), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *dinrail) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, "dinrail"), args...)
	cmd.Env = append(os.Environ(), append(h.env, "DINRAIL_CONFIG="+filepath.Join(h.dir, "dinrail.hcl"))...)
	return cmd
}

// start starts the host and waits until it answers.
func (h *dinrail) start() {
	h.t.Helper()
	h.process = h.command("serve")
	h.log = &bytes.Buffer{}
	h.process.Stdout, h.process.Stderr = h.log, h.log
	if err := h.process.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.eventually("the host is ready", 20*time.Second, func() bool {
		res, err := http.Get("http://" + h.addr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// kill ends the host as a power failure would.
func (h *dinrail) kill() {
	if h.process != nil && h.process.Process != nil {
		_ = h.process.Process.Signal(syscall.SIGKILL)
		_ = h.process.Wait()
		h.process = nil
	}
}

// stop ends the host as an operator would.
func (h *dinrail) stop() {
	h.t.Helper()
	if err := h.process.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	if err := h.process.Wait(); err != nil {
		h.t.Fatalf("stop: %v\n%s", err, h.log)
	}
	h.process = nil
}

func (h *dinrail) cli(args ...string) string {
	h.t.Helper()
	out, err := h.command(args...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("dinrail %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (h *dinrail) token(connection string) string {
	lines := strings.Split(h.cli("token", "create", connection), "\n")
	for _, l := range lines {
		for _, f := range strings.Fields(l) {
			if strings.HasPrefix(f, "drc_") {
				return f
			}
		}
	}
	h.t.Fatalf("no token in %q", lines)
	return ""
}

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (h *dinrail) call(method, path, token string, body string) answer {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+h.addr+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
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
	a := answer{status: res.StatusCode, header: res.Header}
	if len(text) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&a.body); err != nil {
			h.t.Fatalf("%s %s: %s", method, path, text)
		}
	}
	return a
}

// all reads a whole list.
func (h *dinrail) all(path, token string) []map[string]any {
	h.t.Helper()
	var out []map[string]any
	cursor := ""
	for {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		a := h.call("GET", path+sep+"limit=1000&cursor="+url.QueryEscape(cursor), token, "")
		if a.status != http.StatusOK {
			h.t.Fatalf("GET %s: %v", path, a.body)
		}
		data, _ := a.body["data"].([]any)
		for _, d := range data {
			m, _ := d.(map[string]any)
			out = append(out, m)
		}
		cursor, _ = a.body["next_cursor"].(string)
		if a.body["has_more"] != true {
			return out
		}
	}
}

func (h *dinrail) status(connection string) string {
	h.t.Helper()
	s, _ := h.call("GET", "/v1/admin/connections/"+connection, adminToken, "").body["status"].(string)
	return s
}

func (h *dinrail) eventually(what string, within time.Duration, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			h.t.Fatalf("not within %s: %s\n%s", within, what, h.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// synced waits until no sync of the connection runs, and each has succeeded.
func (h *dinrail) synced(token string, entities int) {
	h.t.Helper()
	h.eventually("all is synced", time.Minute, func() bool {
		a := h.call("GET", "/v1/sync-status", token, "")
		data, _ := a.body["data"].([]any)
		for _, d := range data {
			m, _ := d.(map[string]any)
			if m["status"] != "idle" || m["last_success_at"] == nil {
				return false
			}
		}
		return len(data) == entities
	})
}
