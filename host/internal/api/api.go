// Package api is the HTTP API: records and their feed for integrators,
// administration for operators.
//
// It promises that every answer carries a request id and every error is a
// problem (RFC 9457) with a code and what to do; that a parameter it does not
// know is refused by name and never ignored; that a list and the feed are one
// order in which a record comes once at its latest version; and that no answer
// holds a secret but the one that mints it.
//
// It refuses to do work of the stages: it reads state, writes wishes into it,
// and waits there for their outcome.
package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Params are what an API needs. All but Live, Plan and Reload are required.
type Params struct {
	Store       *state.Store
	Auth        *auth.Auth
	Credentials *credential.Box
	Systems     func() []host.System
	Plan        func(context.Context) (any, error) // what a reload would do
	Reload      func(context.Context) (any, error)
	// Live reads one record from the system.
	Live    func(context.Context, host.ConnectionID, host.EntityName, host.RecordID) (host.Received, error)
	Version string
	Rate    float64 // calls a second of one connection token; 0: no limit
	Clock   func() time.Time
	Log     hclog.Logger
}

// API answers requests. It may be used concurrently.
type API struct {
	Params
	mux      *http.ServeMux
	routes   []route
	metrics  http.Handler
	requests *prometheus.HistogramVec

	mu     sync.Mutex
	limits map[host.TokenID]*rate.Limiter
}

// maxBody is the largest request that is read.
const maxBody = 1 << 20

// New returns an API.
func New(p Params) (*API, error) {
	if p.Store == nil || p.Auth == nil || p.Credentials == nil || p.Systems == nil || p.Clock == nil || p.Log == nil {
		return nil, errors.New("new api: Store, Auth, Credentials, Systems, Clock and Log are required")
	}
	a := &API{Params: p, mux: http.NewServeMux(), limits: map[host.TokenID]*rate.Limiter{}}
	registry := prometheus.NewRegistry()
	a.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "dinrail_api_request_duration_seconds", Help: "How long API requests took, by route and status.",
		Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60},
	}, []string{"route", "status"})
	registry.MustRegister(a.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &gauges{store: p.Store, log: p.Log})
	a.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	a.routes = a.table()
	for _, r := range a.routes {
		a.mux.Handle(r.method+" "+r.path, a.handle(r))
	}
	a.mux.HandleFunc("/", a.nowhere)
	return a, nil
}

// ServeHTTP implements http.Handler for listeners.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.serve(w, r, nil) }

// Local returns the handler of the control socket, whose peer is trusted.
func (a *API) Local() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := auth.Local()
		a.serve(w, r, &p)
	})
}

// call is one request on its way.
type call struct {
	*http.Request
	w     http.ResponseWriter
	id    string
	local *auth.Principal // set on the control socket
	who   auth.Principal
	conn  host.Connection // of data routes
}

type callKey struct{}

func callOf(r *http.Request) *call { c, _ := r.Context().Value(callKey{}).(*call); return c }

// serve is what stands around every request.
func (a *API) serve(w http.ResponseWriter, r *http.Request, local *auth.Principal) {
	c := &call{w: w, id: "req_" + ulid.Make().String(), local: local}
	h := w.Header()
	h.Set("X-Request-Id", c.id)
	h.Set("Dinrail-Version", a.Version)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	started := a.Clock()
	sw := &statusWriter{ResponseWriter: w}
	c.w = sw
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	c.Request = r
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the documented sentinel of net/http
			a.Log.Error("panic in a request", "request", c.id, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if sw.status == 0 {
				a.problem(c, host.Errorf(host.CodeInternal, "internal error; the log tells more under request %s", c.id))
			}
		}
		pattern := r.Pattern
		if pattern == "" {
			pattern = "none"
		}
		a.requests.WithLabelValues(pattern, statusText(sw.status)).Observe(a.Clock().Sub(started).Seconds())
	}()
	if r.ContentLength > maxBody {
		h.Set("Connection", "close")
		a.problem(c, host.Errorf(host.CodeTooLarge, "the request has %d bytes; at most %d are read", r.ContentLength, maxBody))
		return
	}
	r.Body = http.MaxBytesReader(sw, r.Body, maxBody)
	a.mux.ServeHTTP(sw, r)
}

func statusText(s int) string {
	if s == 0 {
		s = http.StatusOK
	}
	return http.StatusText(s)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(s int) {
	if w.status == 0 {
		w.status = s
	}
	w.ResponseWriter.WriteHeader(s)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// nowhere answers paths and methods that no route has.
func (a *API) nowhere(_ http.ResponseWriter, r *http.Request) {
	c := callOf(r)
	var allowed []string
	for _, m := range []string{"GET", "POST", "PATCH", "DELETE"} {
		if m != r.Method {
			probe := r.Clone(r.Context())
			probe.Method = m
			if _, pattern := a.mux.Handler(probe); pattern != "/" && pattern != "" {
				allowed = append(allowed, m)
			}
		}
	}
	if len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.write(c, http.StatusMethodNotAllowed, problem{Status: http.StatusMethodNotAllowed, Title: "Method Not Allowed", Code: "method_not_allowed", Detail: r.Method + " is not possible here; use " + strings.Join(allowed, " or "), RequestID: c.id})
		return
	}
	a.problem(c, host.Errorf(host.CodeNotFound, "there is nothing at %s; /openapi.json lists what there is", r.URL.Path))
}

// handle stands around a route: who asks, may they, and what went wrong.
func (a *API) handle(r route) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		c := callOf(req)
		c.Request = req
		if err := a.admit(c, r); err != nil {
			a.problem(c, err)
			return
		}
		if err := r.do(c); err != nil {
			a.problem(c, err)
		}
	})
}

// loopback says whether the request comes from this machine.
func loopback(r *http.Request) bool {
	name, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// admit finds out who asks and whether the route is theirs.
func (a *API) admit(c *call, r route) error {
	if r.open == everybody || r.open == machine && (loopback(c.Request) || c.local != nil) {
		return nil
	}
	if c.local != nil {
		c.who = *c.local
	} else {
		bearer, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
		if !ok || bearer == "" {
			return host.Errorf(host.CodeUnauthorized, "this call needs the header Authorization: Bearer and a token")
		}
		who, err := a.Auth.Authenticate(c.Context(), bearer)
		if err != nil {
			return err
		}
		c.who = who
	}
	if r.open == machine {
		return nil
	}
	if r.open == data {
		return a.admitData(c, r)
	}
	if !c.who.Admin() {
		return host.Errorf(host.CodeForbidden, "this call needs an admin token (dra_…); a connection's token opens the data of its connection alone")
	}
	if !allows(c.who.Role, r.role) {
		return host.Errorf(host.CodeForbidden, "the role %s may not do this; it needs %s", c.who.Role, r.role)
	}
	if id := c.PathValue("connection"); id != "" && !c.who.Covers(host.ConnectionID(id)) {
		return host.Errorf(host.CodeNotFound, "there is no connection %q", id)
	}
	return nil
}

// allows says whether a role has what another has.
func allows(have, need host.Role) bool {
	order := map[host.Role]int{host.RoleViewer: 1, host.RoleOperator: 2, host.RoleAdmin: 3}
	return order[have] >= order[need] && order[have] > 0
}

// admitData finds the connection whose data is asked for.
func (a *API) admitData(c *call, r route) error {
	id := c.who.Connection
	if c.who.Admin() {
		if !allows(c.who.Role, r.role) {
			return host.Errorf(host.CodeForbidden, "the role %s may not do this; it needs %s", c.who.Role, r.role)
		}
		id = host.ConnectionID(c.Header.Get("Dinrail-Connection"))
		if id == "" {
			return host.Errorf(host.CodeInvalid, "an admin token names the connection in the header Dinrail-Connection")
		}
		if !c.who.Covers(id) {
			return noConnection(id)
		}
	} else {
		if r.role == host.RoleAdmin && c.who.Access != host.AccessWrite {
			return host.Errorf(host.CodeForbidden, "this token may only read")
		}
		if wait := a.limited(c.who.Token); wait > 0 {
			err := host.Errorf(host.CodeRateLimited, "more than %g calls a second with one token", a.Rate)
			err.RetryAt = a.Clock().Add(wait)
			return err
		}
	}
	conn, _, err := state.Get[host.Connection](c.Context(), a.Store, state.KindConnection, string(id))
	if errors.Is(err, state.ErrNotFound) {
		return noConnection(id)
	}
	if err != nil {
		return err
	}
	c.conn = conn
	switch {
	case !conn.DetachedAt.IsZero():
		return host.Errorf(host.CodeConnectionDetached, "the connection's block is gone from the configuration; its data comes back with the block")
	case conn.Status == host.StatusAuthRequired && !r.always && !c.who.Admin():
		return host.Errorf(host.CodeConnectionAuth, "the connection waits for new credentials: %s", conn.Reason)
	case conn.Status == host.StatusOffline:
		c.w.Header().Set("Dinrail-Stale-Since", host.FormatTime(conn.StaleSince))
	}
	return nil
}

func noConnection(id host.ConnectionID) error {
	return host.Errorf(host.CodeNotFound, "there is no connection %q", id)
}

// limited takes one call from a token's rate and returns how long it must wait.
func (a *API) limited(t host.TokenID) time.Duration {
	if a.Rate <= 0 {
		return 0
	}
	a.mu.Lock()
	l := a.limits[t]
	if l == nil {
		if len(a.limits) > 10_000 {
			clear(a.limits) // a full bucket each is a small price for a bounded map
		}
		l = rate.NewLimiter(rate.Limit(a.Rate), max(1, int(a.Rate)))
		a.limits[t] = l
	}
	a.mu.Unlock()
	now := a.Clock()
	res := l.ReserveN(now, 1)
	if d := res.DelayFrom(now); d > 0 {
		res.CancelAt(now)
		return d
	}
	return 0
}
