package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host/daemon"
)

// client calls the API of a host, over its control socket or its address.
type client struct {
	http  *http.Client
	base  string
	token string
	where string // for messages
}

// local stands for the control socket where a URL needs a name.
const local = "http://dinrail"

// problem is an error that the API answered with.
type problem struct {
	Status int      `json:"status"`
	Code   string   `json:"code"`
	Title  string   `json:"title"`
	Detail string   `json:"detail"`
	Errors []detail `json:"errors"`
}

// detail is one part of a problem: what is wrong, and where.
type detail struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

func (d detail) String() string {
	if d.Location == "" {
		return oneLine(d.Message)
	}
	return oneLine(d.Location + ": " + d.Message)
}

func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Code == "" {
		return oneLine(text)
	}
	return oneLine(fmt.Sprintf("%s (%s)", text, p.Code))
}

// dial says which host is meant; it connects with the first call.
func (c *cli) dial() (*client, error) {
	addr, token := c.addr, c.token
	if addr == "" {
		addr = os.Getenv("DINRAIL_ADDR")
	}
	if token == "" {
		token = os.Getenv("DINRAIL_TOKEN")
	}
	if addr != "" {
		base, err := baseURL(addr)
		if err != nil {
			return nil, err
		}
		if token == "" {
			return nil, fmt.Errorf("the host at %s answers to a token: set DINRAIL_TOKEN, or leave --addr and DINRAIL_ADDR out on the host's own machine", base)
		}
		return &client{http: &http.Client{Transport: transport(nil), CheckRedirect: stay}, base: base, token: token, where: base}, nil
	}
	socket, err := daemon.Socket(c.paths())
	if err != nil {
		return nil, fmt.Errorf("find the host's control socket: %w", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &client{http: &http.Client{Transport: transport(dial), CheckRedirect: stay}, base: local, where: socket}, nil
}

func transport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	t := &http.Transport{DialContext: dial, Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: 5 * time.Minute}
	if dial != nil {
		t.Proxy = nil
	}
	return t
}

// stay keeps a token from being carried to wherever an answer points.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// baseURL completes an address: http on loopback, https elsewhere, unless it
// says.
func baseURL(addr string) (string, error) {
	if !strings.Contains(addr, "://") {
		name := addr
		if h, _, err := net.SplitHostPort(addr); err == nil {
			name = h
		}
		ip := net.ParseIP(strings.Trim(name, "[]"))
		scheme := "https"
		if name == "localhost" || ip != nil && ip.IsLoopback() {
			scheme = "http"
		}
		addr = scheme + "://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no address: give HOST:PORT or an http or https URL", addr)
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"), nil
}

// request is one call. What stands in segments is escaped.
type request struct {
	method     string
	segments   []string
	query      url.Values
	connection string // whose data, for calls outside /v1/admin
	whole      bool   // a list that comes in one piece
	body       any
	into       any
}

// admin is the start of a call's path under /v1/admin.
func admin(segments ...string) []string { return append([]string{"v1", "admin"}, segments...) }

// do makes the call and decodes its answer; an answer that is an error comes
// back as *problem.
func (c *client) do(ctx context.Context, r request) error {
	answer, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if r.into == nil || answer.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(r.into); err != nil {
		return fmt.Errorf("read the answer of the host at %s: %w", c.where, err)
	}
	return nil
}

func (c *client) open(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	target := c.base
	for _, s := range r.segments {
		target += "/" + url.PathEscape(s)
	}
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	call, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	call.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		call.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		call.Header.Set("Authorization", "Bearer "+c.token)
	}
	if r.connection != "" {
		call.Header.Set("Dinrail-Connection", r.connection)
	}
	answer, err := c.http.Do(call)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, c.refused(answer)
}

// unreachable says what a failed call means to a person.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.base == local {
		if errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("the control socket %s belongs to another user: run this as the user of the host, or give --addr and --token", c.where)
		}
		return fmt.Errorf("no host answers at %s: start it with dinrail serve, name its configuration with --config, or give --addr and --token of a host elsewhere", c.where)
	}
	var operation *url.Error
	if errors.As(err, &operation) {
		err = operation.Err
	}
	return fmt.Errorf("reach the host at %s: %w", c.where, err)
}

func (c *client) refused(answer *http.Response) error {
	p := &problem{Status: answer.StatusCode}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read the answer of the host at %s: %w", c.where, err)
	}
	if json.Unmarshal(body, p) != nil || p.Detail == "" && p.Title == "" {
		return fmt.Errorf("%s answered %s; is it a Dinrail host?", c.where, answer.Status)
	}
	return p
}

// list is the form of every list of the API.
type list[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor"`
	HasMore    bool   `json:"has_more"`
}

// each calls f with every item of a list, page after page, up to most items;
// most <= 0 is all.
func each(ctx context.Context, c *client, r request, most int, f func(json.RawMessage) error) error {
	query := url.Values{}
	for name, values := range r.query {
		query[name] = values
	}
	for n := 0; ; {
		size := 1000
		if most > 0 {
			size = min(size, most-n)
		}
		if !r.whole {
			query.Set("limit", fmt.Sprint(size))
		}
		var page list[json.RawMessage]
		r.method, r.query, r.into = http.MethodGet, query, &page
		if err := c.do(ctx, r); err != nil {
			return err
		}
		for _, item := range page.Data {
			if err := f(item); err != nil {
				return err
			}
			n++
		}
		if !page.HasMore || most > 0 && n >= most || len(page.Data) == 0 {
			return nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// items reads a whole list: as it came, for --json, and decoded.
func items[T any](ctx context.Context, c *client, r request, most int) (raw []json.RawMessage, decoded []T, err error) {
	raw = []json.RawMessage{}
	err = each(ctx, c, r, most, func(item json.RawMessage) error {
		var v T
		if err := json.Unmarshal(item, &v); err != nil {
			return fmt.Errorf("read the answer of the host at %s: %w", c.where, err)
		}
		raw, decoded = append(raw, item), append(decoded, v)
		return nil
	})
	return raw, decoded, err
}
