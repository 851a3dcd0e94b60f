package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/dinrail/dinrail/host"
)

// refusedError is an address that deliveries may not go to.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// guard looks at the address that a name was resolved to, right before it is
// dialled: a name that is looked up twice cannot be one thing for the check and
// another for the call.
func guard(private bool, allowed []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return &refusedError{fmt.Sprintf("the address %s cannot be checked", address)}
		}
		if reason := host.RefusedAddress(to.Addr(), private, allowed...); reason != "" {
			return &refusedError{reason}
		}
		return nil
	}
}

// transport returns how an endpoint is called: guarded, by its network's
// certificates and proxy, and never following anywhere.
func transport(e *host.Endpoint, allowed []netip.Prefix) (http.RoundTripper, error) {
	guarded := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, Control: guard(e.AllowPrivate, allowed)}
	t := &http.Transport{
		DialContext:            guarded.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConnsPerHost:    mostAtOnce,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	n := e.Network
	if n == nil {
		return t, nil
	}
	if n.CA != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(n.CA)) {
			return nil, host.Errorf(host.CodeInvalid, "the ca of network %q holds no certificate in PEM form", n.Name)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if n.Fingerprint != "" {
		pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(n.Fingerprint, "sha256:"), ":", ""))
		if err != nil || len(pin) != sha256.Size {
			return nil, host.Errorf(host.CodeInvalid, "the fingerprint of network %q is not sha256: and 64 hexadecimal digits", n.Name)
		}
		// The pin takes the place of the chain: it names the one certificate.
		t.TLSClientConfig.InsecureSkipVerify = true
		t.TLSClientConfig.VerifyConnection = func(cs tls.ConnectionState) error {
			if got := sha256.Sum256(cs.PeerCertificates[0].Raw); string(got[:]) != string(pin) {
				return fmt.Errorf("the certificate's fingerprint is sha256:%x, not the one that is pinned", got)
			}
			return nil
		}
	}
	if n.Proxy != "" {
		proxy, err := url.Parse(n.Proxy)
		if err != nil || proxy.Host == "" {
			return nil, host.Errorf(host.CodeInvalid, "the proxy of network %q is not a URL", n.Name)
		}
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			if n.Direct(r.URL.Hostname()) {
				return nil, nil
			}
			return proxy, nil
		}
		// The operator named the proxy; what it reaches is its own affair.
		plain := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == hostPort(proxy) {
				return plain.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		}
	}
	return t, nil
}

const dialTimeout = 10 * time.Second

// hostPort returns where a proxy is dialled.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), port)
}
