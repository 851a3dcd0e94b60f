package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host/internal/expr"
)

// Blocks that are understood, checked, and left out: this release does not act
// on them.

var (
	oauthSchema   = schema("client_id! client_secret! scopes")
	webhookSchema = schema("url! secret events connections headers timeout rate empty_syncs allow_private", hcl.BlockHeaderSchema{Type: "retry"})
	retrySchema   = schema("first factor limit schedule")
	triggerSchema = schema("entity! when! data every initial limit connections")
)

func (l *loader) later(b block) {
	var r *reader
	switch b.Type {
	case "oauth_client":
		r = open(b.Body, b.DefRange, b.ctx, oauthSchema)
		r.str("client_id", "")
		r.secret("client_secret")
		r.strings("scopes")
	case "webhook":
		r = open(b.Body, b.DefRange, b.ctx, webhookSchema)
		webhook(r)
	case "trigger":
		r = open(b.Body, b.DefRange, b.ctx, triggerSchema)
		trigger(r)
	default:
		return
	}
	r.id(b.Labels[0], "The name of a "+b.Type)
	if !r.diags.HasErrors() {
		r.notYet()
	}
	l.report(b.name(), false, r.diags)
}

func webhook(r *reader) {
	r.url("url", "https", "http")
	r.secret("secret")
	r.strings("events")
	r.patterns("connections")
	r.headers()
	r.duration("timeout", 10*time.Second, time.Millisecond)
	r.rate("rate")
	r.flag("empty_syncs", true)
	r.flag("allow_private", false)
	for _, b := range r.content.Blocks {
		rr := open(b.Body, b.DefRange, r.ctx, retrySchema)
		rr.duration("first", 0, time.Millisecond)
		rr.duration("limit", 0, time.Millisecond)
		rr.value("factor", cty.Number)
		for _, s := range rr.strings("schedule") {
			if _, err := expr.ParseDuration(s); err != nil {
				rr.wrong("schedule", "Wrong duration", `"schedule" has an entry that is %s.`, err)
			}
		}
		if rr.has("schedule") && (rr.has("first") || rr.has("factor")) {
			rr.wrong("schedule", "One of two", `Give either "schedule" or "first" and "factor".`)
		}
		r.diags = append(r.diags, rr.diags...)
	}
}

// headers may be secret and are never shown.
func (r *reader) headers() { r.value("headers", cty.Map(cty.String)) }

func trigger(r *reader) {
	r.entity("entity")
	r.patterns("connections")
	r.duration("every", 0, time.Second)
	r.flag("initial", false)
	r.value("limit", cty.Number)
	for _, name := range []string{"when", "data"} {
		if a, ok := r.content.Attributes[name]; ok {
			r.diags = append(r.diags, expr.CheckVariables(a.Expr, r.ctx, "record", "old")...)
		}
	}
}
