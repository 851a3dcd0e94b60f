package sdk

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// Bounds of one call to a system.
const (
	callTimeout = 60 * time.Second // in all, where the context has no earlier end
	maxAnswer   = 32 << 20         // bytes of an answer's body

	shortBlock   = 10 * time.Second // after "too many requests" without a word on when to come back
	longestBlock = time.Hour        // of what an answer may ask for
)

type pathKey struct{}

// WithPath names the template under which a call is reported: "/orders/{id}"
// instead of the path with its ids. Without it the path stands without query.
func WithPath(ctx context.Context, template string) context.Context {
	return context.WithValue(ctx, pathKey{}, template)
}

// client makes the calls of one connection: one budget for all of them, the
// operator's network block, bounds in time and size, and a report of each.
type client struct {
	transport *http.Transport
	report    func(*connectorv1.Call)

	mu      sync.Mutex
	blocked time.Time // the system asked for no call before
}

func newClient(n *connectorv1.Network, report func(*connectorv1.Call)) (*client, error) {
	secure, err := tlsOf(n)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext:            dialSystem,
		TLSHandshakeTimeout:    15 * time.Second,
		ResponseHeaderTimeout:  callTimeout,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        secure,
	}
	if p := n.GetProxy(); p != "" {
		proxy, err := url.Parse(p)
		if err != nil || proxy.Host == "" {
			return nil, &Failure{Code: CodeInvalid, Path: "network.proxy", Message: "the network's proxy is not a URL"}
		}
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			if direct(r.URL.Hostname(), n.GetNoProxy()) {
				return nil, nil
			}
			return proxy, nil
		}
	}
	return &client{transport: t, report: report}, nil
}

// http returns the client that a connector uses.
func (c *client) http() *http.Client {
	return &http.Client{
		Transport: c,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
				return Failf(CodeInvalid, "the system at %s sends callers on to %s; use that address", via[0].URL.Host, r.URL.Host)
			}
			if len(via) >= 5 {
				return Failf(CodeInvalid, "the system at %s sends callers in circles", r.URL.Host)
			}
			return nil
		},
	}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	blocked := c.blocked
	c.mu.Unlock()
	if time.Now().Before(blocked) {
		return nil, &Failure{Code: CodeRateLimited, Message: "the system asked for fewer calls", RetryAt: blocked}
	}
	path, _ := r.Context().Value(pathKey{}).(string)
	if path == "" {
		path = r.URL.Path
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	call := &connectorv1.Call{At: timestamppb.Now(), Method: r.Method, Path: path, Trace: trace(ctx)}
	started := time.Now()
	res, err := c.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		err = unreachable(r, err)
		call.Milliseconds, call.Error = ms(started), err.Error()
		c.report(call)
		return nil, err
	}
	call.Status = int32(res.StatusCode)
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
		c.block(res, time.Now())
	}
	res.Body = &body{ReadCloser: res.Body, host: r.URL.Host, left: maxAnswer, done: func(n int64) {
		cancel()
		call.Milliseconds, call.Bytes = ms(started), n
		c.report(call)
	}}
	return res, nil
}

// block keeps all calls of the connection back for as long as the answer asks.
func (c *client) block(res *http.Response, now time.Time) {
	at := RetryAfter(res.Header, now)
	if at.IsZero() && res.StatusCode == http.StatusTooManyRequests {
		at = now.Add(shortBlock)
	}
	if limit := now.Add(longestBlock); at.After(limit) {
		at = limit
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.blocked) {
		c.blocked = at
	}
}

// trace returns the trace under which the host asked, for the report alone: a
// system is told nothing about its callers.
func trace(ctx context.Context) string {
	if v := metadata.ValueFromIncomingContext(ctx, wire.TraceParent); len(v) > 0 {
		return v[0]
	}
	return ""
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// unreachable says in words why there was no answer.
func unreachable(r *http.Request, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	f := &Failure{Code: CodeUnavailable, Err: err}
	where := r.URL.Host
	switch {
	case errors.As(err, &dns):
		f.Message = fmt.Sprintf("there is no host named %s; is the URL right?", r.URL.Hostname())
	case errors.As(err, &authority):
		f.Message = fmt.Sprintf("the certificate of %s is not from an authority that is trusted here; give its ca or fingerprint in a network block", where)
	case errors.As(err, &name):
		f.Message = fmt.Sprintf("the certificate of %s is for another name", where)
	case errors.Is(err, context.DeadlineExceeded):
		f.Message = fmt.Sprintf("%s did not answer within %s", where, callTimeout)
	case strings.Contains(err.Error(), "connection refused"):
		f.Message = fmt.Sprintf("%s refuses connections; is the system running?", where)
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		f.Message = fmt.Sprintf("%s speaks http, not https; change the URL", where)
	default:
		f.Message = fmt.Sprintf("%s could not be reached: %s", where, err)
	}
	return f
}

// RetryAfter returns when an answer asks to come back; zero where it does not
// say (RFC 9110, section 10.2.3).
func RetryAfter(h http.Header, now time.Time) time.Time {
	v := h.Get("Retry-After")
	if v == "" {
		return time.Time{}
	}
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return now.Add(time.Duration(s) * time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return t
	}
	return time.Time{}
}

// body bounds an answer and tells when it has been read.
type body struct {
	io.ReadCloser
	host string
	left int64
	read int64
	once sync.Once
	done func(int64)
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 && len(p) > 0 {
		// An answer of just the bound has only its end left.
		if n, err := b.ReadCloser.Read(p[:1]); n == 0 {
			return 0, err
		}
		return 0, Failf(CodeInternal, "an answer of %s is larger than %d MiB; it was cut off", b.host, maxAnswer>>20)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	b.read += int64(n)
	if errors.Is(err, context.DeadlineExceeded) {
		err = Failf(CodeUnavailable, "an answer of %s did not end within %s", b.host, callTimeout)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.done(b.read) })
	return err
}
