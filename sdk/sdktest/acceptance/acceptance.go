// Package acceptance drives a connector's program as the host does, and says
// which of the host's expectations it does not meet. Package sdktest makes tests
// of it, and dinrail plugin check words on a terminal.
//
// It promises that each check catches a connector made to fail it, that a
// connector which passes can be killed at any moment without a record lost, and
// that it does not matter which language the connector is written in.
//
// It refuses to judge what the records mean: that needs the system beside it.
// It reads only, and tries two wrong logins.
package acceptance

import (
	"context"
	"errors"
	"time"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
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
	Definition  string            // path of the system's file, for a connector that runs such files; what stands beside it is sent with it
}

// Check is one expectation of the host.
type Check struct {
	Name    string
	Promise string // what holds of a connector that passes
	Login   bool   // it needs a system that can be reached, and a login
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
		{"stdout", "nothing stands on standard output before the handshake", false, checkStdout},
		{"handshake", "it answers a host over a mutually authenticated connection, and ends when it is told to", false, checkHandshake},
		{"environment", "it starts without any of its host's environment", false, checkEnvironment},
		{"describe", "it tells its systems, each time alike, before anybody has logged in", false, checkDescribe},
		{"login", "it tells a good login from a bad one", true, checkLogin},
		{"refused", "a login that the system refuses is not tried again by itself", true, checkRefused},
		{"handles", "each open connection stands for itself", true, checkHandles},
		{"unknown", "what it does not know is a failure of that call, not the end of the process", true, checkUnknown},
		{"verbs", "what it cannot do it says, in words", true, checkVerbs},
		{"read", "reads come whole, in well-formed pages, no faster than they are acknowledged", true, checkRead},
		{"resume", "a read goes on from each of its checkpoints, with nothing left out and not from nothing", true, checkResume},
		{"checkpoint", "a checkpoint that is not its own is refused, or read from nothing", true, checkCheckpoint},
		{"log", "its log is no flood and holds no secret", true, checkLog},
		{"kill", "killed in the middle of a read, it goes on in a new process with nothing left out", true, checkKill},
	}
}

// System returns how the connector describes the system of the options.
func System(ctx context.Context, o Options) (*connectorv1.System, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s, err := start(o, hostEnv())
	if err != nil {
		return nil, err
	}
	defer s.end()
	return s.system(ctx)
}
