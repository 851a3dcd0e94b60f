package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// Rules of supervision.
const (
	startTimeout   = 20 * time.Second
	lastLinesWait  = time.Second // for the log of a process that has ended
	pingEvery      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	idleStop       = 5 * time.Minute // a process with no open connection is stopped after
	firstBackoff   = time.Second     // the first restart is at once
	longestBackoff = 5 * time.Minute
	crashWindow    = 10 * time.Minute // so many crashes within it make the process crashed
	crashLimit     = 5
)

// slot is the place of one process: it outlives the process, and remembers how
// those before it ended.
type slot struct {
	host *Host
	key  slotKey
	log  hclog.Logger
	ring *logRing
	// silent slots are not reported: a process that is only asked what it is.
	silent bool

	starting sync.Mutex // one start at a time; taken before mu
	retired  bool       // guarded by starting: nothing starts here any more

	mu       sync.Mutex
	live     *live // nil: none runs
	crashes  []time.Time
	streak   int       // crashes in a row without progress between them
	notUntil time.Time // no start before
	state    host.Process
	lastIdle time.Time

	toldMemory int64 // the last that was reported by itself
}

// live is one running process.
type live struct {
	process  *process
	client   *goplugin.Client
	rpc      connectorv1.ConnectorServiceClient
	health   func(context.Context) error
	open     map[host.ConnectionID]int
	handles  map[string]Reporter // of open connections and those closed last
	late     []string            // handles of those closed last, oldest first
	inFlight map[host.ConnectionID]int
	progress bool   // it brought a read further: one that crashes now does not crash for nothing
	reason   string // why it was killed, where we did it
	code     host.Code
	pinged   time.Time
	file     string
}

func newSlot(h *Host, key slotKey, quarantined bool) *slot {
	log := h.log.Named(key.String())
	s := &slot{host: h, key: key, log: log, ring: &logRing{log: log}}
	s.state = host.Process{ID: key.String(), Connector: key.connector, System: key.system, Connection: key.connection, Status: host.ProcessStopped, Since: h.clock()}
	if quarantined {
		s.state.Status = host.ProcessQuarantined
	}
	return s
}

// errRetired is returned for a slot that is no longer the one to use.
var errRetired = host.Errorf(host.CodeCanceled, "the connector's process was stopped on purpose")

// ensure returns the running process, starting one where there is none.
func (s *slot) ensure(ctx context.Context) (*live, error) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.retired {
		return nil, errRetired
	}
	s.mu.Lock()
	l, wait, crashes, reason := s.live, s.notUntil.Sub(s.host.clock()), s.streak, s.state.Reason
	s.mu.Unlock()
	if l != nil && !l.process.ended() {
		return l, nil
	}
	if l != nil {
		s.ended(l) // the goroutine that waits for it may not have come to it yet
		s.mu.Lock()
		wait, crashes, reason = s.notUntil.Sub(s.host.clock()), s.streak, s.state.Reason
		s.mu.Unlock()
	}
	if wait > 0 {
		err := host.Errorf(host.CodePluginCrashed, "the connector %q ended %d times in a row and is started again in %s; the last time: %s; its last log lines tell more", s.key.connector, crashes, wait.Round(time.Second), reason)
		err.RetryAt = s.host.clock().Add(wait)
		return nil, err
	}
	select {
	case s.host.starts <- struct{}{}:
		defer func() { <-s.host.starts }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.start()
}

// start starts a process. A new go-plugin client is made for each attempt.
func (s *slot) start() (*live, error) {
	s.setStatus(host.ProcessStarting, "")
	options := s.host.optionsOf(s.key.connector)
	file, err := s.host.open(s.key.connector)
	if err != nil {
		s.setStatus(host.ProcessStopped, host.MessageOf(err))
		return nil, err
	}
	defer file.Close() // the child has its own descriptor by then
	var proc *process
	socketDir, err := s.host.socketDir()
	if err != nil {
		return nil, err
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Protocol: {wire.PluginName: grpcPlugin{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     startTimeout,
		Logger:           hclog.NewNullLogger(),
		Stderr:           s.ring,
		SyncStdout:       io.Discard,
		SyncStderr:       io.Discard,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: socketDir},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage)),
			// Pages come as fast as they are committed; small windows would stall them.
			grpc.WithInitialWindowSize(8 << 20), grpc.WithInitialConnWindowSize(16 << 20),
		},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			var err error
			proc, err = newProcess(file, binaryPrefix+string(s.key.connector), append(cmd.Env, allowedEnv(options.Env)...))
			return proc, err
		},
	})
	l, err := s.connect(client)
	if err != nil {
		client.Kill()
		return nil, s.startFailed(err, proc)
	}
	l.process = proc
	l.file = s.host.remember(proc)
	s.mu.Lock()
	s.live, s.lastIdle = l, s.host.clock()
	s.state.PID = proc.pid()
	s.mu.Unlock()
	s.setStatus(s.runningStatus(), "")
	s.host.tasks.Go(func() {
		<-proc.exited
		s.ended(l)
	})
	s.host.tasks.Go(func() { s.follow(l) })
	return l, nil
}

func (s *slot) connect(client *goplugin.Client) (*live, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return nil, err
	}
	rpc, ok := raw.(connectorv1.ConnectorServiceClient)
	if !ok {
		return nil, errors.New("it serves no connector")
	}
	ping := func(ctx context.Context) error {
		done := make(chan error, 1)
		go func() { done <- protocol.Ping() }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return &live{client: client, rpc: rpc, health: ping, open: map[host.ConnectionID]int{}, handles: map[string]Reporter{}, inFlight: map[host.ConnectionID]int{}, pinged: s.host.clock()}, nil
}

// startFailed says why a program did not become a connector.
func (s *slot) startFailed(err error, proc *process) error {
	s.mu.Lock()
	s.crash(s.host.clock(), false)
	s.mu.Unlock()
	words := err.Error()
	path := s.host.path(s.key.connector)
	var out *host.Error
	switch {
	case proc == nil || proc.pid() == 0:
		out = host.Errorf(host.CodeInvalid, "the program %s could not be started: %w; is it a program for this machine?", path, err)
	case strings.Contains(words, "Unrecognized remote plugin message"), strings.Contains(words, "handshake"):
		out = host.Errorf(host.CodeInvalid, "the program %s is no connector: it did not answer as one; put a dinrail plugin there", path)
	case strings.Contains(words, "timeout"):
		out = host.Errorf(host.CodePluginCrashed, "the connector %q did not answer within %s of its start", s.key.connector, startTimeout)
	default:
		out = host.Errorf(host.CodePluginCrashed, "the connector %q could not be started: %w", s.key.connector, err)
	}
	s.mu.Lock()
	s.change(host.ProcessRestarting, out.Message)
	s.state.ReasonCode = out.Code
	s.mu.Unlock()
	s.report()
	return out
}

// crash counts a crash and says when the next start may be: at once, or after a
// growing time where nothing got on between crashes. It is called with mu held.
func (s *slot) crash(now time.Time, progress bool) {
	recent := s.crashes[:0]
	for _, t := range s.crashes {
		if now.Sub(t) < crashWindow {
			recent = append(recent, t)
		}
	}
	if len(recent) == 0 {
		s.streak = 0 // good again after a quiet time
	}
	s.crashes = append(recent, now)
	if progress {
		s.streak = 0
	}
	if s.streak++; s.streak == 1 {
		s.notUntil = time.Time{} // at once
		return
	}
	s.notUntil = now.Add(min(firstBackoff<<min(s.streak-2, 9), longestBackoff))
}

// ended takes the end of a process. Whoever notices it first calls it, and when
// it returns the end has been taken, whoever that was.
func (s *slot) ended(l *live) {
	s.mu.Lock()
	if s.live != l {
		s.mu.Unlock()
		return
	}
	reason := l.reason
	status := host.ProcessStopped
	if l.code != host.CodeCanceled {
		if reason == "" {
			reason = l.process.how()
		}
		status = s.failed(l)
	}
	s.live = nil
	s.state.PID, s.state.Memory, s.state.Connections = 0, 0, 0
	s.change(status, reason)
	if status != host.ProcessStopped {
		s.state.ReasonCode = cmp.Or(l.code, host.CodePluginCrashed)
	}
	s.mu.Unlock()
	// Its last lines tell why it ended. A child of its own may hold the pipe open,
	// so they are not waited for without end.
	select {
	case <-l.process.stderr.done:
	case <-time.After(lastLinesWait):
	}
	l.client.Kill() // releases what go-plugin holds; the process has ended
	_ = os.Remove(l.file)
	if status != host.ProcessStopped {
		s.log.Error("the connector's process ended", "reason", reason)
	}
	s.report()
}

// failed counts the end of a process that nobody wanted, and returns the status
// that follows. It is called with mu held, before anybody can start another.
func (s *slot) failed(l *live) host.ProcessStatus {
	inFlight := make([]host.ConnectionID, 0, len(l.inFlight))
	for c := range l.inFlight {
		inFlight = append(inFlight, c)
	}
	s.host.crashed(s.key, inFlight)
	s.state.Restarts++
	// A process that many connections share counts towards crashed only while
	// it cannot tell whose fault it is: with nobody in flight.
	if s.key.connection != "" || len(inFlight) == 0 {
		s.crash(s.host.clock(), l.progress)
	}
	if len(s.crashes) >= crashLimit {
		return host.ProcessCrashed
	}
	return host.ProcessRestarting
}

// progressed notes that the process brought a read further.
func (s *slot) progressed(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.progress = true
}

// kill ends a process for a reason that its callers are told.
func (s *slot) kill(l *live, code host.Code, reason string) {
	s.mu.Lock()
	if l.reason == "" {
		l.reason, l.code = reason, code
	}
	s.mu.Unlock()
	if err := l.process.Kill(context.Background()); err != nil {
		s.log.Error("end the connector's process", "error", err)
	}
}

// stop ends the process, if any, on purpose, and waits for its end.
func (s *slot) stop(reason string) {
	s.mu.Lock()
	l := s.live
	s.mu.Unlock()
	if l == nil {
		return
	}
	s.kill(l, host.CodeCanceled, reason)
	<-l.process.exited
	s.ended(l)
}

// retire stops the process for good: nothing starts here any more. A start
// under way is waited for.
func (s *slot) retire(reason string) {
	s.starting.Lock()
	defer s.starting.Unlock()
	s.retired = true
	s.stop(reason)
}

// look checks memory and health, and stops an idle process.
func (s *slot) look(now time.Time) {
	s.mu.Lock()
	l := s.live
	if l == nil {
		s.mu.Unlock()
		return
	}
	idle := len(l.open) == 0 && len(l.inFlight) == 0
	if !idle {
		s.lastIdle = now
	}
	stopIdle := idle && now.Sub(s.lastIdle) >= idleStop
	ping := now.Sub(l.pinged) >= pingEvery
	if ping {
		l.pinged = now
	}
	quiet := len(s.crashes) > 0 && now.Sub(s.crashes[len(s.crashes)-1]) >= crashWindow
	if quiet {
		s.crashes, s.streak, s.notUntil = nil, 0, time.Time{}
	}
	s.mu.Unlock()
	if stopIdle {
		s.host.tasks.Go(func() { s.stopIdle(l) })
		return
	}
	memory := anonymous(l.process.pid())
	s.mu.Lock()
	told := s.state
	if s.live == l {
		s.state.Memory, s.state.Connections = memory, len(l.open)
	}
	// Told where it says something new; memory always moves a little.
	news := told.Connections != len(l.open) || memory > s.toldMemory/4*5 || memory < s.toldMemory/5*4
	if news {
		s.toldMemory = memory
	}
	s.mu.Unlock()
	if news {
		s.report()
	}
	limit := s.host.optionsOf(s.key.connector).Memory
	if limit == 0 {
		limit = DefaultMemory
	}
	if memory > limit {
		s.kill(l, host.CodeOutOfMemory, fmt.Sprintf("it used %d MiB of memory; at most %d MiB are allowed (connector block, memory)", memory>>20, limit>>20))
		return
	}
	if ping {
		s.host.tasks.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
			defer cancel()
			if err := l.health(ctx); err != nil && !l.process.ended() {
				s.kill(l, host.CodePluginCrashed, "it did not answer a ping within "+pingTimeout.String())
			}
		})
	}
}

// stopIdle stops a process unless somebody has come to it meanwhile.
func (s *slot) stopIdle(l *live) {
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	idle := s.live == l && len(l.open) == 0 && len(l.inFlight) == 0
	s.mu.Unlock()
	if idle {
		s.stop("nothing to do")
	}
}

func (s *slot) runningStatus() host.ProcessStatus {
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	if s.key.connection != "" && s.host.quarantined[s.key.connection] {
		return host.ProcessQuarantined
	}
	return host.ProcessRunning
}

func (s *slot) setStatus(status host.ProcessStatus, reason string) {
	s.mu.Lock()
	s.change(status, reason)
	s.mu.Unlock()
	s.report()
}

// change is called with mu held.
func (s *slot) change(status host.ProcessStatus, reason string) {
	s.state.Status, s.state.Reason, s.state.ReasonCode, s.state.Since = status, reason, "", s.host.clock()
}

// report tells how the process is now. What is told last is always the latest.
func (s *slot) report() {
	if s.silent {
		return
	}
	s.host.report(func() host.Process {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state.Log = s.ring.last()
		return s.state
	})
}
