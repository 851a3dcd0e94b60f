package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// called runs the program and returns its exit code and what it wrote.
func called(in string, args ...string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	code = run(args, terminal{in: strings.NewReader(in), out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

// A connector is held against the host's expectations without a host; one that
// fails any of them ends the command with 1.
func TestPluginCheckTellsWhatAConnectorDoesNotMeet(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	build := exec.Command("go", "build", "-o", good, "github.com/dinrail/dinrail/host/e2e/plugins/broken")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"broken-noise", "broken-deadly"} {
		if err := os.Symlink(good, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	plain := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const right, wrong = `{"token":"right"}`, `{"token":"left"}`
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
		words    string
	}{
		{"whole", right, []string{good, "--credentials-file", "-"}, 0, "14 passed, 0 failed\n"},
		{"without a login", "", []string{good}, 0, "4 passed, 0 failed, 10 left out"},
		{"wrong login", wrong, []string{good, "--credentials-file", "-"}, 1, "the token is wrong"},
		{"fault before the handshake", "", []string{filepath.Join(dir, "broken-noise")}, 1, `it printed "starting up"`},
		{"fault in a call", right, []string{filepath.Join(dir, "broken-deadly"), "--credentials-file", "-"}, 1, "FAILED  unknown"},
		{"one entity", right, []string{good, "--credentials-file", "-", "--entity", "things"}, 1, `there is no "things"`},
		{"no such system", right, []string{good, "--credentials-file", "-", "--system", "other"}, 1, `no system "other"`},
		{"no such setting", right, []string{good, "--credentials-file", "-", "--set", "url=x"}, 2, `no setting "url"`},
		{"no program", "", []string{plain}, 1, "no program that can be run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, err := called(c.in, append([]string{"plugin", "check"}, c.args...)...)
			if code != c.code || !strings.Contains(out+err, c.words) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, c.code, c.words, out, err)
			}
		})
	}
}
