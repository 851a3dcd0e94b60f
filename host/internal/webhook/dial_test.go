package webhook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
)

// What an endpoint's address leads to is looked at as it is dialled: inside
// only where it may, to link-local ones never.
func TestEndpointsReachPrivateAddressesOnlyWhereAllowed(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "thanks") }))
	defer receiver.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(receiver.URL, "http://"), ":")
	inside := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16")}
	for name, c := range map[string]struct {
		endpoint host.Endpoint
		allowed  []netip.Prefix
		url      string
		refused  string // words; empty: it is called
	}{
		"made by the API":             {host.Endpoint{}, nil, receiver.URL, "host.private_targets"},
		"by a name":                   {host.Endpoint{}, nil, "http://localhost:" + port, "host.private_targets"},
		"in private_targets":          {host.Endpoint{}, inside, receiver.URL, ""},
		"from a file":                 {host.Endpoint{AllowPrivate: true}, nil, receiver.URL, ""},
		"link-local":                  {host.Endpoint{}, inside, "http://169.254.169.254/", "never called"},
		"link-local, in a file":       {host.Endpoint{AllowPrivate: true}, nil, "http://[::ffff:169.254.169.254]/", "never called"},
		"through a proxy of its own":  {host.Endpoint{Network: &host.Network{Proxy: receiver.URL}}, nil, "http://receiver.example/", ""},
		"link-local, through a proxy": {host.Endpoint{Network: &host.Network{Proxy: receiver.URL}}, nil, "http://169.254.169.254/", "never called"},
	} {
		t.Run(name, func(t *testing.T) {
			rt, err := transport(&c.endpoint, c.allowed)
			if err != nil {
				t.Fatal(err)
			}
			defer rt.(*http.Transport).CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			res, err := rt.RoundTrip(req)
			if err == nil {
				defer res.Body.Close()
			}
			switch {
			case c.refused == "" && err != nil:
				t.Fatal(err)
			case c.refused != "" && (err == nil || !strings.Contains(words(err, dialTimeout), c.refused)):
				t.Fatalf("got %v, want %q", err, c.refused)
			}
		})
	}
}

func TestMistakesInAnEndpointsNetworkNameIt(t *testing.T) {
	for field, n := range map[string]*host.Network{
		"ca": {Name: "corp", CA: "none"}, "fingerprint": {Name: "corp", Fingerprint: "sha256:12"}, "proxy": {Name: "corp", Proxy: "::"},
	} {
		_, err := transport(&host.Endpoint{Network: n}, nil)
		if host.CodeOf(err) != host.CodeInvalid || !strings.Contains(err.Error(), "the "+field+` of network "corp"`) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
