package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/state"
)

// connections answers connections: those of a status, of a system, and with
// words in their id, label, system, reason or metadata.
func (a *API) connections(c *call) error {
	all, err := state.All[host.Connection](c.Context(), a.Store, state.KindConnection)
	if err != nil {
		return err
	}
	status, system := c.q.values.Get("status"), c.q.values.Get("system")
	words := strings.Fields(strings.ToLower(c.q.values.Get("q")))
	out := []adminView{}
	for i := range all {
		x := &all[i].Value
		if is, _ := statusOf(x); !c.who.Covers(x.ID) || status != "" && status != string(is) || system != "" && system != string(x.System) || !says(x, words) {
			continue
		}
		out = append(out, adminViewOf(x))
	}
	return pageOf(a, c, out, func(v adminView) string { return string(v.ID) })
}

// says whether every word stands somewhere in what is told of a connection.
func says(x *host.Connection, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.Join([]string{string(x.ID), x.Label, string(x.System), x.Reason, x.Invalid, strings.Join(slices.Collect(maps.Values(x.Metadata)), " ")}, " ")
	text = strings.ToLower(text)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
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
	ID          host.ConnectionID             `json:"id,omitempty"`
	System      host.SystemName               `json:"system"`
	Label       string                        `json:"label,omitempty"`
	Settings    map[string]any                `json:"settings,omitempty"`
	Auth        string                        `json:"auth,omitempty"`
	Credentials map[string]string             `json:"credentials,omitempty"`
	Metadata    map[string]string             `json:"metadata,omitempty"`
	Sync        map[string]*orderView         `json:"sync,omitempty"`
	Webhooks    map[host.EndpointID]*hookView `json:"webhooks,omitempty"`
}

// create makes a connection and its first token.
func (a *API) create(c *call) error {
	var req request
	if err := body(c, &req); err != nil {
		return err
	}
	if req.System == "" {
		return faults{{"body.system", "it is missing; /v1/admin/systems lists what there is"}}
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
	var bad faults
	if !host.ValidID(string(req.ID)) {
		bad = append(bad, fault{"body.id", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"})
	}
	credentials := system.HideSettings(conn.Settings, req.Credentials)
	bad = append(bad, inBody(system.CheckSettings(conn.Settings, credentials))...)
	bad = append(bad, inBody(system.CheckLogin(&conn.Auth, credentials))...)
	bad = append(bad, orders(&conn, req.Sync, false)...)
	wrong, err := a.hooks(c.Context(), &conn, req.Webhooks)
	if err != nil {
		return err
	}
	if bad = append(bad, wrong...); len(bad) > 0 {
		return bad
	}
	if credentials != nil {
		sealed, err := a.Credentials.Seal(conn.ID, credentials)
		if err != nil {
			return err
		}
		conn.Credentials, conn.CredentialsRevision = sealed, 1
	}
	put, err := state.PutOf(state.KindConnection, string(conn.ID), state.Absent, &conn)
	if err != nil {
		return err
	}
	event, err := a.eventOf(host.EventConnectionCreated, &conn)
	if err != nil {
		return err
	}
	token, err := a.Auth.MintConnection(c.Context(), conn.ID, "default", host.AccessWrite, time.Time{}, auth.Step{Puts: []state.Put{put}, Events: []host.Event{event}})
	if errors.Is(err, state.ErrChanged) {
		return host.Errorf(host.CodeConflict, "there is a connection %q already", conn.ID)
	}
	if err != nil {
		return err
	}
	c.made.connection = conn.ID
	v := adminViewOf(&conn)
	v.Token = token
	a.write(c, http.StatusCreated, v)
	return nil
}

// eventOf makes an event that tells of a connection.
func (a *API) eventOf(t host.EventType, conn *host.Connection) (host.Event, error) {
	b, err := json.Marshal(map[string]any{"system": conn.System, "label": conn.Label, "session_id": nil})
	if err != nil {
		return host.Event{}, fmt.Errorf("encode an event: %w", err)
	}
	return host.Event{ID: host.EventID("evt_" + ulid.Make().String()), Type: t, Time: a.Clock(), Connection: conn.ID, Data: b}, nil
}

// statusEvents tell that a connection has another status than before.
func (a *API) statusEvents(previous host.ConnectionStatus, conn *host.Connection) ([]host.Event, error) {
	if conn.Status == previous {
		return nil, nil
	}
	e, err := a.newEvent(host.EventConnectionStatusChanged, conn.ID, map[string]any{
		"previous": previous, "status": conn.Status, "reason": conn.Reason, "since": stamp(conn.Since),
	})
	return []host.Event{e}, err
}

// update changes a stored connection and answers it.
func (a *API) update(c *call, edit func(*host.Connection) error) (host.Connection, error) {
	for {
		conn, rev, err := a.find(c)
		if err != nil {
			return conn, err
		}
		previous := conn.Status
		if err := edit(&conn); err != nil {
			return conn, err
		}
		events, err := a.statusEvents(previous, &conn)
		if err != nil {
			return conn, err
		}
		put, err := state.PutOf(state.KindConnection, string(conn.ID), rev, &conn)
		if err != nil {
			return conn, err
		}
		if _, err = a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, events, nil); !errors.Is(err, state.ErrChanged) {
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

// changeRequest says what is to be otherwise: a setting or key that is null is
// taken away, one that is not named stays (RFC 7396).
type changeRequest struct {
	Label    *string                       `json:"label,omitempty"`
	Settings map[string]any                `json:"settings,omitempty"`
	Metadata map[string]*string            `json:"metadata,omitempty"`
	Sync     map[string]*orderView         `json:"sync,omitempty"`
	Webhooks map[host.EndpointID]*hookView `json:"webhooks,omitempty"`
}

func (a *API) change(c *call) error {
	var req changeRequest
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
		for name, v := range req.Metadata {
			if v == nil {
				delete(conn.Metadata, name)
				continue
			}
			if conn.Metadata == nil {
				conn.Metadata = map[string]string{}
			}
			conn.Metadata[name] = *v
		}
		bad := orders(conn, req.Sync, true)
		wrong, err := a.hooks(c.Context(), conn, req.Webhooks)
		if err != nil {
			return err
		}
		if bad = append(bad, wrong...); len(bad) > 0 {
			return bad
		}
		return a.changeSettings(conn, req.Settings)
	})
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, adminViewOf(&conn))
	return nil
}

// changeSettings merges settings into a connection's, the secret ones into
// what is sealed, and has it checked anew.
func (a *API) changeSettings(conn *host.Connection, settings map[string]any) error {
	if len(settings) == 0 {
		return nil
	}
	system, ok := a.systemNamed(conn.System)
	if !ok {
		return host.Errorf(host.CodeConflict, "the system %q of this connection cannot be connected now, so its settings cannot be checked", conn.System)
	}
	opened, err := a.Credentials.Open(conn)
	if err != nil {
		return err
	}
	if conn.Settings == nil {
		conn.Settings = map[string]any{}
	}
	for name, v := range settings {
		if v == nil {
			delete(conn.Settings, name)
			delete(opened, host.SettingPrefix+name)
		} else {
			conn.Settings[name] = v
		}
	}
	opened = system.HideSettings(conn.Settings, opened)
	if bad := inBody(system.CheckSettings(conn.Settings, opened)); len(bad) > 0 {
		return bad
	}
	if len(opened) > 0 || conn.Credentials != nil {
		if conn.Credentials, err = a.Credentials.Seal(conn.ID, opened); err != nil {
			return err
		}
	}
	conn.CredentialsRevision++
	conn.Fresh("other settings, to be checked", a.Clock())
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
	event, err := a.eventOf(host.EventConnectionRemoved, &conn)
	if err != nil {
		return err
	}
	if err := a.Store.Purge(c.Context(), conn.ID, event); err != nil { // its tokens go with it
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
	if err := callable(&conn); err != nil {
		return err
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
	ctx, cancel := context.WithTimeout(c.Context(), longestCheck)
	defer cancel()
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
			a.write(c, http.StatusOK, checkView{conn.ID, w.Error == nil, w.Error, conn.Status, conn.Reason})
			return nil
		}
		if seen, err = a.Store.Wait(ctx, conn.ID, seen); err != nil {
			if ctx.Err() != nil && c.Context().Err() == nil {
				return host.Errorf(host.CodeUnavailable, "the check takes longer than %s and goes on; the connection's status will tell", longestCheck)
			}
			return err
		}
	}
}

// longestCheck is how long an answer waits for a check.
const longestCheck = 60 * time.Second

// reconnectRequest gives new credentials.
type reconnectRequest struct {
	Credentials map[string]string `json:"credentials"`
}

// reconnect takes new credentials, ends every token and mints one.
func (a *API) reconnect(c *call) error {
	var req reconnectRequest
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
		if !conn.DetachedAt.IsZero() {
			return host.Errorf(host.CodeConflict, "the connection %s is detached: put its block back first", conn.ID)
		}
		previous := conn.Status
		if err := a.renew(&conn, req.Credentials); err != nil {
			return err
		}
		events, err := a.statusEvents(previous, &conn)
		if err != nil {
			return err
		}
		put, err := state.PutOf(state.KindConnection, string(conn.ID), rev, &conn)
		if err != nil {
			return err
		}
		event, err := a.eventOf(host.EventConnectionReconnected, &conn)
		if err != nil {
			return err
		}
		token, err := a.Auth.Renew(c.Context(), conn.ID, auth.Step{Puts: []state.Put{put}, Events: append(events, event)})
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		a.write(c, http.StatusOK, tokenAnswer{token})
		return nil
	}
}

// renew puts new credentials into a connection. Secret settings that are not
// given again stay.
func (a *API) renew(conn *host.Connection, given map[string]string) error {
	system, ok := a.systemNamed(conn.System)
	if !ok {
		return host.Errorf(host.CodeConflict, "the system %q of this connection cannot be connected now; is its connector in plugin_dir?", conn.System)
	}
	credentials := system.HideSettings(nil, given)
	if bad := inBody(system.CheckLogin(&conn.Auth, credentials)); len(bad) > 0 {
		return bad
	}
	// What cannot be opened any more is what is being replaced.
	if before, err := a.Credentials.Open(conn); err == nil {
		for name, v := range before {
			if _, again := credentials[name]; !again && strings.HasPrefix(name, host.SettingPrefix) {
				credentials[name] = v
			}
		}
	}
	sealed, err := a.Credentials.Seal(conn.ID, credentials)
	if err != nil {
		return err
	}
	conn.Credentials = sealed
	conn.CredentialsRevision++
	conn.Fresh("new credentials, to be checked", a.Clock())
	return nil
}
