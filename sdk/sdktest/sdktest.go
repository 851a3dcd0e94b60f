// Package sdktest is the acceptance suite of connectors as tests of theirs:
//
//	func TestAcceptance(t *testing.T) {
//		sdktest.Run(t, sdktest.Options{Binary: sdktest.Build(t, "."), Settings: ..., Credentials: ...})
//	}
//
// What it promises, and what it refuses to judge, is told by package
// acceptance, which holds the checks. Without tests, dinrail plugin check runs
// the same.
package sdktest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dinrail/dinrail/sdk/sdktest/acceptance"
)

// Options name the connector, and a system that it can reach.
type Options = acceptance.Options

// Run runs every check as a test of its own.
func Run(t *testing.T, o Options) {
	t.Helper()
	for _, c := range acceptance.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Run(t.Context(), o); err != nil {
				t.Errorf("%s: %v", c.Promise, err)
			}
		})
	}
}

// Build builds the connector whose main package stands in the folder ("." in
// its own tests), and returns the program's path. It ends the test where it
// does not build.
func Build(t *testing.T, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "connector")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the connector in %s: %v\n%s", folder, err, out)
	}
	return program
}
