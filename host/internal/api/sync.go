package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func (a *API) connection(c *call) error {
	a.write(c, http.StatusOK, viewOf(&c.conn))
	return nil
}

// entities answers what the connection has, with its powers and counts.
func (a *API) entities(c *call) error {
	syncs, err := a.Store.Syncs(c.Context(), c.conn.ID)
	if err != nil {
		return err
	}
	records := map[host.EntityName]int64{}
	for _, s := range syncs {
		records[s.Entity] = s.Records
	}
	var out []entityView
	for _, e := range c.conn.Entities {
		v := entityView{Entity: e, Actions: append([]string{}, e.Actions...), Records: records[e.Name]}
		if e.Unified {
			at := "/openapi.json#/components/schemas/" + string(e.Name)
			v.Schema = &at
		}
		out = append(out, v)
	}
	return pageOf(a, c, out, func(v entityView) string { return string(v.Name) })
}

// syncStatus answers how each entity's sync stands.
func (a *API) syncStatus(c *call) error {
	out, err := a.syncsOf(c.Context(), &c.conn)
	if err != nil {
		return err
	}
	return pageOf(a, c, out, func(v syncView) string { return string(v.Entity) })
}

// syncsOf tells how each of a connection's syncs stands.
func (a *API) syncsOf(ctx context.Context, conn *host.Connection) ([]syncView, error) {
	syncs, err := a.Store.Syncs(ctx, conn.ID)
	if err != nil {
		return nil, err
	}
	var out []syncView
	seen := map[host.EntityName]bool{}
	for i := range syncs {
		s := &syncs[i]
		seen[s.Entity] = true
		v := syncView{
			Entity: s.Entity, Status: s.Status(conn.Paused), LastSuccessAt: stamp(s.LastSuccessAt), LastRun: s.LastRun,
			Run: s.Run, Records: s.Records, NextRunAt: stamp(s.NextRunAt), Error: s.Error,
		}
		if s.Run != "" {
			r, err := a.Store.Run(ctx, conn.ID, s.Run)
			if err != nil && !errors.Is(err, state.ErrNotFound) {
				return nil, err
			}
			v.Progress = &progressView{r.Counts.Read, totalOf(&r)}
		}
		out = append(out, v)
	}
	for _, e := range conn.Entities {
		if _, due := conn.OrderFor(e); due && !seen[e.Name] {
			out = append(out, syncView{Entity: e.Name, Status: (&host.Sync{}).Status(conn.Paused)})
		}
	}
	return out, nil
}

// syncRequest asks for runs.
type syncRequest struct {
	Entities []host.EntityName `json:"entities,omitempty"`
	Mode     host.Mode         `json:"mode,omitempty"`
}

// sync queues runs and answers them. It serves a data token and an admin's
// call for a connection alike.
func (a *API) sync(c *call) error {
	if id := c.PathValue("connection"); id != "" {
		conn, _, err := a.find(c)
		if err != nil {
			return err
		}
		c.conn = conn
	}
	req := syncRequest{Mode: host.Incremental}
	if err := body(c, &req); err != nil {
		return err
	}
	if req.Mode != host.Full && req.Mode != host.Incremental {
		return faults{{"body.mode", "it must be incremental or full"}}
	}
	if err := callable(&c.conn); err != nil {
		return err
	}
	if c.conn.Status == host.StatusAuthRequired {
		return host.Errorf(host.CodeConflict, "the connection %s waits for new credentials: %s", c.conn.ID, c.conn.Reason)
	}
	if len(c.conn.Entities) == 0 {
		return host.Errorf(host.CodeConflict, "what the connection %s has is not known yet: it is %s; runs start by themselves once it is online", c.conn.ID, c.conn.Status)
	}
	var runs []host.Run
	for _, e := range c.conn.Entities {
		_, due := c.conn.OrderFor(e)
		if len(req.Entities) > 0 {
			due = slices.Contains(req.Entities, e.Name)
		}
		if !due {
			continue
		}
		mode := req.Mode
		if !e.Incremental {
			mode = host.Full
		}
		runs = append(runs, host.Run{
			ID: host.RunID("run_" + ulid.Make().String()), Connection: c.conn.ID, Entity: e.Name, Mode: mode,
			Status: host.RunQueued, Trigger: "manual", QueuedAt: a.Clock(), Total: -1,
		})
	}
	for _, name := range req.Entities {
		if !slices.ContainsFunc(c.conn.Entities, func(e host.Entity) bool { return e.Name == name }) {
			return faults{{"body.entities", "this connection has no entity " + string(name)}}
		}
	}
	if len(runs) > 0 {
		if _, err := a.Store.Commit(c.Context(), a.Clock(), nil, nil, runs); err != nil {
			return err
		}
		// Where a run was queued already, that one stays and is answered.
		syncs, err := a.Store.Syncs(c.Context(), c.conn.ID)
		if err != nil {
			return err
		}
		for i := range runs {
			for _, s := range syncs {
				if s.Entity == runs[i].Entity && s.Queued != "" && s.Queued != runs[i].ID {
					if r, err := a.Store.Run(c.Context(), c.conn.ID, s.Queued); err == nil {
						runs[i] = r
					}
				}
			}
		}
	}
	out := list[runView]{Data: []runView{}}
	for _, r := range runs {
		out.Data = append(out.Data, runViewOf(r))
	}
	a.write(c, http.StatusAccepted, out)
	return nil
}

func (a *API) runs(c *call) error {
	limit, before, of := c.q.limit(), c.place(), c.q.values.Get("entity")
	if of != "" && !slices.ContainsFunc(c.conn.Entities, func(e host.Entity) bool { return string(e.Name) == of }) {
		c.q.fault("entity", "this connection has no entity "+of)
	}
	if err := c.q.err(); err != nil {
		return err
	}
	runs, err := a.Store.Runs(c.Context(), c.conn.ID, host.EntityName(of), host.RunID(before), limit+1)
	if err != nil {
		return err
	}
	out := list[runView]{Data: []runView{}, HasMore: len(runs) > limit}
	for _, r := range runs[:min(limit, len(runs))] {
		before = string(r.ID)
		out.Data = append(out.Data, runViewOf(r))
	}
	out.NextCursor = c.cursorOf(before)
	a.write(c, http.StatusOK, out)
	return nil
}

func (a *API) run(c *call) error {
	r, err := a.Store.Run(c.Context(), c.conn.ID, host.RunID(c.PathValue("run")))
	if errors.Is(err, state.ErrNotFound) {
		return host.Errorf(host.CodeNotFound, "this connection has no run %q", c.PathValue("run"))
	}
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, runViewOf(r))
	return nil
}
