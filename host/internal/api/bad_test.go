package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/auth"
)

func TestBadInputIsAProblemThatSaysWhatToDo(t *testing.T) {
	r := setup(t)
	theirs := r.connect(other)
	r.put(other, "items", record{"1", `{}`})
	r.edit(plant, func(c *host.Connection) {
		c.Entities = append(c.Entities, host.Entity{Name: "purchase_orders", Unified: true})
	})
	cursor := r.ask("GET", "/v1/items", theirs, "").cursor()
	runs := r.ask("GET", "/v1/sync-runs?limit=1", theirs, "").cursor()
	forged := []byte(r.ask("GET", "/v1/items", r.token, "").cursor())
	forged[12] ^= 1
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		code, location                  string
	}{
		{"no token", "GET", "/v1/items", "", "", 401, "unauthorized", ""},
		{"wrong token", "GET", "/v1/items", "drc_abc_def", "", 401, "unauthorized", ""},
		{"token with a changed letter", "GET", "/v1/items", mistyped(r.token), "", 401, "unauthorized", ""},
		{"long token", "GET", "/v1/items", "drc_" + strings.Repeat("a", 5000), "", 401, "unauthorized", ""},
		{"limit=0", "GET", "/v1/items?limit=0", r.token, "", 422, "invalid", "query.limit"},
		{"limit=1001", "GET", "/v1/changes?limit=1001", r.token, "", 422, "invalid", "query.limit"},
		{"unknown filter", "GET", "/v1/items?colour=red", r.token, "", 422, "invalid", "query.colour"},
		{"unknown native filter", "GET", "/v1/native/Bin?colour=red", r.token, "", 422, "invalid", "query.colour"},
		{"unknown operator", "GET", "/v1/items?id[like]=x", r.token, "", 422, "invalid", "query.id[like]"},
		{"twice", "GET", "/v1/items?limit=1&limit=2", r.token, "", 422, "invalid", "query.limit"},
		{"no time", "GET", "/v1/items?modified_after=yesterday", r.token, "", 422, "invalid", "query.modified_after"},
		{"no duration", "GET", "/v1/changes?wait=1h", r.token, "", 422, "invalid", "query.wait"},
		{"unknown parameter", "GET", "/v1/connection?a=1", r.token, "", 422, "invalid", "query.a"},
		{"unknown parameter of an action", "POST", "/v1/admin/connections/plant-7/pause?a=1", root, "", 422, "invalid", "query.a"},
		{"unknown include", "GET", "/v1/items?include=all", r.token, "", 422, "invalid", "query.include"},
		{"not a cursor", "GET", "/v1/items?cursor=AAAA", r.token, "", 422, "invalid_cursor", "query.cursor"},
		{"forged cursor", "GET", "/v1/items?cursor=" + string(forged), r.token, "", 422, "invalid_cursor", "query.cursor"},
		{"another connection's cursor", "GET", "/v1/items?cursor=" + cursor, r.token, "", 410, "cursor_expired", ""},
		{"another list's cursor", "GET", "/v1/entities?cursor=" + runs, theirs, "", 422, "invalid_cursor", "query.cursor"},
		{"unknown entity", "GET", "/v1/things", r.token, "", 404, "not_found", ""},
		{"unknown record", "GET", "/v1/items/9", r.token, "", 404, "not_found", ""},
		{"unknown run", "GET", "/v1/sync-runs/run_9", r.token, "", 404, "not_found", ""},
		{"nothing there", "GET", "/nothing", "", "", 404, "not_found", ""},
		{"nothing in administration", "GET", "/v1/admin/nothing", root, "", 404, "not_found", ""},
		{"wrong method", "PUT", "/v1/items", r.token, "", 405, "method_not_allowed", ""},
		{"wrong method of one record", "POST", "/v1/items/1", r.token, "", 405, "method_not_allowed", ""},
		{"no JSON", "POST", "/v1/sync", r.token, "{", 422, "invalid", "body"},
		{"unknown field", "POST", "/v1/sync", r.token, `{"colour":1}`, 422, "invalid", "body.colour"},
		{"wrong type", "POST", "/v1/sync", r.token, `{"mode":1}`, 422, "invalid", "body.mode"},
		{"more than one value", "POST", "/v1/sync", r.token, `{} {}`, 422, "invalid", "body"},
		{"unknown mode", "POST", "/v1/sync", r.token, `{"mode":"fast"}`, 422, "invalid", "body.mode"},
		{"unknown entity to sync", "POST", "/v1/sync", r.token, `{"entities":["x"]}`, 422, "invalid", "body.entities"},
		{"no JSON, and where", "POST", "/v1/sync", r.token, "{\n \"mode\": full}", 422, "invalid", "body"},
		{"a brace too many", "POST", "/v1/sync", r.token, `{}}`, 422, "invalid", "body"},
		{"a field where none is taken", "POST", "/v1/admin/connections/plant-7/check", root, `{"colour":1}`, 422, "invalid", "body.colour"},
		{"a field of a removal", "DELETE", "/v1/admin/connections/plant-8", root, `{"colour":1}`, 422, "invalid", "body.colour"},
		{"limit=abc of administration", "GET", "/v1/admin/events?limit=abc", root, "", 422, "invalid", "query.limit"},
		{"empty time", "GET", "/v1/items?modified_after=", r.token, "", 422, "invalid", "query.modified_after"},
		{"empty flag", "GET", "/v1/items/1?live=", r.token, "", 422, "invalid", "query.live"},
		{"no number for a number", "GET", "/v1/items?lead_time_days=soon", r.token, "", 422, "invalid", "query.lead_time_days"},
		{"no flag for a flag", "GET", "/v1/items?active=yes", r.token, "", 422, "invalid", "query.active"},
		{"no time for a time", "GET", "/v1/items?created_at[gt]=today", r.token, "", 422, "invalid", "query.created_at[gt]"},
		{"an object for a text", "GET", "/v1/purchase_orders?vendor=7", r.token, "", 422, "invalid", "query.vendor"},
		{"all own fields for a text", "GET", "/v1/items?custom=7", r.token, "", 422, "invalid", "query.custom"},
		{"runs of an unknown entity", "GET", "/v1/sync-runs?entity=things", r.token, "", 422, "invalid", "query.entity"},
		{"unknown fields deep inside", "POST", "/v1/admin/connections", root, `{"system":"erp","sync":{"items":{"evry":"5m"}},"webhooks":{"a":{"types":[]}},"x":1}`, 422, "invalid", "body.sync.items.evry"},
		{"no system", "POST", "/v1/admin/connections", root, `{}`, 422, "invalid", "body.system"},
		{"unknown event type", "GET", "/v1/admin/events?type=sync.done", root, "", 422, "invalid", "query.type"},
		{"unknown endpoint", "GET", "/v1/admin/events?endpoint=nobody", root, "", 422, "invalid", "query.endpoint"},
		{"unknown event", "GET", "/v1/admin/events?after=evt_9", root, "", 422, "invalid", "query.after"},
		{"unknown endpoint of a connection", "PATCH", "/v1/admin/connections/plant-7", root, `{"webhooks":{"nobody":{"events":["*"]}}}`, 422, "invalid", "body.webhooks.nobody"},
		{"wrong method of our own path", "POST", "/v1/connection", r.token, `{}`, 405, "method_not_allowed", ""},
		{"wrong method of a run", "DELETE", "/v1/sync-runs/run_9", r.token, "", 405, "method_not_allowed", ""},
		{"reading what is only written to", "GET", "/v1/sync", r.token, "", 405, "method_not_allowed", ""},
		{"no entity's name", "GET", "/v1/native", r.token, "", 404, "not_found", ""},
		{"native batch", "POST", "/v1/native/Bin/batch", r.token, `{}`, 501, "unsupported", ""},
		{"native act", "POST", "/v1/native/Bin/1/actions/approve", r.token, `{}`, 501, "unsupported", ""},
		{"10 MB", "POST", "/v1/sync", r.token, strings.Repeat("x", 10<<20), 413, "too_large", ""},
		{"connection token for administration", "GET", "/v1/admin/connections", r.token, "", 403, "forbidden", ""},
		{"admin token without a connection", "GET", "/v1/items", root, "", 422, "invalid", ""},
		{"metrics from elsewhere", "GET", "/metrics", "", "", 401, "unauthorized", ""},
		{"metrics with a connection's token", "GET", "/metrics", r.token, "", 403, "forbidden", ""},
		{"write", "POST", "/v1/items", r.token, `{}`, 501, "unsupported", ""},
		{"batch", "POST", "/v1/items/batch", r.token, `{}`, 501, "unsupported", ""},
		{"act", "POST", "/v1/items/1/actions/approve", r.token, `{}`, 501, "unsupported", ""},
		{"passthrough", "POST", "/v1/passthrough", r.token, `{}`, 501, "unsupported", ""},
		{"native write", "PATCH", "/v1/native/Bin/1", r.token, `{}`, 501, "unsupported", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := r.ask(c.method, c.path, c.token, c.body)
			if a.status != c.status || a.code() != c.code {
				t.Fatalf("got %d %s, want %d %s\n%s", a.status, a.code(), c.status, c.code, a.text)
			}
			if got := a.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %s", got)
			}
			if a.body["detail"] == "" || a.body["request_id"] != a.header.Get("X-Request-Id") || a.header.Get("Dinrail-Version") != "1.2.3" {
				t.Errorf("detail, request id or version is missing: %s", a.text)
			}
			if (a.status == http.StatusUnauthorized) != (a.header.Get("WWW-Authenticate") != "") {
				t.Error("WWW-Authenticate goes with 401")
			}
			if c.location != "" && !strings.Contains(a.text, `"location":"`+c.location+`"`) {
				t.Errorf("%s is not named: %s", c.location, a.text)
			}
		})
	}
	for _, secret := range []string{r.token, theirs, root} {
		if strings.Contains(r.log.String(), secret) {
			t.Error("a token is in the log")
		}
	}
}

// endless is a body whose length nobody told.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestBodyOfUnknownLengthIsBounded(t *testing.T) {
	r := setup(t)
	req := httptest.NewRequest(http.MethodPost, "/v1/sync", endless{})
	req.ContentLength = -1
	req.Header.Set("Authorization", "Bearer "+r.token)
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	r.want("status", w.Code, http.StatusRequestEntityTooLarge)
}

func TestCursorLivesAsLongAsTombstonesAndItsConnection(t *testing.T) {
	r := setup(t)
	cursor := r.ask("GET", "/v1/items", r.token, "").cursor()
	r.later(89 * 24 * time.Hour)
	r.want("89 days", r.ask("GET", "/v1/items?cursor="+cursor, r.token, "").status, http.StatusOK)
	r.later(2 * 24 * time.Hour)
	r.want("91 days", r.ask("GET", "/v1/items?cursor="+cursor, r.token, "").code(), "cursor_expired")
	cursor = r.ask("GET", "/v1/items", r.token, "").cursor()
	r.edit(plant, func(c *host.Connection) { c.Incarnation = "another" })
	r.want("another life", r.ask("GET", "/v1/items?cursor="+cursor, r.token, "").code(), "cursor_expired")
}

func TestStatusOfAConnectionDecidesWhatItsTokenOpens(t *testing.T) {
	r := setup(t)
	r.edit(plant, func(c *host.Connection) { c.Status, c.Reason = host.StatusAuthRequired, "the login was refused" })
	r.want("connection", r.ask("GET", "/v1/connection", r.token, "").body["status"], "auth_required")
	r.want("sync status", r.ask("GET", "/v1/sync-status", r.token, "").status, http.StatusOK)
	for _, path := range []string{"/v1/items", "/v1/changes", "/v1/entities", "/v1/sync-runs"} {
		if a := r.ask("GET", path, r.token, ""); a.status != http.StatusUnauthorized || a.code() != "connection_auth_required" {
			t.Errorf("%s: %d %s", path, a.status, a.code())
		}
	}
	since := r.now()
	r.edit(plant, func(c *host.Connection) { c.Status, c.StaleSince = host.StatusOffline, since })
	a := r.ask("GET", "/v1/items", r.token, "")
	r.want("offline", a.status, http.StatusOK)
	r.want("stale since", a.header.Get("Dinrail-Stale-Since"), host.FormatTime(since))
	r.edit(plant, func(c *host.Connection) { c.Status, c.DetachedAt = host.StatusDetached, r.now() })
	a = r.ask("GET", "/v1/connection", r.token, "")
	r.want("detached", a.code(), "connection_detached")
	r.want("detached", a.status, http.StatusUnauthorized)
}

func TestPausedAndInvalidConnectionsAreReadButNotCalled(t *testing.T) {
	r := setup(t, func(p *api.Params) {
		p.Live = func(context.Context, host.ConnectionID, host.EntityName, host.RecordID) (host.Received, error) {
			t.Error("the system was called")
			return host.Received{}, nil
		}
	})
	r.put(plant, "items", record{"1", `{}`})
	for name, c := range map[string]struct {
		edit func(*host.Connection)
		code string
	}{
		"paused":  {func(c *host.Connection) { c.Paused = true }, "conflict"},
		"invalid": {func(c *host.Connection) { c.Invalid, c.Status = "dinrail.hcl:7: no such system", host.StatusInvalid }, "connection_invalid"},
		"pending": {func(c *host.Connection) { c.Credentials, c.Status = nil, host.StatusPending }, "conflict"},
	} {
		before, _ := r.connection(plant)
		r.edit(plant, c.edit)
		r.want(name, r.ask("GET", "/v1/connection", r.token, "").body["status"], name)
		r.want(name+": list", r.ask("GET", "/v1/items", r.token, "").ids(), "1")
		r.want(name+": live", r.ask("GET", "/v1/items/1?live=true", r.token, "").code(), c.code)
		r.want(name+": sync", r.ask("POST", "/v1/sync", r.token, "").code(), c.code)
		r.want(name+": check", r.ask("POST", "/v1/admin/connections/plant-7/check", root, "").code(), c.code)
		r.edit(plant, func(c *host.Connection) { *c = before })
	}
}

func TestRateIsPerToken(t *testing.T) {
	at := time.Now()
	r := setup(t, func(p *api.Params) { p.Rate, p.Clock = 5, func() time.Time { return at } })
	second := r.connect(other)
	for range 5 {
		r.want("within", r.ask("GET", "/v1/connection", r.token, "").status, http.StatusOK)
	}
	a := r.ask("GET", "/v1/connection", r.token, "")
	r.want("over", a.status, http.StatusTooManyRequests)
	r.want("code", a.code(), "rate_limited")
	r.want("retry after", a.header.Get("Retry-After"), "1")
	r.want("another token", r.ask("GET", "/v1/connection", second, "").status, http.StatusOK)
	for range 20 {
		r.want("admin", r.ask("GET", "/v1/connection", root, "", "Dinrail-Connection: plant-7").status, http.StatusOK)
	}
}

func TestRolesOpenWhatTheyAreFor(t *testing.T) {
	r := setup(t)
	r.connect(other)
	ctx := context.Background()
	token := func(name string, role host.Role, scope ...string) string {
		s, err := r.auth.MintAdmin(ctx, name, role, scope, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	viewer, operator := token("viewer", host.RoleViewer), token("operator", host.RoleOperator)
	connector, limited := token("connector", host.RoleConnector), token("limited", host.RoleAdmin, "plant-7*")
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
	}{
		{"viewer reads", "GET", "/v1/items", viewer, "", 200},
		{"viewer reads no raw", "GET", "/v1/items?include=raw", viewer, "", 403},
		{"viewer reads no raw changes", "GET", "/v1/changes?include=raw", viewer, "", 403},
		{"viewer does not pause", "POST", "/v1/admin/connections/plant-7/pause", viewer, "", 403},
		{"operator pauses", "POST", "/v1/admin/connections/plant-7/pause", operator, "", 200},
		{"operator resumes", "POST", "/v1/admin/connections/plant-7/resume", operator, "", 200},
		{"operator mints nothing", "POST", "/v1/admin/connections/plant-7/token", operator, "{}", 403},
		{"operator removes nothing", "DELETE", "/v1/admin/connections/plant-7", operator, "", 403},
		{"connector reads nothing", "GET", "/v1/admin/connections", connector, "", 403},
		{"limited sees its own", "GET", "/v1/admin/connections/plant-7", limited, "", 200},
		{"limited sees no other", "GET", "/v1/admin/connections/plant-8", limited, "", 404},
		{"limited pauses no other", "POST", "/v1/admin/connections/plant-8/pause", limited, "", 404},
		{"limited mints no admin token", "POST", "/v1/admin/tokens", limited, `{"name":"x"}`, 403},
		{"limited does not reload", "POST", "/v1/admin/reload", limited, "", 403},
		{"limited makes none outside", "POST", "/v1/admin/connections", limited, `{"id":"elsewhere","system":"erp"}`, 403},
	} {
		if a := r.ask(c.method, c.path, c.token, c.body, "Dinrail-Connection: plant-7"); a.status != c.status {
			t.Errorf("%s: got %d, want %d: %s", c.name, a.status, c.status, a.text)
		}
	}
	r.want("limited lists its own", r.ask("GET", "/v1/admin/connections", limited, "").ids(), "plant-7")
	r.want("limited data of others", r.ask("GET", "/v1/items", limited, "", "Dinrail-Connection: plant-8").status, http.StatusNotFound)
	read, err := r.auth.MintConnection(ctx, plant, "read", host.AccessRead, time.Time{}, auth.Step{})
	if err != nil {
		t.Fatal(err)
	}
	r.want("reading token", r.ask("GET", "/v1/items", read, "").status, http.StatusOK)
	r.want("reading token writes", r.ask("POST", "/v1/items", read, "{}").status, http.StatusForbidden)
}

func TestRevokedAndExpiredTokensOpenNothingAtOnce(t *testing.T) {
	r := setup(t)
	short, err := r.auth.MintConnection(context.Background(), plant, "short", host.AccessRead, r.now().Add(time.Hour), auth.Step{})
	if err != nil {
		t.Fatal(err)
	}
	r.want("before", r.ask("GET", "/v1/items", short, "").status, http.StatusOK)
	r.later(time.Hour)
	r.want("expired", r.ask("GET", "/v1/items", short, "").status, http.StatusUnauthorized)
	r.want("revoke", r.ask("DELETE", "/v1/admin/connections/plant-7/token?name=default", root, "").body["revoked"], 1.0)
	r.want("revoked", r.ask("GET", "/v1/items", r.token, "").status, http.StatusUnauthorized)
}

// mistyped returns the token with another last letter.
func mistyped(token string) string {
	if last := len(token) - 1; token[last] != '-' {
		return token[:last] + "-"
	}
	return token[:len(token)-1] + "A"
}

func TestMalformedBodySaysWhere(t *testing.T) {
	r := setup(t)
	for body, want := range map[string]string{
		"{\n  \"mode\": full}": "line 2, column 12",
		`{"mode": "full"`:      "line 1, column 15",
		"{}\n\n x":             "line 1, column 3",
	} {
		if a := r.ask("POST", "/v1/sync", r.token, body); !strings.Contains(a.text, want) {
			t.Errorf("%q: %s is not in %s", body, want, a.text)
		}
	}
}

func TestEveryUnknownFieldIsNamedWithItsPath(t *testing.T) {
	r := setup(t)
	a := r.ask("POST", "/v1/admin/connections", root, `{"system":"erp","sync":{"items":{"evry":"5m"}},"webhooks":{"a":{"types":[]}},"x":1,"settings":{"any":{"thing":1}}}`)
	r.want("errors", fmt.Sprint(a.body["errors"]), "[map[location:body.sync.items.evry message:there is no such field] map[location:body.webhooks.a.types message:there is no such field] map[location:body.x message:there is no such field]]")
}

func TestBodyIsJSON(t *testing.T) {
	r := setup(t)
	for kind, want := range map[string]int{
		"application/json": 202, "application/json; charset=utf-8": 202, "application/vnd.acme+json": 202,
		"application/x-www-form-urlencoded": 202, // what curl -d says by itself
		"text/xml":                          415, "multipart/form-data; boundary=x": 415, "json": 415,
	} {
		a := r.ask("POST", "/v1/sync", r.token, `{"entities":["items"]}`, "Content-Type: "+kind)
		if a.status != want || want == 415 && a.code() != "unsupported_media_type" {
			t.Errorf("%s: %d %s", kind, a.status, a.text)
		}
	}
}

func TestCallerNamesItsRequest(t *testing.T) {
	r := setup(t)
	a := r.ask("GET", "/v1/things", r.token, "", "X-Request-Id: job-7/step.2")
	r.want("header", a.header.Get("X-Request-Id"), "job-7/step.2")
	r.want("problem", a.body["request_id"], "job-7/step.2")
	for _, bad := range []string{"two words", "<b>", strings.Repeat("a", 129)} {
		if got := r.ask("GET", "/healthz", "", "", "X-Request-Id: "+bad).header.Get("X-Request-Id"); !strings.HasPrefix(got, "req_") {
			t.Errorf("%q was taken as %q", bad, got)
		}
	}
}

func TestWrongMethodSaysWhichAreRight(t *testing.T) {
	r := setup(t)
	for call, want := range map[string]string{
		"PUT /v1/items": "GET, POST", "PUT /v1/items/1": "GET, PATCH, DELETE", "POST /v1/connection": "GET", "GET /v1/sync": "POST",
		"PUT /v1/native/Bin/batch": "GET, POST, PATCH, DELETE", "PATCH /v1/admin/reload": "POST", "POST /v1/admin/status": "GET",
	} {
		method, path, _ := strings.Cut(call, " ")
		a := r.ask(method, path, root, "")
		r.want(call, a.status, http.StatusMethodNotAllowed)
		r.want(call, a.header.Get("Allow"), want)
	}
}

func TestTokenOpensItsOwnConnectionAlone(t *testing.T) {
	r := setup(t)
	r.connect(other)
	r.want("its own", r.ask("GET", "/v1/connection", r.token, "", "Dinrail-Connection: plant-7").status, http.StatusOK)
	r.want("another", r.ask("GET", "/v1/connection", r.token, "", "Dinrail-Connection: plant-8").status, http.StatusForbidden)
	r.want("scheme in small letters", r.ask("GET", "/v1/connection", "", "", "Authorization: bearer "+r.token).status, http.StatusOK)
	r.want("another scheme", r.ask("GET", "/v1/connection", "", "", "Authorization: Basic "+r.token).status, http.StatusUnauthorized)
}
