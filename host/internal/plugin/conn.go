package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// window is how many pages a connector may be ahead of what is committed.
const window = 8

// OpenRequest is one connection to open.
type OpenRequest struct {
	Connection  host.ConnectionID
	Connector   host.ConnectorName
	System      host.SystemName
	Settings    map[string]any
	Auth        string
	Credentials map[string]string
	Network     *host.Network
	// PublicOnly: the system may not stand in a private network, but for those
	// within PrivateTargets.
	PublicOnly     bool
	PrivateTargets []netip.Prefix
	Definition     *Definition
}

// Definition is a system's file, for connectors that run such files.
type Definition struct {
	Name    string
	Content []byte
	Files   map[string][]byte // beside it, that it reads
}

// ReadRequest names what to read.
type ReadRequest struct {
	Entity     host.EntityName
	Mode       host.Mode
	Checkpoint []byte
	Since      time.Time
}

// Conn is one open connection in a connector's process. Its methods may be
// called concurrently. Once the process has died they answer
// host.CodePluginCrashed (or CodeOutOfMemory); the caller opens it again.
type Conn struct {
	slot   *slot
	live   *live
	id     host.ConnectionID
	name   host.ConnectorName
	handle string
	close  sync.Once
}

// Open opens a connection, starting the connector's process where none runs.
func (h *Host) Open(ctx context.Context, r OpenRequest) (*Conn, error) {
	req, err := openMessage(r)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		s, err := h.slot(r.Connector, r.System, r.Connection)
		if err != nil {
			return nil, err
		}
		c, err := s.openConn(ctx, r, req)
		// Its process may have been stopped on purpose, being idle or configured
		// anew, between our finding it and calling it.
		if attempt < 3 && ctx.Err() == nil && (errors.Is(err, errRetired) || c != nil && c.stopped()) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// openConn opens a connection in the slot's process. It returns the Conn with
// an error where the process itself was reached.
func (s *slot) openConn(ctx context.Context, r OpenRequest, req *connectorv1.OpenRequest) (*Conn, error) {
	l, err := s.ensure(ctx)
	if err != nil {
		return nil, err
	}
	c := &Conn{slot: s, live: l, id: r.Connection, name: r.Connector}
	err = c.call(func() error {
		res, err := l.rpc.Open(ctx, req)
		if err != nil {
			return err
		}
		c.handle = res.GetHandle()
		return diagnosed(res.GetDiagnostics())
	})
	if err != nil {
		return c, err
	}
	s.mu.Lock()
	l.open[c.id]++
	l.handles[c.handle] = Reporter{r.Connector, r.System, r.Connection}
	s.mu.Unlock()
	return c, nil
}

// stopped says whether the process was ended by us, for no fault.
func (c *Conn) stopped() bool {
	c.slot.mu.Lock()
	defer c.slot.mu.Unlock()
	return c.live.code == host.CodeCanceled
}

func openMessage(r OpenRequest) (*connectorv1.OpenRequest, error) {
	settings := []byte("{}")
	if r.Settings != nil {
		var err error
		if settings, err = json.Marshal(r.Settings); err != nil {
			return nil, fmt.Errorf("encode the settings of connection %s: %w", r.Connection, err)
		}
	}
	req := &connectorv1.OpenRequest{
		Connection: string(r.Connection), System: string(r.System), Settings: settings, Auth: r.Auth, Credentials: r.Credentials,
	}
	req.Network = &connectorv1.Network{PublicOnly: r.PublicOnly}
	for _, p := range r.PrivateTargets {
		req.Network.PrivateTargets = append(req.Network.PrivateTargets, p.String())
	}
	if n := r.Network; n != nil {
		req.Network.Ca, req.Network.Proxy, req.Network.NoProxy, req.Network.Fingerprint = n.CA, n.Proxy, n.NoProxy, n.Fingerprint
	}
	if d := r.Definition; d != nil {
		req.Definition = &connectorv1.Definition{Name: d.Name, Content: d.Content, Files: d.Files}
	}
	return req, nil
}

// diagnosed turns mistakes in settings into one error.
func diagnosed(ds []*connectorv1.Diagnostic) error {
	for _, d := range ds {
		if d.GetSeverity() != connectorv1.Severity_SEVERITY_WARNING {
			words := d.GetSummary()
			if d.GetDetail() != "" {
				words += ": " + d.GetDetail()
			}
			return &host.Error{Code: host.CodeInvalid, Message: words, Path: d.GetPath()}
		}
	}
	return nil
}

// call counts the connection as in flight while f runs, and translates f's
// error.
func (c *Conn) call(f func() error) error {
	s, l := c.slot, c.live
	s.mu.Lock()
	l.inFlight[c.id]++
	s.mu.Unlock()
	err := f()
	if err != nil {
		err = c.translate(err)
	}
	if died(err) {
		s.ended(l) // while this connection still counts as in flight
	}
	s.mu.Lock()
	if l.inFlight[c.id]--; l.inFlight[c.id] <= 0 {
		delete(l.inFlight, c.id)
	}
	s.mu.Unlock()
	return err
}

func died(err error) bool {
	code := host.CodeOf(err)
	return code == host.CodePluginCrashed || code == host.CodeOutOfMemory
}

// translate turns what a call answered into an error with a code.
func (c *Conn) translate(err error) error {
	var own *host.Error
	if errors.As(err, &own) {
		return err
	}
	if f, ok := wire.FailureOf(err); ok {
		if f.Message == "" {
			f.Message = "the connector gave no reason"
		}
		return &host.Error{Code: host.Code(f.Code), Message: f.Message, Path: f.Path, RetryAt: f.RetryAt}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return c.canceled(err)
	}
	st, isStatus := status.FromError(err)
	if !isStatus {
		return err // the caller's own: a commit that failed
	}
	switch st.Code() {
	case codes.Canceled, codes.DeadlineExceeded:
		if c.live.process.ended() { // our own end of the connection was closed with it
			return c.dead()
		}
		return c.canceled(err)
	case codes.Unimplemented:
		return host.Errorf(host.CodeUnsupported, "the connector %q cannot do this", c.name)
	case codes.Unavailable:
		return c.dead()
	case codes.ResourceExhausted:
		return host.Errorf(host.CodeInternal, "the connector %q sent a message over its bound of %d bytes: %w", c.name, wire.MaxMessage, err)
	default:
		select {
		case <-c.live.process.exited:
			return c.dead()
		default:
			return host.Errorf(host.CodeInternal, "the connector %q failed: %s", c.name, st.Message())
		}
	}
}

func (c *Conn) canceled(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded {
		return host.Errorf(host.CodeUnavailable, "the system did not answer in time: %w", err)
	}
	return host.Errorf(host.CodeCanceled, "the call was canceled: %w", err)
}

// dead waits for the end of a process that no longer answers, and says why.
func (c *Conn) dead() error {
	select {
	case <-c.live.process.exited:
	case <-time.After(time.Second):
		// The connection is gone, the process is not: of no use any more.
		c.slot.kill(c.live, host.CodePluginCrashed, "it closed its connection")
		<-c.live.process.exited
	}
	c.slot.mu.Lock()
	reason, code := c.live.reason, c.live.code
	c.slot.mu.Unlock()
	if reason == "" {
		reason = c.live.process.how()
	}
	if code != host.CodeOutOfMemory {
		code = host.CodePluginCrashed
	}
	return host.Errorf(code, "the process of connector %q ended in the middle of a call: %s", c.name, reason)
}

// Check logs in and tells whom the login is, in words.
func (c *Conn) Check(ctx context.Context) (identity string, err error) {
	err = c.call(func() error {
		res, err := c.live.rpc.Check(ctx, &connectorv1.CheckRequest{Handle: c.handle})
		identity = res.GetIdentity()
		return err
	})
	return identity, err
}

// Entities tells what the login sees.
func (c *Conn) Entities(ctx context.Context) (entities []host.Entity, err error) {
	err = c.call(func() error {
		res, err := c.live.rpc.Entities(ctx, &connectorv1.EntitiesRequest{Handle: c.handle})
		if err != nil {
			return err
		}
		entities, err = entitiesOf(c.name, res.GetEntities())
		return err
	})
	return entities, err
}

// Get reads one record from the system.
func (c *Conn) Get(ctx context.Context, e host.EntityName, id host.RecordID) (r host.Received, err error) {
	err = c.call(func() error {
		res, err := c.live.rpc.Get(ctx, &connectorv1.GetRequest{Handle: c.handle, Entity: string(e), Id: string(id)})
		if err != nil {
			return err
		}
		if res.GetRecord() == nil {
			return host.Errorf(host.CodeInternal, "the connector %q answered without a record", c.name)
		}
		r = received(res.GetRecord())
		return checkReceived(c.name, r)
	})
	return r, err
}

// Renew brings new credentials into the open connection.
func (c *Conn) Renew(ctx context.Context, credentials map[string]string) error {
	return c.call(func() error {
		_, err := c.live.rpc.Renew(ctx, &connectorv1.RenewRequest{Handle: c.handle, Credentials: credentials})
		return err
	})
}

// Read hands pages to commit, in order, and acknowledges each when commit
// returns nil. It returns nil only if the connector said that the read reached
// its end, and every page it counted has come.
func (c *Conn) Read(ctx context.Context, r ReadRequest, commit func(host.Page) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := c.call(func() error { return c.read(ctx, r, commit) })
	if err == nil {
		c.slot.host.succeeded(c.id)
	}
	return err
}

func (c *Conn) read(ctx context.Context, r ReadRequest, commit func(host.Page) error) error {
	stream, err := c.live.rpc.Read(ctx)
	if err != nil {
		return err
	}
	start := &connectorv1.ReadStart{
		Handle: c.handle, Entity: string(r.Entity), Mode: connectorv1.Mode_MODE_FULL, Checkpoint: r.Checkpoint,
		Window: window, PageRecords: host.MaxPageRecords,
	}
	if r.Mode == host.Incremental {
		start.Mode = connectorv1.Mode_MODE_INCREMENTAL
	}
	if !r.Since.IsZero() {
		start.Since = timestamppb.New(r.Since)
	}
	if err := stream.Send(&connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Start{Start: start}}); err != nil {
		return streamError(stream, err)
	}
	var pages int64
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return host.Errorf(host.CodeInternal, "the connector %q ended a read without saying that it was whole", c.name)
		}
		if err != nil {
			return err
		}
		switch m := m.GetMessage().(type) {
		case *connectorv1.ReadResponse_Page:
			pages++
			page, err := pageOf(c.name, m.Page)
			if err != nil {
				return err
			}
			if !bytes.Equal(page.Checkpoint, r.Checkpoint) {
				c.slot.progressed(c.live)
			}
			if err := commit(page); err != nil {
				return err
			}
			ack := &connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Ack{Ack: &connectorv1.ReadAck{Page: pages}}}
			if err := stream.Send(ack); err != nil && !errors.Is(err, io.EOF) {
				return err // io.EOF: the stream has ended; Recv tells how
			}
		case *connectorv1.ReadResponse_End:
			if m.End.GetPages() != pages {
				return host.Errorf(host.CodeInternal, "the connector %q says it sent %d pages, but %d came", c.name, m.End.GetPages(), pages)
			}
			_ = stream.CloseSend() // all is said
			return nil
		default:
			return host.Errorf(host.CodeInternal, "the connector %q answered a read with an empty message", c.name)
		}
	}
}

// streamError returns why a send failed: gRPC tells it by the next receive.
func streamError(stream interface {
	Recv() (*connectorv1.ReadResponse, error)
}, err error) error {
	if errors.Is(err, io.EOF) {
		if _, recv := stream.Recv(); recv != nil {
			return recv
		}
	}
	return err
}

// Close ends the connection in its connector. A process that has died has
// nothing to close.
func (c *Conn) Close() error {
	var err error
	c.close.Do(func() {
		c.slot.mu.Lock()
		if c.live.open[c.id]--; c.live.open[c.id] <= 0 {
			delete(c.live.open, c.id)
		}
		c.live.closed(c.handle)
		c.slot.mu.Unlock()
		if c.live.process.ended() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err = c.live.rpc.Close(ctx, &connectorv1.CloseRequest{Handle: c.handle}); err != nil {
			if err = c.translate(err); died(err) {
				err = nil
			}
		}
	})
	return err
}
