package daemon

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/config"
)

// surfaceOf says what a path belongs to; "" is what every listener serves.
func surfaceOf(path string) string {
	under := func(names ...string) bool {
		for _, n := range names {
			if path == n || strings.HasPrefix(path, n+"/") {
				return true
			}
		}
		return false
	}
	switch {
	case under("/v1/admin"):
		return config.ServeAdmin
	case under("/v1", "/docs", "/openapi.json", "/openapi.yaml"):
		return config.ServeAPI
	case under("/connect", "/connect.js", "/oauth"):
		return config.ServeConnect
	case under("/inbound"):
		return config.ServeInbound
	case under("/metrics"):
		return config.ServeMetrics
	case under("/healthz", "/readyz", "/assets"): // what pages are made of tells nothing
		return ""
	default:
		return config.ServeUI
	}
}

// only lets through what a listener serves; for all else there is nothing.
func only(l *config.Listener, all, nowhere http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := surfaceOf(r.URL.Path); s != "" && !l.Serves(s) {
			nowhere.ServeHTTP(w, r)
			return
		}
		all.ServeHTTP(w, r)
	})
}

// seen makes a request what it was when the person's side sent it: its scheme
// stands in URL.Scheme, and where a trusted proxy passes it on, RemoteAddr and
// Host are what the proxy saw. What others say of whom they ask for is not
// believed. Who guesses tokens is known by that address.
func seen(l *config.Listener, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if r.TLS != nil || l.TLSElsewhere {
			scheme = "https"
		}
		if trusted(l.TrustedProxies, r.RemoteAddr) {
			if s := r.Header.Get("X-Forwarded-Proto"); s == "http" || s == "https" {
				scheme = s
			}
			if h := r.Header.Get("X-Forwarded-Host"); h != "" && !strings.ContainsAny(h, ", /@") {
				r.Host = h
			}
			if from := client(l.TrustedProxies, r.Header.Values("X-Forwarded-For")); from.IsValid() {
				r.RemoteAddr = net.JoinHostPort(from.String(), "0")
			}
		}
		r.URL.Scheme = scheme
		next.ServeHTTP(w, r.WithContext(auth.From(r.Context(), r.RemoteAddr)))
	})
}

// client is the last address of a chain that is no trusted proxy: those before
// it are told by whoever that is.
func client(proxies []netip.Prefix, chain []string) netip.Addr {
	hops := strings.Split(strings.Join(chain, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return netip.Addr{}
		}
		if a = a.Unmap(); !within(proxies, a) || i == 0 {
			return a
		}
	}
	return netip.Addr{}
}

func trusted(proxies []netip.Prefix, remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	return err == nil && within(proxies, at.Addr().Unmap())
}

func within(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
