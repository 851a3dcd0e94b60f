package daemon

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/dinrail/dinrail/host/internal/config"
)

// Whom a request is from is what the last trusted proxy saw, and never what
// somebody else says.
func TestForwardedAddressesAreBelievedFromTrustedProxiesAlone(t *testing.T) {
	l := &config.Listener{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct {
		name, remote, chain, proto, host string
		from, scheme, at                 string
	}{
		{"nobody between", "192.0.2.1:99", "", "", "", "192.0.2.1:99", "http", "example.com"},
		{"a stranger says so", "192.0.2.1:99", "198.51.100.7", "https", "evil.example.com", "192.0.2.1:99", "http", "example.com"},
		{"a proxy", "10.0.0.1:99", "198.51.100.7", "https", "connect.example.com", "198.51.100.7:0", "https", "connect.example.com"},
		{"a proxy behind a proxy", "10.0.0.1:99", "198.51.100.7, 10.0.0.2", "https", "", "198.51.100.7:0", "https", "example.com"},
		{"a client that forges the chain", "10.0.0.1:99", "203.0.113.9, 198.51.100.7", "", "", "198.51.100.7:0", "http", "example.com"},
		{"only proxies", "10.0.0.1:99", "10.0.0.3, 10.0.0.2", "", "", "10.0.0.3:0", "http", "example.com"},
		{"nonsense", "10.0.0.1:99", "x, y", "gopher", "a, b", "10.0.0.1:99", "http", "example.com"},
		{"IPv4 within IPv6", "[::ffff:10.0.0.1]:99", "::ffff:198.51.100.7", "", "", "198.51.100.7:0", "http", "example.com"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/connection", nil)
		r.RemoteAddr = c.remote
		for name, v := range map[string]string{"X-Forwarded-For": c.chain, "X-Forwarded-Proto": c.proto, "X-Forwarded-Host": c.host} {
			if v != "" {
				r.Header.Set(name, v)
			}
		}
		seen(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.RemoteAddr != c.from || r.URL.Scheme != c.scheme || r.Host != c.at {
				t.Errorf("%s: from %s by %s at %s; want %s, %s, %s", c.name, r.RemoteAddr, r.URL.Scheme, r.Host, c.from, c.scheme, c.at)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestAListenerServesItsPartsAlone(t *testing.T) {
	paths := map[string][]string{
		config.ServeAPI: {"/v1/connection", "/v1/work_orders/1", "/docs", "/openapi.json"}, config.ServeAdmin: {"/v1/admin/status", "/v1/admin"},
		config.ServeUI: {"/", "/sign-in", "/connections/plant"}, config.ServeConnect: {"/connect/dcs_x", "/connect.js", "/oauth/callback"},
		config.ServeInbound: {"/inbound/x"}, config.ServeMetrics: {"/metrics"}, "": {"/healthz", "/readyz", "/assets/x.css"},
	}
	yes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for part := range paths {
		h := only(&config.Listener{Serve: []string{part}}, yes, http.NotFoundHandler())
		for other, all := range paths {
			for _, path := range all {
				want := http.StatusNotFound
				if other == part || other == "" {
					want = http.StatusOK
				}
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != want {
					t.Errorf("a listener of %q answers %d at %s; want %d", part, w.Code, path, want)
				}
			}
		}
	}
}
