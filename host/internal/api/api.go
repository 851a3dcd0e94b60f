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
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Params are what an API needs. All but Live, Plan, Reload, RotateKeys, Backup and
// Rate are required.
type Params struct {
	Store       *state.Store
	Auth        *auth.Auth
	Credentials *credential.Box
	Systems     func() []host.System
	Plan        func(context.Context) (any, error) // what a reload would do
	Reload      func(context.Context) (any, error)
	RotateKeys  func(context.Context) (any, error)
	// Backup writes a backup of the whole host.
	Backup func(context.Context, io.Writer) error
	// Live reads one record from the system.
	Live func(context.Context, host.ConnectionID, host.EntityName, host.RecordID) (host.Received, error)
	// PrivateTargets are private networks that what is made by this API may
	// reach; nil: none.
	PrivateTargets func() []netip.Prefix
	// Logs keeps the log's last lines; nil: nobody does.
	Logs Logs
	// PageURL is where the connect page is reached, without a slash at the end;
	// nil: there is none.
	PageURL func() string
	// Room tells how much is free on the disk of the data folder and below what
	// it is too little, in bytes; nil: it is not known.
	Room func() (free, low int64, err error)
	// Metrics are answered with what the API counts itself; nil: that alone.
	Metrics *Metrics
	Version string
	Rate    float64 // calls a second of one connection token; 0: no limit
	Clock   func() time.Time
	Log     hclog.Logger
}

// API answers requests. It may be used concurrently.
type API struct {
	Params
	muxes   [2]*http.ServeMux // data and all else: entities of any name, and our own
	routes  []route
	metrics http.Handler
	memory  memory
	names   names
	keys    keys
	tally   tally

	requests requestLog

	stop     chan struct{} // closed by EndWaits
	stopOnce sync.Once

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
	a := &API{Params: p, muxes: [2]*http.ServeMux{http.NewServeMux(), http.NewServeMux()}, stop: make(chan struct{}), limits: map[host.TokenID]*rate.Limiter{}}
	if a.PrivateTargets == nil {
		a.PrivateTargets = func() []netip.Prefix { return nil }
	}
	if a.Metrics == nil {
		a.Metrics = NewMetrics()
	}
	a.Metrics.registry.MustRegister(&gauges{store: p.Store, log: p.Log})
	a.metrics = promhttp.HandlerFor(a.Metrics.registry, promhttp.HandlerOpts{})
	a.routes = a.table()
	for i := range a.routes {
		a.routes[i].do = withoutBody(a.routes[i])
	}
	for _, r := range a.routes {
		a.mux(r.path).Handle(r.method+" "+r.matched(), a.handle(r))
	}
	for _, m := range a.muxes {
		m.HandleFunc("/", a.nowhere)
	}
	return a, nil
}

// mux returns what serves a path. Data has one of its own: its patterns hold
// for any name of an entity, and would meet those of administration.
func (a *API) mux(path string) *http.ServeMux {
	if strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/v1/admin/") {
		return a.muxes[0]
	}
	return a.muxes[1]
}

// EndWaits answers every long poll now, with what there is, and lets none wait
// from then on: a host that stops does not stand still for them.
func (a *API) EndWaits() { a.stopOnce.Do(func() { close(a.stop) }) }

// ServeHTTP implements http.Handler for listeners.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.serve(w, r, nil, "token") }

// Local returns the handler of the control socket, whose peer is trusted.
func (a *API) Local() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := auth.Local()
		a.serve(w, r, &p, "socket")
	})
}

// As returns a handler for one who was let in elsewhere: it answers them as it
// answers their token.
func (a *API) As(who auth.Principal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, &who, "dashboard") })
}

// Nowhere returns the handler of what a listener does not serve.
func (a *API) Nowhere() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.problem(&call{Request: r, w: w, id: a.Name(w, r)}, host.Errorf(host.CodeNotFound, "there is nothing at %s on this address", r.URL.Path))
	})
}

// Name gives an answer the request's id and the host's version, as all have
// them, and returns the id.
func (a *API) Name(w http.ResponseWriter, r *http.Request) string {
	id := requestID(r)
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("Dinrail-Version", a.Version)
	return id
}

// call is one request on its way.
type call struct {
	*http.Request
	w     http.ResponseWriter
	id    string
	local *auth.Principal // set on the control socket, and for the dashboard
	who   auth.Principal
	conn  host.Connection // of data routes; shared, not to be changed
	q     *query          // its checked query
	route string          // the path of its route, as documented
	via   string          // how the caller came
	made  made
}

type callKey struct{}

func callOf(r *http.Request) *call { c, _ := r.Context().Value(callKey{}).(*call); return c }

// serve is what stands around every request.
func (a *API) serve(w http.ResponseWriter, r *http.Request, local *auth.Principal, via string) {
	c := &call{w: w, id: a.Name(w, r), local: local, via: via}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	started := a.Clock()
	sw := &statusWriter{ResponseWriter: w}
	c.w = sw
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	c.Request = r
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the documented sentinel of net/http
			a.Log.Error("panic in a request", "request", c.id, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			if sw.status == 0 {
				a.problem(c, host.Errorf(host.CodeInternal, "internal error; the log tells more under request %s", c.id))
			}
		}
		took := a.Clock().Sub(started)
		a.Metrics.requests.WithLabelValues(cmp.Or(c.route, "none"), strconv.Itoa(cmp.Or(sw.status, http.StatusOK))).Observe(took.Seconds())
		if c.route != "" && c.route != "/healthz" && c.route != "/readyz" && c.route != "/metrics" {
			a.asked(c, started, took, sw)
		}
		if p == http.ErrAbortHandler { //nolint:errorlint // the same
			panic(p)
		}
	}()
	if r.ContentLength > maxBody {
		h.Set("Connection", "close")
		a.problem(c, host.Errorf(host.CodeTooLarge, "the request has %d bytes; at most %d are read", r.ContentLength, maxBody))
		return
	}
	r.Body = http.MaxBytesReader(sw, r.Body, maxBody)
	a.mux(r.URL.Path).ServeHTTP(sw, r)
}

// callersID is what a caller may name its request by.
var callersID = regexp.MustCompile(`^[A-Za-z0-9._:/+=@-]{1,128}$`)

// requestID is the caller's own name of the request, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); callersID.MatchString(id) {
		return id
	}
	return "req_" + ulid.Make().String()
}

type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
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
		if m != r.Method && a.routed(r, m) {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.write(c, http.StatusMethodNotAllowed, problem{Status: http.StatusMethodNotAllowed, Title: "Method Not Allowed", Code: "method_not_allowed", Detail: r.Method + " is not possible here; use " + strings.Join(allowed, " or "), RequestID: c.id})
		return
	}
	a.problem(c, host.Errorf(host.CodeNotFound, "there is nothing at %s; /openapi.json lists what there is", r.URL.Path))
}

// routed says whether a route has the path for another method.
func (a *API) routed(r *http.Request, method string) bool {
	probe := r.Clone(r.Context())
	probe.Method = method
	_, pattern := a.mux(r.URL.Path).Handler(probe)
	_, path, _ := strings.Cut(pattern, " ")
	batch := method == http.MethodPost && (path == batchPattern || path == nativeBatchPattern)
	return path != "" && !taken(path, r.URL.Path) && (!batch || strings.HasSuffix(r.URL.Path, "/batch"))
}

// ownNames stand in paths where an entity's name would, and are none.
var ownNames = []string{"admin", "changes", "connection", "entities", "native", "passthrough", "sync", "sync-runs", "sync-status"}

// taken says whether a route for an entity of any name was matched by a path of
// our own: its method is wrong there, or there is nothing.
func taken(pattern, path string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	return strings.HasPrefix(pattern, "/v1/{entity}") && slices.Contains(ownNames, name)
}

// handle stands around a route: who asks, may they, is the question well
// formed, and what went wrong.
func (a *API) handle(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := callOf(req)
		c.Request = req
		if r.pattern != "" && req.PathValue("id") != "batch" || taken(r.matched(), req.URL.Path) {
			a.nowhere(w, req)
			return
		}
		c.route = r.path
		if err := a.admit(c, r); err != nil {
			a.problem(c, err)
			return
		}
		c.q = parse(c, r.query)
		if err := c.q.err(); err != nil && !c.q.wild {
			a.problem(c, err)
			return
		}
		if err := spoken(c); err != nil {
			a.problem(c, err)
			return
		}
		if err := a.audited(c, r); err != nil {
			a.problem(c, err)
		}
	})
}
