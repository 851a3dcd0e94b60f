package daemon

import (
	"net/http"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/oauth"
	"github.com/dinrail/dinrail/sdk/reach"
)

// oauthTokens gets and keeps the tokens of connections that log in by OAuth.
func (d *Daemon) oauthTokens(credentials *credential.Box) (*oauth.Tokens, error) {
	return oauth.New(oauth.Params{
		Store: d.store,
		System: func(name host.SystemName) (host.System, bool) {
			return d.catalog.Load().Lookup(name)
		},
		Client: func(name host.SystemName) (host.OAuthClient, bool) {
			c, ok := d.config.Load().OAuthClients[name]
			return c, ok
		},
		Open: credentials.Open, Seal: credentials.Seal, HTTP: d.provider, Clock: time.Now, Log: d.log.Named("oauth"),
	})
}

// provider is how the provider of a connection's tokens is reached: as its
// system is.
func (d *Daemon) provider(c *host.Connection) (*http.Client, error) {
	n := reach.Network{PublicOnly: c.PublicOnly(), PrivateTargets: d.privateTargets()}
	if c.Network != nil {
		n.CA, n.Proxy, n.NoProxy, n.Fingerprint = c.Network.CA, c.Network.Proxy, c.Network.NoProxy, c.Network.Fingerprint
	}
	t, err := n.Transport(10 * time.Second)
	if err != nil {
		return nil, host.Errorf(host.CodeInvalid, "the network of connection %s cannot be used: %w", c.ID, err)
	}
	t.DisableKeepAlives = true // a token is got now and then, and nobody closes the transport
	return &http.Client{
		Transport: t, Timeout: 25 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
