package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// pageSize is how many records are asked for in one call.
const pageSize = 200

// overlap is read again by each incremental read: a transaction that was
// stamped earlier may have been committed later.
const overlap = 2 * time.Minute

// connection is one open connection.
type connection struct{ rpc *client }

// entity is how one unified entity is read.
type entity struct {
	name, label string
	model       string
	incremental bool
	fields      []string
	// lines is the field of a record's lines and their model: a changed line
	// leaves its header untouched.
	lines, lineModel string
	needs            []string // further models that must be readable
	only             func(ctx context.Context, c *client) ([]any, error)
	complete         func(ctx context.Context, c *client, rows []row) error
	record           func(r row) any
}

func known() []sdk.Entity {
	out := make([]sdk.Entity, len(entities))
	for i, e := range entities {
		out[i] = sdk.Entity{Name: e.name, Label: e.label, Key: []string{"id"}, Incremental: e.incremental}
	}
	return out
}

// Check implements sdk.Connection: a login and a small question.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	var preferences row
	if err := c.rpc.call(ctx, &preferences, "model.res.user.get_preferences", true, map[string]any{}); err != nil {
		return sdk.Identity{}, err
	}
	return sdk.Identity{Name: c.rpc.user}, nil
}

// Entities implements sdk.Connection. Tryton tells a missing right as an error
// of the call, so each model is asked for once.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	out := known()
	for i, e := range entities {
		for _, m := range append([]string{e.model}, e.needs...) {
			var n json.Number
			err := c.rpc.call(ctx, &n, "model."+m+".search_count", []any{[]any{"id", "<", 0}}, map[string]any{})
			var f *sdk.Failure
			if errors.As(err, &f) && (f.Code == sdk.CodePermissionDenied || f.Code == sdk.CodeInternal) {
				out[i].Denied = f.Message
				break
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Close implements sdk.Connection.
func (c *connection) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.rpc.logout(ctx)
	return nil
}

// checkpoint is where a read stands. Records come in order of id; what changed
// after Since is wanted, and Next is the Since of the read after this one.
type checkpoint struct {
	Since time.Time `json:"since,omitzero"`
	Next  time.Time `json:"next,omitzero"`
	ID    int64     `json:"id,omitempty"` // read up to here; 0 once the read has ended
}

// Read implements sdk.Connection.
func (c *connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	e, ok := lookup(r.Entity)
	if !ok {
		return sdk.Failf(sdk.CodeNotFound, "Tryton has no %s here", r.Entity)
	}
	var at checkpoint
	if len(r.Checkpoint) > 0 {
		if err := json.Unmarshal(r.Checkpoint, &at); err != nil {
			return &sdk.Failure{Code: sdk.CodeInvalid, Message: "the checkpoint is not one of this connector", Err: err}
		}
	}
	if at.ID == 0 { // a new read
		since := at.Next
		if r.Full {
			since = r.Since
		}
		at = checkpoint{Since: since}
		var err error
		if at.Next, err = c.newest(ctx, e); err != nil {
			return err
		}
	}
	domain, err := c.domain(ctx, e, at, r.Full)
	if err != nil {
		return err
	}
	var total json.Number
	if err := c.rpc.call(ctx, &total, "model."+e.model+".search_count", domain, everything); err != nil {
		return err
	}
	if n, err := total.Int64(); err == nil && at.ID == 0 {
		w.Total(n)
	}
	for {
		rows, err := c.page(ctx, e, domain, at.ID)
		if err != nil {
			return err
		}
		for _, raw := range rows {
			if err := upsert(w, e, raw); err != nil {
				return err
			}
		}
		last := len(rows) < pageSize
		if len(rows) > 0 {
			n, _ := rows[len(rows)-1]["id"].(json.Number)
			at.ID, _ = n.Int64()
		}
		mark := at
		if last {
			mark = checkpoint{Next: at.Next}
		}
		b, err := json.Marshal(mark)
		if err != nil {
			return err
		}
		if err := w.Flush(b); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

func upsert(w *sdk.PageWriter, e *entity, r row) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return w.Bad(r.id(), "", err.Error())
	}
	return w.Upsert(sdk.Record{ID: r.id(), CreatedAt: r.time("create_date"), UpdatedAt: r.changed(), Fields: e.record(r), Raw: raw})
}

// everything is the context that shows archived records too.
var everything = map[string]any{"active_test": false}

// page reads records after an id, with their lines.
func (c *connection) page(ctx context.Context, e *entity, domain []any, after int64) ([]row, error) {
	var rows []row
	where := append([]any{[]any{"id", ">", after}}, domain...)
	order := []any{[]any{"id", "ASC"}}
	fields := append([]string{"create_date", "write_date"}, e.fields...)
	if err := c.rpc.call(ctx, &rows, "model."+e.model+".search_read", where, 0, pageSize, order, fields, everything); err != nil {
		return nil, err
	}
	if e.complete != nil && len(rows) > 0 {
		if err := e.complete(ctx, c.rpc, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// domain returns the condition on what is wanted.
func (c *connection) domain(ctx context.Context, e *entity, at checkpoint, full bool) ([]any, error) {
	domain := []any{}
	if e.only != nil {
		ids, err := e.only(ctx, c.rpc)
		if err != nil {
			return nil, err
		}
		domain = append(domain, []any{"id", "in", ids})
	}
	if at.Since.IsZero() {
		return domain, nil
	}
	since := tagged(at.Since)
	if !full {
		since = tagged(at.Since.Add(-overlap))
	}
	changed := []any{"OR", []any{"write_date", ">", since}, []any{"create_date", ">", since}}
	if e.lines != "" {
		changed = append(changed, []any{e.lines + ".write_date", ">", since}, []any{e.lines + ".create_date", ">", since})
	}
	return append(domain, changed), nil
}

// newest returns the latest stamp that there is: the next read asks for what
// changed after it.
func (c *connection) newest(ctx context.Context, e *entity) (time.Time, error) {
	var newest time.Time
	for _, m := range []string{e.model, e.lineModel} {
		if m == "" {
			continue
		}
		for _, stamp := range []string{"write_date", "create_date"} {
			var rows []row
			order := []any{[]any{stamp, "DESC"}}
			if err := c.rpc.call(ctx, &rows, "model."+m+".search_read", []any{[]any{stamp, "!=", nil}}, 0, 1, order, []string{stamp}, everything); err != nil {
				return newest, err
			}
			if len(rows) > 0 && rows[0].time(stamp).After(newest) {
				newest = rows[0].time(stamp)
			}
		}
	}
	return newest, nil
}
