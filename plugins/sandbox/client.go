package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// maxProblem bounds how much is read of an answer that tells of a failure.
const maxProblem = 64 << 10

// client speaks the plant's API with one login. It may be used concurrently:
// callers share one session.
type client struct {
	http           *http.Client
	base           string
	user, password string

	// gate is held by whoever logs in; what follows belongs to its holder. A
	// channel, so that waiting for it ends with the caller's context.
	gate    chan struct{}
	token   string // of the session; empty: none
	refused error  // why the plant refused the login; nil: it did not
}

func newClient(h *http.Client, base, user, password string) *client {
	return &client{http: h, base: base, user: user, password: password, gate: make(chan struct{}, 1)}
}

// errSession is returned inside when the plant no longer knows the session.
var errSession = errors.New("the session has ended")

// get reads a path into answer. A session that has ended is made anew once.
// The template is the path without ids and names what is reported.
func (c *client) get(ctx context.Context, template, path string, query url.Values, answer any) error {
	token, err := c.session(ctx, "", false)
	if err != nil {
		return err
	}
	err = c.getWith(ctx, token, template, path, query, answer)
	if !errors.Is(err, errSession) {
		return err
	}
	if token, err = c.session(ctx, token, false); err != nil {
		return err
	}
	err = c.getWith(ctx, token, template, path, query, answer)
	if errors.Is(err, errSession) {
		return sdk.Failf(sdk.CodeAuthRequired, "the plant ends the session as soon as it is made")
	}
	return err
}

func (c *client) getWith(ctx context.Context, token, template, path string, query url.Values, answer any) error {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, template), http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("ask for %s: %w", template, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return c.do(req, answer)
}

// session returns the token of a session other than the dead one, logging in
// where there is none. A refused login is remembered: what runs beside the
// caller must not try it again. Only anew asks the plant once more.
func (c *client) session(ctx context.Context, dead string, anew bool) (string, error) {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if c.refused != nil && !anew {
		return "", c.refused
	}
	if c.token != "" && c.token != dead && !anew {
		return c.token, nil
	}
	body, err := json.Marshal(map[string]string{"username": c.user, "password": c.password})
	if err != nil {
		return "", fmt.Errorf("write the login: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/api/login", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	var answer struct {
		Token string `json:"token"`
	}
	err = c.do(req, &answer)
	var f *sdk.Failure
	switch {
	case errors.As(err, &f) && f.Code == sdk.CodeAuthRequired:
		c.token, c.refused = "", err
		return "", err
	case err != nil:
		return "", err
	case answer.Token == "":
		return "", sdk.Failf(sdk.CodeInternal, "the plant's answer to the login holds no token; is this the URL of a sandbox plant?")
	}
	c.token, c.refused = answer.Token, nil
	return c.token, nil
}

// do makes a call and decodes its answer.
func (c *client) do(req *http.Request, answer any) error {
	res, err := c.http.Do(req)
	if err != nil {
		return plain(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return problem(res)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return plain(err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return &sdk.Failure{Code: sdk.CodeInternal, Message: "the plant's answer is no JSON of the form it should have; is this the URL of a sandbox plant?", Err: err}
	}
	return nil
}

// plain returns the failure inside an error of the HTTP client, without the
// URL around it. What broke off is a system that could not be reached.
func plain(err error) error {
	var f *sdk.Failure
	if errors.As(err, &f) {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &sdk.Failure{Code: sdk.CodeUnavailable, Message: "the plant broke off in the middle of an answer", Err: err}
}

// problem reads an answer that tells of a failure.
func problem(res *http.Response) error {
	var body struct {
		Error struct {
			Code string `json:"code"`
			Text string `json:"text"`
		} `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	words := body.Error.Text
	if words == "" {
		words = "it answers " + res.Status
	}
	f := &sdk.Failure{RetryAt: sdk.RetryAfter(res.Header, time.Now()), Err: err}
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized && body.Error.Code != "badLogin":
		return errSession
	case status == http.StatusUnauthorized:
		f.Code, f.Message = sdk.CodeAuthRequired, "the plant does not accept the user name and password"
	case status == http.StatusForbidden:
		f.Code, f.Message = sdk.CodePermissionDenied, "the plant does not allow it: "+words
	case status == http.StatusNotFound && body.Error.Code == "notFound":
		f.Code, f.Message = sdk.CodeNotFound, "the plant has no such record"
	case status == http.StatusNotFound:
		f.Code, f.Path, f.Message = sdk.CodeInvalid, "settings.url", "there is no sandbox plant at this URL"
	case status == http.StatusTooManyRequests:
		f.Code, f.Message = sdk.CodeRateLimited, "the plant asks for fewer calls"
	case status >= http.StatusInternalServerError:
		f.Code, f.Message = sdk.CodeUnavailable, "the plant cannot answer now: "+words
	case status == http.StatusConflict:
		f.Code, f.Message = sdk.CodeConflict, "the plant refuses: "+words
	case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity:
		f.Code, f.Message = sdk.CodeInvalid, "the plant refuses: "+words
	default:
		f.Code, f.Message = sdk.CodeInternal, "the plant gives an answer that is not in its description: "+res.Status
	}
	return f
}
