// Package ui is the pages that people see: the dashboard, which an operator looks
// at every morning, and the connect page, where somebody without IT knowledge
// connects a system or renews a login.
//
// It promises that every page works without JavaScript, by keyboard and with a
// screen reader; that nothing is loaded from elsewhere and no script or style
// stands in a page (its Content-Security-Policy allows neither); that a link is
// not told to anybody by the page it opens; and that a secret which was typed is
// not in any page afterwards.
//
// It refuses to know how a login is tried and what becomes of it: it asks and
// shows. The dashboard asks the API, as the person who looks at it: there is one
// place that knows who may see and do what.
package ui

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
)

// Sessions tells of connect sessions, by the secret in their link.
type Sessions interface {
	// Session returns a session, whatever its status.
	Session(ctx context.Context, link string) (host.ConnectSession, error)
	// Systems returns the systems that it may connect, by label.
	Systems(s *host.ConnectSession) []host.System
	// Cancel ends it.
	Cancel(ctx context.Context, link string) error
}

// Attempts tries logins, one at a time for a session.
type Attempts interface {
	// Preset returns what the form begins with, and which settings are locked.
	Preset(ctx context.Context, s *host.ConnectSession) (Filled, []string, error)
	// Begin starts to try what was filled in.
	Begin(ctx context.Context, link string, f Filled) error
	// Look returns how far it is, and takes nothing.
	Look(ctx context.Context, link string) (Attempt, error)
	// Leave returns where the person goes on at their system's vendor, "" where it
	// is not in this browser; own makes it this one, and framed says that the page
	// which waits is in another window.
	Leave(ctx context.Context, link, browser string, own, framed bool) (string, error)
	// Arrive takes up who comes back from there.
	Arrive(ctx context.Context, came Came) (link string, framed bool, err error)
	// TakeToken returns the token that the page is to show, once.
	TakeToken(ctx context.Context, link string) (string, error)
}

// Came is what a person comes back with from a vendor.
type Came struct {
	State   string
	Browser string
	Code    string
	Error   string // what the vendor says where there is no code
	Refused bool   // it was not allowed
}

// Filled is what a person filled in.
type Filled struct {
	System      host.SystemName
	Label       string
	Auth        string
	Settings    map[string]string
	Credentials map[string]string
}

// Attempt is how far the login of a session is.
type Attempt struct {
	Stage      string // "" none, away, trying, failed, done
	Step       string // in words
	Filled     Filled // without secrets
	Faults     []host.Fault
	Problem    string
	Connection host.ConnectionID
	Label      string
	Entities   []host.Entity
}

// Params are what the pages need. All are required.
type Params struct {
	Sessions Sessions
	Attempts Attempts
	// AtVendor says whether a login of the system is made at its vendor.
	AtVendor func(s *host.System, method string) bool
	Desk     Desk
	Log      hclog.Logger
}

//go:embed assets pages
var files embed.FS

// UI serves the pages.
type UI struct {
	Params
	mux     *http.ServeMux
	pages   map[string]*template.Template // of the connect page
	sheets  map[string]*template.Template // of the dashboard
	version string                        // of the assets
}

// New returns the pages.
func New(p Params) (*UI, error) {
	if p.Sessions == nil || p.Attempts == nil || p.AtVendor == nil || p.Desk == nil || p.Log == nil {
		return nil, errors.New("new ui: every parameter is required")
	}
	u := &UI{Params: p, mux: http.NewServeMux(), pages: map[string]*template.Template{}, sheets: map[string]*template.Template{}}
	h := fnv.New64a()
	if err := fs.WalkDir(files, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		h.Write(b)
		return err
	}); err != nil {
		return nil, err
	}
	u.version = fmt.Sprintf("%x", h.Sum64())
	for _, name := range []string{"catalog", "form", "away", "trying", "done", "ended"} {
		t, err := template.New("layout.html").ParseFS(files, "pages/layout.html", "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("read the page %s: %w", name, err)
		}
		u.pages[name] = t
	}
	u.mux.HandleFunc("GET /assets/{version}/{file}", u.asset)
	u.mux.HandleFunc("GET /connect.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "assets/embed.js")
	})
	u.mux.HandleFunc("GET /oauth/callback", u.callback)
	for pattern, page := range map[string]func(*visit) error{
		"GET /connect/{link}":              u.catalog,
		"GET /connect/{link}/to/{system}":  u.form,
		"POST /connect/{link}/to/{system}": u.submit,
		"GET /connect/{link}/attempt":      u.attempt,
		"GET /connect/{link}/stage":        u.stage,
		"POST /connect/{link}/cancel":      u.cancel,
		"POST /connect/{link}/away":        u.leave,
		"GET /connect/{link}/returned":     u.returned,
	} {
		u.mux.HandleFunc(pattern, u.page(page))
	}
	return u, u.openDesk()
}

// Serves says whether a path is one of the pages.
func (u *UI) Serves(r *http.Request) bool {
	_, pattern := u.mux.Handler(r)
	return pattern != "" || strings.HasPrefix(r.URL.Path, "/connect/")
}

// ServeHTTP implements http.Handler.
func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) { u.mux.ServeHTTP(w, r) }

// asset answers a file that a page needs. Its address changes with it, so that
// it can be kept for ever.
func (u *UI) asset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.PathValue("version") == u.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("file"))
}

// visit is one request of a session's page.
type visit struct {
	*http.Request
	w       http.ResponseWriter
	link    string
	session host.ConnectSession
}

// sameOrigin refuses what another site has a browser send.
var sameOrigin = http.NewCrossOriginProtection()

// page finds the session, and protects what it shows.
func (u *UI) page(f func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, Request: r, link: r.PathValue("link")}
		u.protect(v, nil)
		if err := sameOrigin.Check(r); err != nil {
			u.end(v, http.StatusForbidden, "This was sent from another site", "Open the link again and fill in the form there.")
			return
		}
		s, err := u.Sessions.Session(r.Context(), v.link)
		if err != nil {
			u.fail(v, err)
			return
		}
		v.session = s
		u.protect(v, s.AllowedOrigins)
		if err := f(v); err != nil {
			u.fail(v, err)
		}
	}
}

// protect sets the headers that keep a page to itself.
func (u *UI) protect(v *visit, frames []string) {
	ancestors := "'none'"
	if len(frames) > 0 {
		ancestors = strings.Join(frames, " ")
	}
	h := v.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+ancestors)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "unsafe-none") // a popup tells who opened it how it ended
	h.Set("Cache-Control", "no-store")
	if len(frames) == 0 {
		h.Set("X-Frame-Options", "DENY")
	}
}

// fail shows an error as a page.
func (u *UI) fail(v *visit, err error) {
	if v.Context().Err() != nil {
		return // nobody reads it
	}
	switch host.CodeOf(err) {
	case host.CodeNotFound:
		u.end(v, http.StatusNotFound, "This link opens nothing", host.MessageOf(err))
	case host.CodeRateLimited:
		if at := host.RetryAtOf(err); !at.IsZero() {
			v.w.Header().Set("Retry-After", strconv.Itoa(max(1, int(time.Until(at).Seconds())+1)))
		}
		u.end(v, http.StatusTooManyRequests, "This does not work now", host.MessageOf(err))
	case host.CodeConflict:
		u.end(v, http.StatusConflict, "This does not work now", host.MessageOf(err))
	default:
		u.Log.Error("show a page", "session", v.session.ID, "error", err)
		u.end(v, http.StatusInternalServerError, "Something is wrong on our side", "Try again in a moment; if it stays so, tell whoever sent you this link.")
	}
}

// shown is what a page's template is given.
type shown struct {
	Title    string
	Assets   string   // where they are
	Back     string   // this session's first page; "": there is none
	Origins  []string // that are told of the outcome
	Outcome  string   // success, cancel; "": none yet
	Session  host.SessionID
	Made     host.ConnectionID
	Busy     bool // the page is asked for again by itself
	Continue string
	Body     any
}

// show writes a page.
func (u *UI) show(v *visit, status int, page string, s shown) {
	s.Assets = "/assets/" + u.version
	s.Session, s.Origins = v.session.ID, v.session.AllowedOrigins
	var b bytes.Buffer
	if err := u.pages[page].Execute(&b, s); err != nil {
		u.Log.Error("write a page", "page", page, "error", err)
		http.Error(v.w, "Something is wrong on our side.", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // who went away sees nothing
}

// ended is a page that says one thing.
type ended struct{ Heading, Words string }

func (u *UI) end(v *visit, status int, heading, words string) {
	u.show(v, status, "ended", shown{Title: heading, Body: ended{heading, words}})
}
