package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/catalog"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/oauth"
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
	tokens      *oauth.Tokens
	catalog     func() *catalog.Catalog
	mapping     func(host.ConnectionID, host.EntityName) syncer.Mapping
	private     func() []netip.Prefix // that connections made by the API may reach
}

// open opens a connection that is stored.
func (o *opener) open(ctx context.Context, c *host.Connection) (*session, error) {
	return o.openWith(ctx, c, true)
}

// openWith opens a connection. One that is not stored gets a token of its own
// where it logs in by OAuth, and holds it until it ends.
func (o *opener) openWith(ctx context.Context, c *host.Connection, isStored bool) (*session, error) {
	system, ok := o.catalog().Lookup(c.System)
	if !ok {
		return nil, host.Errorf(host.CodeInvalid, "there is no connector for the system %q; is its plugin in the plugin_dir?", c.System)
	}
	credentials, err := o.credentials.Open(c)
	if err != nil {
		return nil, fmt.Errorf("open the credentials of connection %s: %w", c.ID, err)
	}
	settings, login := host.OpenedSettings(c.Settings, credentials)
	byOAuth := false
	if m := system.Method(c.Auth); m != nil && m.OAuth != nil {
		byOAuth = true
		if login, err = o.withToken(ctx, c, login, isStored); err != nil {
			return nil, err
		}
	}
	conn, err := o.plugins.Open(ctx, plugin.OpenRequest{
		Connection: c.ID, Connector: system.Connector, System: c.System, Settings: settings,
		Auth: c.Auth, Credentials: login, Network: c.Network,
		PublicOnly: c.PublicOnly(), PrivateTargets: o.private(), Definition: (*plugin.Definition)(o.catalog().Definition(c.System)),
	})
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	if byOAuth && isStored {
		s.hold = o.tokens.Hold(c, login[host.AccessToken], func(ctx context.Context, access string) error {
			next := maps.Clone(login)
			next[host.AccessToken] = access
			return conn.Renew(ctx, next)
		})
	}
	return s, nil
}

// withToken returns what a connector is given of a login by OAuth: an access
// token, and nothing that a token could be got by.
func (o *opener) withToken(ctx context.Context, c *host.Connection, login map[string]string, isStored bool) (map[string]string, error) {
	get := o.tokens.Access
	if !isStored {
		get = o.tokens.Once
	}
	access, err := get(ctx, c, "")
	if err != nil {
		return nil, err
	}
	out := maps.Clone(login)
	for _, name := range host.OAuthSecrets {
		delete(out, name)
	}
	out[host.AccessToken] = access
	return out, nil
}

// session is an open connection as the syncer sees it.
type session struct {
	conn *plugin.Conn
	hold *oauth.Hold // of a login by OAuth; nil: another
}

func (o *opener) session(ctx context.Context, c *host.Connection) (syncer.Session, error) {
	s, err := o.open(ctx, c)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// call makes a call with a token that holds. One that the system refuses all
// the same is replaced, and the call made once more; moved says that it got on
// in between, which a long read does while tokens come and go.
func (s *session) call(ctx context.Context, f func() error, moved func() bool) error {
	if s.hold == nil {
		return f()
	}
	access, err := s.hold.Ready(ctx, "")
	if err != nil {
		return err
	}
	for again := false; ; again = true {
		err := f()
		if host.CodeOf(err) != host.CodeTokenExpired {
			return err
		}
		if again && !moved() {
			return host.Errorf(host.CodeAuthRequired, "the system refuses an access token that was just given out: %s", host.MessageOf(err))
		}
		if access, err = s.hold.Ready(ctx, access); err != nil {
			return err
		}
	}
}

func never() bool { return false }

func (s *session) Check(ctx context.Context) error {
	return s.call(ctx, func() error {
		_, err := s.conn.Check(ctx)
		return err
	}, never)
}

func (s *session) Entities(ctx context.Context) (entities []host.Entity, err error) {
	err = s.call(ctx, func() error {
		entities, err = s.conn.Entities(ctx)
		return err
	}, never)
	return entities, err
}

func (s *session) Read(ctx context.Context, r syncer.Read, commit func(host.Page) error) error {
	from, got := r.Checkpoint, false
	return s.call(ctx, func() error {
		return s.conn.Read(ctx, plugin.ReadRequest{Entity: r.Entity, Mode: r.Mode, Checkpoint: from, Since: r.Since}, func(p host.Page) error {
			if err := commit(p); err != nil {
				return err
			}
			if p.Checkpoint != nil {
				from, got = p.Checkpoint, true
			}
			return nil
		})
	}, func() bool {
		defer func() { got = false }()
		return got
	})
}

func (s *session) Close() error {
	if s.hold != nil {
		s.hold.Release()
	}
	return s.conn.Close()
}

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
	var rec host.Received
	err = conn.call(ctx, func() error {
		rec, err = conn.conn.Get(ctx, e, r)
		return err
	}, never)
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
