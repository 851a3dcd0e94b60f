package config

import (
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// What a listener can serve.
const (
	ServeAPI     = "api"     // records and their feed, for connections' tokens
	ServeAdmin   = "admin"   // administration, for admin tokens
	ServeUI      = "ui"      // the dashboard
	ServeConnect = "connect" // the connect page
	ServeInbound = "inbound" // webhooks that systems send
	ServeMetrics = "metrics" // what Prometheus reads
)

var surfaces = []string{ServeAPI, ServeAdmin, ServeUI, ServeConnect, ServeInbound, ServeMetrics}

var (
	listenerSchema = schema("address! serve public_url trusted_proxies tls_terminated_elsewhere", hcl.BlockHeaderSchema{Type: "tls"})
	tlsSchema      = schema("cert! key!")
)

// Listener is an address at which the host serves all of its surfaces or some.
type Listener struct {
	Name    string // "": host.listen
	Address string // host:port
	Serve   []string
	// PublicURL is how people reach it, without a slash at the end; empty: by its
	// address.
	PublicURL string
	// TrustedProxies are believed when they say for whom they ask.
	TrustedProxies []netip.Prefix
	// Cert and Key are the files of its certificate; empty: it serves plain HTTP.
	Cert, Key string
	// TLSElsewhere says that whoever reaches it does so by TLS.
	TLSElsewhere bool
}

// Serves says whether the listener serves a surface.
func (l *Listener) Serves(surface string) bool { return slices.Contains(l.Serve, surface) }

// URL is how people reach the listener, without a slash at the end.
func (l *Listener) URL() string {
	switch {
	case l.PublicURL != "":
		return l.PublicURL
	case l.Cert != "" || l.TLSElsewhere:
		return "https://" + l.Address
	default:
		return "http://" + l.Address
	}
}

func (l *loader) listeners() {
	at := map[string]hcl.Range{}
	own := true // whether host.listen is served beside the blocks
	for _, b := range l.unique("listener", true) {
		r := open(b.Body, b.DefRange, b.ctx, listenerSchema)
		r.own = true
		n := Listener{
			Name: b.Labels[0], Address: r.address("address", "127.0.0.1:7420"), Serve: r.oneOf("serve", surfaces), PublicURL: r.origin("public_url"),
			TrustedProxies: asPrefixes(r.prefixes("trusted_proxies")), TLSElsewhere: r.flag("tls_terminated_elsewhere", false),
		}
		r.id(n.Name, "A listener's name")
		if len(n.Serve) == 0 {
			n.Serve = surfaces
		}
		for i, t := range r.content.Blocks {
			if i > 0 {
				r.diags = append(r.diags, twice("tls", t.DefRange, r.content.Blocks[0].DefRange))
				continue
			}
			tr := open(t.Body, t.DefRange, b.ctx, tlsSchema)
			tr.own = true
			n.Cert, n.Key = tr.path("cert", ""), tr.path("key", "")
			if n.Cert != "" && n.Key != "" {
				tr.pair(n.Cert, n.Key)
			}
			r.diags = append(r.diags, tr.diags...)
		}
		if len(r.content.Blocks) > 0 && n.TLSElsewhere {
			r.wrong("tls_terminated_elsewhere", "One of two", `A listener has either "tls" or "tls_terminated_elsewhere".`)
		}
		if !loopback(n.Address) && len(r.content.Blocks) == 0 && !n.TLSElsewhere {
			r.wrong("address", "Not only this machine", `"address" would serve tokens and data to the network in clear. `+
				`Give the listener a "tls" block with "cert" and "key", or say tls_terminated_elsewhere = true where a proxy that ends TLS stands before it.`)
		}
		if prior, taken := at[n.Address]; taken {
			r.diags = append(r.diags, twice("the address "+n.Address, b.DefRange, prior))
		}
		at[n.Address] = b.DefRange
		if !r.diags.HasErrors() {
			l.cfg.Listeners = append(l.cfg.Listeners, n)
			own = own && (l.listenGiven || port(n.Address) != port(l.cfg.Host.Listen))
		}
		l.report(b.name(), true, r.diags)
	}
	if own {
		short := Listener{Address: l.cfg.Host.Listen, Serve: surfaces}
		l.cfg.Listeners = append([]Listener{short}, l.cfg.Listeners...)
	}
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// pair checks a certificate and its key. The files are read again while the host
// runs.
func (r *reader) pair(cert, key string) {
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		r.wrong("cert", "Wrong certificate", `The files of "cert" and "key" are no certificate and its key: %s. Their paths are relative to the folder in which the host was started.`, reason(err))
	}
}

// origin reads a URL without a path.
func (r *reader) origin(name string) string {
	s := r.url(name, "https", "http")
	u, err := url.Parse(s)
	if s != "" && (err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		r.wrong(name, "Wrong URL", `%q is how people reach this listener: a scheme and a host, and nothing after them, for example "https://connect.example.com".`, name)
		return ""
	}
	if s == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// oneOf reads a list whose entries must be known.
func (r *reader) oneOf(name string, known []string) []string {
	all := r.strings(name)
	for _, s := range all {
		if !slices.Contains(known, s) {
			r.wrong(name, "Unknown value", "%q has an entry that is not one of %s.%s", name, quoteAll(known), didYouMean(s, known))
		}
	}
	return all
}

// asPrefixes are addresses and prefixes, those of wrong form left out.
func asPrefixes(all []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range all {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}
