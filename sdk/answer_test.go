package sdk

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/pem"
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

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// A few kilobytes on the wire may be gigabytes when they are unpacked: what
// counts is what the connector would have to hold.
func TestPackedAnswerIsBoundedByWhatItUnpacksTo(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("it asks for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.CopyN(z, zeros{}, 4*maxAnswer) // the caller goes away
		_ = z.Close()
	}))
	defer system.Close()
	c := newCaller(t, nil)
	text, err := c.get(t.Context(), system.URL)
	_ = wantFailure(t, err, CodeInternal, "larger than 32 MiB")
	if len(text) != maxAnswer {
		t.Errorf("%d bytes were handed on", len(text))
	}
}

// A system that takes the call and says nothing costs one call's time.
func TestSystemThatNeverAnswersIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, nil)
		var system sync.WaitGroup
		c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			system.Go(func() { _, _ = io.Copy(io.Discard, far) })
			return near, nil
		}
		started := time.Now()
		_, err := c.get(t.Context(), "http://system.example/")
		_ = wantFailure(t, err, CodeUnavailable, "did not answer within")
		if took := time.Since(started); took != callTimeout {
			t.Errorf("it took %s", took)
		}
		c.close()
		system.Wait()
	})
}

func TestRedirectsOnTheSameHostAreFollowedToAnEnd(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		default:
			_, _ = w.Write([]byte(r.Header.Get("Authorization")))
		}
	}))
	defer system.Close()
	c := newCaller(t, nil)
	if text, err := c.get(t.Context(), system.URL+"/old"); err != nil || text != "Bearer secret" {
		t.Errorf("%q, %v", text, err)
	}
	_, err := c.get(t.Context(), system.URL+"/circle")
	_ = wantFailure(t, err, CodeInvalid, "in circles")
}

// Through a proxy a system's certificate is checked all the same, and the proxy
// sees neither the login nor the path.
func TestProxyCarriesEncryptedCallsUnread(t *testing.T) {
	system := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Header.Get("Authorization"))) }))
	defer system.Close()
	var mu sync.Mutex
	var seen strings.Builder
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		_ = r.Write(&seen)
		mu.Unlock()
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		tunnel(t, w, system.Listener.Addr().String())
	}))
	defer proxy.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: system.Certificate().Raw}))
	// The server's certificate is for example.com; the proxy knows where it is.
	c := newCaller(t, &connectorv1.Network{Proxy: proxy.URL, Ca: ca})
	if text, err := c.get(t.Context(), "https://example.com/orders?customer=4711"); err != nil || text != "Bearer secret" {
		t.Fatalf("%q, %v", text, err)
	}
	_, err := newCaller(t, &connectorv1.Network{Proxy: proxy.URL}).get(t.Context(), "https://example.com/")
	_ = wantFailure(t, err, CodeUnavailable, "name its ca or fingerprint")
	_, err = newCaller(t, &connectorv1.Network{Proxy: proxy.URL, Ca: ca}).get(t.Context(), "https://other.test/")
	_ = wantFailure(t, err, CodeUnavailable, "is for another name")
	mu.Lock()
	defer mu.Unlock()
	if text := seen.String(); !strings.Contains(text, "CONNECT example.com:443") || strings.Contains(text, "secret") || strings.Contains(text, "orders") {
		t.Errorf("the proxy saw %s", text)
	}
}

// tunnel joins a proxy's caller with a server, as CONNECT asks.
func tunnel(t *testing.T, w http.ResponseWriter, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		t.Error(err)
		return
	}
	defer out.Close()
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer in.Close()
	_, _ = fmt.Fprint(in, "HTTP/1.1 200 OK\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	both.Go(func() { _, _ = io.Copy(in, bufio.NewReader(out)); _ = in.Close() })
	both.Wait()
}

// What is told of a call names no login, whatever a connector put into its URL.
func TestReportsOfCallsHoldNoSecret(t *testing.T) {
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer system.Close()
	host, log := dial(t)
	stream, err := host.Reports(t.Context(), &connectorv1.ReportsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for i, url := range []string{system.URL + "/by-key/hush-hush/orders?key=hush-hush", "http://127.0.0.1:1/hush-hush"} {
		open, err := host.Open(t.Context(), &connectorv1.OpenRequest{
			Connection: "a", System: "plain", Settings: []byte(`{"call":"` + url + `"}`), Credentials: map[string]string{"password": "hush-hush"},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = host.Check(t.Context(), &connectorv1.CheckRequest{Handle: open.GetHandle()}) // the second fails
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		call := m.GetCall()
		if m.GetHandle() != open.GetHandle() || call.GetMethod() != "GET" || !strings.Contains(call.GetPath(), "***") || call.GetMilliseconds() <= 0 || call.GetAt() == nil {
			t.Errorf("reported %v", m)
		}
		if strings.Contains(m.String(), "hush") {
			t.Errorf("the report %v holds the login", m)
		}
		if answered := i == 0; (call.GetStatus() == 200) != answered || (call.GetError() == "") != answered {
			t.Errorf("reported %v", call)
		}
	}
	if strings.Contains(log.text(), "hush") {
		t.Errorf("the log holds the login: %s", log.text())
	}
}
