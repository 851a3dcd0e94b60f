package sdk

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// dialSystem opens a connection to a system.
func dialSystem(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
}

// tlsOf is how certificates are checked: by the system's authorities and the
// network's, or by a pin.
func tlsOf(n *connectorv1.Network) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.GetCa() != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM([]byte(n.GetCa())) {
			return nil, &Failure{Code: CodeInvalid, Path: "network.ca", Message: "the network's ca holds no certificate in PEM form"}
		}
		c.RootCAs = pool
	}
	if f := n.GetFingerprint(); f != "" {
		want, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(f, "sha256:"), ":", ""))
		if err != nil || len(want) != sha256.Size {
			return nil, &Failure{Code: CodeInvalid, Path: "network.fingerprint", Message: "the network's fingerprint is not sha256: and 64 hexadecimal digits"}
		}
		// The pin replaces the check of the chain: it names the one certificate
		// that is accepted.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(cs tls.ConnectionState) error {
			if got := sha256.Sum256(cs.PeerCertificates[0].Raw); string(got[:]) != string(want) {
				return fmt.Errorf("the certificate's fingerprint is sha256:%x, not the one that is pinned", got)
			}
			return nil
		}
	}
	return c, nil
}

// dialerOf opens connections for connectors that speak another protocol than
// HTTP. An HTTP proxy does not carry those.
func dialerOf(n *connectorv1.Network) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if name, _, err := net.SplitHostPort(address); err == nil && n.GetProxy() != "" && !direct(name, n.GetNoProxy()) {
			return nil, &Failure{Code: CodeInvalid, Path: "network.proxy", Message: fmt.Sprintf("%s would be reached through a proxy, which carries HTTP alone; name it in the network's no_proxy", name)}
		}
		return dialSystem(ctx, network, address)
	}
}

// direct says whether a host is reached without the proxy: named exactly, by a
// domain with a leading dot, or by a prefix of addresses.
func direct(name string, noProxy []string) bool {
	addr, addrErr := netip.ParseAddr(name)
	for _, n := range noProxy {
		if strings.EqualFold(n, name) || strings.HasPrefix(n, ".") && strings.HasSuffix(strings.ToLower(name), strings.ToLower(n)) {
			return true
		}
		if p, err := netip.ParsePrefix(n); err == nil && addrErr == nil && p.Contains(addr) {
			return true
		}
	}
	return false
}
