package api

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// audited answers a route once, and writes into the audit log who asked: before
// it is done, so that nothing is done that is not there, and what became of it
// afterwards.
func (a *API) audited(c *call, r route) error {
	if r.audit == "" {
		return a.once(c, r)
	}
	e := host.AuditEntry{
		ID: "aud_" + ulid.Make().String(), At: a.Clock().UTC(), Who: cmp.Or(c.who.Name, string(c.who.Token)), Via: c.via, Role: c.who.Role,
		Action: r.audit, Connection: host.ConnectionID(c.PathValue("connection")), RequestID: c.id,
		Target: cmp.Or(c.PathValue("endpoint"), c.PathValue("webhook"), c.PathValue("delivery"), c.PathValue("session"), c.URL.Query().Get("name")),
	}
	if address, _, err := net.SplitHostPort(c.RemoteAddr); err == nil {
		e.Address = address
	}
	if err := a.writeAudit(c.Context(), &e); err != nil {
		return err
	}
	err := a.once(c, r)
	e.Outcome = host.AuditDone
	if err != nil {
		e.Outcome = string(cmp.Or(host.CodeOf(err), host.CodeInternal))
	}
	e.Target, e.Connection = cmp.Or(c.made.target, e.Target), cmp.Or(c.made.connection, e.Connection)
	// What was asked for has been answered by now, whoever still listens.
	if err := a.writeAudit(context.WithoutCancel(c.Context()), &e); err != nil {
		a.Log.Error("write the outcome of an action into the audit log", "action", e.Action, "request", c.id, "error", err)
	}
	return err
}

func (a *API) writeAudit(ctx context.Context, e *host.AuditEntry) error {
	put, err := state.PutOf(state.KindAudit, e.ID, state.Any, e)
	if err != nil {
		return err
	}
	_, err = a.Store.Commit(ctx, e.At, []state.Put{put}, nil, nil)
	return err
}

// made is what a call has made, for the audit log.
type made struct {
	connection host.ConnectionID
	target     string
}

// auditView is an entry as it is shown.
type auditView struct {
	host.AuditEntry
	At stamp `json:"at"`
}

// auditLog answers the audit log, newest first.
func (a *API) auditLog(c *call) error {
	q := c.q
	since, until := q.time("since"), q.time("until")
	limit, place := q.limit(), c.place()
	if err := q.err(); err != nil {
		return err
	}
	action, who, of := q.values.Get("action"), q.values.Get("who"), q.values.Get("connection")
	all, err := state.All[host.AuditEntry](c.Context(), a.Store, state.KindAudit)
	if err != nil {
		return err
	}
	out := list[auditView]{Data: []auditView{}}
	last := place
	for i := len(all) - 1; i >= 0; i-- {
		e := &all[i].Value
		e.ID = all[i].ID
		switch {
		case place != "" && e.ID >= place,
			!actionIs(action, e.Action), who != "" && who != e.Who, of != "" && of != string(e.Connection),
			!since.IsZero() && e.At.Before(since), !until.IsZero() && !e.At.Before(until):
			continue
		}
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		out.Data = append(out.Data, auditView{*e, stamp(e.At)})
		last = e.ID
	}
	out.NextCursor = c.cursorOf(last)
	a.write(c, http.StatusOK, out)
	return nil
}

// actionIs says whether an action is the one asked for, or of the kind that
// "token.*" asks for; "" asks for all.
func actionIs(asked, action string) bool {
	if kind, ok := strings.CutSuffix(asked, "*"); ok {
		return strings.HasPrefix(action, kind)
	}
	return asked == "" || asked == action
}
