package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/auth"
)

// opens is who a call is for, one line each: the least role of an admin token;
// "data" and "write" are connection tokens that read and write beside it; "whole"
// marks what is about the whole host and so closed to a limited admin token.
var opens = map[string]string{
	"GET /healthz": "anyone", "GET /readyz": "anyone", "GET /openapi.json": "anyone", "GET /openapi.yaml": "anyone", "GET /docs": "anyone", "GET /docs.css": "anyone",
	"GET /metrics": "viewer whole",

	"GET /v1/connection": "viewer data", "GET /v1/entities": "viewer data", "GET /v1/changes": "viewer data", "GET /v1/sync-status": "viewer data",
	"GET /v1/sync-runs": "viewer data", "GET /v1/sync-runs/{run}": "viewer data", "GET /v1/{entity}": "viewer data", "GET /v1/{entity}/{id}": "viewer data",
	"GET /v1/native/{name}": "viewer data", "GET /v1/native/{name}/{id}": "viewer data", "POST /v1/sync": "operator data",
	"POST /v1/passthrough": "admin write", "POST /v1/{entity}": "admin write", "POST /v1/{entity}/batch": "admin write", "PATCH /v1/{entity}/{id}": "admin write",
	"DELETE /v1/{entity}/{id}": "admin write", "POST /v1/{entity}/{id}/actions/{action}": "admin write", "POST /v1/native/{name}": "admin write",
	"POST /v1/native/{name}/batch": "admin write", "PATCH /v1/native/{name}/{id}": "admin write", "DELETE /v1/native/{name}/{id}": "admin write",
	"POST /v1/native/{name}/{id}/actions/{action}": "admin write",

	"GET /v1/admin/status": "viewer", "GET /v1/admin/plan": "viewer whole", "POST /v1/admin/reload": "admin whole", "POST /v1/admin/keys/rotate": "admin whole", "GET /v1/admin/backup": "admin whole", "GET /v1/admin/logs": "viewer",
	"GET /v1/admin/syncs": "viewer", "POST /v1/admin/sign-ins": "viewer",
	"GET /v1/admin/systems": "viewer", "GET /v1/admin/systems/{system}": "viewer", "GET /v1/admin/connectors": "viewer",
	"GET /v1/admin/connections": "viewer", "POST /v1/admin/connections": "admin", "GET /v1/admin/connections/{connection}": "viewer",
	"PATCH /v1/admin/connections/{connection}": "admin", "DELETE /v1/admin/connections/{connection}": "admin", "POST /v1/admin/connections/{connection}/purge": "admin",
	"POST /v1/admin/connections/{connection}/check": "operator", "POST /v1/admin/connections/{connection}/pause": "operator",
	"POST /v1/admin/connections/{connection}/resume": "operator", "POST /v1/admin/connections/{connection}/sync": "operator",
	"POST /v1/admin/connections/{connection}/reconnect": "operator", "GET /v1/admin/connections/{connection}/tokens": "viewer",
	"POST /v1/admin/connections/{connection}/token": "admin", "DELETE /v1/admin/connections/{connection}/token": "admin",
	"GET /v1/admin/tokens": "admin whole", "POST /v1/admin/tokens": "admin whole", "DELETE /v1/admin/tokens": "admin whole",
	"GET /v1/admin/requests": "viewer", "GET /v1/admin/audit": "viewer whole", "GET /v1/admin/events": "viewer", "GET /v1/admin/events/{event}": "viewer", "POST /v1/admin/events": "admin",

	"GET /v1/admin/webhooks": "viewer whole", "POST /v1/admin/webhooks": "admin whole", "GET /v1/admin/webhooks/{endpoint}": "viewer whole",
	"PATCH /v1/admin/webhooks/{endpoint}": "admin whole", "DELETE /v1/admin/webhooks/{endpoint}": "admin whole", "GET /v1/admin/webhooks/{endpoint}/secret": "admin whole",
	"POST /v1/admin/webhooks/{endpoint}/test": "operator whole", "POST /v1/admin/webhooks/{endpoint}/rotate-secret": "admin whole",
	"POST /v1/admin/webhooks/{endpoint}/enable": "operator whole", "POST /v1/admin/webhooks/{endpoint}/disable": "operator whole",
	"GET /v1/admin/deliveries": "viewer", "GET /v1/admin/deliveries/{delivery}": "viewer", "GET /v1/admin/deliveries/{delivery}/attempts": "viewer",
	"POST /v1/admin/deliveries/{delivery}/retry": "operator", "POST /v1/admin/deliveries/retry": "operator", "GET /v1/admin/retries/{wish}": "viewer",

	"POST /v1/admin/connect-sessions": "sessions", "GET /v1/admin/connect-sessions/{session}": "connector", "POST /v1/admin/connect-sessions/{session}/exchange": "connector",
}

func TestEachTokenOpensWhatItIsForAndNothingElse(t *testing.T) {
	r := setup(t, func(p *api.Params) { p.PageURL = func() string { return "https://connect.example.com" } })
	tokens := map[string]string{"nobody": "", "data": "", "write": r.token, "admin": root}
	for _, role := range []host.Role{host.RoleViewer, host.RoleOperator, host.RoleConnector} {
		token, err := r.auth.MintAdmin(t.Context(), string(role), role, nil, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		tokens[string(role)] = token
	}
	var err error
	if tokens["limited"], err = r.auth.MintAdmin(t.Context(), "limited", host.RoleAdmin, []string{"plant-7", "nowhere"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if tokens["data"], err = r.auth.MintConnection(t.Context(), plant, "reading", host.AccessRead, time.Time{}, auth.Step{}); err != nil {
		t.Fatal(err)
	}
	above := map[string][]string{
		"viewer": {"viewer", "operator", "admin", "limited"}, "operator": {"operator", "admin", "limited"}, "admin": {"admin", "limited"},
		"connector": {"connector", "operator", "admin", "limited"}, "data": {"data", "write"}, "write": {"write"},
		"sessions": {"connector", "admin", "limited"}, // an operator may only renew: of what the body names
	}
	paths, _ := r.ask("GET", "/openapi.json", "", "").body["paths"].(map[string]any)
	seen := map[string]bool{}
	for path, v := range paths {
		operations, _ := v.(map[string]any)
		for method := range operations {
			call := strings.ToUpper(method) + " " + path
			seen[call] = true
			who, known := opens[call]
			if !known {
				t.Errorf("%s: nobody has said whom it is for", call)
				continue
			}
			var may []string
			for _, w := range strings.Fields(who) {
				may = append(may, above[w]...)
			}
			if strings.HasSuffix(who, " whole") {
				may = slices.DeleteFunc(may, func(w string) bool { return w == "limited" })
			}
			filled := strings.NewReplacer("{connection}", "nowhere", "{entity}", "items", "{id}", "1", "{name}", "Bin").Replace(path)
			for name, token := range tokens {
				var headers []string
				if name != "data" && name != "write" && !strings.HasPrefix(path, "/v1/admin") {
					headers = append(headers, "Dinrail-Connection: plant-7")
				}
				a := r.ask(strings.ToUpper(method), filled, token, "", headers...)
				closed := a.status == http.StatusUnauthorized || a.status == http.StatusForbidden
				want := who == "anyone" || slices.Contains(may, name)
				if closed == want || !want && name == "nobody" && a.status != http.StatusUnauthorized || !want && name != "nobody" && a.code() != "forbidden" {
					t.Errorf("%s with the token %s: %d %s", call, name, a.status, a.text)
				}
			}
		}
	}
	for call := range opens {
		if !seen[call] {
			t.Errorf("%s is not there", call)
		}
	}
}

// A limited token sees its own connections in every list, and no others.
func TestLimitedTokenSeesItsOwnInEveryList(t *testing.T) {
	r := setup(t)
	r.connect(other)
	for _, e := range []string{`{"id":"1","type":"custom.a","connection_id":"plant-7"}`, `{"id":"2","type":"custom.a","connection_id":"plant-8"}`, `{"id":"3","type":"custom.a"}`} {
		r.ask("POST", "/v1/admin/events", root, e)
	}
	limited, err := r.auth.MintAdmin(t.Context(), "limited", host.RoleViewer, []string{"plant-8"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	r.want("connections", r.ask("GET", "/v1/admin/connections", limited, "").ids(), "plant-8")
	r.want("events", r.ask("GET", "/v1/admin/events", limited, "").ids(), "2")
	status, _ := r.ask("GET", "/v1/admin/status", limited, "").body["connections"].(map[string]any)
	r.want("status", status["online"], 1.0)
	r.want("tokens of another", r.ask("GET", "/v1/admin/connections/plant-7/tokens", limited, "").status, http.StatusNotFound)
	r.want("records of another", r.ask("GET", "/v1/items", limited, "", "Dinrail-Connection: plant-7").status, http.StatusNotFound)
}

// Every call that changes something is made once for a key, whoever makes it.
func TestKeyMakesEveryChangeOnce(t *testing.T) {
	r := setup(t)
	r.ask("POST", "/v1/admin/webhooks", root, hook)
	paths, _ := r.ask("GET", "/openapi.json", "", "").body["paths"].(map[string]any)
	n := 0
	for path, v := range paths {
		operations, _ := v.(map[string]any)
		for method := range operations {
			filled := strings.NewReplacer("{connection}", "plant-7", "{entity}", "items", "{id}", "1", "{name}", "Bin", "{endpoint}", "app").Replace(path)
			// A check waits for who checks, and what is removed is not there to be asked.
			if method == "get" || method == "delete" || strings.HasSuffix(path, "/check") || strings.HasSuffix(path, "/purge") {
				continue
			}
			ask := func() answer {
				return r.ask(strings.ToUpper(method), filled, root, `{}`, "Idempotency-Key: "+method+filled, "Dinrail-Connection: plant-7")
			}
			first, second := ask(), ask()
			if first.status >= http.StatusInternalServerError {
				continue // it may be sent again
			}
			n++
			if second.header.Get("Idempotent-Replayed") != "true" || second.status != first.status || second.text != first.text || first.header.Get("Content-Type") != second.header.Get("Content-Type") {
				t.Errorf("%s %s: %d %s, then %d %s", method, path, first.status, first.text, second.status, second.text)
			}
		}
	}
	if n < 15 {
		t.Errorf("%d calls were tried", n)
	}
	const key = "Idempotency-Key: d"
	first, second := r.ask("DELETE", "/v1/admin/webhooks/app", root, "", key), r.ask("DELETE", "/v1/admin/webhooks/app", root, "", key)
	r.want("removed", first.status, http.StatusNoContent)
	r.want("again", second.status, http.StatusNoContent)
	r.want("replayed", second.header.Get("Idempotent-Replayed"), "true")
	r.want("with another key", r.ask("DELETE", "/v1/admin/webhooks/app", root, "", "Idempotency-Key: e").status, http.StatusNotFound)
}
