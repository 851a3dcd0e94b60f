package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Ensure a changed password ends the sessions and is asked for from then on.
func TestSwitchPassword(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"password": "changed"})
	c.refused("GET", "/api/places", nil, http.StatusUnauthorized, "sessionEnded")
	if status := c.logIn("plant-7"); status != http.StatusUnauthorized {
		t.Errorf("the old password: %d", status)
	}
	if status := c.logIn("changed"); status != http.StatusOK {
		t.Errorf("the new password: %d", status)
	}
	c.control("/reset", nil)
	if status := c.logIn("plant-7"); status != http.StatusOK {
		t.Errorf("the first password after a reset: %d", status)
	}
	if s := c.server.stats(); s.Logins != 3 || s.FailedLogins != 1 {
		t.Errorf("%d logins, %d failed", s.Logins, s.FailedLogins)
	}
}

// Ensure sessions can be ended, and made shorter.
func TestSwitchSessions(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("/end-sessions", nil)
	c.refused("GET", "/api/places", nil, http.StatusUnauthorized, "sessionEnded")
	c.control("", fields{"sessionSeconds": 5})
	c.logIn("plant-7")
	c.clock.Add(5 * time.Second)
	c.refused("GET", "/api/places", nil, http.StatusUnauthorized, "sessionEnded")
}

// Ensure the plant can be unreachable in two ways while its switches work.
func TestSwitchOffline(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"offline": "closed"})
	if response, _, err := c.raw("GET", "/api/places", nil, nil); err == nil {
		t.Errorf("answered %d", response.StatusCode)
	}
	c.control("", fields{"offline": "503"})
	c.refused("GET", "/api/places", nil, http.StatusServiceUnavailable, "down")
	c.refused("POST", "/api/login", fields{}, http.StatusServiceUnavailable, "down")
	c.control("", fields{"offline": ""})
	c.list("/api/places")
}

// Ensure a slow answer waits, and ends with the caller who has gone.
func TestSwitchDelay(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"delayMs": 20})
	before := time.Now()
	c.list("/api/places")
	if took := time.Since(before); took < 20*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}

// Ensure 429 comes with and without Retry-After, for as many calls as asked.
func TestSwitchTooMany(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"tooMany": fields{"requests": 2, "retryAfter": 3, "only": "places"}})
	c.list("/api/articles")
	for range 2 {
		response, _, err := c.raw("GET", "/api/places", nil, nil)
		if err != nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "3" {
			t.Fatalf("%v %v", response, err)
		}
	}
	c.list("/api/places")
	c.control("", fields{"tooMany": fields{"requests": -1}})
	for range 3 {
		response, _, err := c.raw("GET", "/api/places", nil, nil)
		if _, given := response.Header["Retry-After"]; err != nil || response.StatusCode != http.StatusTooManyRequests || given {
			t.Fatalf("%v %v", response, err)
		}
	}
	c.control("", fields{"tooMany": fields{"requests": 0}})
	c.list("/api/places")
}

// Ensure errors and garbage come as asked.
func TestSwitchBrokenAndGarbage(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"broken": fields{"requests": 1}})
	c.refused("GET", "/api/places", nil, http.StatusInternalServerError, "broken")
	for mode, kind := range map[string]string{"html": "text/html", "truncated": "application/json"} {
		c.control("", fields{"garbage": fields{"requests": 1, "mode": mode}})
		response, body, err := c.raw("GET", "/api/places", nil, nil)
		if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != kind || json.Valid(body) {
			t.Errorf("%s: %v %v %s", mode, response, err, body)
		}
	}
	c.list("/api/places")
}

// Ensure an endless body goes on for as long as one reads.
func TestSwitchEndless(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"endless": fields{"requests": 1}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/api/places", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.CopyN(io.Discard, response.Body, 4<<20); err != nil {
		t.Errorf("ended after %d bytes: %v", n, err)
	}
}

// Ensure a collection can be taken away from the login.
func TestSwitchDeny(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"deny": []string{"jobs"}})
	c.refused("GET", "/api/jobs", nil, http.StatusForbidden, "forbidden")
	c.refused("GET", "/api/jobs/60001", nil, http.StatusForbidden, "forbidden")
	var me struct{ Rights map[string][]string }
	if c.call("GET", "/api/whoami", nil, &me); me.Rights["jobs"] != nil {
		t.Errorf("rights: %v", me.Rights)
	}
	c.list("/api/batches")
}

// Ensure one record can be sent malformed, in a list and alone, and only it.
func TestSwitchPoison(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"poison": []fields{{"collection": "workOrders", "mode": "badtype"}, {"collection": "jobs", "id": 60002, "mode": "huge", "field": "unit"}}})
	orders := c.list("/api/workOrders?pageSize=2").Items
	if _, ok := orders[0]["orderNo"].(fields); !ok {
		t.Errorf("the first order is sound: %v", orders[0]["orderNo"])
	}
	if str(orders[1], "orderNo") == "" {
		t.Errorf("the second order is not: %v", orders[1])
	}
	var job fields
	if c.call("GET", "/api/jobs/60002", nil, &job); len(str(job, "unit")) != 2<<20 {
		t.Errorf("%d bytes", len(str(job, "unit")))
	}
	c.control("/reset", nil)
	if c.call("GET", "/api/jobs/60002", nil, &job); str(job, "unit") != "pcs" {
		t.Errorf("unit is %q", str(job, "unit"))
	}
}

// Ensure records can be touched and changed by hand.
func TestSwitchChange(t *testing.T) {
	t.Parallel()
	c := setup(t)
	before := c.list("/api/stock?pageSize=1").Items[0]
	touched := c.control("/change", fields{"collection": "stock", "id": 20001})
	if str(touched, "changedAt") <= str(before, "changedAt") || touched["quantity"] != before["quantity"] {
		t.Errorf("touched: %v", touched)
	}
	changed := c.control("/change", fields{"collection": "stock", "id": 20001, "fields": fields{"quantity": 3, "reserved": 1}})
	if changed["free"] != json.Number("2") {
		t.Errorf("changed: %v", changed)
	}
}

// Ensure wrong positions are refused and change nothing.
func TestWrongSwitches(t *testing.T) {
	t.Parallel()
	c := setup(t)
	var before, after fields
	c.call("GET", "/control", nil, &before)
	for _, body := range []string{
		`{"color":1}`, `{"password":""}`, `{"speed":-1}`, `{"delayMs":1,"offline":"maybe"}`, `{"sessionSeconds":0}`, `{"tooMany":{"requests":-2}}`,
		`{"broken":{"requests":1,"only":"nowhere"}}`, `{"garbage":{"requests":1}}`, `{"garbage":{"request":1}}`, `{"deny":["nothing"]}`,
		`{"poison":[{"collection":"jobs"}]}`, `{"poison":[{"collection":"nothing","mode":"huge"}]}`, `{"poison":[{"collection":"jobs","mode":"huge","field":"x"}]}`,
	} {
		c.refused("POST", "/control", body, http.StatusBadRequest, "badParameter")
	}
	c.refused("POST", "/control", "[]", http.StatusBadRequest, "badJson")
	c.refused("POST", "/control/beat", fields{"count": 0}, http.StatusBadRequest, "badParameter")
	if c.call("GET", "/control", nil, &after); !sameJSON(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
}

// Ensure a switch that is set anew keeps nothing of its earlier position.
func TestSwitchesAreReplaced(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.control("", fields{"tooMany": fields{"requests": 5, "retryAfter": 9}, "deny": []string{"jobs", "batches"}})
	now := c.control("", fields{"tooMany": fields{"requests": 1}, "deny": []string{"places"}})
	if tooMany := now["tooMany"].(fields); tooMany["retryAfter"] != nil || len(listOf(now["deny"])) != 1 {
		t.Errorf("now: %v", now)
	}
}

// Ensure switches and page answer to the own machine only, and to no foreign
// page.
func TestControlIsLocal(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for name, change := range map[string]func(*http.Request){
		"peer":   func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" },
		"host":   func(r *http.Request) { r.Host = "plant.example" },
		"origin": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		for _, path := range []string{"/control/reset", "/control/end-sessions"} {
			request := httptest.NewRequest(http.MethodPost, path, nil)
			request.RemoteAddr, request.Host = "127.0.0.1:4711", "127.0.0.1:7421"
			change(request)
			answer := httptest.NewRecorder()
			c.server.handler().ServeHTTP(answer, request)
			if answer.Code != http.StatusForbidden {
				t.Errorf("%s %s: %d", name, path, answer.Code)
			}
		}
	}
	c.list("/api/places") // the session is still open
}

// Ensure the page comes whole, with nothing from elsewhere and no script in it.
func TestPage(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for path, kind := range map[string]string{"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript"} {
		response, body, err := c.raw("GET", path, nil, nil)
		if err != nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) {
			t.Fatalf("%s: %v %v", path, response, err)
		}
		if strings.Contains(string(body), "://") || strings.Contains(string(body), "<style") || strings.Contains(string(body), " style=") {
			t.Errorf("%s reaches elsewhere or has its own style", path)
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("policy: %s", policy)
		}
	}
}
