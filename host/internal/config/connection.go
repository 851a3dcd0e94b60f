package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

var (
	connectionSchema = schema("for_each system! label settings auth credentials network metadata check_every paused exclude allow_private",
		hcl.BlockHeaderSchema{Type: "sync", LabelNames: []string{"entity"}},
		hcl.BlockHeaderSchema{Type: "map", LabelNames: []string{"entity"}},
		hcl.BlockHeaderSchema{Type: "webhook", LabelNames: []string{"name"}})
	syncSchema = schema("every full history")
)

func (l *loader) connections() {
	first := map[host.ConnectionID]int{}
	for _, b := range l.sorted("connection") {
		for _, c := range l.expand(b) {
			at, ok := first[c.ID]
			if !ok {
				first[c.ID] = len(l.cfg.Connections)
				l.cfg.Connections = append(l.cfg.Connections, c)
				continue
			}
			prior := &l.cfg.Connections[at]
			d := twice(fmt.Sprintf("connection %q", c.ID), b.DefRange, prior.Range)
			l.report(fmt.Sprintf("connection %q", c.ID), false, hcl.Diagnostics{d})
			prior.spoil(d)
		}
	}
	slices.SortFunc(l.cfg.Connections, func(a, b Connection) int { return cmp.Compare(a.ID, b.ID) })
}

// spoil makes the connection invalid for the reason of the diagnostic, unless
// it is already.
func (c *Connection) spoil(d *hcl.Diagnostic) {
	if c.Invalid == "" && d.Severity == hcl.DiagError {
		c.Invalid = sentence(d)
	}
}

// sentence is a diagnostic in one line, with its place.
func sentence(d *hcl.Diagnostic) string {
	s := d.Summary + ": " + d.Detail
	if d.Detail == "" {
		s = d.Summary
	}
	if d.Subject != nil {
		s = place(*d.Subject) + ": " + s
	}
	return strings.Join(strings.Fields(s), " ")
}

// expand evaluates for_each and decodes each connection that the block makes.
func (l *loader) expand(b block) []Connection {
	r := open(b.Body, b.DefRange, b.ctx, connectionSchema)
	if !r.has("for_each") {
		r.id(b.Labels[0], "A connection's id")
		return l.decode(b, r, b.Labels[0], b.name())
	}
	v, ok := r.value("for_each", cty.DynamicPseudoType)
	if ok {
		ty := v.Type()
		switch {
		case expr.IsSensitive(v) && v.IsMarked():
			r.wrong("for_each", "Sensitive for_each", "Its keys become connection ids, which people see. If they are no secret, write plain(…) around it.")
		case ty.IsMapType() || ty.IsObjectType() || ty.IsSetType() && ty.ElementType() == cty.String:
		case ty.IsTupleType() || ty.IsListType():
			r.wrong("for_each", "Wrong for_each", `"for_each" takes a map or a set of strings; write toset([…]) around a list.`)
		default:
			r.wrong("for_each", "Wrong for_each", `"for_each" takes a map or a set of strings.`)
		}
	} else if !r.diags.HasErrors() {
		r.wrong("for_each", "Null for_each", `"for_each" is null; give an empty map for no connection.`)
	}
	if ok && !r.diags.HasErrors() && v.Type().IsSetType() && v.ContainsMarked() {
		r.wrong("for_each", "Sensitive for_each", "Its keys become connection ids, which people see. If they are no secret, write plain(…) around it.")
	}
	for _, d := range r.diags {
		if d.Severity != hcl.DiagError || d.Subject == nil || !within(*d.Subject, r.place("for_each")) {
			continue
		}
		l.cfg.unexpanded = append(l.cfg.unexpanded, unexpanded{b.Labels[0] + "-", sentence(d), b.place()})
		l.report(b.name(), false, r.diags)
		return nil
	}
	var out []Connection
	for it := v.ElementIterator(); it.Next(); {
		k, val := it.Element()
		key := expr.Plain(k).AsString()
		if v.Type().IsSetType() {
			k = val
			key = val.AsString()
		}
		id := b.Labels[0] + "-" + key
		ctx := b.ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": val})}
		each := open(b.Body, b.DefRange, ctx, connectionSchema)
		each.id(id, fmt.Sprintf("A connection's id, here %q of the key in for_each,", id))
		out = append(out, l.decode(b, each, id, fmt.Sprintf("connection %q", id))...)
	}
	return out
}

func within(r, outer hcl.Range) bool {
	return r.Filename == outer.Filename && r.Start.Byte >= outer.Start.Byte && r.End.Byte <= outer.End.Byte
}

// decode reads one connection. One with a mistake is kept as invalid, one whose
// id cannot be is left out.
func (l *loader) decode(b block, r *reader, id, name string) []Connection {
	usable := host.ValidID(id)
	c := Connection{Range: b.DefRange, Connection: host.Connection{
		ID: host.ConnectionID(id), ManagedBy: host.ManagedByFile, Source: b.place(),
		System: host.SystemName(r.str("system", "")), Label: r.str("label", id), Auth: r.str("auth", ""),
		Metadata: r.stringMap("metadata"), Paused: r.flag("paused", false), NoPrivate: !r.flag("allow_private", true),
		CheckEvery: r.duration("check_every", host.DefaultCheckEvery, time.Second),
	}}
	if r.has("system") && c.System == "" && !r.diags.HasErrors() {
		r.wrong("system", "No system", `"system" is empty.`)
	}
	c.literals, c.fields = map[string]hcl.Range{}, map[string]hcl.Range{}
	c.credentials, c.settings = r.place("credentials"), r.place("settings")
	c.readCredentials(r)
	c.readSettings(r)
	c.Exclude = r.exclude()
	c.Network = l.networkOf(r)
	c.syncs(r)
	l.maps(r, &c)
	l.hooks(r, &c)
	inOrder(r.diags)
	for _, d := range r.diags {
		c.spoil(d)
	}
	l.report(name, false, r.diags)
	if !usable {
		return nil
	}
	return []Connection{c}
}

// networkOf returns the network that a block names; nil where it names none.
func (l *loader) networkOf(r *reader) *host.Network {
	name := r.str("network", "")
	if name == "" {
		return nil
	}
	if n := l.cfg.Networks[name]; n != nil {
		return n
	}
	if l.failed[name] {
		r.wrong("network", "Network with a mistake", "The block of network %q has a mistake.", name)
		return nil
	}
	known := slices.Collect(maps.Keys(l.cfg.Networks))
	r.wrong("network", "Unknown network", "There is no network %q; there is: %s.%s", name, quoteAll(known), didYouMean(name, known))
	return nil
}

func (c *Connection) readCredentials(r *reader) {
	v, ok := r.value("credentials", cty.DynamicPseudoType)
	if !ok {
		return
	}
	v, marks := v.Unmark()
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		r.wrong("credentials", "Wrong type", `"credentials" is an object: { username = "…", password = env("…") }.`)
		return
	}
	c.Credentials = map[string]host.Secret{}
	items := objectItems(r.content.Attributes["credentials"].Expr)
	for name, e := range v.AsValueMap() {
		at := c.credentials
		item, written := items[name]
		if written {
			at = item.Range()
		}
		if strings.HasPrefix(name, host.SettingPrefix) {
			r.at(at, "Wrong name", "A credential's name does not start with %q.", host.SettingPrefix)
			continue
		}
		plain := expr.Plain(e)
		if t := plain.Type(); !plain.IsNull() && !t.IsPrimitiveType() {
			r.at(at, "Wrong type", "The credential %q must be a string.", name)
			continue
		}
		if plain.IsNull() {
			continue
		}
		c.fields["credentials."+name] = at
		c.Credentials[name] = expr.Secret(e)
		if written && len(marks) == 0 && literal(item, e) {
			c.literals[name] = at
			if secretName.MatchString(name) {
				r.literalSecret(at, name)
			}
		}
	}
}

// secretName is what a secret field is usually called: before any connector
// has told which fields are.
var secretName = regexp.MustCompile(`(?i)pass|secret|token|key|pin$`)

// objectItems returns the expressions of an object that is written out, by key.
func objectItems(e hcl.Expression) map[string]hclsyntax.Expression {
	out := map[string]hclsyntax.Expression{}
	o, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return out
	}
	for _, item := range o.Items {
		if k, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && k.Type() == cty.String && !k.IsNull() && k.IsKnown() {
			out[k.AsString()] = item.ValueExpr
		}
	}
	return out
}

// readSettings reads settings as JSON values. Sensitive ones are kept among the
// credentials, so that they are sealed and never shown.
func (c *Connection) readSettings(r *reader) {
	v, ok := r.value("settings", cty.DynamicPseudoType)
	if !ok {
		return
	}
	v, marks := v.Unmark()
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		r.wrong("settings", "Wrong type", `"settings" is an object: { url = "…" }.`)
		return
	}
	c.Settings = map[string]any{}
	items := objectItems(r.content.Attributes["settings"].Expr)
	for name, e := range v.AsValueMap() {
		at := c.settings
		if item, ok := items[name]; ok {
			at = item.Range()
		}
		c.fields["settings."+name] = at
		if e.IsNull() {
			continue
		}
		if len(marks) > 0 || expr.IsSensitive(e) {
			if !expr.Plain(e).Type().IsPrimitiveType() {
				r.at(at, "Wrong type", "The sensitive setting %q must be a string, a number or a bool.", name)
				continue
			}
			c.hide(name, expr.Secret(e))
			continue
		}
		b, err := ctyjson.Marshal(e, e.Type())
		if err == nil {
			var j any
			if err = json.Unmarshal(b, &j); err == nil {
				c.Settings[name] = j
			}
		}
		if err != nil {
			r.at(at, "Wrong type", "The setting %q cannot be written as JSON.", name)
		}
	}
}

// hide keeps a setting among the credentials.
func (c *Connection) hide(name string, s host.Secret) {
	if c.Credentials == nil {
		c.Credentials = map[string]host.Secret{}
	}
	c.Credentials[host.SettingPrefix+name] = s
	delete(c.Settings, name)
}

var (
	entityPattern  = regexp.MustCompile(`^(native/)?[^\s/.][^\s/]{0,127}$`)
	excludePattern = regexp.MustCompile(`^(native/)?[^\s/.][^\s/]*\.[^\s]+$`)
)

func (r *reader) entity(name string) host.EntityName {
	s := r.str(name, "")
	if r.has(name) && !entityPattern.MatchString(s) {
		r.wrong(name, "Wrong entity", `%q is an entity's name, such as "work_orders" or "native/NAME".`, name)
	}
	return host.EntityName(s)
}

func (r *reader) exclude() []string {
	all := r.strings("exclude")
	for _, s := range all {
		if !excludePattern.MatchString(s) {
			r.wrong("exclude", "Wrong field", `"exclude" has an entry that is not an entity and a field, as in "people.email".`)
		}
	}
	return all
}

func (c *Connection) syncs(r *reader) {
	places := map[host.EntityName]hcl.Range{}
	for _, b := range r.content.Blocks.OfType("sync") {
		e := host.EntityName(b.Labels[0])
		if !entityPattern.MatchString(b.Labels[0]) {
			r.at(b.LabelRanges[0], "Wrong entity", `A sync is named after an entity, such as "work_orders" or "native/NAME".`)
			continue
		}
		if prior, ok := places[e]; ok {
			r.diags = append(r.diags, twice(fmt.Sprintf("sync %q", e), b.DefRange, prior))
			continue
		}
		places[e] = b.DefRange
		sr := open(b.Body, b.DefRange, r.ctx, syncSchema)
		o := host.Order{Every: sr.duration("every", host.DefaultEvery, leastEvery), Full: sr.duration("full", host.DefaultFull, 0)}
		if v, ok := sr.shown("history", cty.String); ok && v.AsString() != "all" {
			o.History = sr.duration("history", 0, time.Hour)
		}
		if o.Full > 0 && o.Full < leastEvery {
			sr.wrong("full", "Duration too short", `"full" must be at least %s, or "0s" for never.`, leastEvery)
		}
		r.diags = append(r.diags, sr.diags...)
		if c.Syncs == nil {
			c.Syncs = map[host.EntityName]host.Order{}
		}
		c.Syncs[e] = o
	}
}

func (l *loader) maps(r *reader, c *Connection) {
	places := map[host.EntityName]hcl.Range{}
	for _, b := range r.content.Blocks.OfType("map") {
		e := host.EntityName(b.Labels[0])
		if prior, ok := places[e]; ok {
			r.diags = append(r.diags, twice(fmt.Sprintf("map %q", e), b.DefRange, prior))
			continue
		}
		places[e] = b.DefRange
		attrs, diags := b.Body.JustAttributes()
		r.diags = append(r.diags, diags...)
		m, diags := expr.CompileMapping(l.cfg.sources[b.DefRange.Filename].Bytes, attrs, r.ctx)
		r.diags = append(r.diags, diags...)
		if diags.HasErrors() {
			continue
		}
		if c.Map == nil {
			c.Map = map[host.EntityName]*expr.Mapping{}
		}
		c.Map[e] = m
	}
}
