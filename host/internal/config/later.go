package config

// Blocks that are understood, checked, and left out: this release does not act
// on them.

var oauthSchema = schema("client_id! client_secret! scopes")

func (l *loader) later(b block) {
	if b.Type != "oauth_client" {
		return
	}
	r := open(b.Body, b.DefRange, b.ctx, oauthSchema)
	r.str("client_id", "")
	r.secret("client_secret")
	r.strings("scopes")
	r.id(b.Labels[0], "The name of a "+b.Type)
	if !r.diags.HasErrors() {
		r.notYet()
	}
	l.report(b.name(), false, r.diags)
}
