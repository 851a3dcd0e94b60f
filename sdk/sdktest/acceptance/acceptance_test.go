package acceptance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/sdk/sdktest"
	"github.com/dinrail/dinrail/sdk/sdktest/acceptance"
)

// dir holds the connectors' programs.
var dir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "connectors"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"broken", "raw", "endless"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "github.com/dinrail/dinrail/host/e2e/plugins/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("build %s: %v\n%s", name, err, out))
		}
	}
	return m.Run()
}

func options(binary string) sdktest.Options {
	return sdktest.Options{Binary: filepath.Join(dir, binary), Credentials: map[string]string{"token": "right"}}
}

func TestConnectorsThatBreakNothingPass(t *testing.T) {
	t.Run("broken", func(t *testing.T) { sdktest.Run(t, options("broken")) })
	t.Run("endless", func(t *testing.T) {
		o := options("endless")
		o.System, o.Entities = "endless", []string{"items"}
		o.Credentials = map[string]string{"username": "u", "password": "p"}
		sdktest.Run(t, o)
	})
}

// Each way to break a promise is caught by the check that is about it, in
// words.
func TestEachCheckCatchesAConnectorMadeToFailIt(t *testing.T) {
	faults := map[string]struct{ check, words string }{
		"broken-noise":      {"stdout", `printed "starting up"`},
		"broken-needy":      {"environment", "PATH is not set"},
		"broken-changing":   {"describe", "differs"},
		"broken-systemless": {"describe", "no system"},
		"broken-told":       {"describe", "default that everybody can read"},
		"broken-trusting":   {"login", "accepts a wrong login"},
		"broken-wordless":   {"login", "auth_required"},
		"broken-leaky":      {"handles", "broke another"},
		"broken-deadly":     {"unknown", "there"},
		"raw-anonymous":     {"read", "no id"},
		"broken-array":      {"read", "not a JSON object"},
		"broken-forgetful":  {"resume", "all 50 records again"},
		"broken-lossy":      {"resume", `"10" is left out`},
		"broken-volatile":   {"kill", "left out"},
		"raw-greedy":        {"read", "not acknowledged"},
		"raw-endless":       {"read", "without saying that it was whole"},
		"raw-miscounted":    {"read", "counts 7 pages, but 6 came"},
		"raw-crowded":       {"read", "1001 records"},
		"raw-heavy":         {"read", "goes on after"},
		"raw-shapeless":     {"read", "not a JSON object"},
		"raw-huge":          {"read", "told as a bad one"},
		"broken-stubborn":   {"refused", "goes on calling"},
		"broken-brittle":    {"verbs", "get"},
		"broken-obliging":   {"verbs", "get: it answers"},
		"broken-fragile":    {"checkpoint", "failure with words"},
		"broken-careless":   {"checkpoint", "as if it were"},
		"broken-flooding":   {"log", "no such flood"},
		"broken-telling":    {"log", `the secret "token"`},
		"nowhere":           {"handshake", "no such file"},
	}
	caught := map[string]bool{}
	for name, want := range faults {
		caught[want.check] = true
		t.Run(name, func(t *testing.T) {
			if kind, _, ok := strings.Cut(name, "-"); ok {
				if err := os.Symlink(filepath.Join(dir, kind), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = os.Remove(filepath.Join(dir, name)) })
			}
			err := check(t, want.check).Run(t.Context(), options(name))
			if err == nil || !strings.Contains(err.Error(), want.words) {
				t.Fatalf("got %v, want words with %q", err, want.words)
			}
		})
	}
	for _, c := range acceptance.Checks() {
		if !caught[c.Name] {
			t.Errorf("no connector is made to fail %s", c.Name)
		}
	}
}

func TestConnectorOfAnotherMakePassesTheReads(t *testing.T) {
	if err := check(t, "read").Run(t.Context(), options("raw")); err != nil {
		t.Error(err)
	}
}

// What survives in one process is not enough: only a new one tells.
func TestVolatileCheckpointsAreCaughtByTheKillAlone(t *testing.T) {
	name := "again-broken-volatile"
	if err := os.Symlink(filepath.Join(dir, "broken"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(filepath.Join(dir, name)) })
	for _, c := range acceptance.Checks() {
		if err := c.Run(t.Context(), options(name)); (err != nil) != (c.Name == "kill") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func check(t *testing.T, name string) acceptance.Check {
	t.Helper()
	all := acceptance.Checks()
	i := slices.IndexFunc(all, func(c acceptance.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no check %q", name)
	}
	return all[i]
}
