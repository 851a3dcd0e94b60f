package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate for 127.0.0.1 with its key, and returns a client
// that trusts it alone.
func certify(t *testing.T, dir string, serial int64) *http.Client {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"server.pem": public, "server.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
}

// A part of the host is published by TLS: what it does not name is not there,
// links lead to its public address, and its certificate is read again when it
// changes, which no client notices.
func TestListenerPublishesAPartByTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client := certify(t, dir, 1)
	public := freeAddress(t)
	h := newHost(t, fmt.Sprintf(`
listener "public" {
  address    = %q
  serve      = ["connect", "api"]
  public_url = "https://connect.example.com"
  tls {
    cert = %q
    key  = %q
  }
}
`, public, filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")))
	h.start()
	get := func(c *http.Client, path string) (int, *http.Response, string) {
		t.Helper()
		res, err := c.Get("https://" + public + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res, string(text)
	}
	for path, want := range map[string]int{"/healthz": 200, "/v1/connection": 401, "/docs": 200, "/v1/admin/status": 404, "/metrics": 404, "/": 404, "/sign-in": 404, "/connect/dcs_nothing": 404} {
		status, res, text := get(client, path)
		if status != want || res.Header.Get("X-Request-Id") == "" && path != "/connect/dcs_nothing" {
			t.Errorf("%s: %d %v %s", path, status, res.Header, text)
		}
		if res.TLS == nil || res.TLS.Version < tls.VersionTLS12 || res.ProtoMajor != 2 {
			t.Errorf("%s: by %s, %+v", path, res.Proto, res.TLS)
		}
	}
	link := h.link("--id", "c1")
	if !strings.HasPrefix(link, "https://connect.example.com/connect/dcs_") {
		t.Fatalf("the link is %s", link)
	}
	if status, _, text := get(client, strings.TrimPrefix(link, "https://connect.example.com")); status != http.StatusOK || !strings.Contains(text, "Sandbox plant") {
		t.Errorf("the link opens %d %s", status, text)
	}
	if _, err := (&http.Client{Timeout: 5 * time.Second}).Get("https://" + public + "/healthz"); err == nil {
		t.Error("a client that does not trust the certificate was answered")
	}
	if _, err := tls.Dial("tcp", public, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil { //nolint:gosec // an old client
		t.Error("TLS 1.1 was spoken")
	}

	// What is broken is not taken; what comes after it is.
	if err := os.WriteFile(filepath.Join(dir, "server.key"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.eventually("the broken key is told", 30*time.Second, func() bool {
		get(client, "/healthz")
		return strings.Contains(h.log.String(), "cannot be read again")
	})
	renewed := certify(t, dir, 2)
	h.eventually("the new certificate is shown", 30*time.Second, func() bool {
		res, err := renewed.Get("https://" + public + "/healthz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.TLS.PeerCertificates[0].SerialNumber.Int64() == 2
	})
	if a := h.call("GET", "/v1/admin/status", adminToken, ""); a.status != http.StatusOK {
		t.Errorf("host.listen answers %d", a.status)
	}
}

// A taken address of a listener ends the start with its name.
func TestListenerWhoseAddressIsTakenIsTold(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := newHost(t, fmt.Sprintf("listener \"inner\" {\n  address = %q\n}\n", l.Addr()))
	out, err := h.command("serve").CombinedOutput()
	if err == nil || !strings.Contains(string(out), `is taken by another program; stop it, or set the address of listener \"inner\"`) && !strings.Contains(string(out), `is taken by another program; stop it, or set the address of listener "inner"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// Whoever guesses tokens is locked out; who has had the right one goes on.
func TestGuessingTokensIsLockedOut(t *testing.T) {
	t.Parallel()
	h := newHost(t, "")
	h.start()
	if a := h.call("GET", "/v1/admin/status", adminToken, ""); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	for i := range 20 {
		if a := h.call("GET", "/v1/admin/status", fmt.Sprintf("dra_guess-number-%030d", i), ""); a.status != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d %v", i, a.status, a.body)
		}
	}
	if a := h.call("GET", "/v1/admin/status", "dra_another", ""); a.status != http.StatusTooManyRequests || a.body["code"] != "rate_limited" || a.header.Get("Retry-After") == "" {
		t.Errorf("after 20 wrong ones: %d %v", a.status, a.body)
	}
	res, err := http.Get("http://" + h.addr + "/connect/dcs_x")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("a link: %d", res.StatusCode)
	}
	if a := h.call("GET", "/v1/admin/status", adminToken, ""); a.status != http.StatusOK {
		t.Errorf("the token that was used before: %d", a.status)
	}
	h.cli("connection", "list")
	if !strings.Contains(h.log.String(), "127.0.0.1") || !strings.Contains(h.metrics(), "dinrail_lockouts_total 1") {
		t.Errorf("not told: %s", h.log.String())
	}
}
