package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Desk lets people in to the dashboard. The errors of those whom it does not let
// in have host.CodeUnauthorized or host.CodeForbidden.
type Desk interface {
	// SignIn takes an admin token and returns what the browser is to keep.
	SignIn(ctx context.Context, token string) (cookie string, until time.Time, err error)
	// Redeem takes the secret of a link, which is good once.
	Redeem(ctx context.Context, link string) (cookie string, until time.Time, err error)
	// SignedIn returns whose a cookie is.
	SignedIn(ctx context.Context, cookie string) (Person, error)
	// SignOut ends a cookie.
	SignOut(ctx context.Context, cookie string) error
}

// Person is somebody at the dashboard.
type Person struct {
	Name    string
	Role    host.Role
	Limited bool // to some connections
	// API answers this person. What the dashboard shows and does goes through it,
	// so that it shows and does what the person's token does, no more, and is
	// noted as a call of theirs.
	API http.Handler
}

// Can says whether the person may do what a role may.
func (p *Person) Can(role host.Role) bool {
	order := []host.Role{host.RoleViewer, host.RoleOperator, host.RoleAdmin}
	if role == host.RoleConnector {
		return p.Role == host.RoleConnector || p.Role == host.RoleAdmin
	}
	return slices.Index(order, p.Role) >= slices.Index(order, role)
}

// cookieName is what the browser keeps a sign-in under.
const cookieName = "dinrail_dashboard"

// at is one request of somebody who is signed in.
type at struct {
	*http.Request
	w   http.ResponseWriter
	u   *UI
	who Person
}

// desk protects a page of the dashboard and finds out who asks for it.
func (u *UI) desk(f func(*at) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := &at{Request: r, w: w, u: u}
		u.protectDesk(w)
		if err := sameOrigin.Check(r); err != nil {
			u.refuse(a, http.StatusForbidden, "This was sent from another site", "Go to the dashboard and do it there.")
			return
		}
		cookie, err := r.Cookie(cookieName)
		if err == nil {
			a.who, err = u.Desk.SignedIn(r.Context(), cookie.Value)
		}
		switch {
		case err != nil && host.CodeOf(err) != host.CodeUnauthorized && cookie != nil:
			u.fault(a, err)
		case err != nil:
			a.toSignIn()
		case a.who.Role == host.RoleConnector && r.URL.Path != "/connect-link" && r.URL.Path != "/sign-out":
			http.Redirect(w, r, "/connect-link", http.StatusSeeOther)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
			if err := f(a); err != nil {
				u.fault(a, err)
			}
		}
	}
}

// toSignIn leads to where one signs in, and from there back to here.
func (a *at) toSignIn() {
	to := "/sign-in"
	if a.Method == http.MethodGet && a.URL.Path != "/" {
		to += "?to=" + url.QueryEscape(a.URL.RequestURI())
	}
	if a.Header.Get("HX-Request") != "" {
		a.w.Header().Set("HX-Redirect", to) // a part of a page cannot be what one signs in at
		a.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(a.w, a.Request, to, http.StatusSeeOther)
}

func (u *UI) protectDesk(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// fault shows an error as a page.
func (u *UI) fault(a *at, err error) {
	if a.Context().Err() != nil {
		return // nobody reads it
	}
	switch code := host.CodeOf(err); code {
	case host.CodeNotFound:
		u.refuse(a, http.StatusNotFound, "There is no such thing here", host.MessageOf(err))
	case host.CodeUnauthorized:
		a.toSignIn()
	case host.CodeForbidden:
		u.refuse(a, http.StatusForbidden, "Your role may not do this", host.MessageOf(err))
	case host.CodeInternal, host.CodeStorage:
		u.Log.Error("show a page", "path", a.URL.Path, "error", err)
		u.refuse(a, http.StatusInternalServerError, "Something is wrong on the host's side", host.MessageOf(err))
	default:
		u.refuse(a, http.StatusConflict, "That did not work", host.MessageOf(err))
	}
}

func (u *UI) refuse(a *at, status int, heading, words string) {
	a.showWith(status, "refused", sheet{Title: heading, Body: ended{heading, words}})
}

// answer takes what the API answers, in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answer) Header() http.Header         { return w.header }
func (w *answer) WriteHeader(status int)      { w.status = status }
func (w *answer) Write(b []byte) (int, error) { return w.body.Write(b) }

// ask makes a call to the API as the person and decodes its answer. The error is
// the API's own, with its code and words. of names the connection of data calls.
func (a *at) ask(method, path string, of host.ConnectionID, body, into any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode a call of the dashboard: %w", err)
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(a.Context(), method, path, content)
	if err != nil {
		return fmt.Errorf("make a call of the dashboard: %w", err)
	}
	r.RemoteAddr = a.RemoteAddr
	r.Header.Set("User-Agent", "dashboard")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if of != "" {
		r.Header.Set("Dinrail-Connection", string(of))
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	a.who.API.ServeHTTP(w, r)
	if w.status >= 300 {
		var p struct {
			Code   host.Code `json:"code"`
			Detail string    `json:"detail"`
		}
		if err := json.Unmarshal(w.body.Bytes(), &p); err != nil {
			return fmt.Errorf("%s %s answered %d: %w", method, r.URL.Path, w.status, err)
		}
		return &host.Error{Code: p.Code, Message: p.Detail}
	}
	if into == nil || w.body.Len() == 0 {
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), into); err != nil {
		return fmt.Errorf("%s %s: %w", method, r.URL.Path, err)
	}
	return nil
}

func (a *at) get(path string, into any) error { return a.ask(http.MethodGet, path, "", nil, into) }

func (a *at) post(path string, body, into any) error {
	return a.ask(http.MethodPost, path, "", body, into)
}

// admin is a path of administration, its parts escaped.
func admin(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/v1/admin/" + strings.Join(parts, "/")
}

// with adds parameters to a path; those that are empty are left out.
func with(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// list is a part of a list as the API answers it.
type list[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next_cursor"`
	More bool   `json:"has_more"`
}

// sheet is what a page of the dashboard is given.
type sheet struct {
	Title  string
	Tab    string // of the navigation
	Live   bool   // it is asked for again while it is looked at
	Body   any
	Assets string
	Who    *Person
	URL    string // of this page
	Find   string // what was searched for
	Note   string // what was just done
}

// show writes a page of the dashboard.
func (a *at) show(page string, s sheet) error {
	a.showWith(http.StatusOK, page, s)
	return nil
}

func (a *at) showWith(status int, page string, s sheet) {
	s.Assets, s.URL, s.Note = "/assets/"+a.u.version, a.URL.RequestURI(), notes[a.URL.Query().Get("note")]
	if a.who.API != nil {
		s.Who = &a.who
	}
	var b bytes.Buffer
	if err := a.u.sheets[page].Execute(&b, s); err != nil {
		a.u.Log.Error("write a page", "page", page, "error", err)
		http.Error(a.w, "Something is wrong on the host's side.", http.StatusInternalServerError)
		return
	}
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(b.Bytes()) // who went away sees nothing
}

// notes are the words for what was just done.
var notes = map[string]string{
	"checked":  "The connection was checked: the login works.",
	"paused":   "The connection is paused: nothing calls its system until it is resumed.",
	"resumed":  "The connection is resumed and checked in a moment.",
	"queued":   "The syncs are queued and start in a moment.",
	"revoked":  "The token is revoked: it opens nothing any more.",
	"retried":  "The delivery is due now.",
	"enabled":  "The endpoint is served again; what it is owed goes out.",
	"disabled": "The endpoint is disabled; what it is owed is held.",
	"tested":   "A test event is on its way; it shows among the deliveries in a moment.",
	"removed":  "The connection and all that belongs to it are removed.",
	"reloaded": "The configuration was read again.",
}

// back leads to a page after something was done.
func (a *at) back(to, note string) error {
	if note != "" {
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		to += separator + "note=" + note
	}
	http.Redirect(a.w, a.Request, to, http.StatusSeeOther)
	return nil
}
