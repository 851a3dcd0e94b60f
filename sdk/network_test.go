package sdk

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// resolveAllTo lets every name lead to one address.
func resolveAllTo(t *testing.T, address string) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go answerNames(server, net.ParseIP(address))
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before })
}

// A connection that may reach public addresses only is refused where its name
// leads inside, whatever the form of the address; nothing is dialled.
func TestPrivateAddressesAreRefusedWhereOnlyPublicOnesAreAllowed(t *testing.T) {
	reached := false
	system := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer system.Close()
	_, port, err := net.SplitHostPort(system.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "[64:ff9b::7f00:1]", "localhost"} {
		t.Run(name, func(t *testing.T) {
			n := &connectorv1.Network{PublicOnly: true}
			c := newCaller(t, n)
			_, err := c.get(t.Context(), "http://"+net.JoinHostPort(strings.Trim(name, "[]"), port))
			_ = wantFailure(t, err, CodeAddressRefused, "host.private_targets")
			if len(c.calls) != 1 || c.calls[0].GetStatus() != 0 || c.calls[0].GetError() == "" {
				t.Errorf("reported %v", c.calls)
			}
			network, err := networkOf(n)
			if err != nil {
				t.Fatal(err)
			}
			_, err = dialer(network)(t.Context(), "tcp", net.JoinHostPort(strings.Trim(name, "[]"), port))
			_ = wantFailure(t, err, CodeAddressRefused, "host.private_targets")
		})
	}
	if reached {
		t.Error("the system was called")
	}
}

func TestPrivateTargetsAreReached(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer system.Close()
	for name, n := range map[string]*connectorv1.Network{
		"not restricted": nil,
		"allowed":        {PublicOnly: true, PrivateTargets: []string{"10.0.0.0/8", "127.0.0.0/8"}},
	} {
		t.Run(name, func(t *testing.T) {
			if text, err := newCaller(t, n).get(t.Context(), system.URL); err != nil || text != "hello" {
				t.Errorf("%q, %v", text, err)
			}
			network, err := networkOf(n)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := dialer(network)(t.Context(), "tcp", system.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		})
	}
}

// Where clouds keep their machines' credentials nobody calls, whoever made the
// connection and whatever is allowed; not by a name that leads there either,
// nor through a proxy.
func TestLinkLocalAddressesAreRefusedAlways(t *testing.T) {
	proxied := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied = true }))
	defer proxy.Close()
	for name, n := range map[string]*connectorv1.Network{
		"not restricted": nil,
		"allowed":        {PublicOnly: true, PrivateTargets: []string{"0.0.0.0/0", "::/0"}},
		"by a proxy":     {Proxy: proxy.URL},
	} {
		for _, address := range []string{"169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]", "[2002:a9fe:a9fe::1]", "0.0.0.0"} {
			t.Run(name+" "+address, func(t *testing.T) {
				_, err := newCaller(t, n).get(t.Context(), "http://"+address+"/latest/meta-data")
				_ = wantFailure(t, err, CodeAddressRefused, "never called")
			})
		}
	}
	if proxied {
		t.Error("the proxy was asked")
	}
	t.Run("by name", func(t *testing.T) {
		resolveAllTo(t, "169.254.169.254")
		_, err := newCaller(t, nil).get(t.Context(), "http://metadata.example/")
		_ = wantFailure(t, err, CodeAddressRefused, "169.254.169.254")
	})
}

// The operator named the proxy, so it may stand inside; what it reaches is its
// own affair.
func TestProxyInAPrivateNetworkIsReached(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Host)) }))
	defer proxy.Close()
	c := newCaller(t, &connectorv1.Network{Proxy: proxy.URL, PublicOnly: true})
	if text, err := c.get(t.Context(), "http://system.example/"); err != nil || text != "system.example" {
		t.Errorf("%q, %v", text, err)
	}
	_, err := c.get(t.Context(), "http://10.0.0.1/")
	_ = wantFailure(t, err, CodeAddressRefused, "host.private_targets")
}

// answerNames answers every question with one A record (RFC 1035, section 4).
func answerNames(server net.PacketConn, ip net.IP) {
	buf := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(buf)
		if err != nil {
			return
		}
		if n < 12 {
			continue
		}
		end := 12
		for end < n && buf[end] != 0 {
			end += int(buf[end]) + 1
		}
		end += 5 // its end, type and class
		if end > n {
			continue
		}
		answer := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, buf[12:end]...)
		if buf[end-3] == 1 { // A
			answer[7] = 1
			answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4), ip.To4()...)
		}
		if _, err := server.WriteTo(answer, from); err != nil {
			return
		}
	}
}

// One login has one budget, however often it is opened and under whatever name;
// a block outlives the connection that met it.
func TestBudgetIsSharedByAllThatIsOpenWithALogin(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer system.Close()
	host, _ := dial(t)
	open := func(connection, password string) string {
		t.Helper()
		settings, err := json.Marshal(map[string]string{"call": system.URL})
		if err != nil {
			t.Fatal(err)
		}
		res, err := host.Open(t.Context(), &connectorv1.OpenRequest{Connection: connection, System: "plain", Settings: settings, Credentials: map[string]string{"password": password}})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetHandle()
	}
	check := func(handle string) string {
		t.Helper()
		res, err := host.Check(t.Context(), &connectorv1.CheckRequest{Handle: handle})
		if err != nil {
			return err.Error()
		}
		return res.GetIdentity()
	}
	one := open("a", "right")
	if got := check(one); got != "429" {
		t.Fatalf("the first call was answered %q", got)
	}
	if _, err := host.Close(t.Context(), &connectorv1.CloseRequest{Handle: one}); err != nil {
		t.Fatal(err)
	}
	if got := check(open("b", "right")); !strings.Contains(got, "fewer calls") {
		t.Errorf("the same login elsewhere: %q", got)
	}
	if got := check(open("a", "other")); got != "429" {
		t.Errorf("another login: %q", got)
	}
}
