package api

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// loopback says whether the request comes from this machine, and not through a
// proxy on it.
func loopback(r *http.Request) bool {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	name, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// admit finds out who asks and whether the route is theirs.
func (a *API) admit(c *call, r route) error {
	if r.open == everybody || r.open == machine && (loopback(c.Request) || c.local != nil) {
		return nil
	}
	if c.local != nil {
		c.who = *c.local
	} else {
		scheme, bearer, _ := strings.Cut(c.Header.Get("Authorization"), " ")
		if bearer = strings.TrimSpace(bearer); bearer == "" || !strings.EqualFold(scheme, "Bearer") {
			return host.Errorf(host.CodeUnauthorized, "this call needs the header Authorization: Bearer and a token")
		}
		who, err := a.Auth.Authenticate(c.Context(), bearer)
		if err != nil {
			return err
		}
		c.who = who
	}
	if r.open == data {
		return a.admitData(c, r)
	}
	if !c.who.Admin() {
		return host.Errorf(host.CodeForbidden, "this call needs an admin token (dra_…); a connection's token opens the data of its connection alone")
	}
	if !allows(c.who.Role, r.role) {
		return host.Errorf(host.CodeForbidden, "the role %s may not do this; it needs %s", c.who.Role, r.role)
	}
	if r.whole && c.who.Limited() {
		return host.Errorf(host.CodeForbidden, "this token is limited to some connections, and this call is about the whole host")
	}
	if id := c.PathValue("connection"); id != "" && !c.who.Covers(host.ConnectionID(id)) {
		return host.Errorf(host.CodeNotFound, "there is no connection %q", id)
	}
	return nil
}

// allows says whether a role has what another has. What a connector may,
// operators and administrators may try: the call itself knows how far.
func allows(have, need host.Role) bool {
	if need == host.RoleConnector {
		return have == host.RoleConnector || have == host.RoleOperator || have == host.RoleAdmin
	}
	order := map[host.Role]int{host.RoleViewer: 1, host.RoleOperator: 2, host.RoleAdmin: 3}
	return order[have] >= order[need] && order[have] > 0
}

// admitData finds the connection whose data is asked for.
func (a *API) admitData(c *call, r route) error {
	id := c.who.Connection
	if c.who.Admin() {
		if !allows(c.who.Role, r.role) {
			return host.Errorf(host.CodeForbidden, "the role %s may not do this; it needs %s", c.who.Role, r.role)
		}
		id = host.ConnectionID(c.Header.Get("Dinrail-Connection"))
		if id == "" {
			return host.Errorf(host.CodeInvalid, "an admin token names the connection in the header Dinrail-Connection")
		}
		if !c.who.Covers(id) {
			return noConnection(id)
		}
	} else {
		if r.role == host.RoleAdmin && c.who.Access != host.AccessWrite {
			return host.Errorf(host.CodeForbidden, "this token may only read")
		}
		if asked := c.Header.Get("Dinrail-Connection"); asked != "" && asked != string(id) {
			return host.Errorf(host.CodeForbidden, "this token is of the connection %s and opens no other", id)
		}
		if wait := a.limited(c.who.Token); wait > 0 {
			err := host.Errorf(host.CodeRateLimited, "more than %g calls a second with one token", a.Rate)
			err.RetryAt = a.Clock().Add(wait)
			return err
		}
	}
	conn, err := a.memory.connection(c.Context(), a.Store, id)
	if errors.Is(err, state.ErrNotFound) {
		return noConnection(id)
	}
	if err != nil {
		return err
	}
	c.conn = conn
	switch {
	case !conn.DetachedAt.IsZero() && !c.who.Admin():
		return host.Errorf(host.CodeConnectionDetached, "the connection's block is gone from the configuration; its data comes back with the block")
	case conn.Status == host.StatusAuthRequired && !r.always && !c.who.Admin():
		return host.Errorf(host.CodeConnectionAuth, "the connection waits for new credentials: %s", conn.Reason)
	case conn.Status == host.StatusOffline && !conn.StaleSince.IsZero():
		c.w.Header().Set("Dinrail-Stale-Since", host.FormatTime(conn.StaleSince))
	}
	return nil
}

func noConnection(id host.ConnectionID) error {
	return host.Errorf(host.CodeNotFound, "there is no connection %q", id)
}

// limited takes one call from a token's rate and returns how long it must wait.
func (a *API) limited(t host.TokenID) time.Duration {
	if a.Rate <= 0 {
		return 0
	}
	a.mu.Lock()
	l := a.limits[t]
	if l == nil {
		if len(a.limits) > 10_000 {
			clear(a.limits) // a full bucket each is a small price for a bounded map
		}
		l = rate.NewLimiter(rate.Limit(a.Rate), max(1, int(a.Rate)))
		a.limits[t] = l
	}
	a.mu.Unlock()
	now := a.Clock()
	res := l.ReserveN(now, 1)
	if d := res.DelayFrom(now); d > 0 {
		res.CancelAt(now)
		return d
	}
	return 0
}
