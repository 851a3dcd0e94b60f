package sdk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// server answers the host's calls with a Connector.
type server struct {
	connectorv1.UnimplementedConnectorServiceServer
	connector Connector
	log       hclog.Logger
	secrets   *redactor
	reports   *reports
	budgets   budgets
	guard     sync.Once // of what is printed

	mu   sync.Mutex
	open map[string]*opened
}

// opened is one open connection.
type opened struct {
	conn   Connection
	client *client
	leave  func() // the login's budget
}

func (s *server) find(handle string) (*opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.open[handle]; o != nil {
		return o, nil
	}
	return nil, Failf(CodeNotFound, "there is no open connection %q", handle)
}

// power returns the connection as a T, or says that it has no such power.
func power[T any](s *server, handle string) (T, error) {
	var none T
	o, err := s.find(handle)
	if err != nil {
		return none, err
	}
	p, ok := o.conn.(T)
	if !ok {
		return none, Failf(CodeUnsupported, "this connector cannot do that")
	}
	return p, nil
}

// Describe implements the verb.
func (s *server) Describe(ctx context.Context, r *connectorv1.DescribeRequest) (*connectorv1.DescribeResponse, error) {
	d, err := s.connector.Describe(ctx, definitionOf(r.GetDefinition()))
	if err != nil {
		return nil, err
	}
	res := &connectorv1.DescribeResponse{Name: d.Name, Version: d.Version}
	for _, sys := range d.Systems {
		m := &connectorv1.System{
			Name: sys.Name, Label: sys.Label, Vendor: sys.Vendor, Category: sys.Category, Website: sys.Website,
			Guide: sys.Guide, Settings: settingMessages(sys.Settings), Entities: entityMessages(sys.Entities), Proof: sys.Proof,
		}
		for _, a := range sys.Auth {
			method := &connectorv1.AuthMethod{Name: a.Name, Label: a.Label, Fields: settingMessages(a.Fields)}
			if o := a.OAuth; o != nil {
				method.Oauth = &connectorv1.OAuth{Grants: o.Grants, AuthorizeUrl: o.AuthorizeURL, TokenUrl: o.TokenURL, Scopes: o.Scopes, Parameters: o.Parameters}
			}
			m.Auth = append(m.Auth, method)
		}
		res.Systems = append(res.Systems, m)
	}
	return res, nil
}

func definitionOf(d *connectorv1.Definition) *Definition {
	if d == nil {
		return nil
	}
	return &Definition{Name: d.GetName(), Content: d.GetContent(), Files: d.GetFiles()}
}

// Open implements the verb.
func (s *server) Open(ctx context.Context, r *connectorv1.OpenRequest) (*connectorv1.OpenResponse, error) {
	settings := Settings{}
	if len(r.GetSettings()) > 0 {
		if err := json.Unmarshal(r.GetSettings(), &settings); err != nil {
			return nil, &Failure{Code: CodeInvalid, Path: "settings", Message: "the settings are no JSON object", Err: err}
		}
	}
	s.secrets.add(r.GetCredentials())
	if err := s.hideSettings(ctx, r, settings); err != nil {
		return nil, err
	}
	handle := rand.Text()
	network, err := networkOf(r.GetNetwork())
	if err != nil {
		return nil, err
	}
	shared, leave, err := s.budgets.of(r, time.Now())
	if err != nil {
		return nil, err
	}
	c, err := newClient(network, shared, func(m *connectorv1.ReportsResponse) {
		if call := m.GetCall(); call != nil {
			call.Path, call.Error = s.secrets.hide(call.GetPath()), s.secrets.hide(call.GetError())
		}
		m.Handle = handle
		s.reports.add(m)
	})
	if err != nil {
		leave()
		return nil, err
	}
	conn, err := s.connector.Open(ctx, OpenRequest{
		Connection: r.GetConnection(), System: r.GetSystem(), Settings: settings, Auth: r.GetAuth(), Credentials: r.GetCredentials(),
		Definition: definitionOf(r.GetDefinition()), HTTP: c.http(), Dial: dialer(network), TLS: c.transport.TLSClientConfig.Clone(), Log: s.log.With("connection", r.GetConnection()),
	})
	if err != nil {
		leave()
		return nil, err
	}
	s.mu.Lock()
	s.open[handle] = &opened{conn, c, leave}
	s.mu.Unlock()
	return &connectorv1.OpenResponse{Handle: handle}, nil
}

// hideSettings keeps secret settings out of the log. Describe is static, and
// it alone knows which they are.
func (s *server) hideSettings(ctx context.Context, r *connectorv1.OpenRequest, settings Settings) error {
	d, err := s.connector.Describe(ctx, definitionOf(r.GetDefinition()))
	if err != nil {
		return err
	}
	secret := map[string]string{}
	for _, sys := range d.Systems {
		for _, st := range sys.Settings {
			if st.Secret && sys.Name == r.GetSystem() {
				secret["settings."+st.Name] = settings.String(st.Name)
			}
		}
	}
	s.secrets.add(secret)
	return nil
}

// Renew implements the verb.
func (s *server) Renew(ctx context.Context, r *connectorv1.RenewRequest) (*connectorv1.RenewResponse, error) {
	p, err := power[Renewer](s, r.GetHandle())
	if err != nil {
		return nil, err
	}
	s.secrets.add(r.GetCredentials())
	return &connectorv1.RenewResponse{}, p.Renew(ctx, r.GetCredentials())
}

// Check implements the verb.
func (s *server) Check(ctx context.Context, r *connectorv1.CheckRequest) (*connectorv1.CheckResponse, error) {
	o, err := s.find(r.GetHandle())
	if err != nil {
		return nil, err
	}
	id, err := o.conn.Check(ctx)
	return &connectorv1.CheckResponse{Identity: id.Name, Version: id.Version}, err
}

// Entities implements the verb.
func (s *server) Entities(ctx context.Context, r *connectorv1.EntitiesRequest) (*connectorv1.EntitiesResponse, error) {
	o, err := s.find(r.GetHandle())
	if err != nil {
		return nil, err
	}
	es, err := o.conn.Entities(ctx)
	return &connectorv1.EntitiesResponse{Entities: entityMessages(es)}, err
}

// Read implements the verb.
func (s *server) Read(stream connectorv1.ConnectorService_ReadServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil {
		return Failf(CodeInvalid, "a read begins with its start")
	}
	o, err := s.find(start.GetHandle())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	acks := make(chan int64, 64)
	go func() { // ends with the stream
		defer close(acks)
		for {
			m, err := stream.Recv()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					cancel()
				}
				return
			}
			select {
			case acks <- m.GetAck().GetPage():
			case <-ctx.Done():
				return
			}
		}
	}()
	w := &PageWriter{
		ctx: ctx, send: stream.Send, acks: acks, page: &connectorv1.Page{}, mark: start.GetCheckpoint(),
		window: max(int64(start.GetWindow()), 1), records: min(max(int(start.GetPageRecords()), 1), 1000),
	}
	r := ReadRequest{Entity: start.GetEntity(), Full: start.GetMode() != connectorv1.Mode_MODE_INCREMENTAL, Checkpoint: start.GetCheckpoint()}
	if start.GetSince() != nil {
		r.Since = start.GetSince().AsTime()
	}
	if err := o.conn.Read(ctx, r, w); err != nil {
		return err
	}
	return w.end()
}

// Reports implements the verb: what happened, as it happens.
func (s *server) Reports(_ *connectorv1.ReportsRequest, stream connectorv1.ConnectorService_ReportsServer) error {
	for {
		select {
		case r := <-s.reports.out:
			if err := stream.Send(r); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

// Close implements the verb.
func (s *server) Close(_ context.Context, r *connectorv1.CloseRequest) (*connectorv1.CloseResponse, error) {
	s.mu.Lock()
	o := s.open[r.GetHandle()]
	delete(s.open, r.GetHandle())
	s.mu.Unlock()
	if o == nil {
		return &connectorv1.CloseResponse{}, nil
	}
	defer o.client.close()
	defer o.leave()
	return &connectorv1.CloseResponse{}, o.conn.Close()
}

// reports holds what nobody has taken yet; the oldest goes when it is full.
type reports struct {
	out chan *connectorv1.ReportsResponse
}

func newReports() *reports { return &reports{make(chan *connectorv1.ReportsResponse, 1024)} }

func (r *reports) add(m *connectorv1.ReportsResponse) {
	for {
		select {
		case r.out <- m:
			return
		default:
		}
		select {
		case <-r.out:
		default:
		}
	}
}

func settingMessages(ss []Setting) []*connectorv1.Setting {
	out := make([]*connectorv1.Setting, len(ss))
	for i, s := range ss {
		kind := s.Type
		if kind == "" {
			kind = "string"
		}
		out[i] = &connectorv1.Setting{
			Name: s.Name, Type: kind, Label: s.Label, Help: s.Help, Placeholder: s.Placeholder, Pattern: s.Pattern,
			Choices: s.Choices, Default: s.Default, Required: s.Required, Secret: s.Secret,
		}
	}
	return out
}

func entityMessages(es []Entity) []*connectorv1.Entity {
	out := make([]*connectorv1.Entity, len(es))
	for i, e := range es {
		m := &connectorv1.Entity{
			Name: e.Name, Label: e.Label, Key: e.Key, Incremental: e.Incremental, TellsDeletions: e.TellsDeletions,
			Creatable: e.Creatable, Updatable: e.Updatable, Deletable: e.Deletable, Actions: e.Actions, Watchable: e.Watchable, Denied: e.Denied,
		}
		for _, f := range e.Fields {
			m.Fields = append(m.Fields, &connectorv1.Field{Name: f.Name, Type: f.Type, Readable: true, Writable: f.Writable})
		}
		out[i] = m
	}
	return out
}
