package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

	mu       sync.Mutex
	live     *live // nil: none runs
	crashes  []time.Time
	streak   int       // crashes in a row without progress between them
	notUntil time.Time // no start before
	state    host.Process
	lastIdle time.Time
}

// live is one running process.
type live struct {
	process  *process
	client   *goplugin.Client
	rpc      connectorv1.ConnectorServiceClient
	health   func(context.Context) error
	open     map[host.ConnectionID]int
	inFlight map[host.ConnectionID]int
	progress bool   // something it sent was made durable
	reason   string // why it was killed, where we did it
	code     host.Code
	pinged   time.Time
	file     string
}

func newSlot(h *Host, key slotKey, quarantined bool) *slot {
	log := h.log.Named(key.String())
	s := &slot{host: h, key: key, log: log, ring: &logRing{log: log}}
	s.state = host.Process{ID: key.String(), Connector: key.connector, System: key.system, Connection: key.connection, Status: host.ProcessStopped, Since: time.Now()}
	if quarantined {
		s.state.Status = host.ProcessQuarantined
	}
	return s
}

// ensure returns the running process, starting one where there is none.
func (s *slot) ensure(ctx context.Context) (*live, error) {
	s.starting.Lock()
	defer s.starting.Unlock()
	s.mu.Lock()
	l, wait, crashes := s.live, time.Until(s.notUntil), s.streak
	s.mu.Unlock()
	if l != nil && !l.process.ended() {
		return l, nil
	}
	if l != nil {
		s.ended(l) // the goroutine that waits for it may not have come to it yet
		s.mu.Lock()
		wait, crashes = time.Until(s.notUntil), s.streak
		s.mu.Unlock()
	}
	if wait > 0 {
		err := host.Errorf(host.CodePluginCrashed, "the connector %q crashed %d times in a row and is started again in %s; its last log lines tell more", s.key.connector, crashes, wait.Round(time.Second))
		err.RetryAt = time.Now().Add(wait)
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
	s.live, s.lastIdle = l, time.Now()
	s.state.PID = proc.pid()
	s.mu.Unlock()
	s.setStatus(s.runningStatus(), "")
	go func() {
		<-proc.exited
		s.ended(l)
	}()
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
	return &live{client: client, rpc: rpc, health: ping, open: map[host.ConnectionID]int{}, inFlight: map[host.ConnectionID]int{}, pinged: time.Now()}, nil
}

// startFailed says why a program did not become a connector.
func (s *slot) startFailed(err error, proc *process) error {
	s.crash(time.Now(), false)
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
	s.setStatus(host.ProcessRestarting, out.Message)
	return out
}

// crash counts a crash and says when the next start may be: at once, or after a
// growing time where nothing got on between crashes.
func (s *slot) crash(now time.Time, progress bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := s.crashes[:0]
	for _, t := range s.crashes {
		if now.Sub(t) < crashWindow {
			recent = append(recent, t)
		}
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

// ended takes the end of a process. It may be called twice.
func (s *slot) ended(l *live) {
	s.mu.Lock()
	if s.live != l {
		s.mu.Unlock()
		return
	}
	s.live = nil
	s.state.PID, s.state.Memory, s.state.Connections = 0, 0, 0
	inFlight := make([]host.ConnectionID, 0, len(l.inFlight))
	for c := range l.inFlight {
		inFlight = append(inFlight, c)
	}
	reason, code, progress := l.reason, l.code, l.progress
	if code != host.CodeCanceled {
		// Before anybody can open a connection here again.
		s.host.crashed(s.key, inFlight)
	}
	s.mu.Unlock()
	l.client.Kill() // releases what go-plugin holds; the process has ended
	_ = os.Remove(l.file)
	if code == host.CodeCanceled {
		s.setStatus(host.ProcessStopped, reason)
		return
	}
	if reason == "" {
		reason = l.process.how()
	}
	// A process that many connections share counts towards crashed only while
	// it cannot tell whose fault it is: with nobody in flight.
	s.mu.Lock()
	s.state.Restarts++
	s.mu.Unlock()
	if s.key.connection != "" || len(inFlight) == 0 {
		s.crash(time.Now(), progress)
	}
	status := host.ProcessRestarting
	s.mu.Lock()
	if len(s.crashes) >= crashLimit {
		status = host.ProcessCrashed
	}
	s.mu.Unlock()
	s.log.Error("the connector's process ended", "reason", reason)
	s.setStatus(status, reason)
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
		go s.stop("nothing to do")
		return
	}
	memory := anonymous(l.process.pid())
	s.mu.Lock()
	s.state.Memory, s.state.Connections = memory, len(l.open)
	s.mu.Unlock()
	limit := s.host.optionsOf(s.key.connector).Memory
	if limit == 0 {
		limit = DefaultMemory
	}
	if memory > limit {
		s.kill(l, host.CodeOutOfMemory, fmt.Sprintf("it used %d MiB of memory; at most %d MiB are allowed (connector block, memory)", memory>>20, limit>>20))
		return
	}
	if ping {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
			defer cancel()
			if err := l.health(ctx); err != nil && !l.process.ended() {
				s.kill(l, host.CodePluginCrashed, "it did not answer a ping within "+pingTimeout.String())
			}
		}()
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
	s.state.Status, s.state.Reason, s.state.Since = status, reason, time.Now()
	s.state.Log = s.ring.last()
	report := s.state
	s.mu.Unlock()
	if !s.silent {
		s.host.report(report)
	}
}

// allowedEnv returns what a connector sees of the host's environment.
func allowedEnv(more []string) []string {
	var env []string
	for _, name := range append([]string{"PATH", "HOME", "TMPDIR", "TZ"}, more...) {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// anonymous returns the anonymous resident memory of a process in bytes; 0
// where it cannot be read.
func anonymous(pid int) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// grpcPlugin hands out the client of a connector.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

// GRPCServer implements goplugin.GRPCPlugin; the host serves none.
func (grpcPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host serves no connector")
}

// GRPCClient implements goplugin.GRPCPlugin.
func (grpcPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return connectorv1.NewConnectorServiceClient(c), nil
}
