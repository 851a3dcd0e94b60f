package config

import "github.com/dinrail/dinrail/host"

var oauthSchema = schema("client_id! client_secret scopes")

// oauthClients are the host's registrations at providers, by system. One
// without a secret is a public client, which PKCE alone protects (RFC 7636).
func (l *loader) oauthClients() {
	for _, b := range l.unique("oauth_client", false) {
		r := open(b.Body, b.DefRange, b.ctx, oauthSchema)
		c := host.OAuthClient{System: host.SystemName(b.Labels[0]), ID: r.str("client_id", ""), Secret: r.secret("client_secret"), Scopes: r.strings("scopes")}
		r.id(b.Labels[0], "The name of an oauth_client, which is a system's,")
		if c.ID == "" && !r.diags.HasErrors() {
			r.wrong("client_id", "No client", `"client_id" is what the provider calls this host.`)
		}
		if !r.diags.HasErrors() {
			l.cfg.OAuthClients[c.System] = c
		}
		l.report(b.name(), false, r.diags)
	}
}
