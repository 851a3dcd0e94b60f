package sdk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// plain has no power but the ones that every connection has.
type plain struct{ log *OpenRequest }

func (plain) Describe(context.Context, *Definition) (Description, error) {
	return Description{Name: "plain", Systems: []System{{Name: "plain", Settings: []Setting{{Name: "pin", Secret: true}}}}}, nil
}

func (plain) Open(_ context.Context, r OpenRequest) (Connection, error) {
	switch r.System {
	case "able":
		return able{plain{&r}}, nil
	default:
		return plain{&r}, nil
	}
}

func (p plain) Check(ctx context.Context) (Identity, error) {
	if url := p.log.Settings.String("call"); url != "" {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return Identity{}, err
		}
		res, err := p.log.HTTP.Do(req)
		if err != nil {
			return Identity{}, err
		}
		return Identity{Name: strconv.Itoa(res.StatusCode)}, res.Body.Close()
	}
	switch p.log.Settings.String("fault") {
	case "panic":
		panic("on purpose")
	case "plain":
		return Identity{}, errors.New("the pin " + p.log.Settings.String("pin") + " is odd")
	case "failure":
		return Identity{}, &Failure{Code: CodeAuthRequired, Message: "no entry for " + p.log.Credentials["password"], Path: "credentials.password", Err: errors.New("401")}
	}
	p.log.Log.Info("checked", "pin", p.log.Settings.String("pin"), "password", p.log.Credentials["password"])
	return Identity{Name: "Ann"}, nil
}

func (plain) Entities(context.Context) ([]Entity, error) { return nil, nil }

func (plain) Read(_ context.Context, _ ReadRequest, w *PageWriter) error {
	for i := range 50 {
		if err := w.Upsert(Record{ID: string(rune('a' + i)), Fields: map[string]any{}}); err != nil {
			return err
		}
	}
	return w.Flush(nil)
}

func (plain) Close() error { return nil }

// able has more.
type able struct{ plain }

func (able) Get(context.Context, string, string) (Record, error) {
	return Record{ID: "a", Fields: map[string]any{"name": "A"}}, nil
}

func (able) OpenContent(context.Context, string, string) (string, io.ReadCloser, error) {
	return "text/plain", io.NopCloser(strings.NewReader(strings.Repeat("x", 100<<10))), nil
}

func (able) Watch(_ context.Context, entities []string, changed func(Change) error) error {
	return changed(Change{Entity: entities[0], Records: []Record{{ID: "a", Deleted: true}}})
}

func (able) Receive(_ context.Context, r ReceiveRequest) (ReceiveResponse, error) {
	return ReceiveResponse{Status: 202, Body: r.Body, Changes: []Change{{Entity: "items"}}}, nil
}

// safe is a buffer that may be written while it is read.
type safe struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safe) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safe) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// dial serves the connector as Serve does, but for the process.
func dial(t *testing.T) (connectorv1.ConnectorServiceClient, *safe) {
	t.Helper()
	log := &safe{}
	s := newServer(plain{}, log)
	s.guard.Do(func() {}) // what tests print is theirs
	listener := bufconn.Listen(1 << 20)
	g := grpc.NewServer(s.options()...)
	connectorv1.RegisterConnectorServiceServer(g, s)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///connector", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	must(t, err)
	t.Cleanup(func() {
		_ = conn.Close() // the server ends it, too
		g.Stop()
		must(t, <-served)
	})
	return connectorv1.NewConnectorServiceClient(conn), log
}

func openOn(t *testing.T, rpc connectorv1.ConnectorServiceClient, system, settings string) string {
	t.Helper()
	res, err := rpc.Open(t.Context(), &connectorv1.OpenRequest{System: system, Settings: []byte(settings), Credentials: map[string]string{"password": "pass-0815"}})
	must(t, err)
	return res.GetHandle()
}

func wantWire(t *testing.T, err error, code, words string) {
	t.Helper()
	if f, ok := wire.FailureOf(err); !ok || f.Code != code || !strings.Contains(f.Message, words) {
		t.Fatalf("got %v, want %s with %q", err, code, words)
	}
}

func TestErrorsTravelWithCodeAndWithoutSecrets(t *testing.T) {
	rpc, log := dial(t)
	for fault, c := range map[string]struct{ code, words string }{
		"panic":   {wire.Internal, "a panic"},
		"plain":   {wire.Internal, "the pin *** is odd"},
		"failure": {wire.AuthRequired, "no entry for ***"},
	} {
		h := openOn(t, rpc, "plain", `{"fault":"`+fault+`","pin":"pin-4711"}`)
		_, err := rpc.Check(t.Context(), &connectorv1.CheckRequest{Handle: h})
		wantWire(t, err, c.code, c.words)
	}
	h := openOn(t, rpc, "plain", `{"pin":"pin-4711"}`)
	if res, err := rpc.Check(t.Context(), &connectorv1.CheckRequest{Handle: h}); err != nil || res.GetIdentity() != "Ann" {
		t.Fatalf("after a panic: %v, %v", res, err)
	}
	text := log.text()
	if !strings.Contains(text, "on purpose") || !strings.Contains(text, "***") {
		t.Errorf("log:\n%s", text)
	}
	if strings.Contains(text, "4711") || strings.Contains(text, "0815") {
		t.Errorf("the log holds a secret:\n%s", text)
	}
}

func TestClosedHandleIsNotFoundAndMayBeClosedAgain(t *testing.T) {
	rpc, _ := dial(t)
	h := openOn(t, rpc, "plain", "{}")
	for range 2 {
		_, err := rpc.Close(t.Context(), &connectorv1.CloseRequest{Handle: h})
		must(t, err)
	}
	_, err := rpc.Check(t.Context(), &connectorv1.CheckRequest{Handle: h})
	wantWire(t, err, wire.NotFound, "no open connection")
}

func TestMissingPowersAreUnsupported(t *testing.T) {
	rpc, _ := dial(t)
	h := openOn(t, rpc, "plain", "{}")
	verbs := map[string]func() error{
		"get":     func() error { _, err := rpc.Get(t.Context(), &connectorv1.GetRequest{Handle: h}); return err },
		"write":   func() error { _, err := rpc.Write(t.Context(), &connectorv1.WriteRequest{Handle: h}); return err },
		"renew":   func() error { _, err := rpc.Renew(t.Context(), &connectorv1.RenewRequest{Handle: h}); return err },
		"receive": func() error { _, err := rpc.Receive(t.Context(), &connectorv1.ReceiveRequest{Handle: h}); return err },
		"passthrough": func() error {
			_, err := rpc.Passthrough(t.Context(), &connectorv1.PassthroughRequest{Handle: h})
			return err
		},
		"content": func() error {
			stream, err := rpc.Content(t.Context(), &connectorv1.ContentRequest{Handle: h})
			must(t, err)
			_, err = stream.Recv()
			return err
		},
		"watch": func() error {
			stream, err := rpc.Watch(t.Context(), &connectorv1.WatchRequest{Handle: h})
			must(t, err)
			_, err = stream.Recv()
			return err
		},
	}
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) { wantWire(t, verb(), wire.Unsupported, "cannot do that") })
	}
}

func TestPowersAreReached(t *testing.T) {
	rpc, _ := dial(t)
	h := openOn(t, rpc, "able", "{}")
	got, err := rpc.Get(t.Context(), &connectorv1.GetRequest{Handle: h})
	if err != nil || string(got.GetRecord().GetRecord()) != `{"name":"A"}` {
		t.Errorf("get: %v, %v", got, err)
	}
	received, err := rpc.Receive(t.Context(), &connectorv1.ReceiveRequest{Handle: h, Body: []byte("hook")})
	if err != nil || received.GetStatus() != 202 || string(received.GetBody()) != "hook" || len(received.GetChanges()) != 1 {
		t.Errorf("receive: %v, %v", received, err)
	}
	watched, err := rpc.Watch(t.Context(), &connectorv1.WatchRequest{Handle: h, Entities: []string{"items"}})
	must(t, err)
	if m, err := watched.Recv(); err != nil || m.GetEntity() != "items" || !m.GetRecords()[0].GetDeleted() {
		t.Errorf("watch: %v, %v", m, err)
	}
	content, err := rpc.Content(t.Context(), &connectorv1.ContentRequest{Handle: h})
	must(t, err)
	size, mediaType := 0, ""
	for {
		m, err := content.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		size, mediaType = size+len(m.GetChunk()), mediaType+m.GetContentType()
	}
	if size != 100<<10 || mediaType != "text/plain" {
		t.Errorf("content: %d bytes of %q", size, mediaType)
	}
}

func TestPreviewIsTheBeginningOfARead(t *testing.T) {
	rpc, _ := dial(t)
	h := openOn(t, rpc, "plain", "{}")
	for limit, want := range map[int32]int{7: 7, 100: 50, 0: 1} {
		res, err := rpc.Preview(t.Context(), &connectorv1.PreviewRequest{Handle: h, Entity: "items", Limit: limit})
		if err != nil || len(res.GetRecords()) != want {
			t.Errorf("limit %d: %d records, %v", limit, len(res.GetRecords()), err)
		}
	}
}
