package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/connect"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/oauth"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/syncer"
)

// connector lets people connect systems.
func (d *Daemon) connector(credentials *credential.Box, open *opener) (*connect.Connect, error) {
	return connect.New(connect.Params{
		Store: d.store, Systems: func() []host.System { return d.catalog.Load().List() }, Session: d.auth.Session,
		Try: open.try, Vendor: connect.Vendor{Asks: open.tokens.ByCode, Depart: d.depart(open.tokens)}, Seal: credentials.Seal, Open: credentials.Open, NewID: newID, Log: d.log.Named("connect"),
		Mint: func(ctx context.Context, c host.ConnectionID, with connect.Step, one bool) (string, error) {
			step := auth.Step{Puts: with.Puts, Events: with.Events}
			if !one {
				return "", d.auth.EndAll(ctx, c, step)
			}
			return d.auth.Renew(ctx, c, step)
		},
	})
}

// reconnect makes the link that the event of a refused login leads to.
func (d *Daemon) reconnect(c *host.Connection, at time.Time) (syncer.Link, error) {
	link, id, hash := auth.NewLink()
	put, err := state.PutOf(state.KindSession, string(id), state.Absent, &host.ConnectSession{
		ID: id, Hash: hash, Connection: c.ID, Systems: []host.SystemName{c.System}, Deliver: host.DeliverExchange,
		CreatedBy: host.SessionByHost, CreatedAt: at, ExpiresAt: at.Add(host.MaxSessionLife),
	})
	return syncer.Link{URL: d.pageURL() + "/connect/" + link, Session: id, Puts: []state.Put{put}}, err
}

// try logs in to a connection that is not stored, and tells what the login sees.
func (o *opener) try(ctx context.Context, c *host.Connection) (entities []host.Entity, err error) {
	conn, err := o.openWith(ctx, c, false)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := conn.Close(); err == nil && closeErr != nil {
			err = errors.Join(errors.New("close the connection"), closeErr)
		}
	}()
	if err := conn.Check(ctx); err != nil {
		return nil, err
	}
	return conn.Entities(ctx)
}

// depart sends people to their system's vendor, and takes the code that they
// come back with.
func (d *Daemon) depart(tokens *oauth.Tokens) func(c *host.Connection, state string) (string, connect.Arrive, error) {
	return func(c *host.Connection, state string) (string, connect.Arrive, error) {
		j, err := tokens.Authorize(c, d.pageURL()+"/oauth/callback", state)
		if err != nil {
			return "", nil, err
		}
		conn := *c
		return j.URL, func(ctx context.Context, code string) (map[string]string, error) {
			return tokens.Exchange(ctx, &conn, j, code)
		}, nil
	}
}
