package api

import (
	"net/http"

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

// route is one call that the API answers. The OpenAPI document is made from
// the same table.
type route struct {
	method, path string
	open         door
	role         host.Role // that an admin token needs; for data routes, viewer stands for reading
	always       bool      // also while the connection is auth_required
	summary      string
	query        []string // parameters; nil: none, "*": filters on fields
	do           func(*call) error
}

func (a *API) table() []route {
	v, o, ad := host.RoleViewer, host.RoleOperator, host.RoleAdmin
	page := []string{"limit", "cursor"}
	records := append([]string{"include", "modified_after", "modified_before", "updated_after", "updated_before", "created_after", "created_before", "*"}, page...)
	write := func(*call) error {
		return host.Errorf(host.CodeUnsupported, "writing to the system is not available in this version")
	}
	const conn = "/v1/admin/connections/{connection}"
	return []route{
		{"GET", "/healthz", everybody, "", false, "Is the host alive", nil, a.health},
		{"GET", "/readyz", everybody, "", false, "Is the store open and the API serving", nil, a.ready},
		{"GET", "/metrics", machine, v, false, "Metrics for Prometheus", nil, func(c *call) error { a.metrics.ServeHTTP(c.w, c.Request); return nil }},
		{"GET", "/openapi.json", everybody, "", false, "This API's description", nil, a.openapi},
		{"GET", "/openapi.yaml", everybody, "", false, "This API's description as YAML (JSON is YAML)", nil, a.openapi},
		{"GET", "/docs", everybody, "", false, "This API's reference as a page", nil, a.docs},
		{"GET", "/docs.css", everybody, "", false, "The reference's style", nil, a.docsStyle},

		{"GET", "/v1/connection", data, v, true, "The token's connection", nil, a.connection},
		{"GET", "/v1/entities", data, v, false, "What the connection has", page, a.entities},
		{"GET", "/v1/changes", data, v, false, "The feed over all entities", append([]string{"entities", "wait", "include"}, page...), a.changes},
		{"GET", "/v1/sync-status", data, v, true, "How each entity's sync stands", page, a.syncStatus},
		{"POST", "/v1/sync", data, o, false, "Queue runs", nil, a.sync},
		{"GET", "/v1/sync-runs", data, v, false, "Runs, newest first", append([]string{"entity"}, page...), a.runs},
		{"GET", "/v1/sync-runs/{run}", data, v, false, "One run", nil, a.run},
		{"POST", "/v1/passthrough", data, ad, false, "A call of one's own to the system", nil, write},
		{"GET", "/v1/{entity}", data, v, false, "Records of an entity", records, a.records},
		{"GET", "/v1/{entity}/{id}", data, v, false, "One record", []string{"live", "include"}, a.record},
		{"GET", "/v1/native/{name}", data, v, false, "Records of a native entity", records, a.records},
		{"GET", "/v1/native/{name}/{id}", data, v, false, "One record of a native entity", []string{"live", "include"}, a.record},
		{"POST", "/v1/{entity}", data, ad, false, "Create a record", nil, write},
		{"PATCH", "/v1/{entity}/{id}", data, ad, false, "Update a record", nil, write},
		{"DELETE", "/v1/{entity}/{id}", data, ad, false, "Delete a record", nil, write},

		{"GET", "/v1/admin/status", admin, v, false, "What runs, and what needs a person", nil, a.status},
		{"GET", "/v1/admin/plan", admin, v, false, "What a reload would do", nil, a.plan},
		{"POST", "/v1/admin/reload", admin, ad, false, "Read the configuration again", nil, a.reload},
		{"GET", "/v1/admin/systems", admin, v, false, "What can be connected", page, a.systems},
		{"GET", "/v1/admin/systems/{system}", admin, v, false, "One system", nil, a.system},
		{"GET", "/v1/admin/connectors", admin, v, false, "Connectors' processes", page, a.connectors},
		{"GET", "/v1/admin/connections", admin, v, false, "Connections", page, a.connections},
		{"POST", "/v1/admin/connections", admin, ad, false, "Make a connection", nil, a.create},
		{"GET", conn, admin, v, false, "One connection", nil, a.oneConnection},
		{"PATCH", conn, admin, ad, false, "Change a connection", nil, a.change},
		{"DELETE", conn, admin, ad, false, "Remove a connection and all of it", nil, a.remove},
		{"POST", conn + "/purge", admin, ad, false, "End a detached connection now", nil, a.remove},
		{"POST", conn + "/check", admin, o, false, "Check a connection now", nil, a.check},
		{"POST", conn + "/pause", admin, o, false, "Pause a connection", nil, func(c *call) error { return a.pause(c, true) }},
		{"POST", conn + "/resume", admin, o, false, "Resume a connection", nil, func(c *call) error { return a.pause(c, false) }},
		{"POST", conn + "/sync", admin, o, false, "Queue runs", nil, a.sync},
		{"POST", conn + "/reconnect", admin, o, false, "Give new credentials; all tokens end, one is minted", nil, a.reconnect},
		{"GET", conn + "/tokens", admin, v, false, "A connection's tokens, without their secrets", page, a.tokens},
		{"POST", conn + "/token", admin, ad, false, "Mint a token", nil, a.mint},
		{"DELETE", conn + "/token", admin, ad, false, "Revoke tokens", []string{"name"}, a.revoke},
		{"GET", "/v1/admin/tokens", admin, ad, false, "Admin tokens, without their secrets", page, a.tokens},
		{"POST", "/v1/admin/tokens", admin, ad, false, "Mint an admin token", nil, a.mintAdmin},
		{"DELETE", "/v1/admin/tokens", admin, ad, false, "Revoke admin tokens", []string{"name"}, a.revoke},
		{"GET", "/v1/admin/events", admin, v, false, "Events, oldest first", append([]string{"after", "type", "wait"}, page...), a.events},
	}
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
