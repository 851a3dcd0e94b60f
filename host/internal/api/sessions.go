package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/state"
)

// sessionRoutes are the calls about connect sessions.
func (a *API) sessionRoutes() []route {
	const all, one = "/v1/admin/connect-sessions", "/v1/admin/connect-sessions/{session}"
	rs := []route{
		{method: "POST", audit: "connect_session.create", path: all, summary: "Make a link with which a person connects a system, or renews a connection's login", do: a.createSession, status: http.StatusCreated, body: sessionRequest{}, answer: sessionLink{}},
		{method: "GET", path: one, summary: "What became of a connect session", do: a.session, answer: sessionView{}},
		{method: "POST", audit: "connect_session.exchange", path: one + "/exchange", summary: "Fetch the token of a completed session, once", do: a.exchange, answer: exchangeAnswer{}},
	}
	for i := range rs {
		rs[i].open, rs[i].role = admin, host.RoleConnector
	}
	return rs
}

// sessionRequest is a connect session as it is asked for.
type sessionRequest struct {
	Systems        []host.SystemName  `json:"systems,omitempty"`
	Connection     host.ConnectionID  `json:"connection_id,omitempty"`
	New            *newConnection     `json:"new,omitempty"`
	EndUser        *host.EndUser      `json:"end_user,omitempty"`
	RedirectURL    string             `json:"redirect_url,omitempty"`
	State          string             `json:"state,omitempty"`
	AllowedOrigins []string           `json:"allowed_origins,omitempty"`
	Deliver        *host.DeliverToken `json:"deliver_token,omitempty"`
	ExpiresIn      string             `json:"expires_in,omitempty"`
}

// newConnection is what a request presets of the connection to be created.
type newConnection struct {
	ID       host.ConnectionID `json:"id,omitempty"`
	Label    string            `json:"label,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Settings map[string]any    `json:"settings,omitempty"`
	Locked   []string          `json:"locked,omitempty"`
}

// sessionLink is the one answer that holds a session's link.
type sessionLink struct {
	ID        host.SessionID `json:"id"`
	URL       string         `json:"url"`
	ExpiresAt stamp          `json:"expires_at"`
}

// sessionView is a session as it is shown.
type sessionView struct {
	ID          host.SessionID     `json:"id"`
	Status      host.SessionStatus `json:"status"`
	Connection  *host.ConnectionID `json:"connection_id"` // that came of it, or is to be renewed
	Systems     []host.SystemName  `json:"systems"`
	EndUser     *host.EndUser      `json:"end_user"`
	Deliver     host.DeliverToken  `json:"deliver_token"`
	Exchanged   bool               `json:"exchanged"`
	CreatedBy   string             `json:"created_by"`
	CreatedAt   stamp              `json:"created_at"`
	ExpiresAt   stamp              `json:"expires_at"`
	CompletedAt stamp              `json:"completed_at"`
}

type exchangeAnswer struct {
	Connection host.ConnectionID `json:"connection_id"`
	Token      string            `json:"token"`
}

func (a *API) createSession(c *call) error {
	if a.PageURL == nil {
		return host.Errorf(host.CodeUnsupported, "this host serves no connect page")
	}
	var req sessionRequest
	if err := body(c, &req); err != nil {
		return err
	}
	if c.who.Role == host.RoleOperator && req.Connection == "" {
		return host.Errorf(host.CodeForbidden, "the role operator may renew the login of a connection, which connection_id names; a new connection needs the role connector or admin")
	}
	now := a.Clock()
	s := host.ConnectSession{
		Systems: req.Systems, Connection: req.Connection, EndUser: req.EndUser, RedirectURL: req.RedirectURL, State: req.State,
		AllowedOrigins: req.AllowedOrigins, Deliver: host.DeliverExchange, CreatedBy: c.who.Name, CreatedAt: now, ExpiresAt: now.Add(host.DefaultSessionLife),
	}
	bad, err := a.sessionOf(c, &req, &s)
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		return bad
	}
	link, id, hash := auth.NewLink()
	s.ID, s.Hash = id, hash
	put, err := state.PutOf(state.KindSession, string(id), state.Absent, &s)
	if err != nil {
		return err
	}
	if _, err := a.Store.Commit(c.Context(), now, []state.Put{put}, nil, nil); err != nil {
		return err
	}
	c.made = made{connection: s.Connection, target: string(id)}
	a.write(c, http.StatusCreated, sessionLink{id, a.PageURL() + "/connect/" + link, stamp(s.ExpiresAt)})
	return nil
}

// signInLink is the one answer that holds a link to the dashboard.
type signInLink struct {
	URL       string `json:"url"`
	ExpiresAt stamp  `json:"expires_at"`
}

// createSignIn makes a link that signs its caller in to the dashboard.
func (a *API) createSignIn(c *call) error {
	if a.PageURL == nil {
		return host.Errorf(host.CodeUnsupported, "this host serves no dashboard")
	}
	link, until, err := a.Auth.SignInLink(c.Context(), &c.who)
	if err != nil {
		return err
	}
	a.write(c, http.StatusCreated, signInLink{a.PageURL() + "/sign-in/" + link, stamp(until)})
	return nil
}

// sessionOf checks a request and takes it over.
func (a *API) sessionOf(c *call, req *sessionRequest, s *host.ConnectSession) (bad faults, err error) {
	for i, name := range req.Systems {
		if _, ok := a.systemNamed(name); !ok {
			bad = append(bad, fault{fmt.Sprintf("body.systems.%d", i), fmt.Sprintf("there is no system %q; /v1/admin/systems lists what there is", name)})
		}
	}
	if req.Deliver != nil {
		if s.Deliver = *req.Deliver; s.Deliver != host.DeliverPage && s.Deliver != host.DeliverExchange {
			bad = append(bad, fault{"body.deliver_token", "it must be page or exchange"})
		}
	}
	if req.ExpiresIn != "" {
		d, err := host.ParseDuration(req.ExpiresIn)
		if err != nil || d < host.MinSessionLife || d > host.MaxSessionLife {
			bad = append(bad, fault{"body.expires_in", "it must be a duration from 1s to 7d"})
		}
		s.ExpiresAt = s.CreatedAt.Add(d)
	}
	if req.EndUser != nil && req.EndUser.ID == "" {
		bad = append(bad, fault{"body.end_user.id", "it is missing; it is how your application knows the person"})
	}
	if req.RedirectURL != "" && !secureURL(req.RedirectURL) {
		bad = append(bad, fault{"body.redirect_url", "it must be an https URL, or an http URL of this machine"})
	}
	for i, origin := range req.AllowedOrigins {
		if u, err := url.Parse(origin); err != nil || !secureURL(origin) || origin != u.Scheme+"://"+u.Host {
			bad = append(bad, fault{fmt.Sprintf("body.allowed_origins.%d", i), "it must be an origin, as in https://app.example.com"})
		}
	}
	if req.Connection == "" {
		return append(bad, a.presets(c, req, s)...), nil
	}
	if req.New != nil {
		bad = append(bad, fault{"body.new", "a session either creates a connection or renews the one that connection_id names"})
	}
	conn, _, err := state.Get[host.Connection](c.Context(), a.Store, state.KindConnection, string(req.Connection))
	if errors.Is(err, state.ErrNotFound) || err == nil && !c.who.Covers(req.Connection) {
		return append(bad, fault{"body.connection_id", fmt.Sprintf("there is no connection %q", req.Connection)}), nil
	}
	if err == nil {
		s.Systems = []host.SystemName{conn.System}
	}
	return bad, err
}

// presets checks what the connection to be created is to have.
func (a *API) presets(c *call, req *sessionRequest, s *host.ConnectSession) (bad faults) {
	n := req.New
	if n == nil {
		n = &newConnection{}
	}
	switch {
	case n.ID != "" && !host.ValidID(string(n.ID)):
		bad = append(bad, fault{"body.new.id", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"})
	case c.who.Limited() && (n.ID == "" || !c.who.Covers(n.ID)):
		bad = append(bad, fault{"body.new.id", "this token is limited to some connections: name one of them"})
	}
	may := func(x host.System) bool { return len(req.Systems) == 0 || slices.Contains(req.Systems, x.Name) }
	for _, name := range slices.Sorted(maps.Keys(n.Settings)) {
		known := false
		for _, x := range a.Systems() {
			for _, d := range x.Settings {
				if !may(x) || d.Name != name {
					continue
				}
				known = true
				if d.Secret {
					bad = append(bad, fault{"body.new.settings." + name, fmt.Sprintf("it is secret in the system %s: leave it to the person", x.Name)})
				}
			}
		}
		if !known {
			bad = append(bad, fault{"body.new.settings." + name, "no system of this session has such a setting"})
		}
	}
	for i, name := range n.Locked {
		if _, ok := n.Settings[name]; !ok {
			bad = append(bad, fault{fmt.Sprintf("body.new.locked.%d", i), "new.settings has no such setting to be locked"})
		}
	}
	preset := host.NewConnection(*n)
	s.New = &preset
	return bad
}

// secureURL says whether a URL may be handed what belongs to a session.
func secureURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	name := u.Hostname()
	ip := net.ParseIP(name)
	return u.Scheme == "https" || u.Scheme == "http" && (name == "localhost" || strings.HasSuffix(name, ".localhost") || ip != nil && ip.IsLoopback())
}

// findSession reads the session of a request's path, if it is the caller's.
func (a *API) findSession(c *call) (host.ConnectSession, host.Sequence, error) {
	id := c.PathValue("session")
	s, rev, err := state.Get[host.ConnectSession](c.Context(), a.Store, state.KindSession, id)
	about := s.Connection
	if about == "" && s.New != nil {
		about = s.New.ID
	}
	// A token for sessions alone knows those that were made with it, and those
	// that events lead to.
	if errors.Is(err, state.ErrNotFound) || err == nil && (c.who.Limited() && !c.who.Covers(about) || c.who.Role != host.RoleAdmin && s.CreatedBy != c.who.Name && s.CreatedBy != host.SessionByHost) {
		return s, 0, host.Errorf(host.CodeNotFound, "there is no connect session %q", id)
	}
	return s, rev, err
}

func (a *API) session(c *call) error {
	s, _, err := a.findSession(c)
	if err != nil {
		return err
	}
	v := sessionView{
		ID: s.ID, Status: s.Status(a.Clock()), Systems: s.Systems, EndUser: s.EndUser, Deliver: s.Deliver, Exchanged: !s.ExchangedAt.IsZero(),
		CreatedBy: s.CreatedBy, CreatedAt: stamp(s.CreatedAt), ExpiresAt: stamp(s.ExpiresAt), CompletedAt: stamp(s.CompletedAt),
	}
	if v.Systems == nil {
		v.Systems = []host.SystemName{}
	}
	if made := cmp.Or(s.Made, s.Connection); made != "" {
		v.Connection = &made
	}
	a.write(c, http.StatusOK, v)
	return nil
}

// exchange hands out the token of what a session has made.
func (a *API) exchange(c *call) error {
	for {
		s, rev, err := a.findSession(c)
		if err != nil {
			return err
		}
		switch {
		case s.Deliver == host.DeliverPage:
			return host.Errorf(host.CodeConflict, "this session's token was for the page; sessions made with deliver_token exchange are exchanged")
		case s.CompletedAt.IsZero():
			return host.Errorf(host.CodeConflict, "nobody has completed this session yet: it is %s", s.Status(a.Clock()))
		case !s.ExchangedAt.IsZero():
			return host.Errorf(host.CodeConflict, "this session's token was handed out at %s; mint another with POST /v1/admin/connections/%s/token", host.FormatTime(s.ExchangedAt), s.Made)
		}
		s.ExchangedAt = a.Clock().UTC()
		put, err := state.PutOf(state.KindSession, string(s.ID), rev, &s)
		if err != nil {
			return err
		}
		// The connection is in the step, so that no token outlives it.
		conn, at, err := state.Get[host.Connection](c.Context(), a.Store, state.KindConnection, string(s.Made))
		if errors.Is(err, state.ErrNotFound) {
			return host.Errorf(host.CodeConflict, "the connection %s was removed", s.Made)
		}
		if err != nil {
			return err
		}
		same, err := state.PutOf(state.KindConnection, string(conn.ID), at, &conn)
		if err != nil {
			return err
		}
		token, err := a.Auth.MintConnection(c.Context(), conn.ID, "default", host.AccessWrite, time.Time{}, auth.Step{Puts: []state.Put{put, same}})
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		a.write(c, http.StatusOK, exchangeAnswer{conn.ID, token})
		return nil
	}
}
