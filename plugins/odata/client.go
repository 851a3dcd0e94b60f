package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// client asks one service with one login. It may be used concurrently.
type client struct {
	http        *http.Client
	base        *url.URL
	credentials map[string]string
	refused     atomic.Pointer[sdk.Failure] // the login was refused: only a check tries it again
}

// query writes parameters in pairs of name and value. A space is %20: servers
// take a + for what it is.
func query(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+"="+strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
		}
	}
	return strings.Join(out, "&")
}

// get reads what stands at a path under the service's root.
func (c *client) get(ctx context.Context, path, accept, query string) ([]byte, error) {
	if f := c.refused.Load(); f != nil {
		return nil, f
	}
	u := c.base.JoinPath(path)
	u.RawQuery = strings.Trim(c.base.RawQuery+"&"+query, "&") // such as sap-client=100
	req, err := http.NewRequestWithContext(sdk.WithPath(ctx, u.Path), http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	req.Header.Set("Accept", accept)
	if token := c.credentials["token"]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	} else {
		req.SetBasicAuth(c.credentials["username"], c.credentials["password"])
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, plain(err)
	}
	if res.StatusCode == http.StatusOK {
		return body, nil
	}
	return nil, c.explain(res, path, body)
}

// plain is a failure without the URL around it.
func plain(err error) error {
	var f *sdk.Failure
	if errors.As(err, &f) {
		return f
	}
	return err
}

// explain reads an answer that is an error.
func (c *client) explain(res *http.Response, path string, body []byte) error {
	words := res.Status
	var fault struct {
		Error struct {
			Message json.RawMessage `json:"message"` // a text; in V2 an object with one
		} `json:"error"`
	}
	if json.Unmarshal(body, &fault) == nil {
		var old struct {
			Value string `json:"value"`
		}
		if text, ok := textOf(fault.Error.Message); ok {
			words = text
		} else if json.Unmarshal(fault.Error.Message, &old) == nil && old.Value != "" {
			words = old.Value
		}
	}
	switch s := res.StatusCode; {
	case s == http.StatusUnauthorized:
		f := sdk.Failf(sdk.CodeAuthRequired, "the service does not accept the login")
		c.refused.Store(f)
		return f
	case s == http.StatusForbidden:
		return sdk.Failf(sdk.CodePermissionDenied, "the login may not read %s: %s", path, words)
	case s == http.StatusNotFound:
		return sdk.Failf(sdk.CodeNotFound, "the service has no %s: %s", path, words)
	case s == http.StatusTooManyRequests:
		return &sdk.Failure{Code: sdk.CodeRateLimited, Message: "the service asks for fewer calls", RetryAt: sdk.RetryAfter(res.Header, time.Now())}
	case s == http.StatusNotImplemented:
		return sdk.Failf(sdk.CodeUnsupported, "the service cannot answer what %s is asked for: %s", path, words)
	case s >= 500:
		return &sdk.Failure{Code: sdk.CodeUnavailable, Message: fmt.Sprintf("the service fails at %s: %s", path, words), RetryAt: sdk.RetryAfter(res.Header, time.Now())}
	}
	return sdk.Failf(sdk.CodeInvalid, "the service refuses what %s is asked for: %s", path, words)
}

// rows reads one page of a set.
func (c *client) rows(ctx context.Context, s *set, query string) ([]json.RawMessage, error) {
	b, err := c.get(ctx, s.name, "application/json", query)
	if err != nil {
		return nil, err
	}
	var page struct {
		Value *[]json.RawMessage `json:"value"`
		D     json.RawMessage    `json:"d"`
	}
	if err := json.Unmarshal(b, &page); err != nil {
		return nil, &sdk.Failure{Code: sdk.CodeInternal, Message: "the answer for " + s.name + " is no JSON", Err: err}
	}
	if page.Value != nil {
		return *page.Value, nil
	}
	var list *[]json.RawMessage
	var results struct {
		Results *[]json.RawMessage `json:"results"`
	}
	if json.Unmarshal(page.D, &results) == nil && results.Results != nil {
		return *results.Results, nil
	}
	if json.Unmarshal(page.D, &list) == nil && list != nil {
		return *list, nil
	}
	return nil, sdk.Failf(sdk.CodeInternal, "the answer for %s is no list of records", s.name)
}
