package sdk

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
	"github.com/dinrail/dinrail/sdk/reach"
)

// Bounds of one call to a system.
const (
	callTimeout = 60 * time.Second // in all, where the context has no earlier end
	maxAnswer   = 32 << 20         // bytes of an answer's body
)

type pathKey struct{}

// WithPath names the template under which a call is reported: "/orders/{id}"
// instead of the path with its ids. Without it the path stands without query.
func WithPath(ctx context.Context, template string) context.Context {
	return context.WithValue(ctx, pathKey{}, template)
}

// client makes the calls of one connection: within the login's budget, by the
// operator's network block, bounded in time and size, and with a report of each.
type client struct {
	transport *http.Transport
	budget    *budget
	report    func(*connectorv1.ReportsResponse)
}

// newClient returns an error that is a *Failure with a path.
func newClient(n *reach.Network, b *budget, report func(*connectorv1.ReportsResponse)) (*client, error) {
	t, err := n.Transport(dialTimeout)
	if wrong, ok := errors.AsType[*reach.Mistake](err); ok {
		return nil, &Failure{Code: CodeInvalid, Path: "network." + wrong.Field, Message: "the network's " + wrong.Field + " " + wrong.Message}
	}
	if err != nil {
		return nil, err
	}
	t.ResponseHeaderTimeout = callTimeout
	t.IdleConnTimeout = 90 * time.Second
	t.MaxIdleConnsPerHost = 4
	t.MaxResponseHeaderBytes = 256 << 10
	return &client{transport: t, budget: b, report: report}, nil
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
	if at := c.budget.until(); time.Now().Before(at) {
		return nil, &Failure{Code: CodeRateLimited, Message: "the system asked for fewer calls", RetryAt: at}
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
		c.told(call)
		return nil, err
	}
	call.Status = int32(res.StatusCode)
	if at, news := c.budget.heed(res, time.Now()); news {
		c.report(&connectorv1.ReportsResponse{Report: &connectorv1.ReportsResponse_Budget{Budget: &connectorv1.Budget{BlockedUntil: timestamppb.New(at)}}})
	}
	res.Body = &body{ReadCloser: res.Body, host: r.URL.Host, left: maxAnswer, done: func(n int64) {
		cancel()
		call.Milliseconds, call.Bytes = ms(started), n
		c.told(call)
	}}
	return res, nil
}

func (c *client) told(call *connectorv1.Call) {
	c.report(&connectorv1.ReportsResponse{Report: &connectorv1.ReportsResponse_Call{Call: call}})
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
	if refused, ok := errors.AsType[*reach.RefusedError](err); ok {
		return refusal(r.URL.Host, refused)
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
		f.Message = fmt.Sprintf("the certificate of %s is not from an authority that is trusted here; whoever runs Dinrail can name its ca or fingerprint in a network block", where)
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
