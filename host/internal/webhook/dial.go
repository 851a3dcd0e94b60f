package webhook

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/reach"
)

const dialTimeout = 10 * time.Second

// transport returns how an endpoint is called: where it may be, by its
// network's certificates and proxy, and never following anywhere.
func transport(e *host.Endpoint, allowed []netip.Prefix) (http.RoundTripper, error) {
	n, name := reach.Network{PublicOnly: !e.AllowPrivate, PrivateTargets: allowed}, ""
	if e.Network != nil {
		n.CA, n.Proxy, n.NoProxy, n.Fingerprint = e.Network.CA, e.Network.Proxy, e.Network.NoProxy, e.Network.Fingerprint
		name = e.Network.Name
	}
	t, err := n.Transport(dialTimeout)
	if wrong, ok := errors.AsType[*reach.Mistake](err); ok {
		return nil, host.Errorf(host.CodeInvalid, "the %s of network %q %s", wrong.Field, name, wrong.Message)
	}
	if err != nil {
		return nil, err
	}
	t.MaxIdleConnsPerHost = mostAtOnce
	t.IdleConnTimeout = 30 * time.Second
	t.MaxResponseHeaderBytes = 64 << 10
	t.DisableCompression = true
	return t, nil
}
