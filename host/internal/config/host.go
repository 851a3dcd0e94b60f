package config

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

var (
	hostSchema = schema("listen data_dir plugin_dir systems_dir admin_tokens key_file key key_command rate encrypt_data drain watch private_targets",
		hcl.BlockHeaderSchema{Type: "log"})
	logSchema        = schema("level")
	adminTokenSchema = schema("value sha256 role connections")
)

func (l *loader) hosts() {
	blocks := l.sorted("host")
	for i, b := range blocks {
		if i > 0 {
			l.report("host", true, hcl.Diagnostics{twice("host", b.DefRange, blocks[0].DefRange)})
			continue
		}
		r := open(b.Body, b.DefRange, b.ctx, hostSchema)
		r.own = true
		l.host(r)
		l.report("host", true, r.diags)
	}
}

func (l *loader) host(r *reader) {
	h, def := &l.cfg.Host, DefaultHost()
	h.Listen, l.listenGiven = r.address("listen", def.Listen), r.has("listen")
	if !loopback(h.Listen) {
		r.wrong("listen", "Not only this machine", `"listen" would serve tokens and data to the network in clear. `+
			`Name a loopback address, for example %q, and publish what is needed by a "listener" block with "tls".`, def.Listen)
	}
	h.DataDir = r.path("data_dir", def.DataDir)
	h.PluginDir = r.path("plugin_dir", def.PluginDir)
	h.SystemsDir = r.path("systems_dir", def.SystemsDir)
	h.KeyFile = r.path("key_file", "")
	h.Key = r.secret("key")
	h.KeyCommand = r.strings("key_command")
	h.RatePerSecond = r.rate("rate")
	h.EncryptData = r.flag("encrypt_data", true)
	h.Drain = r.duration("drain", def.Drain, 0)
	h.Watch = r.flag("watch", false)
	h.PrivateTargets = r.prefixes("private_targets")
	var keys []string
	for _, name := range []string{"key_file", "key", "key_command"} {
		if r.has(name) {
			keys = append(keys, name)
		}
	}
	if len(keys) > 1 {
		r.wrong(keys[1], "More than one key", "The host has one master key: name one of %s.", quoteAll(keys))
	}
	for i, b := range r.content.Blocks.OfType("log") {
		if i > 0 {
			r.diags = append(r.diags, twice("log", b.DefRange, r.content.Blocks[0].DefRange))
			continue
		}
		lr := open(b.Body, b.DefRange, r.ctx, logSchema)
		lr.own = true
		h.LogLevel = lr.choice("level", def.LogLevel, "trace", "debug", "info", "warn", "error")
		r.diags = append(r.diags, lr.diags...)
	}
	l.shortTokens(r)
}

// shortTokens reads host.admin_tokens.
func (l *loader) shortTokens(r *reader) {
	v, ok := r.value("admin_tokens", cty.List(cty.String))
	if !ok {
		return
	}
	e := r.content.Attributes["admin_tokens"].Expr
	if literal(e, v) {
		r.literalSecret(e.Range(), "admin_tokens")
	}
	v, _ = v.Unmark()
	for i, t := range v.AsValueSlice() {
		name := "host"
		if i > 0 {
			name = fmt.Sprintf("host-%d", i+1)
		}
		s := expr.Secret(t)
		r.adminToken("admin_tokens", s)
		l.cfg.AdminTokens = append(l.cfg.AdminTokens, AdminToken{Name: name, Value: s, Role: host.RoleAdmin})
	}
}

// adminToken checks the form of an admin token.
func (r *reader) adminToken(name string, s host.Secret) {
	if v := s.Reveal(); len(v) < 32 || len(v) > 200 || !strings.HasPrefix(v, "dra_") || strings.ContainsAny(v, " \t\r\n") {
		r.wrong(name, "Wrong admin token", "An admin token starts with dra_ and has 32 to 200 characters without spaces. Make one with: echo dra_$(openssl rand -hex 32)")
	}
}

// address reads host:port.
func (r *reader) address(name, def string) string {
	s := r.str(name, def)
	_, port, err := net.SplitHostPort(s)
	if err != nil || !validPort(port) {
		r.wrong(name, "Wrong address", `%q must be host:port, for example "127.0.0.1:7420".`, name)
		return def
	}
	return s
}

// loopback says whether an address is reached from this machine alone. A name
// other than localhost may come to mean anything.
func loopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(name)
	return err == nil && (name == "localhost" || ip != nil && ip.IsLoopback())
}

func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func (r *reader) path(name, def string) string {
	s := r.str(name, def)
	if r.has(name) && s == "" {
		r.wrong(name, "Empty path", "%q is empty; leave it out for the default.", name)
	}
	return s
}

func (l *loader) adminTokens() {
	for _, b := range l.unique("admin_token", false) {
		r := open(b.Body, b.DefRange, b.ctx, adminTokenSchema)
		t := AdminToken{Name: b.Labels[0], Value: r.secret("value"), SHA256: r.digest("sha256"), Connections: r.patterns("connections")}
		t.Role = host.Role(r.choice("role", string(host.RoleAdmin), string(host.RoleViewer), string(host.RoleOperator), string(host.RoleConnector), string(host.RoleAdmin)))
		r.id(b.Labels[0], "An admin token's name")
		if r.has("value") && !r.diags.HasErrors() {
			r.adminToken("value", t.Value)
		}
		if r.has("value") == r.has("sha256") {
			r.at(b.DefRange, "One of two", `An admin token has either "value" or "sha256".`)
		}
		if !r.diags.HasErrors() {
			l.cfg.AdminTokens = append(l.cfg.AdminTokens, t)
		}
		l.report(b.name(), false, r.diags)
	}
}

// id checks a block's label.
func (r *reader) id(label, what string) {
	if !host.ValidID(label) {
		r.at(r.block, "Wrong name", "%s has 1 to 64 characters of A-Z a-z 0-9 _ -.", what)
	}
}

// patterns reads patterns of connection ids: "plant-7-*".
func (r *reader) patterns(name string) []string {
	all := r.strings(name)
	for _, p := range all {
		if stem := strings.ReplaceAll(p, "*", "x"); !host.ValidID(stem) {
			r.wrong(name, "Wrong pattern", `%q has an entry that is no connection id, with * for any characters, as in "plant-7-*".`, name)
		}
	}
	return all
}

var (
	networkSchema   = schema("ca proxy no_proxy fingerprint")
	connectorSchema = schema("source sha256 env memory isolation")
	movedSchema     = schema("from! to!")
)

func (l *loader) networks() {
	l.failed = map[string]bool{}
	for _, b := range l.unique("network", false) {
		r := open(b.Body, b.DefRange, b.ctx, networkSchema)
		r.own = true
		n := &host.Network{Name: b.Labels[0], Proxy: r.url("proxy", "http", "https", "socks5"), NoProxy: r.strings("no_proxy"), Fingerprint: r.fingerprint()}
		r.id(b.Labels[0], "A network's name")
		if path := r.path("ca", ""); path != "" {
			n.CA = r.pem("ca", path)
		}
		if r.diags.HasErrors() {
			l.failed[n.Name] = true
		} else {
			l.cfg.Networks[n.Name] = n
		}
		l.report(b.name(), false, r.diags)
	}
}

func (r *reader) fingerprint() string {
	s := strings.ToLower(r.str("fingerprint", ""))
	if s == "" {
		return ""
	}
	digits := strings.ReplaceAll(strings.TrimPrefix(s, "sha256:"), ":", "")
	if !strings.HasPrefix(s, "sha256:") || !hexDigest.MatchString(digits) {
		r.wrong("fingerprint", "Wrong fingerprint", `"fingerprint" is sha256: and 64 hexadecimal digits, as openssl x509 -fingerprint -sha256 prints them.`)
		return ""
	}
	return "sha256:" + digits
}

func (r *reader) pem(name, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		r.wrong(name, "Cannot read certificate", "Read the file of %q: %s. The path is relative to the folder in which the host was started.", name, reason(err))
		return ""
	}
	if !hasCertificate(b) {
		r.wrong(name, "No certificate", "The file of %q holds no certificate in PEM form.", name)
		return ""
	}
	return string(b)
}

func (l *loader) connectors() {
	for _, b := range l.unique("connector", false) {
		r := open(b.Body, b.DefRange, b.ctx, connectorSchema)
		r.own = true
		c := Connector{
			Name: host.ConnectorName(b.Labels[0]), Range: b.DefRange,
			Source: r.path("source", "dinrail-plugin-"+b.Labels[0]), SHA256: r.digest("sha256"), Env: r.strings("env"), Memory: r.size("memory"),
			Isolation: r.choice("isolation", IsolationSystem, IsolationSystem, IsolationShared, IsolationConnection),
		}
		r.id(b.Labels[0], "A connector's name")
		if r.has("memory") && c.Memory < 16<<20 && !r.diags.HasErrors() {
			r.wrong("memory", "Too little memory", `"memory" must be at least "16MiB".`)
		}
		if !r.diags.HasErrors() {
			l.cfg.Connectors[c.Name] = c
		}
		l.report(b.name(), false, r.diags)
	}
}

func (l *loader) moves() {
	from := map[host.ConnectionID]Move{}
	for _, b := range l.sorted("moved") {
		r := open(b.Body, b.DefRange, b.ctx, movedSchema)
		m := Move{From: host.ConnectionID(r.str("from", "")), To: host.ConnectionID(r.str("to", "")), Range: b.DefRange}
		r.connectionID("from", m.From)
		r.connectionID("to", m.To)
		if m.From == m.To && !r.diags.HasErrors() {
			r.wrong("to", "Moved to itself", `"from" and "to" are the same connection.`)
		}
		if prior, ok := from[m.From]; ok {
			r.diags = append(r.diags, twice(fmt.Sprintf("moved from %q", m.From), b.DefRange, prior.Range))
		}
		for i := range l.cfg.Connections {
			if c := &l.cfg.Connections[i]; c.ID == m.From && r.has("from") {
				r.wrong("from", "Moved, but still there", `The connection %q has a block still, at %s:%d; take it out, or this one.`, m.From, c.Range.Filename, c.Range.Start.Line)
			}
		}
		for next, ok := from[m.To]; ok; next, ok = from[next.To] {
			if next.To == m.From {
				r.wrong("to", "Moved in a circle", "%q leads back to %q, by %s.", m.To, m.From, next.Place())
				break
			}
		}
		if !r.diags.HasErrors() {
			from[m.From] = m
			l.cfg.Moved = append(l.cfg.Moved, m)
		}
		l.report("moved", false, r.diags)
	}
}

func (r *reader) connectionID(name string, id host.ConnectionID) {
	if r.has(name) && !r.diags.HasErrors() && !host.ValidID(string(id)) {
		r.wrong(name, "Wrong id", "%q is a connection's id: 1 to 64 characters of A-Z a-z 0-9 _ -.", name)
	}
}

const leastEvery = time.Second
