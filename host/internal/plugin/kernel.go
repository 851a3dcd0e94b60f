package plugin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

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
