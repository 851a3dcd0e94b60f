package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// pageOf answers a part of a list that is known whole, in order of its keys.
func pageOf[T any](a *API, c *call, all []T, key func(T) string) error {
	q := parse(c, "limit", "cursor")
	limit := q.limit()
	if err := q.err(); err != nil {
		return err
	}
	sort.SliceStable(all, func(i, j int) bool { return key(all[i]) < key(all[j]) })
	after := q.values.Get("cursor")
	out := list[T]{Data: []T{}}
	for _, v := range all {
		if after != "" && key(v) <= after {
			continue
		}
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		out.Data = append(out.Data, v)
		out.NextCursor = key(v)
	}
	if out.NextCursor == "" {
		out.NextCursor = after
	}
	a.write(c, http.StatusOK, out)
	return nil
}

func (a *API) systems(c *call) error {
	return pageOf(a, c, a.Systems(), func(s host.System) string { return string(s.Name) })
}

func (a *API) system(c *call) error {
	s, ok := a.systemNamed(host.SystemName(c.PathValue("system")))
	if !ok {
		return host.Errorf(host.CodeNotFound, "there is no system %q; /v1/admin/systems lists what there is", c.PathValue("system"))
	}
	a.write(c, http.StatusOK, s)
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
	out := make([]host.Process, len(all))
	for i := range all {
		out[i] = all[i].Value
		if c.who.Role == host.RoleViewer {
			out[i].Log = nil
		}
	}
	return pageOf(a, c, out, func(p host.Process) string { return p.ID })
}

// need is something that waits for a person.
type need struct {
	Connection host.ConnectionID `json:"connection_id,omitempty"`
	Connector  string            `json:"connector,omitempty"`
	What       string            `json:"what"`
	Do         string            `json:"do"`
}

// status answers what runs, and what needs a person.
func (a *API) status(c *call) error {
	conns, err := state.All[host.Connection](c.Context(), a.Store, state.KindConnection)
	if err != nil {
		return err
	}
	procs, err := state.All[host.Process](c.Context(), a.Store, state.KindProcess)
	if err != nil {
		return err
	}
	counts := map[host.ConnectionStatus]int{}
	needs := []need{}
	for _, v := range conns {
		x := &v.Value
		if !c.who.Covers(x.ID) {
			continue
		}
		counts[x.Status]++
		n := need{Connection: x.ID, What: string(x.Status) + ": " + x.Reason}
		switch x.Status {
		case host.StatusAuthRequired:
			n.Do = fmt.Sprintf("dinrail connection reconnect %s", x.ID)
		case host.StatusInvalid:
			n.What, n.Do = "invalid: "+x.Invalid, "mend the block, then dinrail reload"
		case host.StatusOffline:
			n.Do = "see whether the system is up and reachable from here; it comes back by itself"
		case host.StatusPending:
			if x.Credentials != nil && x.Reason == "" {
				continue
			}
			if x.Credentials == nil {
				n.What, n.Do = "pending: nobody has given credentials", fmt.Sprintf("dinrail connection reconnect %s", x.ID)
			} else {
				n.Do = "it is tried again by itself"
			}
		default:
			continue
		}
		needs = append(needs, n)
	}
	for _, p := range procs {
		if p.Value.Status == host.ProcessCrashed {
			needs = append(needs, need{Connector: p.Value.ID, What: "crashed: " + p.Value.Reason, Do: "dinrail connector show " + p.Value.ID + " shows its last log lines"})
		}
	}
	a.write(c, http.StatusOK, map[string]any{"version": a.Version, "connections": counts, "needs": needs})
	return nil
}

func (a *API) plan(c *call) error   { return a.outcome(c, a.Plan) }
func (a *API) reload(c *call) error { return a.outcome(c, a.Reload) }

func (a *API) outcome(c *call, f func(context.Context) (any, error)) error {
	if f == nil {
		return host.Errorf(host.CodeUnsupported, "this host has no configuration to reload")
	}
	v, err := f(c.Context())
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, v)
	return nil
}

// tokenView is a token as it is listed.
type tokenView struct {
	ID          host.TokenID `json:"id"`
	Name        string       `json:"name"`
	Access      host.Access  `json:"access,omitempty"`
	Role        host.Role    `json:"role,omitempty"`
	Connections []string     `json:"connections,omitempty"`
	CreatedAt   string       `json:"created_at"`
	ExpiresAt   string       `json:"expires_at,omitempty"`
}

func (a *API) tokens(c *call) error {
	id := host.ConnectionID(c.PathValue("connection"))
	all, err := a.Auth.List(c.Context(), id)
	if err != nil {
		return err
	}
	out := make([]tokenView, len(all))
	for i, t := range all {
		out[i] = tokenView{t.ID, t.Name, t.Access, t.Role, t.Scope, host.FormatTime(t.CreatedAt), host.FormatTime(t.ExpiresAt)}
	}
	return pageOf(a, c, out, func(t tokenView) string { return t.Name })
}

// expiry reads how long a token is to live.
func (a *API) expiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := time.ParseDuration(text)
	if n := len(text) - 1; err != nil && n > 0 && text[n] == 'd' {
		var days int
		days, err = strconv.Atoi(text[:n])
		d = time.Duration(days) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		return time.Time{}, faults{{"body.expires_in", "it must be a duration such as 12h or 90d"}}
	}
	return a.Clock().Add(d), nil
}

func (a *API) mint(c *call) error {
	conn, _, err := a.find(c)
	if err != nil {
		return err
	}
	req := struct {
		Name      string      `json:"name"`
		Access    host.Access `json:"access"`
		ExpiresIn string      `json:"expires_in"`
	}{Name: "default", Access: host.AccessWrite}
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
	token, err := a.Auth.MintConnection(c.Context(), conn.ID, req.Name, req.Access, expires)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, map[string]string{"token": token})
	return nil
}

func (a *API) mintAdmin(c *call) error {
	req := struct {
		Name        string    `json:"name"`
		Role        host.Role `json:"role"`
		Connections []string  `json:"connections"`
		ExpiresIn   string    `json:"expires_in"`
	}{Name: "default", Role: host.RoleAdmin}
	if err := body(c, &req); err != nil {
		return err
	}
	if !slices.Contains([]host.Role{host.RoleViewer, host.RoleOperator, host.RoleConnector, host.RoleAdmin}, req.Role) {
		return faults{{"body.role", "it must be viewer, operator, connector or admin"}}
	}
	if !host.ValidID(req.Name) {
		return faults{{"body.name", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"}}
	}
	expires, err := a.expiry(req.ExpiresIn)
	if err != nil {
		return err
	}
	token, err := a.Auth.MintAdmin(c.Context(), req.Name, req.Role, req.Connections, expires)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, map[string]string{"token": token})
	return nil
}

func (a *API) revoke(c *call) error {
	q := parse(c, "name")
	if err := q.err(); err != nil {
		return err
	}
	n, err := a.Auth.Revoke(c.Context(), host.ConnectionID(c.PathValue("connection")), q.values.Get("name"))
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, map[string]int{"revoked": n})
	return nil
}

// events answers events after a place, oldest first; with wait it waits.
func (a *API) events(c *call) error {
	q := parse(c, "limit", "cursor", "after", "type", "wait")
	limit := q.limit()
	wait := q.duration("wait", longestWait)
	var after uint64
	for _, name := range []string{"after", "cursor"} {
		if v := q.values.Get(name); v != "" {
			n, err := strconv.ParseUint(v, 10, 64)
			if err != nil {
				q.fault(name, "it must be the next_cursor of an earlier answer")
			}
			after = n
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	deadline, cancel := context.WithTimeout(c.Context(), wait)
	defer cancel()
	out := list[host.Event]{Data: []host.Event{}}
	for {
		seen, _, err := a.Store.Position(c.Context(), "")
		if err != nil {
			return err
		}
		for {
			part, err := a.Store.Events(c.Context(), host.Sequence(after), limit)
			if err != nil {
				return err
			}
			for _, e := range part {
				if len(out.Data) == limit {
					break
				}
				after = uint64(e.Sequence)
				if t := q.values.Get("type"); (t == "" || t == string(e.Type)) && c.who.Covers(e.Connection) {
					out.Data = append(out.Data, e)
				}
			}
			out.HasMore = len(part) == limit
			if len(out.Data) > 0 || !out.HasMore {
				break
			}
		}
		if len(out.Data) == 0 && wait > 0 {
			if _, err := a.Store.Wait(deadline, "", seen); err == nil {
				continue
			} else if deadline.Err() == nil {
				return err
			}
		}
		out.NextCursor = strconv.FormatUint(after, 10)
		a.write(c, http.StatusOK, out)
		return nil
	}
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
