package plugin_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/plugin"
)

// A process that crashes each time is started again at once, then after
// growing waits, told as crashed at the fifth, and good again after ten quiet
// minutes.
func TestCrashesAreAnsweredWithGrowingWaits(t *testing.T) {
	r := setup(t, plugin.Options{Isolation: plugin.IsolationConnection})
	const id = "endless.endless.a"
	crash := func() {
		t.Helper()
		c := open(t, r, request("a", map[string]any{"crash_at": 0}))
		var n int
		if err := c.Read(t.Context(), items, count(&n)); host.CodeOf(err) != host.CodePluginCrashed {
			t.Fatalf("got %v (%s)", err, host.CodeOf(err))
		}
	}
	crash()
	crash() // at once
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		_, err := r.Open(t.Context(), request("a", nil))
		if left := host.RetryAtOf(err).Sub(r.now()); host.CodeOf(err) != host.CodePluginCrashed || left > wait || left < wait/2 || !strings.Contains(err.Error(), "exit status 1") {
			t.Fatalf("got %v, to come back in %s, want up to %s", err, left, wait)
		}
		r.pass(wait)
		crash()
	}
	p := r.await(t, id, func(p host.Process) bool { return p.Status == host.ProcessCrashed })
	if p.Restarts != 5 || !strings.Contains(p.Reason, "exit status 1") || !slices.ContainsFunc(p.Log, func(l string) bool { return strings.Contains(l, "endless starts") }) {
		t.Fatalf("process %+v", p)
	}
	r.pass(10 * time.Minute)
	open(t, r, request("a", nil))
	crash() // counted from nothing
	crash()
	if _, err := r.Open(t.Context(), request("a", nil)); host.RetryAtOf(err).Sub(r.now()) > time.Second {
		t.Fatalf("got %v, to come back at %s", err, host.RetryAtOf(err))
	}
}

func TestIdleProcessIsStoppedAndStartsAgain(t *testing.T) {
	r := setup(t, plugin.Options{})
	c := open(t, r, request("a", nil))
	r.pass(time.Hour)
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatalf("it was stopped under an open connection: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	// The host looks once more before it counts the process as idle from now on.
	for deadline := time.Now().Add(30 * time.Second); ; {
		r.pass(5 * time.Minute)
		r.mu.Lock()
		p := r.processes["endless.endless"]
		r.mu.Unlock()
		if p.Status == host.ProcessStopped && p.PID == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %+v", p)
		}
		select {
		case <-r.changed:
		case <-time.After(100 * time.Millisecond):
		}
	}
	open(t, r, request("a", nil))
}

// halt stops a process and waits until each of its threads stands: until then
// it may still answer.
func halt(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("process %d is gone: %v", pid, err)
		}
		standing := 0
		for _, f := range threads {
			if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), ") T ") {
				standing++
			}
		}
		if standing == len(threads) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d threads of process %d stand", standing, len(threads), pid)
		}
	}
}

func TestHungProcessIsKilled(t *testing.T) {
	t.Parallel()
	r := setup(t, plugin.Options{})
	c := open(t, r, request("a", nil))
	halt(t, r.pid("endless.endless"))
	r.pass(time.Minute)
	_, err := c.Check(t.Context())
	if host.CodeOf(err) != host.CodePluginCrashed || !strings.Contains(err.Error(), "ping") {
		t.Fatalf("got %v (%s)", err, host.CodeOf(err))
	}
	open(t, r, request("a", nil))
}

func TestCallsToTheSystemAreToldWithTheirConnection(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Ann") }))
	defer system.Close()
	r := setup(t, plugin.Options{})
	c := open(t, r, request("a", map[string]any{"url": system.URL}))
	if who, err := c.Check(t.Context()); err != nil || who != "Ann" {
		t.Fatalf("%q, %v", who, err)
	}
	for deadline := time.After(10 * time.Second); ; {
		r.mu.Lock()
		calls := r.calls["a"]
		r.mu.Unlock()
		if len(calls) > 0 {
			got := calls[0]
			if len(calls) != 1 || got.Method != http.MethodGet || got.Path != "/me/{id}" || got.Status != 200 || got.Bytes != 3 || got.Error != "" {
				t.Fatalf("calls %+v", calls)
			}
			return
		}
		select {
		case <-r.changed:
		case <-deadline:
			t.Fatal("the call was not told")
		}
	}
}

// What a connector logs and prints is kept for people without its secrets, and
// a flood is cut to the last lines.
func TestLogIsKeptShortAndWithoutSecrets(t *testing.T) {
	r := setup(t, plugin.Options{Isolation: plugin.IsolationConnection})
	tell := request("a", map[string]any{"fault": "tell", "pin": "pin-4711", "crash_at": 0})
	tell.Credentials["password"] = `pass"word-0815`
	c := open(t, r, tell)
	// What a program printed just before it crashes may be lost with it.
	r.awaitLog(t, "the pin is")
	var n int
	if err := c.Read(t.Context(), items, count(&n)); err == nil {
		t.Fatal("it did not crash")
	}
	p := r.await(t, "endless.endless.a", func(p host.Process) bool { return p.Status == host.ProcessRestarting })
	text := strings.Join(p.Log, "\n")
	if !strings.Contains(text, "password=***") || !strings.Contains(text, "the pin is ***") {
		t.Errorf("log:\n%s", text)
	}
	for _, secret := range []string{"4711", "0815"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %s:\n%s", secret, text)
		}
	}
	c = open(t, r, request("b", map[string]any{"fault": "flood"}))
	if err := c.Read(t.Context(), items, count(&n)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(r.pid("endless.endless.b"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p = r.await(t, "endless.endless.b", func(p host.Process) bool { return p.Status == host.ProcessRestarting })
	if len(p.Log) > 50 {
		t.Errorf("%d lines are kept", len(p.Log))
	}
}

// A process that an earlier host left behind is ended, one that only has its
// number is not.
func TestLeftoversOfAnEarlierHostAreEnded(t *testing.T) {
	run := t.TempDir()
	start := func(shift int) *exec.Cmd {
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		var started int
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if _, err := fmt.Sscan(string(fields[19]), &started); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(run, fmt.Sprintf("%d.pid", cmd.Process.Pid))
		if err := os.WriteFile(file, fmt.Appendf(nil, "%d %d\n", cmd.Process.Pid, started+shift), 0o600); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	left, foreign := start(0), start(1)
	h, err := plugin.New(plugin.Params{Dir: dir, RunDir: run, Log: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	if err := left.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("what was left ended with %v", err)
	}
	if !alive(foreign.Process.Pid) {
		t.Error("a process that only has the number was ended")
	}
	if err := foreign.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = foreign.Wait() // killed
	if files, err := filepath.Glob(filepath.Join(run, "*.pid")); err != nil || len(files) > 0 {
		t.Errorf("files %v stay, %v", files, err)
	}
}

func TestStopMayBeCalledTwiceAndBeforeStart(t *testing.T) {
	h, err := plugin.New(plugin.Params{Dir: dir, RunDir: t.TempDir(), Log: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	h.Stop()
	h.Stop()
	if _, err := h.Open(t.Context(), request("a", nil)); host.CodeOf(err) != host.CodeCanceled {
		t.Fatalf("got %v", err)
	}
}

// What only a connector made without the SDK can do wrong is an error of that
// read, which names the connector.
func TestBrokenMessagesAreAnErrorOfThatRead(t *testing.T) {
	for fault, words := range map[string]string{
		"endless":    "without saying that it was whole",
		"miscounted": "7 pages, but 6 came",
		"crowded":    "1001 records",
		"heavy":      "went on with a page",
		"monstrous":  "over its bound",
		"shapeless":  "not a JSON object",
	} {
		t.Run(fault, func(t *testing.T) {
			name := host.ConnectorName("raw-" + fault)
			link := filepath.Join(dir, "dinrail-plugin-"+string(name))
			if err := os.Link(filepath.Join(dir, "dinrail-plugin-raw"), link); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Remove(link) })
			r := setup(t, plugin.Options{})
			c := open(t, r, plugin.OpenRequest{Connection: "a", Connector: name, System: "raw"})
			var n int
			err := c.Read(t.Context(), items, count(&n))
			if host.CodeOf(err) != host.CodeInternal || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), string(name)) {
				t.Fatalf("got %v (%s), want words with %q", err, host.CodeOf(err), words)
			}
			if _, err := c.Entities(t.Context()); err != nil {
				t.Fatalf("the process is of no use after it: %v", err)
			}
		})
	}
}

// logged takes what the host logs of its connectors.
type logged rig

// Write implements io.Writer.
func (l *logged) Write(b []byte) (int, error) {
	r := (*rig)(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, b...)
	r.tell()
	return len(b), nil
}

// awaitLog waits until the log says something.
func (r *rig) awaitLog(t *testing.T, words string) {
	t.Helper()
	for deadline := time.After(30 * time.Second); ; {
		r.mu.Lock()
		found := bytes.Contains(r.log, []byte(words))
		r.mu.Unlock()
		if found {
			return
		}
		select {
		case <-r.changed:
		case <-deadline:
			t.Fatalf("the log never says %q", words)
		}
	}
}
