package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// client speaks Tryton's JSON-RPC with one login. It may be used concurrently:
// callers share one session, and one login makes it.
type client struct {
	http           *http.Client
	url            string
	database       string
	user, password string

	// gate is held by whoever logs in; what follows belongs to its holder. A
	// channel, so that waiting for it ends with the caller's context: a refused
	// login is answered later each time.
	gate    chan struct{}
	session string // header value; empty: none
	refused error  // why Tryton refused the login; nil: it did not
}

// errSession is returned inside when the session is no longer good.
var errSession = errors.New("the session has ended")

// errRefused is the cause of what Tryton refuses by a UserError. Once more is
// worth a call: it says so, in the user's language, also where a record, or the
// session itself, was removed by somebody else while Tryton answered.
var errRefused = errors.New("the call was refused")

// call calls a method with a session and decodes its result; a session that
// has ended is made anew once.
func (c *client) call(ctx context.Context, result any, method string, params ...any) error {
	session, err := c.login(ctx, "", false)
	if err != nil {
		return err
	}
	err = c.post(ctx, session, result, method, params)
	if errors.Is(err, errRefused) {
		err = c.post(ctx, session, result, method, params)
	}
	if errors.Is(err, errSession) {
		if session, err = c.login(ctx, session, false); err == nil {
			err = c.post(ctx, session, result, method, params)
		}
		if errors.Is(err, errSession) {
			return sdk.Failf(sdk.CodeAuthRequired, "Tryton ends the session as soon as it is made")
		}
	}
	return err
}

// login returns a session other than the dead one given, making it where there
// is none. A refused login is remembered: Tryton locks a user out after a few,
// so what runs beside the caller must not try it again. Only with anew is it
// tried once more.
func (c *client) login(ctx context.Context, dead string, anew bool) (string, error) {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if c.refused != nil && !anew {
		return "", c.refused
	}
	if c.session != "" && c.session != dead {
		return c.session, nil
	}
	var result []any
	err := c.post(ctx, "", &result, "common.db.login", []any{c.user, map[string]string{"password": c.password}})
	if errors.Is(err, errSession) || err == nil && len(result) < 2 {
		err = sdk.Failf(sdk.CodeAuthRequired, "Tryton does not accept the user name and password")
	}
	if err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) && f.Code == sdk.CodeAuthRequired {
			c.session, c.refused = "", err
		}
		return "", err
	}
	token := fmt.Sprintf("%s:%v:%v", c.user, result[0], result[1])
	c.session, c.refused = "Session "+base64.StdEncoding.EncodeToString([]byte(token)), nil
	return c.session, nil
}

// oldest is the first series of Tryton that answers in the form read here.
const oldest = 5

// recent refuses a Tryton that is older. One that does not tell its version is
// taken as it is.
func (c *client) recent(ctx context.Context) error {
	root, err := url.Parse(c.url)
	if err != nil {
		return err
	}
	root.Path = "/"
	var version string
	if err := c.postTo(ctx, root.String(), "", &version, "common.server.version", nil); err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) && (f.Code == sdk.CodeUnavailable || f.Code == sdk.CodeRateLimited || f.Code == sdk.CodeAddressRefused) || ctx.Err() != nil {
			return err
		}
		return nil
	}
	series, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(series); err == nil && n < oldest {
		return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: fmt.Sprintf("this is Tryton %s, which is too old; version %d.0 or later is needed", version, oldest)}
	}
	return nil
}

// logout ends the session at the server.
func (c *client) logout(ctx context.Context) {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return
	}
	if c.session != "" {
		_ = c.post(ctx, c.session, nil, "common.db.logout", nil) // it ends by itself otherwise
		c.session = ""
	}
}

// post makes one call and decodes its result. Answers come with status 200 for
// results and for errors alike.
func (c *client) post(ctx context.Context, session string, result any, method string, params []any) error {
	return c.postTo(ctx, c.url, session, result, method, params)
}

func (c *client) postTo(ctx context.Context, address, session string, result any, method string, params []any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, method), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if session != "" {
		req.Header.Set("Authorization", session)
	}
	res, err := c.http.Do(req)
	if err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) {
			return f // without the URL around it
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &sdk.Failure{Code: sdk.CodeUnavailable, Message: "Tryton cannot be reached", Err: err}
	}
	defer res.Body.Close()
	retryAt := sdk.RetryAfter(res.Header, time.Now())
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return errSession
	case res.StatusCode == http.StatusNotFound:
		return c.noDatabase()
	case res.StatusCode == http.StatusForbidden:
		return sdk.Failf(sdk.CodePermissionDenied, "Tryton does not allow %s", method)
	case res.StatusCode == http.StatusTooManyRequests && session == "":
		return &sdk.Failure{Code: sdk.CodeRateLimited, RetryAt: retryAt, Message: "Tryton refuses logins for some minutes, after too many with a wrong password"}
	case res.StatusCode == http.StatusTooManyRequests:
		return &sdk.Failure{Code: sdk.CodeRateLimited, RetryAt: retryAt, Message: "Tryton asks for fewer calls"}
	case res.StatusCode >= 500:
		return &sdk.Failure{Code: sdk.CodeUnavailable, RetryAt: retryAt, Message: "Tryton answers " + res.Status}
	case res.StatusCode != http.StatusOK:
		return sdk.Failf(sdk.CodeInternal, "Tryton answers %s", res.Status)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		var f *sdk.Failure
		if errors.As(err, &f) || ctx.Err() != nil {
			return err
		}
		return &sdk.Failure{Code: sdk.CodeUnavailable, Message: "Tryton broke off in the middle of an answer", Err: err}
	}
	var answer struct {
		Result json.RawMessage   `json:"result"`
		Error  []json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		if session == "" { // it was never known to be one
			return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "what answers at this address is no Tryton server", Err: err}
		}
		return &sdk.Failure{Code: sdk.CodeInternal, Message: "the answer is no JSON; is this the URL of a Tryton server?", Err: err}
	}
	if len(answer.Error) > 0 {
		err := failure(answer.Error)
		if session == "" && missingDatabase.MatchString(err.Error()) {
			return c.noDatabase()
		}
		return err
	}
	if result == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(answer.Result))
	d.UseNumber()
	if err := d.Decode(result); err != nil {
		return &sdk.Failure{Code: sdk.CodeInternal, Message: "Tryton's answer to " + method + " has another form than it should", Err: err}
	}
	return nil
}

// missingDatabase is how SQLite and PostgreSQL say so, through Tryton.
var missingDatabase = regexp.MustCompile(`(?i)database .*(doesn't|does not) exist`)

func (c *client) noDatabase() error {
	return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.database", Message: fmt.Sprintf("Tryton has no database %q", c.database)}
}

// failure reads an error that came inside HTTP 200: its kind, then its words.
func failure(parts []json.RawMessage) error {
	var kind string
	_ = json.Unmarshal(parts[0], &kind)
	var words []any
	message := kind
	if len(parts) > 1 && json.Unmarshal(parts[1], &words) == nil && len(words) > 0 {
		message = fmt.Sprint(words[0])
	} else if len(parts) > 1 {
		var one string
		if json.Unmarshal(parts[1], &one) == nil && one != "" {
			message = one
		}
	}
	switch {
	case kind == "LoginException":
		return sdk.Failf(sdk.CodeAuthRequired, "Tryton asks for more than a password: %s", message)
	case kind == "ConcurrencyException":
		return sdk.Failf(sdk.CodeConflict, "somebody changed it in between")
	case strings.Contains(message, "not allowed"):
		return sdk.Failf(sdk.CodePermissionDenied, "%s", message)
	case kind == "UserError" || kind == "UserWarning":
		return &sdk.Failure{Code: sdk.CodeInvalid, Message: "Tryton refuses: " + message, Err: errRefused}
	default:
		return sdk.Failf(sdk.CodeInternal, "Tryton fails: %s", message)
	}
}
