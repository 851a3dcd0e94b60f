// Command raw is a connector for tests that is made without the SDK, so that it
// can break what the SDK would keep: the rules of the messages themselves. The
// rule stands in the name under which it is started, after "raw-"; started
// under its own name it keeps them all.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// fault is the rule that is broken; empty: none.
var fault string

func main() {
	_, fault, _ = strings.Cut(filepath.Base(os.Args[0]), "raw-")
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{wire.Protocol: {wire.PluginName: served{}}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxSendMsgSize(1<<30))...)
		},
	})
}

type served struct {
	plugin.NetRPCUnsupportedPlugin
}

func (served) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error { //nolint:unparam // go-plugin asks for the error
	connectorv1.RegisterConnectorServiceServer(s, connector{})
	return nil
}

func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a connector is nobody's client")
}

type connector struct {
	connectorv1.UnimplementedConnectorServiceServer
}

func (connector) Describe(context.Context, *connectorv1.DescribeRequest) (*connectorv1.DescribeResponse, error) {
	return &connectorv1.DescribeResponse{Name: "raw", Version: "1", Systems: []*connectorv1.System{{
		Name: "raw", Label: "Raw", Category: "other", Auth: []*connectorv1.AuthMethod{{Name: "none", Label: "None"}},
	}}}, nil
}

func (connector) Open(context.Context, *connectorv1.OpenRequest) (*connectorv1.OpenResponse, error) {
	return &connectorv1.OpenResponse{Handle: "h"}, nil
}

func (connector) Entities(context.Context, *connectorv1.EntitiesRequest) (*connectorv1.EntitiesResponse, error) {
	return &connectorv1.EntitiesResponse{Entities: []*connectorv1.Entity{{Name: "items"}}}, nil
}

// Read sends six pages of one record.
func (connector) Read(stream connectorv1.ConnectorService_ReadServer) error {
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	window := int(m.GetStart().GetWindow())
	const pages = 6
	for i := range pages {
		if i >= window && fault != "greedy" {
			if _, err := stream.Recv(); err != nil {
				return err
			}
		}
		p := &connectorv1.Page{Checkpoint: []byte{byte(i + 1)}, Records: []*connectorv1.Record{record(fmt.Sprint(i), "{}")}}
		if i == pages/2 {
			breakPage(p)
		}
		if err := stream.Send(&connectorv1.ReadResponse{Message: &connectorv1.ReadResponse_Page{Page: p}}); err != nil {
			return err
		}
	}
	end := &connectorv1.ReadEnd{Pages: pages}
	switch fault {
	case "endless": // it never says that the read was whole
		return nil
	case "miscounted":
		end.Pages++
	}
	return stream.Send(&connectorv1.ReadResponse{Message: &connectorv1.ReadResponse_End{End: end}})
}

func breakPage(p *connectorv1.Page) {
	switch fault {
	case "crowded":
		for range 1000 {
			p.Records = append(p.Records, record("x", "{}"))
		}
	case "heavy":
		for range 3 {
			p.Records = append(p.Records, record("x", `{"v":"`+strings.Repeat("v", 800<<10)+`"}`))
		}
	case "huge":
		p.Records = append(p.Records, record("x", `{"v":"`+strings.Repeat("v", 901<<10)+`"}`))
	case "monstrous":
		p.Records = append(p.Records, record("x", `{"v":"`+strings.Repeat("v", wire.MaxMessage)+`"}`))
	case "anonymous":
		p.Records[0].Id = ""
	case "shapeless":
		p.Records[0].Record = []byte("no object")
	}
}

func record(id, fields string) *connectorv1.Record {
	return &connectorv1.Record{Id: id, Record: []byte(fields)}
}
