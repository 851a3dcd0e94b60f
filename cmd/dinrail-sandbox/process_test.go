package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asProgram makes the test's own binary be the program.
const asProgram = "SANDBOX_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// start runs the program, and waits until it listens.
func start(t *testing.T, args ...string) (*caller, *exec.Cmd) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"--listen", "127.0.0.1:0", "--orders", "20"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "sandbox listening on ")
	if err != nil || !ok {
		t.Fatalf("the first line is %q: %v", line, err)
	}
	c := &caller{t: t, url: url}
	c.logIn("plant-7")
	return c, cmd
}

// Ensure what was answered is still there after kill -9, in the middle of life.
func TestKeptOverKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var last string
	for round := range 3 {
		c, cmd := start(t, "--data", dir, "--speed", "500")
		if last != "" {
			if l := c.list("/api/workOrders?pageSize=500"); !contains(l.Items, last) {
				t.Fatalf("round %d: %q is gone", round, last)
			}
		}
		for i := range 20 {
			last = fmt.Sprintf("Round %d, order %d", round, i)
			if status := c.call("POST", "/api/workOrders", fields{"title": last}, nil); status != http.StatusCreated {
				t.Fatalf("POST: %d", status)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
}

func contains(items []fields, title string) bool {
	for _, item := range items {
		if str(item, "title") == title {
			return true
		}
	}
	return false
}

// Ensure the program ends at once and in good order when it is told to, keeps a
// changed password, and goes on with the ids where it was.
func TestStopAndGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, cmd := start(t, "--data", dir, "--speed", "0")
	c.control("", fields{"password": "changed"})
	c.control("/delete", fields{"collection": "workOrders", "id": 10020})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	c, _ = start(t, "--data", dir, "--speed", "0")
	if status := c.logIn("changed"); status != http.StatusOK {
		t.Errorf("the changed password: %d", status)
	}
	var made fields
	if c.call("POST", "/api/workOrders", fields{"title": "Next"}, &made); wholeOf(made["id"]) != 10021 {
		t.Errorf("the next id is %v", made["id"])
	}
}

// Ensure a step that was cut off in the file is dropped, and only that one; what
// cannot be read otherwise is told, not overwritten.
func TestCutOffFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "plant.jsonl")
	c := setup(t, func(o *options) { o.data, o.orders = dir, 5 })
	before := c.plant.counts()
	if err := c.plant.close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"put":[{"c":"workOrders","r":{"id":10006,"ti`); err != nil {
		t.Fatal(err)
	}
	file.Close()
	again := setup(t, func(o *options) { o.data = dir })
	if after := again.plant.counts(); after["workOrders"] != before["workOrders"] || after["batches"] != before["batches"] {
		t.Errorf("before %v, after %v", before, after)
	}
	if err := again.plant.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("something else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := furnish(newPlant(again.clock.Now), &options{data: dir, scale: 1}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a foreign file: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "something else\n" {
		t.Errorf("the foreign file is now %q: %v", content, err)
	}
}

// Ensure wrong flags and a taken port end the program with words that help.
func TestWrongStart(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--scale", "0"}, {"--speed", "-1"}, {"--session", "0s"}, {"--user", ""}, {"extra"}, {"--nope"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	c, _ := start(t, "--speed", "0")
	err := run(context.Background(), options{listen: strings.TrimPrefix(c.url, "http://")}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "listen") {
		t.Errorf("a taken port: %v", err)
	}
}
