package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// client speaks the plant's API with one login. It may be used concurrently.
type client struct {
	http           *http.Client
	base           *url.URL
	user, password string

	mu      sync.Mutex
	token   string
	refused error // the login was refused: only a check tries it again
}

var errSession = errors.New("the session has ended")

// get reads a path into v; a session that has ended is made anew once.
func (c *client) get(ctx context.Context, template, path string, query url.Values, v any) error {
	token, err := c.login(ctx, "")
	if err != nil {
		return err
	}
	err = c.do(ctx, http.MethodGet, template, path, query, nil, token, v)
	if errors.Is(err, errSession) {
		if token, err = c.login(ctx, token); err == nil {
			err = c.do(ctx, http.MethodGet, template, path, query, nil, token, v)
		}
		if errors.Is(err, errSession) {
			return sdk.Failf(sdk.CodeAuthRequired, "the plant ends the session as soon as it is made")
		}
	}
	return err
}

// login returns a session other than the dead one.
func (c *client) login(ctx context.Context, dead string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.token != dead {
		return c.token, nil
	}
	if c.refused != nil {
		return "", c.refused
	}
	var res struct {
		Token string `json:"token"`
	}
	body := map[string]string{"username": c.user, "password": c.password}
	if err := c.do(ctx, http.MethodPost, "/api/login", "/api/login", nil, body, "", &res); err != nil {
		if errors.Is(err, errSession) {
			c.refused = sdk.Failf(sdk.CodeAuthRequired, "the plant does not accept the user name and password")
			return "", c.refused
		}
		return "", err
	}
	if res.Token == "" {
		return "", sdk.Failf(sdk.CodeInternal, "the plant's answer to a login holds no token")
	}
	c.token = res.Token
	return c.token, nil
}

// forgive lets a login that was refused be tried once more.
func (c *client) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = nil
}

// do makes one call; the path is escaped already.
func (c *client) do(ctx context.Context, method, template, path string, query url.Values, body any, token string, v any) error {
	u := *c.base
	var err error
	if u.Path, err = url.PathUnescape(path); err != nil {
		return err
	}
	u.RawPath, u.RawQuery = path, query.Encode()
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, template), method, u.String(), &text)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) {
			return f // without the URL around it
		}
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		return refused(res, template)
	}
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) {
			return f
		}
		return &sdk.Failure{Code: sdk.CodeInternal, Message: fmt.Sprintf("the plant's answer to %s cannot be read: %s", template, err), Err: err}
	}
	return nil
}

// refused reads an answer that is an error.
func refused(res *http.Response, template string) error {
	var fault struct {
		Error struct{ Code, Text string } `json:"error"`
	}
	_ = json.NewDecoder(res.Body).Decode(&fault) // the status tells enough
	words := fault.Error.Text
	if words == "" {
		words = res.Status
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return errSession
	case res.StatusCode == http.StatusForbidden:
		return sdk.Failf(sdk.CodePermissionDenied, "the plant does not allow it: %s", words)
	case res.StatusCode == http.StatusNotFound:
		return sdk.Failf(sdk.CodeNotFound, "the plant has no such record")
	case res.StatusCode == http.StatusTooManyRequests:
		return &sdk.Failure{Code: sdk.CodeRateLimited, Message: "the plant asks for fewer calls", RetryAt: sdk.RetryAfter(res.Header, time.Now())}
	case res.StatusCode >= 500:
		return sdk.Failf(sdk.CodeUnavailable, "the plant answers %s", words)
	default:
		return sdk.Failf(sdk.CodeInternal, "the plant refuses %s: %s", template, words)
	}
}
