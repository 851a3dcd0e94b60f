package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// noon is when the plants of the tests start.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// clock is a time that only moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// caller is a plant under test, and somebody who calls it.
type caller struct {
	t      *testing.T
	url    string
	plant  *plant
	life   *life
	server *server
	clock  *clock
	token  string
}

// setup starts a plant whose time stands still, and logs in.
func setup(t *testing.T, change ...func(*options)) *caller {
	t.Helper()
	o := options{user: "operator", password: "plant-7", session: time.Hour, seed: 7, scale: 1}
	for _, one := range change {
		one(&o)
	}
	c := &caller{t: t, clock: &clock{now: noon}}
	c.plant = newPlant(c.clock.Now)
	var err error
	if c.life, err = furnish(c.plant, &o); err != nil {
		t.Fatal(err)
	}
	start := settings{Password: o.password, Speed: o.speed, SessionSeconds: int(o.session / time.Second)}
	c.server = newServer(o.user, c.plant, c.life, newSwitches(start))
	web := httptest.NewServer(c.server.handler())
	t.Cleanup(web.Close)
	c.url = web.URL
	c.logIn("plant-7")
	return c
}

// logIn opens a session with a password, and answers the status.
func (c *caller) logIn(password string) int {
	c.t.Helper()
	var answer struct {
		Token string `json:"token"`
	}
	status := c.call("POST", "/api/login", fields{"username": "operator", "password": password}, &answer)
	if answer.Token != "" {
		c.token = answer.Token
	}
	return status
}

// call sends a JSON body, and reads a JSON answer.
func (c *caller) call(method, path string, body, into any) int {
	c.t.Helper()
	response, written, err := c.raw(method, path, body, nil)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if into != nil && len(written) > 0 {
		d := json.NewDecoder(bytes.NewReader(written))
		d.UseNumber()
		if err := d.Decode(into); err != nil {
			c.t.Fatalf("%s %s answers %q: %v", method, path, written, err)
		}
	}
	return response.StatusCode
}

// raw sends a call, and gives the answer as it comes.
func (c *caller) raw(method, path string, body any, header map[string]string) (*http.Response, []byte, error) {
	c.t.Helper()
	var send io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		send = bytes.NewReader([]byte(body))
	default:
		written, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		send = bytes.NewReader(written)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, send)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	written, err := io.ReadAll(response.Body)
	return response, written, err
}

// control sets switches, which must be accepted.
func (c *caller) control(path string, body fields) fields {
	c.t.Helper()
	var answer fields
	if status := c.call("POST", "/control"+path, body, &answer); status != http.StatusOK {
		c.t.Fatalf("POST /control%s %v: %d %v", path, body, status, answer)
	}
	return answer
}

// page is a list as it is answered.
type listed struct {
	Items      []fields `json:"items"`
	NextCursor *string  `json:"nextCursor"`
	Total      int      `json:"total"`
}

// list reads one page.
func (c *caller) list(path string) listed {
	c.t.Helper()
	var l listed
	if status := c.call("GET", path, nil, &l); status != http.StatusOK {
		c.t.Fatalf("GET %s: %d", path, status)
	}
	return l
}

// all reads every record of a collection.
func (c *caller) all(collection string) []fields {
	c.t.Helper()
	var items []fields
	path := "/api/" + collection + "?pageSize=500"
	next := path
	for {
		l := c.list(next)
		items = append(items, l.Items...)
		if l.NextCursor == nil {
			return items
		}
		next = path + "&cursor=" + *l.NextCursor
	}
}

// refused makes a call that must fail with a status and a code.
func (c *caller) refused(method, path string, body any, status int, code string) fields {
	c.t.Helper()
	var answer fields
	got := c.call(method, path, body, &answer)
	problem, _ := answer["error"].(fields)
	if got != status || str(problem, "code") != code {
		c.t.Errorf("%s %s: %d %v, want %d %s", method, path, got, answer, status, code)
	}
	return problem
}
