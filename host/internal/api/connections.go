package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// adminView is a connection as administration sees it.
type adminView struct {
	connectionView
	Settings   map[string]any                 `json:"settings"`
	Auth       string                         `json:"auth"`
	Syncs      map[host.EntityName]host.Order `json:"sync,omitempty"`
	CheckEvery string                         `json:"check_every"`
	Paused     bool                           `json:"paused"`
	Source     string                         `json:"source,omitempty"`
	CreatedAt  string                         `json:"created_at"`
	Token      string                         `json:"token,omitempty"` // shown once
}

func adminViewOf(c *host.Connection) adminView {
	v := adminView{
		connectionView: viewOf(c), Settings: c.Settings, Auth: c.Auth, Syncs: c.Syncs, CheckEvery: c.CheckEvery.String(),
		Paused: c.Paused, Source: c.Source, CreatedAt: host.FormatTime(c.CreatedAt),
	}
	if v.Settings == nil {
		v.Settings = map[string]any{}
	}
	if c.Invalid != "" {
		v.Reason = c.Invalid
	}
	return v
}

func (a *API) connections(c *call) error {
	all, err := state.All[host.Connection](c.Context(), a.Store, state.KindConnection)
	if err != nil {
		return err
	}
	out := []adminView{}
	for i := range all {
		if c.who.Covers(all[i].Value.ID) {
			out = append(out, adminViewOf(&all[i].Value))
		}
	}
	return pageOf(a, c, out, func(v adminView) string { return string(v.ID) })
}

func (a *API) oneConnection(c *call) error {
	conn, _, err := a.find(c)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, adminViewOf(&conn))
	return nil
}

// request is a connection as it is asked for.
type request struct {
	ID          host.ConnectionID `json:"id"`
	System      host.SystemName   `json:"system"`
	Label       string            `json:"label"`
	Settings    map[string]any    `json:"settings"`
	Auth        string            `json:"auth"`
	Credentials map[string]string `json:"credentials"`
	Metadata    map[string]string `json:"metadata"`
	Sync        map[string]struct {
		Every   string `json:"every"`
		Full    string `json:"full"`
		History string `json:"history"`
	} `json:"sync"`
}

// create makes a connection and its first token.
func (a *API) create(c *call) error {
	var req request
	if err := body(c, &req); err != nil {
		return err
	}
	system, ok := a.systemNamed(req.System)
	if !ok {
		return faults{{"body.system", fmt.Sprintf("there is no system %q; /v1/admin/systems lists what there is", req.System)}}
	}
	if req.ID == "" {
		req.ID = host.ConnectionID(strings.ToLower(string(req.System) + "-" + ulid.Make().String()[16:]))
	}
	if !c.who.Covers(req.ID) {
		return host.Errorf(host.CodeForbidden, "this token does not cover a connection of that name")
	}
	now := a.Clock()
	conn := host.Connection{
		ID: req.ID, System: req.System, Label: req.Label, ManagedBy: host.ManagedByAPI, Settings: req.Settings, Auth: req.Auth,
		Metadata: req.Metadata, CheckEvery: host.DefaultCheckEvery, CreatedAt: now, Status: host.StatusPending, Since: now,
		Incarnation: ulid.Make().String(),
	}
	if conn.Label == "" {
		conn.Label = string(req.ID)
	}
	bad := checkAgainst(system, &conn, req.Credentials)
	if !host.ValidID(string(req.ID)) {
		bad = append(bad, fault{"body.id", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"})
	}
	for e, o := range req.Sync {
		order := host.Order{Every: host.DefaultEvery, Full: host.DefaultFull}
		for _, d := range []struct {
			name, text string
			into       *time.Duration
		}{{"every", o.Every, &order.Every}, {"full", o.Full, &order.Full}, {"history", o.History, &order.History}} {
			if d.text == "" {
				continue
			}
			at, err := a.expiry(d.text)
			if err != nil {
				bad = append(bad, fault{"body.sync." + e + "." + d.name, "it must be a duration such as 15m or 90d"})
				continue
			}
			*d.into = at.Sub(now).Round(time.Second)
		}
		if conn.Syncs == nil {
			conn.Syncs = map[host.EntityName]host.Order{}
		}
		conn.Syncs[host.EntityName(e)] = order
	}
	if len(bad) > 0 {
		return bad
	}
	if req.Credentials != nil {
		sealed, err := a.Credentials.Seal(conn.ID, req.Credentials)
		if err != nil {
			return err
		}
		conn.Credentials, conn.CredentialsRevision = sealed, 1
	}
	put, err := state.PutOf(state.KindConnection, string(conn.ID), state.Absent, &conn)
	if err != nil {
		return err
	}
	token, err := a.Auth.MintConnection(c.Context(), conn.ID, "default", host.AccessWrite, time.Time{}, put)
	if errors.Is(err, state.ErrChanged) {
		return host.Errorf(host.CodeConflict, "there is a connection %q already", conn.ID)
	}
	if err != nil {
		return err
	}
	a.tell(c, host.EventConnectionCreated, &conn)
	v := adminViewOf(&conn)
	v.Token = token
	a.write(c, http.StatusCreated, v)
	return nil
}

// tell writes an event about a connection.
func (a *API) tell(c *call, t host.EventType, conn *host.Connection) {
	b, err := json.Marshal(map[string]any{"system": conn.System, "label": conn.Label, "session_id": nil})
	if err == nil {
		e := host.Event{ID: host.EventID("evt_" + ulid.Make().String()), Type: t, Time: a.Clock(), Connection: conn.ID, Data: b}
		_, err = a.Store.Commit(c.Context(), a.Clock(), nil, []host.Event{e}, nil)
	}
	if err != nil {
		a.Log.Error("write an event", "type", t, "connection", conn.ID, "error", err)
	}
}

// checkAgainst holds a connection against what its system declares. Secret
// settings move to the credentials.
func checkAgainst(s host.System, c *host.Connection, credentials map[string]string) faults {
	var bad faults
	known := map[string]bool{}
	for _, d := range s.Settings {
		known[d.Name] = true
		v, given := c.Settings[d.Name]
		text := fmt.Sprint(v)
		switch {
		case !given && d.Required && d.Default == "":
			bad = append(bad, fault{"body.settings." + d.Name, d.Label + " is missing"})
		case given && len(d.Choices) > 0 && !slices.Contains(d.Choices, text):
			bad = append(bad, fault{"body.settings." + d.Name, "it must be one of " + strings.Join(d.Choices, ", ")})
		case given && d.Pattern != "":
			if re, err := regexp.Compile("^(?:" + d.Pattern + ")$"); err == nil && !re.MatchString(text) {
				bad = append(bad, fault{"body.settings." + d.Name, d.Label + " does not have the right form: " + d.Help})
			}
		}
	}
	for name := range c.Settings {
		if !known[name] {
			bad = append(bad, fault{"body.settings." + name, "the system " + string(s.Name) + " has no such setting"})
		}
	}
	if c.Auth == "" && len(s.Auth) > 0 {
		c.Auth = s.Auth[0].Name
	}
	for _, m := range s.Auth {
		if m.Name == c.Auth {
			return append(bad, checkCredentials(m, credentials)...)
		}
	}
	if len(s.Auth) > 0 {
		bad = append(bad, fault{"body.auth", "the system " + string(s.Name) + " has no way to log in named " + c.Auth})
	}
	return bad
}

func checkCredentials(m host.AuthMethod, credentials map[string]string) faults {
	if credentials == nil {
		return nil // pending until somebody gives them
	}
	var bad faults
	known := map[string]bool{}
	for _, f := range m.Fields {
		known[f.Name] = true
		if f.Required && credentials[f.Name] == "" {
			bad = append(bad, fault{"body.credentials." + f.Name, f.Label + " is missing"})
		}
	}
	for name := range credentials {
		if !known[name] {
			bad = append(bad, fault{"body.credentials." + name, "this way to log in has no such field"})
		}
	}
	return bad
}

// update changes a stored connection and answers it.
func (a *API) update(c *call, edit func(*host.Connection) error) (host.Connection, error) {
	for {
		conn, rev, err := a.find(c)
		if err != nil {
			return conn, err
		}
		if err := edit(&conn); err != nil {
			return conn, err
		}
		put, err := state.PutOf(state.KindConnection, string(conn.ID), rev, &conn)
		if err != nil {
			return conn, err
		}
		if _, err = a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, nil, nil); !errors.Is(err, state.ErrChanged) {
			return conn, err
		}
	}
}

func fromFile(c *host.Connection) error {
	if c.ManagedBy == host.ManagedByFile {
		return host.Errorf(host.CodeConflict, "the connection %s stands in %s; change it there and reload", c.ID, c.Source)
	}
	return nil
}

func (a *API) change(c *call) error {
	var req struct {
		Label    *string            `json:"label"`
		Settings map[string]any     `json:"settings"`
		Metadata *map[string]string `json:"metadata"`
	}
	if err := body(c, &req); err != nil {
		return err
	}
	conn, err := a.update(c, func(conn *host.Connection) error {
		if err := fromFile(conn); err != nil {
			return err
		}
		if req.Label != nil {
			conn.Label = *req.Label
		}
		if req.Metadata != nil {
			conn.Metadata = *req.Metadata
		}
		if req.Settings != nil {
			conn.Settings = req.Settings
			if s, ok := a.systemNamed(conn.System); ok {
				if bad := checkAgainst(s, conn, nil); len(bad) > 0 {
					return bad
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, adminViewOf(&conn))
	return nil
}

func (a *API) pause(c *call, paused bool) error {
	conn, err := a.update(c, func(conn *host.Connection) error {
		if err := fromFile(conn); err != nil {
			return err
		}
		conn.Paused = paused
		return nil
	})
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, adminViewOf(&conn))
	return nil
}

// remove ends a connection and all that belongs to it.
func (a *API) remove(c *call) error {
	conn, _, err := a.find(c)
	if err != nil {
		return err
	}
	if conn.DetachedAt.IsZero() {
		if err := fromFile(&conn); err != nil {
			return err
		}
	}
	if _, err := a.Auth.Revoke(c.Context(), conn.ID, ""); err != nil {
		return err
	}
	if err := a.Store.Purge(c.Context(), conn.ID); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// check wishes for a check and waits for its outcome.
func (a *API) check(c *call) error {
	conn, _, err := a.find(c)
	if err != nil {
		return err
	}
	if conn.Invalid != "" || !conn.DetachedAt.IsZero() || conn.Credentials == nil {
		return host.Errorf(host.CodeConflict, "the connection %s cannot be checked: it is %s", conn.ID, conn.Status)
	}
	id := "wish_" + ulid.Make().String()
	put, err := state.PutOf(state.KindWish, id, state.Absent, host.Wish{ID: host.WishID(id), Kind: host.WishCheck, Connection: conn.ID, MadeAt: a.Clock()})
	if err != nil {
		return err
	}
	seen, err := a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, nil, nil)
	if err != nil {
		return err
	}
	for {
		w, _, err := state.Get[host.Wish](c.Context(), a.Store, state.KindWish, id)
		if err != nil {
			return err
		}
		if !w.DoneAt.IsZero() {
			conn, _, err := a.find(c)
			if err != nil {
				return err
			}
			a.write(c, http.StatusOK, map[string]any{"id": conn.ID, "ok": w.Error == nil, "error": w.Error, "status": conn.Status, "reason": conn.Reason})
			return nil
		}
		if seen, err = a.Store.Wait(c.Context(), conn.ID, seen); err != nil {
			return err
		}
	}
}

// reconnect takes new credentials, ends every token and mints one.
func (a *API) reconnect(c *call) error {
	var req struct {
		Credentials map[string]string `json:"credentials"`
	}
	if err := body(c, &req); err != nil {
		return err
	}
	if req.Credentials == nil {
		return faults{{"body.credentials", "they are missing"}}
	}
	for {
		conn, rev, err := a.find(c)
		if err != nil {
			return err
		}
		if s, ok := a.systemNamed(conn.System); ok {
			for _, m := range s.Auth {
				if m.Name == conn.Auth || conn.Auth == "" {
					if bad := checkCredentials(m, req.Credentials); len(bad) > 0 {
						return bad
					}
					break
				}
			}
		}
		if conn.Credentials, err = a.Credentials.Seal(conn.ID, req.Credentials); err != nil {
			return err
		}
		conn.CredentialsRevision++
		conn.Failures = 0
		if conn.Invalid == "" && conn.DetachedAt.IsZero() && !conn.Paused {
			conn.Status, conn.Reason, conn.ReasonCode, conn.Since = host.StatusPending, "new credentials, to be checked", "", a.Clock()
		}
		put, err := state.PutOf(state.KindConnection, string(conn.ID), rev, &conn)
		if err != nil {
			return err
		}
		token, err := a.Auth.Renew(c.Context(), conn.ID, put)
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		a.tell(c, host.EventConnectionReconnected, &conn)
		a.write(c, http.StatusOK, map[string]string{"token": token})
		return nil
	}
}
