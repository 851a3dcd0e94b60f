package api

import (
	"net/http"
	"slices"

	"github.com/dinrail/dinrail/host"
)

// door says whose a route is.
type door int

const (
	everybody door = iota // no token
	machine               // no token on loopback, an admin token elsewhere
	data                  // a connection's token, or an admin token and a connection
	admin                 // an admin token
)

// route is one call that the API answers. What is checked of a request before
// it is answered, and the OpenAPI document, are made from the same table.
type route struct {
	method, path string
	open         door
	role         host.Role // that an admin token needs; of data routes, RoleAdmin stands for writing
	summary      string
	do           func(*call) error

	pattern string   // what the mux matches, where it is not path
	later   bool     // answers unsupported in this version
	always  bool     // also while the connection is auth_required
	audit   string   // the action, as the audit log names it; "": it is not written there
	whole   bool     // about the whole host: not for a token limited to some connections
	query   []string // parameters; "*": filters on fields
	status  int      // of success; 0: 200
	body    any      // an example of the request's type; nil: it takes none
	answer  any      // an example of the answer's type; nil: none, or no JSON
}

// matched is what the mux matches.
func (r route) matched() string {
	if r.pattern != "" {
		return r.pattern
	}
	return r.path
}

// batchPattern is how the mux knows /v1/{entity}/batch: the documented path
// would clash with a native entity that is named batch.
const (
	batchPattern       = "/v1/{entity}/{id}"
	nativeBatchPattern = "/v1/native/{name}/{id}"
)

func (a *API) table() []route {
	return slices.Concat(a.ownRoutes(), a.dataRoutes(), a.adminRoutes(), a.webhookRoutes(), a.sessionRoutes())
}

// pages are the parameters of every list.
func pages(more ...string) []string { return append(more, "limit", "cursor") }

func (a *API) ownRoutes() []route {
	return []route{
		{method: "GET", path: "/healthz", open: everybody, summary: "Is the host alive", do: a.health, answer: map[string]string{}},
		{method: "GET", path: "/readyz", open: everybody, summary: "Is the store open and the API serving", do: a.ready, answer: map[string]string{}},
		{method: "GET", path: "/metrics", open: machine, role: host.RoleViewer, whole: true, summary: "Metrics for Prometheus", do: func(c *call) error { a.metrics.ServeHTTP(c.w, c.Request); return nil }},
		{method: "GET", path: "/openapi.json", open: everybody, summary: "This API's description", do: a.openapi},
		{method: "GET", path: "/openapi.yaml", open: everybody, summary: "This API's description as YAML", do: a.openapiYAML},
		{method: "GET", path: "/docs", open: everybody, summary: "This API's reference as a page", do: a.docs},
		{method: "GET", path: "/docs.css", open: everybody, summary: "The reference's style", do: a.docsStyle},
	}
}

// dataRoutes are the calls of integrators.
func (a *API) dataRoutes() []route {
	v, o, write := host.RoleViewer, host.RoleOperator, host.RoleAdmin
	records := pages("include", "modified_after", "modified_before", "updated_after", "updated_before", "created_after", "created_before", "*")
	one := []string{"live", "include"}
	rs := []route{
		{method: "GET", path: "/v1/connection", role: v, always: true, summary: "The token's connection", do: a.connection, answer: connectionView{}},
		{method: "GET", path: "/v1/entities", role: v, summary: "What the connection has", query: pages(), do: a.entities, answer: list[entityView]{}},
		{method: "GET", path: "/v1/changes", role: v, summary: "The feed over all entities", query: pages("entities", "wait", "include"), do: a.changes, answer: list[changeView]{}},
		{method: "GET", path: "/v1/sync-status", role: v, always: true, summary: "How each entity's sync stands", query: pages(), do: a.syncStatus, answer: list[syncView]{}},
		{method: "POST", path: "/v1/sync", role: o, summary: "Queue runs", do: a.sync, status: http.StatusAccepted, body: syncRequest{}, answer: list[runView]{}},
		{method: "GET", path: "/v1/sync-runs", role: v, summary: "Runs, newest first", query: pages("entity"), do: a.runs, answer: list[runView]{}},
		{method: "GET", path: "/v1/sync-runs/{run}", role: v, summary: "One run", do: a.run, answer: runView{}},
		{method: "GET", path: "/v1/{entity}", role: v, summary: "Records of an entity", query: records, do: a.records, answer: list[recordView]{}},
		{method: "GET", path: "/v1/{entity}/{id}", role: v, summary: "One record", query: one, do: a.record, answer: recordView{}},
		{method: "GET", path: "/v1/native/{name}", role: v, summary: "Records of a native entity", query: records, do: a.records, answer: list[recordView]{}},
		{method: "GET", path: "/v1/native/{name}/{id}", role: v, summary: "One record of a native entity", query: one, do: a.record, answer: recordView{}},

		{method: "POST", path: "/v1/passthrough", role: write, summary: "A call of one's own to the system"},
		{method: "POST", path: "/v1/{entity}", role: write, summary: "Create a record"},
		{method: "POST", path: "/v1/{entity}/batch", pattern: batchPattern, role: write, summary: "Write up to 1,000 records"},
		{method: "PATCH", path: "/v1/{entity}/{id}", role: write, summary: "Update a record"},
		{method: "DELETE", path: "/v1/{entity}/{id}", role: write, summary: "Delete a record"},
		{method: "POST", path: "/v1/{entity}/{id}/actions/{action}", role: write, summary: "Act upon a record"},
		{method: "POST", path: "/v1/native/{name}", role: write, summary: "Create a record of a native entity"},
		{method: "PATCH", path: "/v1/native/{name}/{id}", role: write, summary: "Update a record of a native entity"},
		{method: "DELETE", path: "/v1/native/{name}/{id}", role: write, summary: "Delete a record of a native entity"},
		{method: "POST", path: "/v1/native/{name}/batch", pattern: nativeBatchPattern, role: write, summary: "Write up to 1,000 records of a native entity"},
		{method: "POST", path: "/v1/native/{name}/{id}/actions/{action}", role: write, summary: "Act upon a record of a native entity"},
	}
	for i := range rs {
		rs[i].open = data
		if rs[i].do == nil {
			rs[i].do, rs[i].later = unwritable, true
			rs[i].summary += " (answers unsupported in this version)"
		}
	}
	return rs
}

// unwritable answers the calls that write to a system.
func unwritable(*call) error {
	return host.Errorf(host.CodeUnsupported, "writing to the system is not available in this version")
}

// adminRoutes are the calls of operators.
func (a *API) adminRoutes() []route {
	v, o, ad := host.RoleViewer, host.RoleOperator, host.RoleAdmin
	const all, one = "/v1/admin/connections", "/v1/admin/connections/{connection}"
	rs := []route{
		{method: "GET", path: "/v1/admin/status", role: v, summary: "What runs, and what needs a person", do: a.status, answer: statusView{}},
		{method: "GET", path: "/v1/admin/syncs", role: v, summary: "The syncs of all connections", query: pages("status"), do: a.syncs, answer: list[hostSyncView]{}},
		{method: "POST", audit: "sign_in.link", path: "/v1/admin/sign-ins", role: v, summary: "Make a link that signs in to the dashboard, once", do: a.createSignIn, status: http.StatusCreated, answer: signInLink{}},
		{method: "GET", path: "/v1/admin/plan", role: v, whole: true, summary: "What a reload would do", do: a.plan, answer: map[string]any{}},
		{method: "POST", audit: "configuration.reload", path: "/v1/admin/reload", role: ad, whole: true, summary: "Read the configuration again", do: a.reload, answer: map[string]any{}},
		{method: "POST", audit: "keys.rotate", path: "/v1/admin/keys/rotate", role: ad, whole: true, summary: "Make a new master key and seal anew with it", do: a.rotateKeys, answer: map[string]any{}},
		{method: "GET", path: "/v1/admin/backup", audit: "backup.read", role: ad, whole: true, summary: "A backup of the whole host, as a stream; sealed, without the key", do: a.backup},
		{method: "GET", path: "/v1/admin/systems", role: v, summary: "What can be connected", query: pages(), do: a.systems, answer: list[systemView]{}},
		{method: "GET", path: "/v1/admin/systems/{system}", role: v, summary: "One system", do: a.system, answer: systemView{}},
		{method: "GET", path: "/v1/admin/connectors", role: v, summary: "Connectors' processes", query: pages(), do: a.connectors, answer: list[processView]{}},
		{method: "GET", path: all, role: v, summary: "Connections", query: pages("status", "system", "q"), do: a.connections, answer: list[adminView]{}},
		{method: "POST", audit: "connection.create", path: all, role: ad, summary: "Make a connection", do: a.create, status: http.StatusCreated, body: request{}, answer: adminView{}},
		{method: "GET", path: one, role: v, summary: "One connection", do: a.oneConnection, answer: adminView{}},
		{method: "PATCH", audit: "connection.update", path: one, role: ad, summary: "Change a connection", do: a.change, body: changeRequest{}, answer: adminView{}},
		{method: "DELETE", audit: "connection.remove", path: one, role: ad, summary: "Remove a connection and all of it", do: a.remove, status: http.StatusNoContent},
		{method: "POST", audit: "connection.purge", path: one + "/purge", role: ad, summary: "End a detached connection now", do: a.remove, status: http.StatusNoContent},
		{method: "POST", audit: "connection.check", path: one + "/check", role: o, summary: "Check a connection now", do: a.check, answer: checkView{}},
		{method: "POST", audit: "connection.pause", path: one + "/pause", role: o, summary: "Pause a connection", do: func(c *call) error { return a.pause(c, true) }, answer: adminView{}},
		{method: "POST", audit: "connection.resume", path: one + "/resume", role: o, summary: "Resume a connection", do: func(c *call) error { return a.pause(c, false) }, answer: adminView{}},
		{method: "POST", audit: "connection.sync", path: one + "/sync", role: o, summary: "Queue runs", do: a.sync, status: http.StatusAccepted, body: syncRequest{}, answer: list[runView]{}},
		{method: "POST", audit: "connection.reconnect", path: one + "/reconnect", role: o, summary: "Give new credentials; all tokens end, one is minted", do: a.reconnect, body: reconnectRequest{}, answer: tokenAnswer{}},
		{method: "GET", path: one + "/tokens", role: v, summary: "A connection's tokens, without their secrets", query: pages(), do: a.tokens, answer: list[tokenView]{}},
		{method: "POST", audit: "token.mint", path: one + "/token", role: ad, summary: "Mint a token", do: a.mint, body: mintRequest{}, answer: tokenAnswer{}},
		{method: "DELETE", audit: "token.revoke", path: one + "/token", role: ad, summary: "Revoke the token of a name, or all", query: []string{"name"}, do: a.revoke, answer: map[string]int{}},
		{method: "GET", path: "/v1/admin/tokens", role: ad, whole: true, summary: "Admin tokens, without their secrets", query: pages(), do: a.tokens, answer: list[tokenView]{}},
		{method: "POST", audit: "admin_token.mint", path: "/v1/admin/tokens", role: ad, whole: true, summary: "Mint an admin token", do: a.mintAdmin, body: mintAdminRequest{}, answer: tokenAnswer{}},
		{method: "DELETE", audit: "admin_token.revoke", path: "/v1/admin/tokens", role: ad, whole: true, summary: "Revoke an admin token", query: []string{"name"}, do: a.revoke, answer: map[string]int{}},
		{method: "GET", path: "/v1/admin/logs", role: v, summary: "The last lines of the host's log, oldest first", query: pages("connection", "wait"), do: a.logs, answer: list[LogLine]{}},
		{method: "GET", path: "/v1/admin/requests", role: v, summary: "The last calls, of the API and to the systems, newest first", query: pages("kind", "connection", "request_id", "status", "since", "until"), do: a.listRequests, answer: list[requestView]{}},
		{method: "GET", path: "/v1/admin/audit", role: v, whole: true, summary: "Who did what to the host, newest first", query: pages("action", "who", "connection", "since", "until"), do: a.auditLog, answer: list[auditView]{}},
		{method: "GET", path: "/v1/admin/events", role: v, summary: "Events, oldest first, or newest first", query: pages("after", "endpoint", "connection", "type", "wait", "order"), do: a.events, answer: list[eventView]{}},
		{method: "GET", path: "/v1/admin/events/{event}", role: v, summary: "One event", do: a.event, answer: eventView{}},
	}
	for i := range rs {
		rs[i].open = admin
	}
	return rs
}

func (a *API) health(c *call) error {
	a.write(c, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

func (a *API) ready(c *call) error {
	if _, _, err := a.Store.Position(c.Context(), ""); err != nil {
		return err
	}
	return a.health(c)
}
