package sdk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/sdk/reach"
)

const dialTimeout = 15 * time.Second

// networkOf returns how the host wants a connection's system to be reached.
func networkOf(m *connectorv1.Network) (*reach.Network, error) {
	n := &reach.Network{CA: m.GetCa(), Proxy: m.GetProxy(), NoProxy: m.GetNoProxy(), Fingerprint: m.GetFingerprint(), PublicOnly: m.GetPublicOnly()}
	for _, text := range m.GetPrivateTargets() {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, &Failure{Code: CodeInvalid, Path: "network.private_targets", Message: fmt.Sprintf("the network's private target %q is no prefix of addresses", text)}
		}
		n.PrivateTargets = append(n.PrivateTargets, p)
	}
	return n, nil
}

// dialer opens connections for connectors that speak another protocol than
// HTTP. An HTTP proxy does not carry those.
func dialer(n *reach.Network) reach.Dial {
	dial := n.Dialer(dialTimeout)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if name, _, err := net.SplitHostPort(address); err == nil && !n.Direct(name) {
			return nil, &Failure{Code: CodeInvalid, Path: "network.proxy", Message: fmt.Sprintf("%s would be reached through a proxy, which carries HTTP alone; name it in the network's no_proxy", name)}
		}
		c, err := dial(ctx, network, address)
		if refused, ok := errors.AsType[*reach.RefusedError](err); ok {
			return nil, refusal(address, refused)
		}
		return c, err
	}
}

// refusal says in words that an address may not be reached.
func refusal(where string, err *reach.RefusedError) *Failure {
	return &Failure{Code: CodeAddressRefused, Message: where + " was not called: " + err.Reason, Err: err}
}
