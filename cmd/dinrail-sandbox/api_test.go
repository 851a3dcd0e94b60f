package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Ensure a login is needed, ends when it should, and is counted.
func TestLogin(t *testing.T) {
	t.Parallel()
	c := setup(t, func(o *options) { o.session = time.Minute })
	if status := c.logIn("wrong"); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", status)
	}
	c.refused("POST", "/api/login", `{"username":"operator"`, http.StatusBadRequest, "badJson")
	c.refused("POST", "/api/login", fields{"user": "operator"}, http.StatusBadRequest, "badJson")
	if c.list("/api/places").Total == 0 {
		t.Error("there are no places")
	}
	if s := c.server.stats(); s.Logins != 1 || s.FailedLogins != 1 {
		t.Errorf("%d logins, %d failed", s.Logins, s.FailedLogins)
	}
	c.clock.Add(time.Minute)
	c.refused("GET", "/api/places", nil, http.StatusUnauthorized, "sessionEnded")
	c.logIn("plant-7")
	token := c.token
	c.token = "made up"
	c.refused("GET", "/api/places", nil, http.StatusUnauthorized, "sessionEnded")
	c.token = token
	response, _, err := c.raw("GET", "/api/whoami", nil, map[string]string{"Authorization": "Basic b3A6b3A="})
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("another kind of authorization: %v %v", response, err)
	}
	var me struct{ Rights map[string][]string }
	c.call("GET", "/api/whoami", nil, &me)
	if len(me.Rights) != len(collections()) || len(me.Rights["shiftOee"]) != 1 {
		t.Errorf("rights: %v", me.Rights)
	}
}

// Ensure every collection has records, with every field of its schema and no
// other.
func TestRecordsHaveTheirFields(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, of := range collections() {
		items := c.list("/api/" + of.name + "?pageSize=5").Items
		if len(items) == 0 {
			t.Errorf("%s has no records", of.name)
		}
		for _, item := range items {
			if len(item) != len(of.all()) {
				t.Errorf("%s: %d fields, want %d", of.name, len(item), len(of.all()))
			}
			for _, f := range of.all() {
				if _, ok := item[f.name]; !ok {
					t.Errorf("%s has no %s", of.name, f.name)
				}
			}
			if str(item, of.code) == "" {
				t.Errorf("%s %v has no %s", of.name, item["id"], of.code)
			}
		}
	}
}

// Ensure what is written is kept as it was sent, and can be read by its id.
func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	c := setup(t)
	var made fields
	order := `{"title":"Replace \"V-belt\" <B>","equipment":101,"dueAt":"2026-03-12T10:00:00+02:00","plannedMinutes":12.50,"externalKey":"MX-9",
		"steps":[{"text":"Lock out","type":"CHECK"},{"text":"Replace","type":"TEXT"}],"assignedTo":[]}`
	if status := c.call("POST", "/api/workOrders", order, &made); status != http.StatusCreated {
		t.Fatalf("POST: %d %v", status, made)
	}
	path := "/api/workOrders/" + made["id"].(json.Number).String()
	var got fields
	c.call("GET", path, nil, &got)
	if !sameJSON(got, made) {
		t.Errorf("read: %v\nmade: %v", got, made)
	}
	for name, want := range map[string]any{"status": "REQUESTED", "dueAt": "2026-03-12T08:00:00.000Z", "externalKey": "MX-9", "revision": json.Number("1"), "title": `Replace "V-belt" <B>`} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if got["plannedMinutes"] != json.Number("12.50") {
		t.Errorf("the digits of a number changed: %v", got["plannedMinutes"])
	}
	if code := str(got["equipment"].(fields), "code"); code != "L-1" {
		t.Errorf("equipment is %q", code)
	}

	patch := `{"steps":[{"id":2,"result":"done"},{"text":"Run test"}],"failure":{"problem":{"code":"WEAR"}},"dueAt":null}`
	if status := c.call("PATCH", path, patch, &got); status != http.StatusOK {
		t.Fatalf("PATCH: %d %v", status, got)
	}
	steps := listOf(got["steps"])
	first, second := steps[0].(fields), steps[1].(fields)
	if len(steps) != 2 || str(first, "text") != "Replace" || str(first, "result") != "done" || wholeOf(second["id"]) != 3 || wholeOf(second["pos"]) != 2 {
		t.Errorf("steps: %v", steps)
	}
	if got["dueAt"] != nil || wholeOf(got["revision"]) != 2 {
		t.Errorf("dueAt %v, revision %v", got["dueAt"], got["revision"])
	}
	// A record that is sent back as it was read is accepted.
	if status := c.call("PATCH", path, got, &got); status != http.StatusOK {
		t.Errorf("sent back: %d %v", status, got)
	}
	if status := c.call("DELETE", path, nil, nil); status != http.StatusNoContent {
		t.Errorf("DELETE: %d", status)
	}
	c.refused("GET", path, nil, http.StatusNotFound, "notFound")
}

// Ensure a write on what has changed meanwhile is refused.
func TestRevision(t *testing.T) {
	t.Parallel()
	c := setup(t)
	response, _, err := c.raw("GET", "/api/workOrders/10001", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tag := response.Header.Get("ETag")
	if status := c.call("PATCH", "/api/workOrders/10001", fields{"prio": "LOW"}, nil); status != http.StatusOK {
		t.Fatalf("PATCH: %d", status)
	}
	response, _, err = c.raw("PATCH", "/api/workOrders/10001", fields{"prio": "HIGH"}, map[string]string{"If-Match": tag})
	if err != nil || response.StatusCode != http.StatusConflict {
		t.Errorf("a stale If-Match: %v %v", response.StatusCode, err)
	}
	c.refused("PATCH", "/api/workOrders/10001", fields{"prio": "HIGH", "revision": 1}, http.StatusConflict, "changedMeanwhile")
	response, _, err = c.raw("DELETE", "/api/workOrders/10001", nil, map[string]string{"If-Match": `"x"`})
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("an If-Match that is none: %v %v", response.StatusCode, err)
	}
}

// Ensure wrong calls are told what is wrong with them.
func TestWrongCalls(t *testing.T) {
	t.Parallel()
	c := setup(t)
	problem := c.refused("POST", "/api/workOrders", fields{
		"status": "SOON", "prio": 1, "equipment": 999999, "dueAt": "tomorrow", "createdAt": "2026-01-01T00:00:00Z", "colour": "red",
		"steps": []fields{{"id": 9}}, "plannedMinutes": "5", "materials": "none",
	}, http.StatusUnprocessableEntity, "invalid")
	wrong, _ := problem["fields"].(fields)
	for _, name := range []string{"title", "status", "prio", "equipment", "dueAt", "createdAt", "colour", "steps[0].id", "plannedMinutes", "materials"} {
		if str(wrong, name) == "" {
			t.Errorf("nothing is said about %s: %v", name, wrong)
		}
	}
	for _, one := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{"GET", "/api/nothing", nil, 404, "notFound"},
		{"GET", "/api/workOrders/1", nil, 404, "notFound"},
		{"GET", "/api/workOrders/abc", nil, 404, "notFound"},
		{"GET", "/api/a/b/c/d", nil, 404, "notFound"},
		{"PUT", "/api/workOrders/10001", fields{}, 405, "readOnly"},
		{"PATCH", "/api/shiftOee/80001", fields{}, 405, "readOnly"},
		{"POST", "/api/workOrders", "{", 400, "badJson"},
		{"POST", "/api/workOrders", "[]", 400, "badJson"},
		{"POST", "/api/workOrders", "null", 400, "badJson"},
		{"POST", "/api/workOrders", strings.Repeat(" ", maxBody+1), 413, "tooLarge"},
		{"PATCH", "/api/workOrders/10001", fields{"title": nil}, 422, "invalid"},
		{"POST", "/api/workOrders/10001/explode", nil, 404, "notFound"},
		{"DELETE", "/api/articles/4001", nil, 409, "inUse"},
		{"GET", "/api/workOrders?pageSize=0", nil, 400, "badParameter"},
		{"GET", "/api/workOrders?pageSize=501", nil, 400, "badParameter"},
		{"GET", "/api/workOrders?changedSince=now", nil, 400, "badParameter"},
		{"GET", "/api/workOrders?page=2", nil, 400, "badParameter"},
		{"GET", "/api/workOrders?cursor=xyz", nil, 400, "badCursor"},
	} {
		c.refused(one.method, one.path, one.body, one.status, one.code)
	}
}

// Ensure an action moves the status where it is allowed, and only there.
func TestActions(t *testing.T) {
	t.Parallel()
	c := setup(t)
	var order fields
	c.call("POST", "/api/workOrders", fields{"title": "Check coupling"}, &order)
	path := "/api/workOrders/" + order["id"].(json.Number).String()
	c.refused("POST", path+"/close", nil, http.StatusConflict, "wrongStatus")
	for _, verb := range []string{"start", "complete", "close", "reopen"} {
		if status := c.call("POST", path+"/"+verb, nil, &order); status != http.StatusOK {
			t.Fatalf("%s: %d %v", verb, status, order)
		}
	}
	if str(order, "status") != "WAITING" || order["finishedAt"] == nil || wholeOf(order["revision"]) != 5 {
		t.Errorf("after all: %v", order)
	}
	for _, of := range collections() {
		for _, a := range of.actions {
			if !knowsWords(of, append([]string{a.to}, a.from...)) {
				t.Errorf("%s/%s names a status that is none", of.name, a.name)
			}
		}
	}
}

func knowsWords(c collection, words []string) bool {
	for _, f := range c.fields {
		if f.name != "status" {
			continue
		}
		for _, w := range words {
			if !strings.Contains(" "+strings.Join(f.words, " ")+" ", " "+w+" ") {
				return false
			}
		}
	}
	return true
}

// Ensure a purchase order's amounts follow from its lines.
func TestPricesFollowFromLines(t *testing.T) {
	t.Parallel()
	c := setup(t)
	var order fields
	status := c.call("POST", "/api/purchaseOrders", fields{"supplier": 7001, "currency": "EUR", "freight": "5.00", "lines": []fields{
		{"type": "ARTICLE", "article": 4004, "quantity": 3, "price": "33.335", "discountPercent": 10, "taxCode": "V19"},
		{"type": "TEXT", "text": "Gate 3"},
	}}, &order)
	if status != http.StatusCreated {
		t.Fatalf("POST: %d %v", status, order)
	}
	for name, want := range map[string]string{"net": "90.01", "tax": "17.10", "gross": "112.11"} {
		if str(order, name) != want {
			t.Errorf("%s is %v, want %s", name, order[name], want)
		}
	}
}

// Ensure a reading shows on its gauge.
func TestReadingShowsOnGauge(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.clock.Add(time.Minute)
	if status := c.call("POST", "/api/gaugeReadings", fields{"gauge": 502, "value": 3.75}, nil); status != http.StatusCreated {
		t.Fatalf("POST: %d", status)
	}
	var gauge fields
	if c.call("GET", "/api/gauges/502", nil, &gauge); gauge["lastValue"] != json.Number("3.75") {
		t.Errorf("lastValue is %v", gauge["lastValue"])
	}
}
