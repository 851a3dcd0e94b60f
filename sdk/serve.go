package sdk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// Serve runs the connector until its host ends it. It is all that main does:
// from here on what is printed to standard output is kept off the protocol's
// channel. Started by hand, the program says what it is and ends.
func Serve(c Connector) {
	s := newServer(c, os.Stderr)
	watchParent()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{wire.Protocol: {wire.PluginName: served{server: s}}},
		Logger:           s.log,
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, s.options()...)...)
		},
	})
}

// newServer returns a server that logs to out.
func newServer(c Connector, out io.Writer) *server {
	secrets := &redactor{}
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: &redacting{out, secrets}, JSONFormat: true})
	return &server{connector: c, log: log, secrets: secrets, open: map[string]*opened{}, budgets: budgets{all: map[[sha256.Size]byte]*budget{}}, reports: newReports()}
}

func (s *server) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage),
		grpc.ChainUnaryInterceptor(s.unary), grpc.ChainStreamInterceptor(s.stream),
	}
}

// served is the connector as go-plugin sees it.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

// GRPCServer implements plugin.GRPCPlugin.
func (p served) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	connectorv1.RegisterConnectorServiceServer(s, p.server)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin; a connector is nobody's client.
func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a connector is nobody's client")
}

// unary turns panics and plain errors of a call into failures.
func (s *server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (res any, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, s.panicked(info.FullMethod, p)
		}
		err = s.failure(info.FullMethod, err)
	}()
	s.guard.Do(s.guardOutput)
	return next(ctx, req)
}

// stream does the same for streams.
func (s *server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(info.FullMethod, p)
		}
		err = s.failure(info.FullMethod, err)
	}()
	s.guard.Do(s.guardOutput)
	return next(srv, ss)
}

func (s *server) panicked(method string, p any) error {
	s.log.Error("panic", "verb", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return Failf(CodeInternal, "the connector made a mistake of its own (a panic); its log tells where")
}

// failure turns an error into one that travels. Health checks and what is not
// the connector's are left alone.
func (s *server) failure(method string, err error) error {
	if err == nil || !strings.Contains(method, "dinrail.connector") {
		return err
	}
	var f *Failure
	if errors.As(err, &f) {
		if f.Err != nil {
			s.log.Debug("failure", "verb", method, "code", string(f.Code), "cause", f.Err.Error())
		}
		return wire.Failure{Code: string(f.Code), Message: s.secrets.hide(f.Message), Path: f.Path, RetryAt: f.RetryAt}.Status()
	}
	if _, ok := wire.FailureOf(err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return wire.Failure{Code: wire.Unavailable, Message: "the system did not answer in time"}.Status()
	}
	s.log.Error("internal error", "verb", method, "error", err)
	return wire.Failure{Code: wire.Internal, Message: s.secrets.hide(err.Error())}.Status()
}

// watchParent ends the program when its host is gone, should the kernel's
// death signal not have been set.
func watchParent() {
	parent := os.Getppid()
	go func() {
		for range time.Tick(time.Second) {
			if os.Getppid() != parent {
				os.Exit(3)
			}
		}
	}()
}
