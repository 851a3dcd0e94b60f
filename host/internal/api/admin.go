package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/state"
)

func (a *API) systems(c *call) error {
	out := []systemView{}
	for _, s := range a.Systems() {
		out = append(out, systemViewOf(s))
	}
	return pageOf(a, c, out, func(s systemView) string { return string(s.Name) })
}

func (a *API) system(c *call) error {
	s, ok := a.systemNamed(host.SystemName(c.PathValue("system")))
	if !ok {
		return host.Errorf(host.CodeNotFound, "there is no system %q; /v1/admin/systems lists what there is", c.PathValue("system"))
	}
	a.write(c, http.StatusOK, systemViewOf(s))
	return nil
}

func (a *API) systemNamed(name host.SystemName) (host.System, bool) {
	for _, s := range a.Systems() {
		if s.Name == name {
			return s, true
		}
	}
	return host.System{}, false
}

func (a *API) connectors(c *call) error {
	all, err := state.All[host.Process](c.Context(), a.Store, state.KindProcess)
	if err != nil {
		return err
	}
	var out []processView
	for _, v := range all {
		p := v.Value
		if p.Connection != "" && !c.who.Covers(p.Connection) {
			continue
		}
		if c.who.Role == host.RoleViewer || c.who.Limited() {
			p.Log = nil // it may tell of other connections
		}
		out = append(out, processView{p, stamp(p.Since)})
	}
	return pageOf(a, c, out, func(p processView) string { return p.ID })
}

func (a *API) plan(c *call) error       { return a.outcome(c, a.Plan) }
func (a *API) reload(c *call) error     { return a.outcome(c, a.Reload) }
func (a *API) rotateKeys(c *call) error { return a.outcome(c, a.RotateKeys) }

func (a *API) outcome(c *call, f func(context.Context) (any, error)) error {
	if f == nil {
		return host.Errorf(host.CodeUnsupported, "this host was started without what that needs")
	}
	v, err := f(c.Context())
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, v)
	return nil
}

func (a *API) tokens(c *call) error {
	id := host.ConnectionID(c.PathValue("connection"))
	if id != "" {
		if _, _, err := a.find(c); err != nil {
			return err
		}
	}
	all, err := a.Auth.List(c.Context(), id)
	if err != nil {
		return err
	}
	out := make([]tokenView, len(all))
	for i, t := range all {
		out[i] = tokenView{t.ID, t.Name, t.Access, t.Role, t.Scope, stamp(t.CreatedAt), stamp(t.ExpiresAt)}
	}
	return pageOf(a, c, out, func(t tokenView) string { return t.Name })
}

// longest is the longest duration that a request can name.
const longest = 100 * 365 * 24 * time.Hour

// durationOf reads Go's durations and days, as in 12h and 90d.
func durationOf(text string) (time.Duration, bool) {
	d, err := host.ParseDuration(text)
	return d, err == nil && d > 0 && d <= longest
}

// expiry reads how long a token is to live.
func (a *API) expiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, ok := durationOf(text)
	if !ok {
		return time.Time{}, faults{{"body.expires_in", "it must be a duration such as 12h or 90d"}}
	}
	return a.Clock().Add(d), nil
}

// mintRequest asks for a connection's token.
type mintRequest struct {
	Name      string      `json:"name,omitempty"`
	Access    host.Access `json:"access,omitempty"`
	ExpiresIn string      `json:"expires_in,omitempty"`
}

// mintAdminRequest asks for an admin token.
type mintAdminRequest struct {
	Name        string    `json:"name,omitempty"`
	Role        host.Role `json:"role,omitempty"`
	Connections []string  `json:"connections,omitempty"`
	ExpiresIn   string    `json:"expires_in,omitempty"`
}

func (a *API) mint(c *call) error {
	req := mintRequest{Name: "default", Access: host.AccessWrite}
	if err := body(c, &req); err != nil {
		return err
	}
	if req.Access != host.AccessRead && req.Access != host.AccessWrite {
		return faults{{"body.access", "it must be read or write"}}
	}
	if !host.ValidID(req.Name) {
		return faults{{"body.name", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"}}
	}
	expires, err := a.expiry(req.ExpiresIn)
	if err != nil {
		return err
	}
	for {
		conn, rev, err := a.find(c)
		if err != nil {
			return err
		}
		if !conn.DetachedAt.IsZero() {
			return host.Errorf(host.CodeConflict, "the connection %s is detached: its tokens open nothing until its block is back", conn.ID)
		}
		// The connection goes along, unchanged, so that no token is left for one
		// that is removed meanwhile.
		put, err := state.PutOf(state.KindConnection, string(conn.ID), rev, &conn)
		if err != nil {
			return err
		}
		token, err := a.Auth.MintConnection(c.Context(), conn.ID, req.Name, req.Access, expires, auth.Step{Puts: []state.Put{put}})
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		c.made.target = req.Name
		a.write(c, http.StatusOK, tokenAnswer{token})
		return nil
	}
}

func (a *API) mintAdmin(c *call) error {
	req := mintAdminRequest{Name: "default", Role: host.RoleAdmin}
	if err := body(c, &req); err != nil {
		return err
	}
	if !slices.Contains([]host.Role{host.RoleViewer, host.RoleOperator, host.RoleConnector, host.RoleAdmin}, req.Role) {
		return faults{{"body.role", "it must be viewer, operator, connector or admin"}}
	}
	if !host.ValidID(req.Name) {
		return faults{{"body.name", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"}}
	}
	for i, p := range req.Connections {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return faults{{fmt.Sprintf("body.connections.%d", i), "it must be a pattern such as plant-7-*"}}
		}
	}
	expires, err := a.expiry(req.ExpiresIn)
	if err != nil {
		return err
	}
	token, err := a.Auth.MintAdmin(c.Context(), req.Name, req.Role, req.Connections, expires)
	if err != nil {
		return err
	}
	c.made.target = req.Name
	a.write(c, http.StatusOK, tokenAnswer{token})
	return nil
}

func (a *API) revoke(c *call) error {
	id, name := host.ConnectionID(c.PathValue("connection")), c.q.values.Get("name")
	if id == "" && name == "" {
		return faults{{"query.name", "it names the admin token to end"}}
	}
	if id != "" {
		if _, _, err := a.find(c); err != nil {
			return err
		}
	}
	n, err := a.Auth.Revoke(c.Context(), id, name)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, map[string]int{"revoked": n})
	return nil
}

// find reads the connection that a path names.
func (a *API) find(c *call) (host.Connection, host.Sequence, error) {
	id := host.ConnectionID(c.PathValue("connection"))
	conn, rev, err := state.Get[host.Connection](c.Context(), a.Store, state.KindConnection, string(id))
	if errors.Is(err, state.ErrNotFound) {
		return conn, 0, noConnection(id)
	}
	return conn, rev, err
}
