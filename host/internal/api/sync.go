package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// connectionView is a connection as a data token sees it.
type connectionView struct {
	ID        host.ConnectionID     `json:"id"`
	Label     string                `json:"label"`
	System    host.SystemName       `json:"system"`
	Status    host.ConnectionStatus `json:"status"`
	Since     string                `json:"since"`
	Reason    string                `json:"reason"`
	ManagedBy host.ManagedBy        `json:"managed_by"`
	Metadata  map[string]string     `json:"metadata"`
	Entities  []host.EntityName     `json:"entities"`
}

func viewOf(c *host.Connection) connectionView {
	v := connectionView{
		ID: c.ID, Label: c.Label, System: c.System, Status: c.Status, Since: host.FormatTime(c.Since),
		Reason: c.Reason, ManagedBy: c.ManagedBy, Metadata: c.Metadata, Entities: []host.EntityName{},
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	for _, e := range c.Entities {
		v.Entities = append(v.Entities, e.Name)
	}
	return v
}

func (a *API) connection(c *call) error {
	if err := parse(c).err(); err != nil {
		return err
	}
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
	type view struct {
		host.Entity
		Records int64  `json:"records"`
		Schema  string `json:"schema,omitempty"`
	}
	var out []view
	for _, e := range c.conn.Entities {
		v := view{Entity: e, Records: records[e.Name]}
		if e.Unified {
			v.Schema = "/openapi.json#/components/schemas/" + string(e.Name)
		}
		if v.Actions == nil {
			v.Actions = []string{}
		}
		out = append(out, v)
	}
	return pageOf(a, c, out, func(v view) string { return string(v.Name) })
}

// syncStatus answers how each entity's sync stands.
func (a *API) syncStatus(c *call) error {
	syncs, err := a.Store.Syncs(c.Context(), c.conn.ID)
	if err != nil {
		return err
	}
	type view struct {
		Entity        host.EntityName `json:"entity"`
		Status        host.SyncStatus `json:"status"`
		LastSuccessAt *string         `json:"last_success_at"`
		LastRun       host.RunID      `json:"last_run"`
		Run           host.RunID      `json:"run,omitempty"`
		Records       int64           `json:"records"`
		NextRunAt     *string         `json:"next_run_at"`
		Error         *host.Problem   `json:"error"`
	}
	var out []view
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	seen := map[host.EntityName]bool{}
	for i := range syncs {
		s := &syncs[i]
		seen[s.Entity] = true
		out = append(out, view{
			s.Entity, s.Status(c.conn.Paused), text(host.FormatTime(s.LastSuccessAt)), s.LastRun, s.Run, s.Records,
			text(host.FormatTime(s.NextRunAt)), s.Error,
		})
	}
	for _, e := range c.conn.Entities {
		if _, due := c.conn.OrderFor(e); due && !seen[e.Name] {
			out = append(out, view{Entity: e.Name, Status: (&host.Sync{}).Status(c.conn.Paused)})
		}
	}
	return pageOf(a, c, out, func(v view) string { return string(v.Entity) })
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
	if err := parse(c).err(); err != nil {
		return err
	}
	req := struct {
		Entities []host.EntityName `json:"entities"`
		Mode     host.Mode         `json:"mode"`
	}{Mode: host.Incremental}
	if err := body(c, &req); err != nil {
		return err
	}
	if req.Mode != host.Full && req.Mode != host.Incremental {
		return faults{{"body.mode", "it must be incremental or full"}}
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
	if runs == nil {
		runs = []host.Run{}
	}
	a.write(c, http.StatusAccepted, list[host.Run]{Data: runs})
	return nil
}

func (a *API) runs(c *call) error {
	q := parse(c, "limit", "cursor", "entity")
	limit := q.limit()
	if err := q.err(); err != nil {
		return err
	}
	runs, err := a.Store.Runs(c.Context(), c.conn.ID, host.EntityName(q.values.Get("entity")), host.RunID(q.values.Get("cursor")), limit+1)
	if err != nil {
		return err
	}
	out := list[host.Run]{Data: runs, HasMore: len(runs) > limit}
	if out.HasMore {
		out.Data = runs[:limit]
	}
	if n := len(out.Data); n > 0 {
		out.NextCursor = string(out.Data[n-1].ID)
	} else {
		out.Data = []host.Run{}
	}
	a.write(c, http.StatusOK, out)
	return nil
}

func (a *API) run(c *call) error {
	if err := parse(c).err(); err != nil {
		return err
	}
	r, err := a.Store.Run(c.Context(), c.conn.ID, host.RunID(c.PathValue("run")))
	if errors.Is(err, state.ErrNotFound) {
		return host.Errorf(host.CodeNotFound, "this connection has no run %q", c.PathValue("run"))
	}
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, r)
	return nil
}
