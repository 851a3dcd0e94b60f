// Package reach is how a foreign machine is reached: by which certificates,
// through which proxy, and at which addresses at all. Connectors call systems
// by it, and the host its webhooks' endpoints: one rule for both.
//
// It promises that an address is judged as it is dialled, after its name was
// looked up, so that a name cannot be one thing for the check and another for
// the call; and that link-local addresses are dialled never.
//
// It refuses to judge what a proxy reaches for a name: the operator named the
// proxy, and that is where the rule belongs then.
package reach

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
)

// Network is an operator's network block, and which addresses may be reached
// through it. The zero Network reaches everything but what is never reached.
type Network struct {
	CA          string // certificates in PEM form, beside the machine's own authorities
	Proxy       string // URL
	NoProxy     []string
	Fingerprint string // "sha256:" and hexadecimal digits of the one certificate that is accepted

	PublicOnly     bool           // private networks may not be reached
	PrivateTargets []netip.Prefix // but for these
}

// Mistake is a part of a network block that cannot be used.
type Mistake struct {
	Field   string // ca, fingerprint, proxy
	Message string // as in "is not a URL"
}

// Error names the field and what is wrong with it.
func (m *Mistake) Error() string { return m.Field + " " + m.Message }

// RefusedError is an address that may not be reached, and why in words.
type RefusedError struct{ Reason string }

// Error returns the words.
func (e *RefusedError) Error() string { return e.Reason }

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Dialer returns how addresses are dialled, without any proxy; each attempt has
// the time given. Its Dial answers a RefusedError for an address that may not
// be reached, and may be called concurrently.
func (n *Network) Dialer(timeout time.Duration) Dial {
	d := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second, Control: func(network, address string, _ syscall.RawConn) error {
		return n.admit(network, address)
	}}
	return d.DialContext
}

// admit judges an address that a name was resolved to.
func (n *Network) admit(network, address string) error {
	if strings.HasPrefix(network, "unix") {
		if n.PublicOnly {
			return &RefusedError{"a socket on this machine is no public address"}
		}
		return nil
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{fmt.Sprintf("the address %s cannot be checked", address)}
	}
	return n.refused(to.Addr())
}

func (n *Network) refused(a netip.Addr) error {
	if reason := Refused(a, n.PublicOnly, n.PrivateTargets...); reason != "" {
		return &RefusedError{reason}
	}
	return nil
}

// Transport returns how HTTP is spoken: by the network's certificates and
// proxy, dialling as Dialer does. An error is a *Mistake.
func (n *Network) Transport(dialTimeout time.Duration) (*http.Transport, error) {
	secure, err := n.TLS()
	if err != nil {
		return nil, err
	}
	dial := n.Dialer(dialTimeout)
	t := &http.Transport{DialContext: dial, TLSClientConfig: secure, TLSHandshakeTimeout: dialTimeout, ForceAttemptHTTP2: true}
	if n.Proxy == "" {
		return t, nil
	}
	proxy, err := url.Parse(n.Proxy)
	if err != nil || proxy.Host == "" {
		return nil, &Mistake{"proxy", "is not a URL"}
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if n.Direct(r.URL.Hostname()) {
			return nil, nil
		}
		if a, err := netip.ParseAddr(r.URL.Hostname()); err == nil {
			if err := n.refused(a); err != nil {
				return nil, err
			}
		}
		return proxy, nil
	}
	// The operator named the proxy: it may stand in any network.
	plain := (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == hostPort(proxy) {
			return plain(ctx, network, address)
		}
		return dial(ctx, network, address)
	}
	return t, nil
}

// TLS returns how certificates are checked: by the machine's authorities and
// the network's, or by a pin. An error is a *Mistake.
func (n *Network) TLS() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.CA != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(n.CA)) {
			return nil, &Mistake{"ca", "holds no certificate in PEM form"}
		}
		c.RootCAs = pool
	}
	if n.Fingerprint != "" {
		pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(n.Fingerprint, "sha256:"), ":", ""))
		if err != nil || len(pin) != sha256.Size {
			return nil, &Mistake{"fingerprint", "is not sha256: and 64 hexadecimal digits"}
		}
		// The pin takes the place of the chain: it names the one certificate.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			if got := sha256.Sum256(cs.PeerCertificates[0].Raw); string(got[:]) != string(pin) {
				return fmt.Errorf("the certificate's fingerprint is sha256:%x, not the one that is pinned", got)
			}
			return nil
		}
	}
	return c, nil
}

// Direct says whether a machine is reached without the proxy: there is none, or
// it is named exactly, by a domain with a dot before it, or by a prefix of
// addresses.
func (n *Network) Direct(name string) bool {
	if n.Proxy == "" {
		return true
	}
	addr, err := netip.ParseAddr(name)
	for _, p := range n.NoProxy {
		if strings.EqualFold(p, name) || strings.HasPrefix(p, ".") && strings.HasSuffix(strings.ToLower(name), strings.ToLower(p)) {
			return true
		}
		if prefix, prefixErr := netip.ParsePrefix(p); prefixErr == nil && err == nil && prefix.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// hostPort returns where a proxy is dialled.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	return net.JoinHostPort(u.Hostname(), port)
}
