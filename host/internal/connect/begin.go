package connect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Begin starts to try what a person filled in; Attempt tells what becomes of
// it. A mistake in its form is told there too, and nothing is tried. The error
// has host.CodeConflict where the session has ended or a login is being tried,
// host.CodeRateLimited after too many attempts.
func (c *Connect) Begin(ctx context.Context, link string, g Given) error {
	s, _, err := c.Params.Session(ctx, link)
	if err != nil {
		return err
	}
	p, err := c.plan(ctx, &s, g)
	if err != nil {
		return err
	}
	if len(p.faults) > 0 {
		return c.refuse(s.ID, p.shown, p.faults)
	}
	if p.away {
		return c.depart(link, s.ID, p)
	}
	run, number, err := c.begin(s.ID, p.shown, "Waiting for a free place to try the login")
	if err != nil {
		return err
	}
	c.work.Go(func() { c.carryOut(run, link, s.ID, number, p) })
	return nil
}

// plan is a connection as it would be, and what is wrong with it.
type plan struct {
	system host.System
	method *host.AuthMethod
	conn   host.Connection
	shown  Given // what may be shown again
	faults []host.Fault
	away   bool // the login is made at the vendor's
}

// plan makes of what a person filled in the connection that is to be tried.
func (c *Connect) plan(ctx context.Context, s *host.ConnectSession, g Given) (plan, error) {
	now := time.Now().UTC()
	switch s.Status(now) {
	case host.SessionOpen:
	case host.SessionCompleted:
		return plan{}, host.Errorf(host.CodeConflict, "this link has been used")
	case host.SessionExpired:
		return plan{}, host.Errorf(host.CodeConflict, "this link has expired; ask whoever sent it for a new one")
	default:
		return plan{}, host.Errorf(host.CodeConflict, "this was canceled; ask whoever sent the link for a new one")
	}
	var p plan
	if s.Connection != "" {
		conn, _, err := state.Get[host.Connection](ctx, c.Store, state.KindConnection, string(s.Connection))
		if err != nil {
			return p, fmt.Errorf("read connection %s: %w", s.Connection, err)
		}
		if !conn.DetachedAt.IsZero() {
			return p, host.Errorf(host.CodeConflict, "this connection was taken out of the configuration; whoever runs it has to put it back first")
		}
		p.conn, g.System = conn, conn.System
	} else {
		p.conn = host.Connection{
			System: g.System, ManagedBy: host.ManagedByAPI, CheckEvery: host.DefaultCheckEvery, CreatedAt: now,
			Label: strings.TrimSpace(g.Label), Incarnation: c.NewID(""),
		}
		if n := s.New; n != nil {
			p.conn.ID, p.conn.Metadata = n.ID, n.Metadata
			if p.conn.Label == "" {
				p.conn.Label = n.Label
			}
		}
		if p.conn.ID == "" {
			p.conn.ID = host.ConnectionID(strings.ToLower(string(g.System) + "-" + c.NewID("")[16:]))
		}
	}
	i := slices.IndexFunc(c.Systems(s), func(x host.System) bool { return x.Name == g.System })
	if i < 0 {
		return p, host.Errorf(host.CodeNotFound, "this link does not connect to %q", string(g.System))
	}
	p.system = c.Systems(s)[i]
	if p.conn.Label == "" {
		p.conn.Label = p.system.Label
	}
	if len([]rune(p.conn.Label)) > 200 {
		p.faults = append(p.faults, host.Fault{Path: "label", Message: "it is longer than 200 characters"})
	}
	p.shown = c.shown(p.system, g)
	p.fill(s, g)
	return p, p.seal(c, g)
}

// shown is what was given without what is secret.
func (c *Connect) shown(system host.System, g Given) Given {
	out := Given{System: g.System, Label: g.Label, Auth: g.Auth, Settings: map[string]string{}, Credentials: map[string]string{}}
	for _, d := range system.Settings {
		if v, ok := g.Settings[d.Name]; ok && !d.Secret {
			out.Settings[d.Name] = v
		}
	}
	for _, m := range system.Auth {
		if m.Name != g.Auth && (g.Auth != "" || m.Name != system.Auth[0].Name) {
			continue
		}
		for _, f := range m.Fields {
			if v, ok := g.Credentials[f.Name]; ok && !f.Secret {
				out.Credentials[f.Name] = v
			}
		}
	}
	return out
}

// fill puts the settings in that were given, where the person may.
func (p *plan) fill(s *host.ConnectSession, g Given) {
	settings := maps.Clone(p.conn.Settings)
	if settings == nil {
		settings = map[string]any{}
	}
	locked := func(name string) bool { return p.conn.ManagedBy == host.ManagedByFile }
	if s.New != nil && s.Connection == "" {
		maps.Copy(settings, s.New.Settings)
		locked = func(name string) bool { return slices.Contains(s.New.Locked, name) }
	}
	for i := range p.system.Settings {
		d := &p.system.Settings[i]
		typed, given := g.Settings[d.Name]
		if typed = strings.TrimSpace(typed); !given || locked(d.Name) {
			continue
		}
		if typed == "" {
			delete(settings, d.Name)
			continue
		}
		settings[d.Name] = valueOf(d.Type, typed)
	}
	p.conn.Settings = settings
}

// valueOf is a typed setting's value: numbers and truths as such, where they
// have the form of one.
func valueOf(kind, typed string) any {
	switch kind {
	case "number":
		if f, err := strconv.ParseFloat(typed, 64); err == nil {
			return f
		}
	case "bool":
		if b, err := strconv.ParseBool(typed); err == nil {
			return b
		}
	}
	return typed
}

// seal checks the login and seals it.
func (p *plan) seal(c *Connect, g Given) error {
	if len(p.system.Auth) > 0 {
		if g.Auth == "" {
			g.Auth = p.system.Auth[0].Name
		}
		i := slices.IndexFunc(p.system.Auth, func(m host.AuthMethod) bool { return m.Name == g.Auth })
		if i < 0 {
			return host.Errorf(host.CodeNotFound, "%s has no such way to log in", p.system.Label)
		}
		p.method, p.conn.Auth = &p.system.Auth[i], g.Auth
	}
	login := map[string]string{}
	p.away = p.method != nil && c.Vendor.Asks(&p.system, p.method.Name)
	if p.method != nil && !p.away {
		for _, f := range p.method.Fields {
			v := g.Credentials[f.Name]
			if !f.Secret {
				v = strings.TrimSpace(v)
			}
			if v == "" {
				v = f.Default
			}
			if v != "" {
				login[f.Name] = v
			}
		}
		p.faults = append(p.faults, p.method.Check(login)...)
	}
	credentials := p.system.HideSettings(p.conn.Settings, login)
	if len(p.conn.Credentials) > 0 { // secret settings that were not given again stay
		before, err := c.Open(&p.conn)
		if err != nil {
			before = nil // it cannot be opened any more, and is being replaced
		}
		for name, v := range before {
			if _, again := credentials[name]; !again && strings.HasPrefix(name, host.SettingPrefix) {
				credentials[name] = v
			}
		}
	}
	p.faults = append(p.faults, p.system.CheckSettings(p.conn.Settings, credentials)...)
	if len(p.faults) > 0 {
		return nil
	}
	sealed, err := c.Seal(p.conn.ID, credentials)
	if err != nil {
		return err
	}
	p.conn.Credentials = sealed
	return nil
}

// carryOut tries a login and, when it is right, keeps the connection.
func (c *Connect) carryOut(ctx context.Context, link string, id host.SessionID, number int, p plan) {
	step := func(words string) { c.tell(id, number, func(a *Attempt) { a.Step = words }) }
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
	}
	step("Logging in to " + p.system.Label)
	entities, err := c.Try(ctx, &p.conn)
	if err == nil {
		err = readable(entities)
	}
	if err != nil {
		faults, problem := explain(&p, err, ctx.Err() != nil)
		if host.CodeOf(err) == host.CodeInternal {
			c.Log.Warn("a login could not be tried", "session", id, "system", p.system.Name, "error", err)
		}
		c.tell(id, number, func(a *Attempt) { a.Stage, a.Faults, a.Problem = StageFailed, faults, problem })
		return
	}
	step("Keeping the connection")
	token, err := c.complete(ctx, link, &p, entities)
	if err != nil {
		problem := host.MessageOf(err)
		if host.CodeOf(err) == host.CodeInternal {
			c.Log.Error("keep a connection", "session", id, "connection", p.conn.ID, "error", err)
			problem = "The login is right, but it could not be kept here. Try again; if it stays so, tell whoever sent you this link."
		}
		c.tell(id, number, func(a *Attempt) { a.Stage, a.Problem = StageFailed, problem })
		return
	}
	c.tell(id, number, func(a *Attempt) {
		a.Stage, a.Connection, a.Label, a.Entities, a.token = StageDone, p.conn.ID, p.conn.Label, entities, token
	})
}

// readable refuses a login that may read nothing of what there is.
func readable(entities []host.Entity) error {
	for _, e := range entities {
		if e.Denied == "" {
			return nil
		}
	}
	if len(entities) == 0 {
		return nil // an empty database is none of the person's mistakes
	}
	return host.Errorf(host.CodePermissionDenied, "the login works, but it may read nothing: %s.", entities[0].Denied)
}

// audited is what the audit log says of a person with a link.
func audited(s *host.ConnectSession, action string, now time.Time) *host.AuditEntry {
	e := &host.AuditEntry{At: now, Who: "whoever had the link", Via: "connect_page", Action: action, Connection: s.Made, Target: string(s.ID), Outcome: host.AuditDone}
	if s.Connection != "" {
		e.Action, e.Connection = "connection.renew", s.Connection
	}
	if u := s.EndUser; u != nil {
		e.Who = cmp.Or(u.Name, u.ID, e.Who)
	}
	return e
}

// complete keeps what was tried, ends the session and makes the token, all in
// one step.
func (c *Connect) complete(ctx context.Context, link string, p *plan, entities []host.Entity) (string, error) {
	for {
		s, rev, err := c.Params.Session(ctx, link)
		if err != nil {
			return "", err
		}
		now := time.Now().UTC()
		if !s.CompletedAt.IsZero() || !s.CanceledAt.IsZero() { // one that expired while the login was tried is not too late
			return "", host.Errorf(host.CodeConflict, "this link was used or canceled in the meantime")
		}
		conn, expect, kind := p.conn, state.Absent, host.EventConnectionCreated
		if s.Connection != "" {
			stored, at, err := state.Get[host.Connection](ctx, c.Store, state.KindConnection, string(s.Connection))
			if err != nil {
				return "", fmt.Errorf("read connection %s: %w", s.Connection, err)
			}
			stored.Credentials, stored.Auth = p.conn.Credentials, p.conn.Auth
			if stored.ManagedBy == host.ManagedByAPI {
				stored.Settings = p.conn.Settings
			}
			conn, expect, kind = stored, at, host.EventConnectionReconnected
		}
		conn.CredentialsRevision++
		conn.Entities = entities
		conn.Fresh("connected, to be checked", now)
		s.CompletedAt, s.Made = now, conn.ID
		var with Step
		for _, d := range []struct {
			kind   state.Kind
			id     string
			expect host.Sequence
			v      any
		}{{state.KindConnection, string(conn.ID), expect, &conn}, {state.KindSession, string(s.ID), rev, &s}} {
			put, err := state.PutOf(d.kind, d.id, d.expect, d.v)
			if err != nil {
				return "", err
			}
			with.Puts = append(with.Puts, put)
		}
		entry, err := state.PutOf(state.KindAudit, c.NewID("aud_"), state.Any, audited(&s, "connection.connect", now))
		if err != nil {
			return "", err
		}
		with.Puts = append(with.Puts, entry)
		b, err := json.Marshal(map[string]any{"system": conn.System, "label": conn.Label, "session_id": s.ID})
		if err != nil {
			return "", fmt.Errorf("encode an event: %w", err)
		}
		with.Events = []host.Event{{ID: host.EventID(c.NewID("evt_")), Type: kind, Time: now, Connection: conn.ID, Data: b}}
		token, err := c.Mint(ctx, conn.ID, with, s.Deliver == host.DeliverPage)
		if errors.Is(err, state.ErrChanged) {
			if expect != state.Absent {
				continue
			}
			if _, _, err := state.Get[host.Connection](ctx, c.Store, state.KindConnection, string(conn.ID)); err == nil {
				return "", host.Errorf(host.CodeConflict, "there is a connection of that name already; ask whoever sent the link for a new one")
			}
			continue
		}
		p.conn = conn
		return token, err
	}
}
