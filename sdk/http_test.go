package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// caller is one connection's client and what it reported.
type caller struct {
	*client
	mu      sync.Mutex
	calls   []*connectorv1.Call
	budgets []*connectorv1.Budget
}

func newCaller(t *testing.T, n *connectorv1.Network) *caller {
	t.Helper()
	return sharing(t, n, &budget{})
}

// sharing returns a caller with the budget of its login.
func sharing(t *testing.T, n *connectorv1.Network, b *budget) *caller {
	t.Helper()
	c := &caller{}
	network, err := networkOf(n)
	if err != nil {
		t.Fatal(err)
	}
	c.client, err = newClient(network, b, func(m *connectorv1.ReportsResponse) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if m.GetCall() != nil {
			c.calls = append(c.calls, m.GetCall())
		}
		if m.GetBudget() != nil {
			c.budgets = append(c.budgets, m.GetBudget())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

// get returns the answer's text, or the failure that a connector would see.
func (c *caller) get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer secret")
	res, err := c.http().Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func wantFailure(t *testing.T, err error, code Code, words string) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Message, words) {
		t.Fatalf("got %v, want %s with %q", err, code, words)
	}
	return f
}

func TestTooManyCallsHoldAllCallsOfTheLoginBack(t *testing.T) {
	for _, c := range []struct {
		name, header string
		wait         time.Duration
	}{{"as told", "120", 2 * time.Minute}, {"told as a date", time.Now().Add(3 * time.Minute).UTC().Format(http.TimeFormat), 3 * time.Minute}, {"not told", "", shortBlock}, {"told beyond reason", "999999999", longestBlock}} {
		t.Run(c.name, func(t *testing.T) {
			reached := 0
			system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				reached++
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			}))
			defer system.Close()
			shared := &budget{}
			one, other := sharing(t, nil, shared), sharing(t, nil, shared)
			if _, err := one.get(t.Context(), system.URL); err != nil {
				t.Fatal(err)
			}
			if len(one.budgets) != 1 || time.Until(one.budgets[0].GetBlockedUntil().AsTime()) > c.wait {
				t.Errorf("reported as budget: %v", one.budgets)
			}
			_, err := other.get(t.Context(), system.URL+"/other")
			f := wantFailure(t, err, CodeRateLimited, "fewer calls")
			if left := time.Until(f.RetryAt); left > c.wait || left < c.wait-10*time.Second {
				t.Errorf("to come back in %s, want %s", left, c.wait)
			}
			if reached != 1 {
				t.Errorf("the system was called %d times", reached)
			}
			if _, err := newCaller(t, nil).get(t.Context(), system.URL); err != nil {
				t.Errorf("another login is held back: %v", err)
			}
		})
	}
}

func TestCredentialsDoNotFollowARedirectToAnotherHost(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	system := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer system.Close()
	_, err := newCaller(t, nil).get(t.Context(), system.URL)
	_ = wantFailure(t, err, CodeInvalid, "use that address")
	if reached {
		t.Error("the other host was called")
	}
}

func TestAnswersAreBoundedInSize(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := maxAnswer
		if r.URL.Path == "/over" {
			size++
		}
		_, _ = io.CopyN(w, zeros{}, int64(size)) // the caller goes away
	}))
	defer system.Close()
	c := newCaller(t, nil)
	if text, err := c.get(t.Context(), system.URL+"/full"); err != nil || len(text) != maxAnswer {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	_, err := c.get(t.Context(), system.URL+"/over")
	_ = wantFailure(t, err, CodeInternal, "larger than 32 MiB")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A system that sends a byte a second, for ever, costs one call's time.
func TestAnAnswerThatNeverEndsIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, nil)
		var system sync.WaitGroup
		c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			system.Go(func() {
				defer far.Close()
				if _, err := far.Read(make([]byte, 4096)); err != nil {
					return
				}
				_, err := fmt.Fprint(far, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
				for err == nil {
					time.Sleep(time.Second)
					_, err = far.Write([]byte("x"))
				}
			})
			return near, nil
		}
		started := time.Now()
		_, err := c.get(t.Context(), "http://system.example/")
		_ = wantFailure(t, err, CodeUnavailable, "did not end within")
		if took := time.Since(started); took != callTimeout {
			t.Errorf("it took %s", took)
		}
		c.close()
		system.Wait() // it notices that nobody listens
	})
}

func TestPinnedCertificateAndOwnAuthorityAreAccepted(t *testing.T) {
	system := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer system.Close()
	cert := system.Certificate()
	pin := fmt.Sprintf("sha256:%x", sha256.Sum256(cert.Raw))
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	for name, c := range map[string]struct {
		network *connectorv1.Network
		words   string // of the failure; empty: none
	}{
		"none":      {nil, "name its ca or fingerprint"},
		"pin":       {&connectorv1.Network{Fingerprint: pin}, ""},
		"wrong pin": {&connectorv1.Network{Fingerprint: "sha256:" + strings.Repeat("00", 32)}, "not the one that is pinned"},
		"ca":        {&connectorv1.Network{Ca: ca}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := newCaller(t, c.network).get(t.Context(), system.URL)
			if c.words != "" {
				_ = wantFailure(t, err, CodeUnavailable, c.words)
			} else if err != nil || text != "hello" {
				t.Fatalf("%q, %v", text, err)
			}
		})
	}
}

func TestMistakesInTheNetworkBlockNameTheirPlace(t *testing.T) {
	for path, n := range map[string]*connectorv1.Network{
		"network.ca":              {Ca: "no certificate"},
		"network.fingerprint":     {Fingerprint: "sha256:12"},
		"network.proxy":           {Proxy: "::"},
		"network.private_targets": {PrivateTargets: []string{"10.0.0.1"}},
	} {
		network, err := networkOf(n)
		if err == nil {
			_, err = newClient(network, &budget{}, nil)
		}
		if f := wantFailure(t, err, CodeInvalid, "network's"); f.Path != path {
			t.Errorf("path %q, want %q", f.Path, path)
		}
	}
}

func TestProxyIsUsedButForItsExceptions(t *testing.T) {
	var through []string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { through = append(through, r.URL.Host) }))
	defer proxy.Close()
	system := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer system.Close()
	c := newCaller(t, &connectorv1.Network{Proxy: proxy.URL, NoProxy: []string{"127.0.0.0/8"}})
	for _, url := range []string{system.URL, "http://system.example"} {
		if _, err := c.get(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	if len(through) != 1 || through[0] != "system.example" {
		t.Errorf("through the proxy went %q", through)
	}
}

func TestSystemThatIsNotThereIsUnavailableInWords(t *testing.T) {
	system := httptest.NewServer(nil)
	system.Close()
	c := newCaller(t, nil)
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(wire.TraceParent, "00-trace"))
	_, err := c.get(WithPath(ctx, "/orders/{id}"), system.URL+"/orders/7")
	_ = wantFailure(t, err, CodeUnavailable, "refuses connections")
	if len(c.calls) != 1 || c.calls[0].GetPath() != "/orders/{id}" || c.calls[0].GetError() == "" || c.calls[0].GetStatus() != 0 || c.calls[0].GetTrace() != "00-trace" {
		t.Errorf("reported %v", c.calls)
	}
}
