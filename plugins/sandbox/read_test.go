package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/dinrail/dinrail/sdk"
)

// answering is a connection to a plant that accepts the login and gives one
// answer to every list.
func answering(t *testing.T, status int, answer string) (*connection, *int) {
	t.Helper()
	logins := 0
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch r.URL.Path {
		case "/api/login":
			logins++
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`{"token":"t"}`))
		case "/api/whoami":
			_, _ = w.Write([]byte(`{"user":"u","plantTime":"2026-01-01T00:00:00.000Z"}`))
		default:
			_, _ = w.Write([]byte(answer))
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &connection{client: &client{http: server.Client(), base: u, user: "u", password: "p"}}, &logins
}

// A read that ends without a failure lets the host conclude deletions, so an
// answer that does not say that it is the last page is a failure.
func TestAnswerThatIsNoPageNeverEndsARead(t *testing.T) {
	for name, answer := range map[string]string{
		"empty object": `{}`, "no cursor": `{"items":[]}`, "no items": `{"nextCursor":null}`, "null": `null`, "null items": `{"items":null,"nextCursor":null}`,
		"empty cursor": `{"items":[],"nextCursor":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := answering(t, http.StatusOK, answer)
			if err := c.Read(t.Context(), sdk.ReadRequest{Entity: "work_orders", Full: true}, nil); err == nil {
				t.Fatal("the read ended well")
			}
		})
	}
}

// Reads that wait for each other do not each try a login that was refused; a
// check does.
func TestRefusedLoginIsTriedAgainByChecksAlone(t *testing.T) {
	c, logins := answering(t, http.StatusUnauthorized, `{}`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { _ = c.Read(t.Context(), sdk.ReadRequest{Entity: "work_orders", Full: true}, nil) })
	}
	all.Wait()
	if *logins != 1 {
		t.Fatalf("%d logins, want 1", *logins)
	}
	if _, err := c.Check(t.Context()); err == nil || *logins != 2 {
		t.Fatalf("%d logins after a check, %v", *logins, err)
	}
}
