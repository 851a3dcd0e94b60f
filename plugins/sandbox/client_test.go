package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// plantThat is a connection to a plant whose lists are answered by f. Its
// sessions are numbered; each login adds one.
func plantThat(t *testing.T, f http.HandlerFunc) (*connection, *atomic.Int32) {
	t.Helper()
	logins := &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/login":
			_, _ = fmt.Fprintf(w, `{"token":"session-%d"}`, logins.Add(1))
		case "/api/whoami":
			_, _ = w.Write([]byte(`{"user":"u","plantTime":"2026-01-01T00:00:00.000Z"}`))
		default:
			f(w, r)
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &connection{client: &client{http: server.Client(), base: u, user: "u", password: "secret-word"}}, logins
}

func read(ctx context.Context, c *connection) error {
	return c.Read(ctx, sdk.ReadRequest{Entity: "work_orders", Full: true}, nil)
}

// What the plant answers becomes the failure that the host can act upon, in
// words that hold no secret.
func TestAnswersOfTheClientBecomeFailures(t *testing.T) {
	in := time.Now().Add(90 * time.Second).UTC().Truncate(time.Second)
	for name, c := range map[string]struct {
		status  int
		header  string
		body    string
		code    sdk.Code
		words   string
		retryAt time.Time
	}{
		"429 with seconds":  {429, "90", "", sdk.CodeRateLimited, "fewer calls", in},
		"429 with a date":   {429, in.Format(http.TimeFormat), "", sdk.CodeRateLimited, "fewer calls", in},
		"429 without":       {429, "", "", sdk.CodeRateLimited, "fewer calls", time.Time{}},
		"401 again":         {401, "", `{"error":{"code":"noSession","text":"who?"}}`, sdk.CodeAuthRequired, "ends the session", time.Time{}},
		"403":               {403, "", `{"error":{"code":"noRight","text":"not yours"}}`, sdk.CodePermissionDenied, "not yours", time.Time{}},
		"404":               {404, "", "", sdk.CodeNotFound, "no such record", time.Time{}},
		"500":               {500, "", "<html>oops</html>", sdk.CodeUnavailable, "500", time.Time{}},
		"503 with words":    {503, "", `{"error":{"code":"down","text":"back at six"}}`, sdk.CodeUnavailable, "back at six", time.Time{}},
		"400":               {400, "", `{"error":{"code":"badCursor","text":"no such cursor"}}`, sdk.CodeInternal, "no such cursor", time.Time{}},
		"garbage":           {200, "", "<html>welcome</html>", sdk.CodeInternal, "cannot be read", time.Time{}},
		"nothing":           {200, "", "", sdk.CodeInternal, "cannot be read", time.Time{}},
		"broken off":        {200, "", `{"items":[{"id":1},`, sdk.CodeInternal, "cannot be read", time.Time{}},
		"an empty object":   {200, "", `{}`, sdk.CodeInternal, "no page", time.Time{}},
		"a page of strings": {200, "", `{"items":"all of them","nextCursor":null}`, sdk.CodeInternal, "cannot be read", time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := plantThat(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			err := read(t.Context(), conn)
			f, ok := errors.AsType[*sdk.Failure](err)
			if !ok || f.Code != c.code || !strings.Contains(f.Message, c.words) {
				t.Fatalf("got %v, want %s with %q", err, c.code, c.words)
			}
			if off := f.RetryAt.Sub(c.retryAt).Abs(); off > 10*time.Second {
				t.Errorf("to come back at %s, want %s", f.RetryAt, c.retryAt)
			}
			if strings.Contains(f.Message, "secret-word") || strings.Contains(f.Message, "session-") {
				t.Errorf("a secret is in %q", f.Message)
			}
		})
	}
}

// A session that has ended is made anew once, and the read goes on where it
// was.
func TestEndedSessionIsMadeAnewOnce(t *testing.T) {
	ended := false
	conn, logins := plantThat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer session-1" {
			ended = true
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"id":7,"title":"Belt"}`))
	})
	rec, err := conn.Get(t.Context(), "work_orders", "7")
	if err != nil || rec.ID != "7" {
		t.Fatalf("%+v, %v", rec, err)
	}
	if !ended || logins.Load() != 2 {
		t.Errorf("%d logins", logins.Load())
	}
}

func TestLoginWithoutATokenIsToldAsTheSystemsFault(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn := &connection{client: &client{http: server.Client(), base: u}}
	_, err = conn.Check(t.Context())
	if f, ok := errors.AsType[*sdk.Failure](err); !ok || f.Code != sdk.CodeInternal || !strings.Contains(f.Message, "no token") {
		t.Errorf("got %v", err)
	}
}

// A plant that never answers holds a read no longer than its caller wants.
func TestSlowPlantIsGivenUpWithTheCall(t *testing.T) {
	asked, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	conn, _ := plantThat(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		select {
		case <-r.Context().Done():
		case <-over:
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if err := read(ctx, conn); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// An id goes into the path as it is meant, whatever stands in it.
func TestIDsAreEscapedInPaths(t *testing.T) {
	path := ""
	conn, _ := plantThat(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		w.WriteHeader(http.StatusNotFound)
	})
	_, err := conn.Get(t.Context(), "work_orders", "../login?x=1#y")
	if f, ok := errors.AsType[*sdk.Failure](err); !ok || f.Code != sdk.CodeNotFound {
		t.Errorf("got %v", err)
	}
	if path != "/api/workOrders/..%2Flogin%3Fx=1%23y" {
		t.Errorf("asked for %s", path)
	}
}
