package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
	"github.com/dinrail/dinrail/sdk/expr"
)

// client makes the calls of one connection. It may be used concurrently.
type client struct {
	system   *definition.System
	protocol Protocol
	auth     *definition.Auth
	http     *http.Client
	settings map[string]any
	base     *url.URL
	limit    *rate.Limiter

	mu          sync.Mutex
	credentials map[string]any
	session     *session // nil: none yet
	refused     error    // the login was refused: only a check tries it again
}

// session is what a login call gave.
type session struct {
	token   any
	cookies []*http.Cookie
}

var errSession = errors.New("the session has ended")

func newClient(s *definition.System, p Protocol, r sdk.OpenRequest, l *rate.Limiter) (*client, error) {
	c := &client{system: s, protocol: p, http: r.HTTP, settings: s.WithDefaults(r.Settings), limit: l}
	kind := r.Auth
	if kind == "" {
		kind = s.Auth[0].Kind
	}
	var ok bool
	if c.auth, ok = s.Method(kind); !ok {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "auth", Message: fmt.Sprintf("%s has no way to log in that is called %q", s.Label, kind)}
	}
	c.renew(r.Credentials)
	base, given, err := s.Request.Base.Text(definition.Given{"setting": c.settings})
	if err != nil || !given {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings", Message: "the address of the system cannot be made of the settings", Err: err}
	}
	c.base, err = url.Parse(strings.TrimRight(base, "/"))
	if err != nil || c.base.Host == "" || c.base.Scheme != "http" && c.base.Scheme != "https" {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the URL must be one such as https://system.example.com"}
	}
	if c.base.User != nil {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the URL must hold no user name or password; they go into the credentials"}
	}
	return c, nil
}

// renew takes other credentials.
func (c *client) renew(credentials map[string]string) {
	given := make(map[string]any, len(credentials))
	for k, v := range credentials {
		given[k] = v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.credentials, c.session, c.refused = given, nil, nil
}

// forgive lets a login that was refused be tried once more.
func (c *client) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = nil
}

// Request is a call with its values, before the login's are added.
type Request struct {
	Method   string
	Path     string // escaped; "" where URL is given
	Template string // for reports
	URL      *url.URL
	Query    map[string]any
	Headers  map[string]any
	Body     any
	BodyAs   string
	Safe     bool // it changes nothing, so it may be made again
}

// request fills a call. More goes into the query, or into the body of a call
// that has one.
func (c *client) request(call *definition.Call, given definition.Given, more map[string]any) (*Request, error) {
	r := &Request{Method: call.Method, BodyAs: call.BodyAs}
	given["setting"] = c.settings
	wrong := func(err error) error {
		return &sdk.Failure{Code: sdk.CodeInvalid, Message: err.Error()}
	}
	var err error
	if call.Path != nil {
		if r.Path, err = call.Path.Fill(given); err != nil {
			return nil, wrong(err)
		}
		r.Template = call.Path.Template()
	}
	if r.Query, err = merged(given, c.system.Request.Query, call.Query); err != nil {
		return nil, wrong(err)
	}
	if r.Headers, err = merged(given, call.Headers); err != nil {
		return nil, wrong(err)
	}
	if r.Body, err = call.Body.Value(given); err != nil {
		return nil, wrong(err)
	}
	if r.Body == nil && call.Body != nil {
		r.Body = map[string]any{}
	}
	into := r.Query
	if body, ok := r.Body.(map[string]any); ok && call.Method != http.MethodGet {
		into = body
	}
	for k, v := range more {
		if v != nil {
			into[k] = v
		}
	}
	if c.protocol.Prepare != nil {
		if err := c.protocol.Prepare(call, given, r); err != nil {
			return nil, wrong(err)
		}
	}
	return r, nil
}

// merged evaluates objects into one; later ones win, and null is left out.
func merged(given definition.Given, all ...*definition.Expr) (map[string]any, error) {
	out := map[string]any{}
	for _, x := range all {
		v, err := x.Value(given)
		if err != nil {
			return nil, err
		}
		m, _ := v.(map[string]any)
		for k, v := range m {
			if v != nil {
				out[k] = v
			}
		}
	}
	return out, nil
}

// call makes a call until it is answered, the system cannot answer it, or its
// retries are used up; a session that has ended is made anew once.
func (c *client) call(ctx context.Context, r *Request) (*Answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := c.withLogin(ctx, r)
		if err == nil || !r.Safe || attempt >= c.system.Retry.Attempts || !transient(err) {
			return a, err
		}
		pause := time.NewTimer(c.system.Retry.First << (attempt - 1))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// transient says whether a failure may be over in a moment.
func transient(err error) bool {
	f, ok := errors.AsType[*sdk.Failure](err)
	return ok && f.Code == sdk.CodeUnavailable && f.RetryAt.IsZero()
}

func (c *client) withLogin(ctx context.Context, r *Request) (*Answer, error) {
	s, err := c.login(ctx, nil)
	if err != nil {
		return nil, err
	}
	a, err := c.send(ctx, r, s)
	if errors.Is(err, errSession) && c.auth.Login != nil {
		if s, err = c.login(ctx, s); err == nil {
			a, err = c.send(ctx, r, s)
		}
	}
	if !errors.Is(err, errSession) {
		return a, err
	}
	return nil, c.refuse(err)
}

// refuse keeps in mind that the login was refused.
func (c *client) refuse(err error) error {
	why := sdk.Failf(sdk.CodeAuthRequired, "%s does not accept the login", c.system.Label)
	if f, ok := errors.AsType[*sdk.Failure](err); ok && f.Message != "" {
		why.Message = f.Message
	}
	if c.auth.Kind == "oauth2" {
		why.Code = sdk.CodeTokenExpired
		return why
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = why
	return why
}

// login returns a session other than the dead one; nil where there is none to be
// had.
func (c *client) login(ctx context.Context, dead *session) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused != nil {
		return nil, c.refused
	}
	if c.auth.Login == nil || c.session != nil && c.session != dead {
		return c.session, nil
	}
	l := c.auth.Login
	given := definition.Given{"credential": c.credentials}
	r, err := c.request(&l.Call, given, nil)
	if err != nil {
		return nil, err
	}
	a, err := c.do(ctx, r, nil)
	if errors.Is(err, errSession) || code(err) == sdk.CodePermissionDenied || code(err) == sdk.CodeInvalid {
		c.refused = sdk.Failf(sdk.CodeAuthRequired, "%s does not accept the user name and password", c.system.Label)
		if f, ok := errors.AsType[*sdk.Failure](err); ok && f.Message != "" {
			c.refused = &sdk.Failure{Code: sdk.CodeAuthRequired, Message: f.Message}
		}
		return nil, c.refused
	}
	if err != nil {
		return nil, err
	}
	s := &session{}
	if s.token, err = l.Token.Value(a.given()); err != nil {
		return nil, sdk.Failf(sdk.CodeInternal, "the answer of %s to a login cannot be read: %s", c.system.Label, err)
	}
	if l.Cookies {
		s.cookies = a.cookies
	}
	if l.Token != nil && s.token == nil {
		return nil, sdk.Failf(sdk.CodeInternal, "the answer of %s to a login holds no token", c.system.Label)
	}
	c.session = s
	return s, nil
}

func code(err error) sdk.Code {
	if f, ok := errors.AsType[*sdk.Failure](err); ok {
		return f.Code
	}
	return ""
}

// send makes a call with a session.
func (c *client) send(ctx context.Context, r *Request, s *session) (*Answer, error) {
	c.mu.Lock()
	credentials := c.credentials
	c.mu.Unlock()
	if s == nil {
		s = &session{}
	}
	return c.do(ctx, r, func(req *http.Request, body []byte) error {
		for _, k := range s.cookies {
			req.AddCookie(k)
		}
		given := definition.Given{
			"credential": credentials, "setting": c.settings, "session": map[string]any{"token": s.token},
			"request": map[string]any{
				"method": req.Method, "path": req.URL.EscapedPath(), "query": req.URL.RawQuery, "body": string(body), "host": req.URL.Host, "time": time.Now().UTC().Format(stamp),
			},
		}
		query, err := merged(given, c.auth.Query)
		if err != nil {
			return err
		}
		if len(query) > 0 {
			if req.URL.RawQuery != "" {
				req.URL.RawQuery += "&"
			}
			req.URL.RawQuery += encodeQuery(query)
		}
		headers, err := merged(given, c.auth.Headers)
		if err != nil {
			return err
		}
		setHeaders(req.Header, headers)
		if c.auth.Headers != nil {
			return nil
		}
		text := func(name string) string { v, _ := credentials[name].(string); return v }
		switch c.auth.Kind {
		case "basic":
			req.SetBasicAuth(text("username"), text("password"))
		case "bearer":
			req.Header.Set("Authorization", "Bearer "+text("token"))
		case "oauth2":
			req.Header.Set("Authorization", "Bearer "+text("access_token"))
		}
		return nil
	})
}

func setHeaders(to http.Header, headers map[string]any) {
	for k, v := range headers {
		if text, ok := expr.TextOf(v); ok {
			to.Set(k, text)
		}
	}
}

// encodeQuery writes a query: names in order, a list as one parameter each, and
// spaces as %20, since some systems take + for a plus.
func encodeQuery(query map[string]any) string {
	var b strings.Builder
	add := func(k string, v any) {
		text, ok := expr.TextOf(v)
		if !ok {
			text = string(expr.AppendJSON(nil, v))
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(k), "+", "%20"))
		b.WriteByte('=')
		b.WriteString(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
	}
	for _, k := range slices.Sorted(maps.Keys(query)) {
		if list, ok := query[k].([]any); ok {
			for _, v := range list {
				add(k, v)
			}
			continue
		}
		add(k, query[k])
	}
	return b.String()
}

// do makes one call; sign adds the login.
func (c *client) do(ctx context.Context, r *Request, sign func(*http.Request, []byte) error) (*Answer, error) {
	if err := c.limit.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, sdk.Failf(sdk.CodeRateLimited, "the rate of the system's file leaves no room for this call in time")
	}
	body, contentType, err := encodeBody(r)
	if err != nil {
		return nil, err
	}
	u := r.URL
	if u == nil {
		joined := *c.base
		raw := joined.EscapedPath() + r.Path
		if joined.Path, err = url.PathUnescape(raw); err != nil {
			return nil, sdk.Failf(sdk.CodeInvalid, "the path %s is wrong: %s", r.Template, err)
		}
		joined.RawPath = raw
		u = &joined
		if len(r.Query) > 0 {
			u.RawQuery = encodeQuery(r.Query)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.system.Request.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, r.Template), r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, sdk.Failf(sdk.CodeInvalid, "the call %s %s cannot be made: %s", r.Method, r.Template, err)
	}
	if len(body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", map[string]string{"xml": "application/xml, text/xml"}[c.system.Request.Answer])
	if c.system.Request.Answer != "xml" {
		req.Header.Set("Accept", "application/json")
	}
	common, err := merged(definition.Given{"setting": c.settings, "credential": c.given()}, c.system.Request.Headers)
	if err != nil {
		return nil, sdk.Failf(sdk.CodeInvalid, "request.headers: %s", err)
	}
	setHeaders(req.Header, common)
	setHeaders(req.Header, r.Headers)
	if sign != nil {
		if err := sign(req, body); err != nil {
			return nil, sdk.Failf(sdk.CodeInvalid, "the login cannot be sent: %s", err)
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		if f, ok := errors.AsType[*sdk.Failure](err); ok {
			return nil, f // without the URL around it
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, sdk.Failf(sdk.CodeUnavailable, "%s did not answer %s %s within %s", c.system.Label, r.Method, r.Template, c.system.Request.Timeout)
		}
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		if f, ok := errors.AsType[*sdk.Failure](err); ok {
			return nil, f
		}
		return nil, &sdk.Failure{Code: sdk.CodeUnavailable, Message: fmt.Sprintf("the answer of %s to %s %s broke off", c.system.Label, r.Method, r.Template), Err: err}
	}
	return c.answer(r, req.URL, res, text)
}

// given are the credentials, for headers that all calls have.
func (c *client) given() map[string]any {
	if !c.mu.TryLock() { // a login is under way, which holds them
		return c.credentials
	}
	defer c.mu.Unlock()
	return c.credentials
}

// encodeBody writes a body.
func encodeBody(r *Request) ([]byte, string, error) {
	if r.Body == nil {
		return nil, "", nil
	}
	switch r.BodyAs {
	case "form":
		m, ok := r.Body.(map[string]any)
		if !ok {
			return nil, "", sdk.Failf(sdk.CodeInvalid, "the body of %s %s is no object, and goes as a form", r.Method, r.Template)
		}
		clean := map[string]any{}
		for k, v := range m {
			if v != nil {
				clean[k] = v
			}
		}
		return []byte(encodeQuery(clean)), "application/x-www-form-urlencoded", nil
	case "xml":
		b, err := encodeXML(r.Body)
		return b, "application/xml; charset=utf-8", err
	default:
		b, err := json.Marshal(r.Body)
		return b, "application/json", err
	}
}
