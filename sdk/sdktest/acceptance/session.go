package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// startTimeout bounds a start, as the host does.
const startTimeout = 20 * time.Second

// session is one process of the connector.
type session struct {
	connectorv1.ConnectorServiceClient
	options Options
	client  *plugin.Client
	cmd     *exec.Cmd
	log     *tail
}

// hostEnv is what a connector sees of its host's environment.
func hostEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// start starts the connector with the environment given and no other.
func start(o Options, env []string) (*session, error) {
	s := &session{options: o, log: &tail{}, cmd: exec.CommandContext(context.Background(), o.Binary)} // go-plugin ends it
	s.cmd.Env = append([]string{}, env...)
	s.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{wire.Protocol: {wire.PluginName: connectorClient{}}},
		Cmd:              s.cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     startTimeout,
		Logger:           hclog.NewNullLogger(),
		Stderr:           s.log,
		SyncStdout:       io.Discard,
		SyncStderr:       io.Discard,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage)),
		},
	})
	protocol, err := s.client.Client()
	if err != nil {
		s.end()
		return nil, fmt.Errorf("start the connector: %w%s", err, s.log)
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err == nil {
		err = protocol.Ping()
	}
	if err != nil {
		s.end()
		return nil, fmt.Errorf("speak to the connector: %w%s", err, s.log)
	}
	s.ConnectorServiceClient = raw.(connectorv1.ConnectorServiceClient)
	return s, nil
}

// end ends the process, kindly first.
func (s *session) end() { s.client.Kill() }

// kill ends the process as a crash would, and releases what belongs to it.
func (s *session) kill() error {
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the connector: %w", err)
	}
	s.client.Kill()
	return nil
}

// system returns the description of the system under test.
func (s *session) system(ctx context.Context) (*connectorv1.System, error) {
	definition, err := s.options.definition()
	if err != nil {
		return nil, err
	}
	d, err := s.Describe(ctx, &connectorv1.DescribeRequest{Definition: definition})
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	for _, sys := range d.GetSystems() {
		if s.options.System == "" || sys.GetName() == s.options.System {
			return sys, nil
		}
	}
	return nil, fmt.Errorf("it describes no system %q", s.options.System)
}

// openWith opens a connection with the credentials given.
func (s *session) openWith(ctx context.Context, credentials map[string]string) (string, error) {
	sys, err := s.system(ctx)
	if err != nil {
		return "", err
	}
	settings := []byte("{}")
	if s.options.Settings != nil {
		if settings, err = json.Marshal(s.options.Settings); err != nil {
			return "", fmt.Errorf("encode Options.Settings: %w", err)
		}
	}
	definition, err := s.options.definition()
	if err != nil {
		return "", err
	}
	auth := s.options.Auth
	if auth == "" && len(sys.GetAuth()) > 0 {
		auth = sys.GetAuth()[0].GetName()
	}
	res, err := s.Open(ctx, &connectorv1.OpenRequest{
		Connection: "acceptance", System: sys.GetName(), Settings: settings, Auth: auth, Credentials: credentials, Definition: definition,
	})
	if err != nil {
		return "", fmt.Errorf("open: %w", err)
	}
	for _, d := range res.GetDiagnostics() {
		if d.GetSeverity() == connectorv1.Severity_SEVERITY_ERROR {
			return "", fmt.Errorf("open: %s %s", d.GetSummary(), d.GetDetail())
		}
	}
	if res.GetHandle() == "" {
		return "", errors.New("open answered without a handle")
	}
	return res.GetHandle(), nil
}

func (s *session) open(ctx context.Context) (string, error) {
	return s.openWith(ctx, s.options.Credentials)
}

// entities returns what is to be read.
func (s *session) entities(ctx context.Context, handle string) ([]*connectorv1.Entity, error) {
	res, err := s.Entities(ctx, &connectorv1.EntitiesRequest{Handle: handle})
	if err != nil {
		return nil, fmt.Errorf("entities: %w", err)
	}
	wanted := map[string]bool{}
	for _, name := range s.options.Entities {
		wanted[name] = true
	}
	var out []*connectorv1.Entity
	for _, e := range res.GetEntities() {
		if wanted[e.GetName()] || len(s.options.Entities) == 0 && e.GetDenied() == "" {
			out = append(out, e)
			delete(wanted, e.GetName())
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("entities: there is no %q", name)
	}
	if len(out) == 0 {
		return nil, errors.New("entities: the login may read nothing")
	}
	return out, nil
}

// with runs f in a process with one open connection.
func with(ctx context.Context, o Options, f func(s *session, handle string) error) error {
	s, err := start(o, hostEnv())
	if err != nil {
		return err
	}
	defer s.end()
	handle, err := s.open(ctx)
	if err == nil {
		err = f(s, handle)
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, s.log)
	}
	return nil
}

// connectorClient hands out the client of a connector.
type connectorClient struct {
	plugin.NetRPCUnsupportedPlugin
}

// GRPCServer implements plugin.GRPCPlugin; the suite serves none.
func (connectorClient) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the suite serves no connector")
}

// GRPCClient implements plugin.GRPCPlugin.
func (connectorClient) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return connectorv1.NewConnectorServiceClient(c), nil
}

// tail keeps the end of a connector's log, for its author.
type tail struct {
	mu   sync.Mutex
	text []byte
	keep int // bytes; 0: tailBytes
}

const (
	tailBytes = 4 << 10
	allBytes  = 16 << 20
)

// keepAll keeps what comes from now on, within reason.
func (l *tail) keepAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep = allBytes
}

// all returns what is kept.
func (l *tail) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := max(l.keep, tailBytes)
	l.text = append(l.text, b...)
	if len(l.text) > 2*keep {
		l.text = append([]byte(nil), l.text[len(l.text)-keep:]...)
	}
	return len(b), nil
}

// String returns the log to stand behind an error.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := strings.TrimSpace(string(bytes.ToValidUTF8(l.text[max(0, len(l.text)-2*tailBytes):], nil)))
	if text == "" {
		return ""
	}
	return "\nits log:\n" + text
}
