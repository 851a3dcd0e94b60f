package plugin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/plugin"
)

// dir holds the test connectors' programs.
var dir string

func TestMain(m *testing.M) {
	if os.Getenv("DINRAIL_TEST_HOST") != "" {
		hostToKill()
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "plugins"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"endless", "raw"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "dinrail-plugin-"+name), "github.com/dinrail/dinrail/host/e2e/plugins/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("build the connector %s: %v\n%s", name, err, out))
		}
	}
	code := m.Run()
	if left := leftRunning(); left != "" {
		fmt.Fprintf(os.Stderr, "goroutines outlive their host:\n%s\n", left)
		return 1
	}
	return code
}

// leftRunning returns the goroutines of hosts, which have all been stopped; it
// gives those that are about to end their time.
func leftRunning() string {
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var left []string
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "host/internal/plugin.(") || strings.Contains(g, "hashicorp/go-plugin") {
				left = append(left, g)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}

// rig is a plugin host and what it reported.
type rig struct {
	*plugin.Host
	mu        sync.Mutex
	processes map[string]host.Process
	statuses  []host.ProcessStatus
	changed   chan struct{} // told after each report
	ahead     time.Duration // of the real clock
	calls     map[host.ConnectionID][]plugin.Call
	log       []byte // of the host
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

// pass lets time pass for the host, at once.
func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead += d
}

// await waits until a process satisfies what is asked.
func (r *rig) await(t *testing.T, id string, is func(host.Process) bool) host.Process {
	t.Helper()
	for {
		r.mu.Lock()
		p := r.processes[id]
		r.mu.Unlock()
		if is(p) {
			return p
		}
		select {
		case <-r.changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("process %s stays %+v", id, p)
		}
	}
}

func setup(t *testing.T, options plugin.Options) *rig {
	t.Helper()
	r := &rig{processes: map[string]host.Process{}, changed: make(chan struct{}, 1), calls: map[host.ConnectionID][]plugin.Call{}}
	h, err := plugin.New(plugin.Params{
		Dir: dir, RunDir: t.TempDir(), Log: hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: (*logged)(r)}),
		Connectors: map[host.ConnectorName]plugin.Options{"endless": options},
		Report: func(p host.Process) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.processes[p.ID] = p
			r.statuses = append(r.statuses, p.Status)
			r.tell()
		},
		OnReport: func(of plugin.Reporter, what any) {
			c, ok := what.(plugin.Call)
			if !ok || of.Connector != "endless" || of.System != "endless" {
				t.Errorf("%+v reported %+v", of, what)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.calls[of.Connection] = append(r.calls[of.Connection], c)
			r.tell()
		},
		Clock: r.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Stop)
	r.Host = h
	return r
}

func (r *rig) tell() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *rig) pid(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.processes[id].PID
}

func request(id string, settings map[string]any) plugin.OpenRequest {
	return plugin.OpenRequest{
		Connection: host.ConnectionID(id), Connector: "endless", System: "endless", Settings: settings,
		Auth: "basic", Credentials: map[string]string{"username": "u", "password": "p"},
	}
}

func open(t *testing.T, r *rig, req plugin.OpenRequest) *plugin.Conn {
	t.Helper()
	c, err := r.Open(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var items = plugin.ReadRequest{Entity: "items", Mode: host.Full}

func count(n *int) func(host.Page) error {
	return func(p host.Page) error { *n += len(p.Records); return nil }
}

func TestReadBringsEveryRecordOnce(t *testing.T) {
	r := setup(t, plugin.Options{})
	c := open(t, r, request("a", map[string]any{"records": 2345}))
	seen := map[host.RecordID]bool{}
	err := c.Read(t.Context(), items, func(p host.Page) error {
		for _, rec := range p.Records {
			if seen[rec.ID] {
				t.Errorf("record %s came twice", rec.ID)
			}
			seen[rec.ID] = true
		}
		return nil
	})
	if err != nil || len(seen) != 2345 {
		t.Fatalf("%d records, %v", len(seen), err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReadStopsWithTheCommitsOwnError(t *testing.T) {
	r := setup(t, plugin.Options{})
	c := open(t, r, request("a", nil))
	full := errors.New("disk full")
	if err := c.Read(t.Context(), items, func(host.Page) error { return full }); !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatalf("the connection is of no use after it: %v", err)
	}
}

// A killed process is an error of its own; opened again, the read goes on after
// the last committed page, as often as it happens. Processes of other systems
// notice nothing.
func TestKilledAHundredTimesTheReadResumesExactly(t *testing.T) {
	r := setup(t, plugin.Options{})
	other := request("other", nil)
	other.System = "endless-other"
	neighbour := open(t, r, other)
	const records = 30000
	req := request("a", map[string]any{"records": records, "page": 10})
	committed, mark, kills := 0, []byte(nil), 0
	for kills < 100 {
		c, err := r.Open(t.Context(), req)
		if err != nil {
			t.Fatalf("after %d kills: %v", kills, err)
		}
		read := items
		read.Checkpoint = mark
		pages, after := 0, 1+rand.IntN(20)
		err = c.Read(t.Context(), read, func(p host.Page) error {
			for _, rec := range p.Records {
				if string(rec.ID) != strconv.Itoa(committed) {
					t.Fatalf("record %s comes where %d is next", rec.ID, committed)
				}
				committed++
			}
			mark = p.Checkpoint
			if pages++; pages == after {
				kills++
				for _, id := range []string{"endless.endless", "endless.endless.a"} {
					if pid := r.pid(id); pid > 0 {
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
			}
			return nil
		})
		if err == nil {
			t.Fatalf("the read ended after %d kills with %d records", kills, committed)
		}
		if host.CodeOf(err) != host.CodePluginCrashed {
			t.Fatalf("got %v (%s)", err, host.CodeOf(err))
		}
	}
	c := open(t, r, req)
	read := items
	read.Checkpoint = mark
	if err := c.Read(t.Context(), read, count(&committed)); err != nil || committed != records {
		t.Fatalf("%d records, %v", committed, err)
	}
	if _, err := neighbour.Check(t.Context()); err != nil {
		t.Fatalf("another system's process noticed: %v", err)
	}
}

// One connection that kills its process is moved to a process of its own; the
// others finish.
func TestPoisonousConnectionIsQuarantined(t *testing.T) {
	r := setup(t, plugin.Options{})
	finish := func(id string, settings map[string]any) (restarts int, err error) {
		for {
			var n int
			c, err := r.Open(t.Context(), request(id, settings))
			if err == nil {
				if err = c.Read(t.Context(), items, count(&n)); err == nil {
					return restarts, c.Close()
				}
			}
			if restarts++; restarts > 3 {
				return restarts, err
			}
		}
	}
	var healthy sync.WaitGroup
	limit := make(chan struct{}, 8)
	var mu sync.Mutex
	hit := 0
	poison := make(chan error, 1)
	go func() {
		_, err := finish("poison", map[string]any{"crash_at": 1})
		poison <- err
	}()
	for i := range 199 {
		healthy.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			n, err := finish(fmt.Sprintf("c%d", i), map[string]any{"records": 500})
			if err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
			mu.Lock()
			defer mu.Unlock()
			hit = max(hit, n)
		})
	}
	healthy.Wait()
	if err := <-poison; err == nil {
		t.Fatal("the poisonous connection finished")
	}
	if hit > 2 {
		t.Fatalf("a healthy connection was hit by %d restarts", hit)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.processes["endless.endless.poison"]; !ok {
		t.Fatalf("it got no process of its own: %v", r.statuses)
	} else if p.Connection != "poison" {
		t.Fatalf("process %+v", p)
	}
}

func TestMisbehaviourIsAnErrorOfThatCall(t *testing.T) {
	for fault, want := range map[string]host.Code{"nonsense": host.CodeInternal, "panic": host.CodeInternal} {
		t.Run(fault, func(t *testing.T) {
			r := setup(t, plugin.Options{})
			c := open(t, r, request("a", map[string]any{"fault": fault}))
			var n int
			err := c.Read(t.Context(), items, count(&n))
			if host.CodeOf(err) != want {
				t.Fatalf("got %v (%s)", err, host.CodeOf(err))
			}
			if _, err := c.Check(t.Context()); err != nil {
				t.Fatalf("the process is of no use after it: %v", err)
			}
		})
	}
	for _, fault := range []string{"flood", "noise"} {
		t.Run(fault, func(t *testing.T) {
			r := setup(t, plugin.Options{})
			c := open(t, r, request("a", map[string]any{"fault": fault}))
			var n int
			if err := c.Read(t.Context(), items, count(&n)); err != nil || n != 1000 {
				t.Fatalf("%d records, %v", n, err)
			}
		})
	}
	t.Run("hang", func(t *testing.T) {
		r := setup(t, plugin.Options{})
		c := open(t, r, request("a", map[string]any{"fault": "hang"}))
		ctx, cancel := context.WithCancel(t.Context())
		err := c.Read(ctx, items, func(p host.Page) error {
			if string(p.Checkpoint) == "500" {
				cancel()
			}
			return nil
		})
		if host.CodeOf(err) != host.CodeCanceled {
			t.Fatalf("got %v", err)
		}
	})
}

func TestMemoryOverTheLimitEndsTheProcess(t *testing.T) {
	r := setup(t, plugin.Options{Memory: 100 << 20})
	c := open(t, r, request("a", map[string]any{"fault": "memory"}))
	var n int
	err := c.Read(t.Context(), items, count(&n))
	if host.CodeOf(err) != host.CodeOutOfMemory || !strings.Contains(err.Error(), "100 MiB") {
		t.Fatalf("got %v (%s)", err, host.CodeOf(err))
	}
}

func TestWrongProgramsAreRefusedWithWhatToDo(t *testing.T) {
	write := func(t *testing.T, text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "dinrail-plugin-x")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		options func(t *testing.T) plugin.Options
		want    string
	}{
		"missing":        {func(t *testing.T) plugin.Options { return plugin.Options{Source: "nowhere"} }, "there is no file"},
		"not executable": {func(t *testing.T) plugin.Options { return plugin.Options{Source: write(t, "x", 0o600)} }, "chmod"},
		"checksum":       {func(*testing.T) plugin.Options { return plugin.Options{SHA256: strings.Repeat("0", 64)} }, "allows only"},
		"no plugin": {func(t *testing.T) plugin.Options {
			return plugin.Options{Source: write(t, "#!/bin/sh\necho hello\n", 0o700)}
		}, "is no connector"},
		"no program": {func(t *testing.T) plugin.Options { return plugin.Options{Source: write(t, "\x00\x01", 0o700)} }, "could not be started"},
	} {
		t.Run(name, func(t *testing.T) {
			r := setup(t, c.options(t))
			_, err := r.Open(t.Context(), request("a", nil))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want words with %q", err, c.want)
			}
		})
	}
}

func TestRightChecksumIsAccepted(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(dir, "dinrail-plugin-endless"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	r := setup(t, plugin.Options{SHA256: hex.EncodeToString(sum[:])})
	open(t, r, request("a", nil))
}

func TestConnectorSeesOnlyTheAllowedEnvironment(t *testing.T) {
	t.Setenv("DINRAIL_SECRET_OF_HOST", "do not show")
	t.Setenv("ALLOWED_ONE", "yes")
	r := setup(t, plugin.Options{Env: []string{"ALLOWED_ONE"}})
	open(t, r, request("a", nil))
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", r.pid("endless.endless")))
	if err != nil {
		t.Fatal(err)
	}
	for v := range strings.SplitSeq(string(env), "\x00") {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case name == "", name == "PATH", name == "HOME", name == "TMPDIR", name == "TZ", name == "ALLOWED_ONE",
			strings.HasPrefix(name, "PLUGIN_"), name == "DINRAIL_PLUGIN":
		default:
			t.Errorf("it sees %s", name)
		}
	}
	if !strings.Contains(string(env), "ALLOWED_ONE=yes") {
		t.Error("it does not see ALLOWED_ONE")
	}
}

func TestDescribeTellsSystemsAndLeavesNothingRunning(t *testing.T) {
	r := setup(t, plugin.Options{})
	d, err := r.Describe(t.Context(), "endless")
	if err != nil || len(d.Systems) != 2 || d.Systems[0].Name != "endless" || len(d.Systems[0].Auth) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	if len(r.processes) != 0 {
		t.Fatalf("processes %v", r.processes)
	}
}

// What a connector said of itself is kept over restarts, as long as it is the
// same program and may be run.
func TestDescriptionsAreKeptOverRestarts(t *testing.T) {
	plugins, run := t.TempDir(), t.TempDir()
	program := filepath.Join(plugins, "dinrail-plugin-endless")
	install := func() {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, "dinrail-plugin-endless"))
		if err == nil {
			err = os.WriteFile(program+".new", b, 0o755)
		}
		if err == nil {
			err = os.Rename(program+".new", program)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install()
	// describe says whether a process was started for it.
	describe := func(o plugin.Options) (plugin.Description, bool, error) {
		t.Helper()
		var log bytes.Buffer
		h, err := plugin.New(plugin.Params{
			Dir: plugins, RunDir: run, Log: hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Debug}),
			Connectors: map[host.ConnectorName]plugin.Options{"endless": o},
		})
		if err == nil {
			err = h.Start(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := h.Describe(t.Context(), "endless")
		h.Stop()
		return d, strings.Contains(log.String(), "plugin address"), err
	}
	first, started, err := describe(plugin.Options{})
	if err != nil || !started || len(first.Systems) != 2 {
		t.Fatalf("%+v, %t, %v", first, started, err)
	}
	again, started, err := describe(plugin.Options{})
	if err != nil || started || fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", first) {
		t.Errorf("the second host started it: %t; %+v, %v", started, again, err)
	}
	if _, _, err := describe(plugin.Options{SHA256: strings.Repeat("0", 64)}); host.CodeOf(err) != host.CodeInvalid {
		t.Errorf("a program that is not allowed any more: %v", err)
	}
	install()
	if _, started, err := describe(plugin.Options{}); err != nil || !started {
		t.Errorf("another file of the same name was not asked: %t, %v", started, err)
	}
	if err := os.WriteFile(filepath.Join(run, "described.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, started, err := describe(plugin.Options{}); err != nil || !started {
		t.Errorf("with a damaged file: %t, %v", started, err)
	}
}

// hostToKill is a host in a process of its own, with two connectors running.
func hostToKill() {
	h, err := plugin.New(plugin.Params{
		Dir: os.Getenv("DINRAIL_TEST_DIR"), RunDir: os.Getenv("DINRAIL_TEST_HOST"), Log: hclog.NewNullLogger(),
		Report: func(p host.Process) {
			if p.PID > 0 {
				fmt.Println(p.PID)
			}
		},
	})
	if err == nil {
		err = h.Start(context.Background())
	}
	for _, system := range []host.SystemName{"endless", "endless-other"} {
		if err == nil {
			req := request("a", nil)
			req.System = system
			_, err = h.Open(context.Background(), req)
		}
	}
	fmt.Println("ready", err)
	select {}
}

func TestKilledHostLeavesNoPluginBehind(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DINRAIL_TEST_HOST="+t.TempDir(), "DINRAIL_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for {
		var line string
		if _, err := fmt.Fscan(out, &line); err != nil {
			t.Fatal(err)
		}
		if line == "ready" {
			break
		}
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(line)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 2 {
		t.Fatalf("processes %v", pids)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d outlived its host", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// alive says whether a process runs; a dead one that nobody has reaped does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return after == "" || after[0] != 'Z'
}
