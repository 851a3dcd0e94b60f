package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/catalog"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/plugin"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/syncer"
)

// opener opens connections in their connectors, for the syncer and for live
// calls.
type opener struct {
	store       *state.Store
	plugins     *plugin.Host
	credentials *credential.Box
	catalog     func() *catalog.Catalog
	mapping     func(host.ConnectionID, host.EntityName) syncer.Mapping
	private     func() []netip.Prefix // that connections made by the API may reach
}

func (o *opener) open(ctx context.Context, c *host.Connection) (*plugin.Conn, error) {
	system, ok := o.catalog().Lookup(c.System)
	if !ok {
		return nil, host.Errorf(host.CodeInvalid, "there is no connector for the system %q; is its plugin in the plugin_dir?", c.System)
	}
	credentials, err := o.credentials.Open(c)
	if err != nil {
		return nil, fmt.Errorf("open the credentials of connection %s: %w", c.ID, err)
	}
	settings, login := host.OpenedSettings(c.Settings, credentials)
	return o.plugins.Open(ctx, plugin.OpenRequest{
		Connection: c.ID, Connector: system.Connector, System: c.System, Settings: settings,
		Auth: c.Auth, Credentials: login, Network: c.Network,
		PublicOnly: c.PublicOnly(), PrivateTargets: o.private(),
	})
}

// session is an open connection as the syncer sees it.
type session struct{ conn *plugin.Conn }

func (o *opener) session(ctx context.Context, c *host.Connection) (syncer.Session, error) {
	conn, err := o.open(ctx, c)
	if err != nil {
		return nil, err
	}
	return session{conn}, nil
}

func (s session) Check(ctx context.Context) error {
	_, err := s.conn.Check(ctx)
	return err
}

func (s session) Entities(ctx context.Context) ([]host.Entity, error) { return s.conn.Entities(ctx) }

func (s session) Read(ctx context.Context, r syncer.Read, commit func(host.Page) error) error {
	return s.conn.Read(ctx, plugin.ReadRequest{Entity: r.Entity, Mode: r.Mode, Checkpoint: r.Checkpoint, Since: r.Since}, commit)
}

func (s session) Close() error { return s.conn.Close() }

// live reads one record from the system itself.
func (o *opener) live(ctx context.Context, id host.ConnectionID, e host.EntityName, r host.RecordID) (host.Received, error) {
	c, _, err := state.Get[host.Connection](ctx, o.store, state.KindConnection, string(id))
	if err != nil {
		return host.Received{}, fmt.Errorf("read connection %s: %w", id, err)
	}
	conn, err := o.open(ctx, &c)
	if err != nil {
		return host.Received{}, err
	}
	rec, err := conn.Get(ctx, e, r)
	if closeErr := conn.Close(); err == nil && closeErr != nil {
		err = errors.Join(errors.New("close the connection"), closeErr)
	}
	if err != nil {
		return rec, err
	}
	if err := host.NewShape(e, c.Exclude, o.mapping(id, e)).Apply(&rec); err != nil {
		return rec, host.Errorf(host.CodeInvalid, "the record %q of %s cannot be shown: %w", r, e, err)
	}
	return rec, nil
}
