// Package sdktest is the acceptance suite of connectors: it drives a binary as
// the host does, and says which of the host's expectations it does not meet.
//
//	func TestAcceptance(t *testing.T) {
//		sdktest.Run(t, sdktest.Options{Binary: "./dinrail-plugin-stock", Settings: ..., Credentials: ...})
//	}
//
// It promises that each check catches a connector made to fail it, that a
// connector which passes can be killed at any moment without a record lost, and
// that it does not matter which language the connector is written in.
//
// It refuses to judge what the records mean: that needs the system beside it.
// It reads only, and tries two wrong logins.
package sdktest

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// checkTimeout bounds one check: a connector that hangs must not hang its
// author's tests.
const checkTimeout = 2 * time.Minute

// Options name the connector, and a system that it can reach.
type Options struct {
	Binary      string            // path of the connector's program
	System      string            // empty: the first that it describes
	Settings    map[string]any    // of the connection
	Auth        string            // empty: the system's first method
	Credentials map[string]string // that the system accepts
	Entities    []string          // to read; empty: all that the login may read
}

// Check is one expectation of the host.
type Check struct {
	Name    string
	Promise string // what holds of a connector that passes
	run     func(ctx context.Context, o Options) error
}

// Run returns what the connector does not meet; nil if it passes.
func (c Check) Run(ctx context.Context, o Options) error {
	if o.Binary == "" {
		return errors.New("run a check: Options.Binary is required")
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return c.run(ctx, o)
}

// Checks returns all checks, in the order in which a connector comes to them.
func Checks() []Check {
	return []Check{
		{"stdout", "nothing stands on standard output before the handshake", checkStdout},
		{"handshake", "it answers a host over a mutually authenticated connection, and ends when it is told to", checkHandshake},
		{"environment", "it starts without any of its host's environment", checkEnvironment},
		{"describe", "it tells its systems, each time alike, before anybody has logged in", checkDescribe},
		{"login", "it tells a good login from a bad one", checkLogin},
		{"refused", "a login that the system refuses is not tried again by itself", checkRefused},
		{"handles", "each open connection stands for itself", checkHandles},
		{"unknown", "what it does not know is a failure of that call, not the end of the process", checkUnknown},
		{"verbs", "what it cannot do it says, in words", checkVerbs},
		{"read", "reads come whole, in well-formed pages, no faster than they are acknowledged", checkRead},
		{"resume", "a read goes on from each of its checkpoints, with nothing left out and not from nothing", checkResume},
		{"checkpoint", "a checkpoint that is not its own is refused, or read from nothing", checkCheckpoint},
		{"log", "its log is no flood and holds no secret", checkLog},
		{"kill", "killed in the middle of a read, it goes on in a new process with nothing left out", checkKill},
	}
}

// Run runs every check as a test of its own.
func Run(t *testing.T, o Options) {
	t.Helper()
	for _, c := range Checks() {
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
