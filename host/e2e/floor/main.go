// Command floor is what benchmarks of the host are held against: the least
// program with the same promise. It starts a connector, reads one entity, and
// writes the records as they come into a bare Badger, a page a transaction,
// synced, each with its checkpoint. No comparing, no history, no feed, no
// sealing.
//
//	floor launch PLUGIN              how long a connector takes to its first answer
//	floor read PLUGIN DIR RECORDS    how long, and how much processor time, reading takes
//	floor serve FILE                 a bare HTTP handler that answers with the file, until it is killed
//	floor deliver DIR URL            takes events and delivers each to the URL, until it is killed
//
// It prints one JSON object; serve and deliver print their address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// result is what is printed.
type result struct {
	Seconds   float64 `json:"seconds"`
	Records   int64   `json:"records"`
	CPU       float64 `json:"cpu"`        // seconds of this process
	PluginCPU float64 `json:"plugin_cpu"` // seconds of the connector
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, "floor:", serve(os.Args[2]))
		os.Exit(1)
	}
	if len(os.Args) == 4 && os.Args[1] == "deliver" {
		fmt.Fprintln(os.Stderr, "floor:", deliver(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	r, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) (result, error) {
	switch {
	case len(args) == 2 && args[0] == "launch":
		return launch(args[1])
	case len(args) == 4 && args[0] == "read":
		n, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return result{}, err
		}
		return read(args[1], args[2], n)
	}
	return result{}, errors.New("say launch PLUGIN, or read PLUGIN DIR RECORDS")
}

// serve answers every request with the same bytes.
func serve(file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // ends with its benchmark
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
}

// served hands out the connector's client.
type served struct{ plugin.NetRPCUnsupportedPlugin }

func (served) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return errors.New("no server") }

func (served) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) { //nolint:unparam // go-plugin asks for the error
	return connectorv1.NewConnectorServiceClient(c), nil
}

// start starts the connector and returns its client.
func start(path string) (connectorv1.ConnectorServiceClient, *plugin.Client, error) {
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{wire.Protocol: {wire.PluginName: served{}}},
		Cmd:              exec.CommandContext(context.Background(), path),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions:  []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessage))},
	})
	rpc, err := c.Client()
	if err != nil {
		c.Kill()
		return nil, nil, err
	}
	v, err := rpc.Dispense(wire.PluginName)
	if err != nil {
		c.Kill()
		return nil, nil, err
	}
	client, ok := v.(connectorv1.ConnectorServiceClient)
	if !ok {
		c.Kill()
		return nil, nil, errors.New("not a connector")
	}
	return client, c, nil
}

func launch(path string) (result, error) {
	began := time.Now()
	client, c, err := start(path)
	if err != nil {
		return result{}, err
	}
	defer c.Kill()
	if _, err := client.Describe(context.Background(), &connectorv1.DescribeRequest{}); err != nil {
		return result{}, err
	}
	return result{Seconds: time.Since(began).Seconds()}, nil
}

func read(path, dir string, records int64) (result, error) {
	ctx := context.Background()
	client, c, err := start(path)
	if err != nil {
		return result{}, err
	}
	defer c.Kill()
	db, err := badger.Open(badger.DefaultOptions(dir).WithSyncWrites(true).WithLogger(nil))
	if err != nil {
		return result{}, err
	}
	defer db.Close() //nolint:errcheck // every transaction was synced
	open, err := client.Open(ctx, &connectorv1.OpenRequest{
		Connection: "floor", System: "endless", Auth: "basic", Credentials: map[string]string{"username": "u", "password": "p"},
		Settings: fmt.Appendf(nil, `{"records":%d,"page":1000}`, records),
	})
	if err != nil {
		return result{}, err
	}
	before := cpu(syscall.RUSAGE_SELF)
	began := time.Now()
	n, err := copyAll(ctx, client, open.GetHandle(), db)
	if err != nil {
		return result{}, err
	}
	r := result{Seconds: time.Since(began).Seconds(), Records: n, CPU: (cpu(syscall.RUSAGE_SELF) - before).Seconds()}
	c.Kill()
	r.PluginCPU = cpu(syscall.RUSAGE_CHILDREN).Seconds()
	return r, nil
}

// copyAll writes page by page, and acknowledges each once it is durable.
func copyAll(ctx context.Context, client connectorv1.ConnectorServiceClient, handle string, db *badger.DB) (int64, error) {
	stream, err := client.Read(ctx)
	if err != nil {
		return 0, err
	}
	if err := stream.Send(&connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Start{Start: &connectorv1.ReadStart{
		Handle: handle, Entity: "items", Mode: connectorv1.Mode_MODE_FULL, Window: 8, PageRecords: 1000,
	}}}); err != nil {
		return 0, err
	}
	var n int64
	for page := int64(1); ; page++ {
		m, err := stream.Recv()
		if err != nil {
			return n, err
		}
		if m.GetEnd() != nil {
			return n, nil
		}
		txn := db.NewTransaction(true)
		for _, r := range m.GetPage().GetRecords() {
			if err := txn.Set([]byte("r/"+r.GetId()), append(r.GetRecord(), r.GetRaw()...)); err != nil {
				return n, err
			}
			n++
		}
		if err := txn.Set([]byte("checkpoint"), m.GetPage().GetCheckpoint()); err != nil {
			return n, err
		}
		if err := txn.Commit(); err != nil {
			return n, err
		}
		// A connector that has sent its end waits for nothing more.
		ack := &connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Ack{Ack: &connectorv1.ReadAck{Page: page}}}
		if err := stream.Send(ack); err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
