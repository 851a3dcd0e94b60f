package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// pageSize is how many records are asked for in one call.
const pageSize = 200

// overlap is read again by each incremental read: a transaction that was
// stamped earlier may have been committed later.
const overlap = 2 * time.Minute

// checkpointVersion is that of the form below. A checkpoint of another is not
// understood, and the read begins anew: too much is read, never too little.
const checkpointVersion = 1

// checkpoint is where a read stands. Records come in order of id; what changed
// after Since is wanted, and Next is the Since of the read after this one. It
// is taken before the first page, so that what changes meanwhile comes then.
type checkpoint struct {
	Version int       `json:"version"`
	Since   time.Time `json:"since,omitzero"`
	Next    time.Time `json:"next,omitzero"`
	ID      int64     `json:"id,omitempty"`   // read up to here; 0: not begun, or ended
	Full    bool      `json:"full,omitempty"` // what kind of read ID belongs to
	Done    bool      `json:"done,omitempty"` // of a full read: nothing is left of it
}

// pages takes what is read. It is sdk.PageWriter.
type pages interface {
	Upsert(r sdk.Record) error
	Bad(id, field, reason string) error
	Total(n int64)
	Flush(checkpoint []byte) error
}

// Read implements sdk.Connection.
func (c *connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	return c.read(ctx, r, w)
}

func (c *connection) read(ctx context.Context, r sdk.ReadRequest, w pages) error {
	e, ok := lookup(r.Entity)
	if !ok {
		return sdk.Failf(sdk.CodeNotFound, "Tryton has no %s here", r.Entity)
	}
	s, err := c.scope(ctx)
	if err != nil {
		return err
	}
	return c.refusal(ctx, e, s.read(ctx, e, r, w))
}

func (s scope) read(ctx context.Context, e *entity, r sdk.ReadRequest, w pages) error {
	if e.read != nil {
		return e.read(ctx, s, w)
	}
	at, err := s.begin(ctx, e, r)
	if err != nil || at.Done {
		return err
	}
	domain, err := s.domain(ctx, e, at)
	if err != nil {
		return err
	}
	if at.ID == 0 {
		total, err := s.count(ctx, e.model, domain)
		if err != nil {
			return err
		}
		w.Total(total)
	}
	for {
		rows, err := s.page(ctx, e, domain, at.ID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := s.upsert(w, e, r); err != nil {
				return err
			}
		}
		last := len(rows) < pageSize
		mark := checkpoint{Version: checkpointVersion, Next: at.Next, Full: r.Full, Done: r.Full}
		if !last {
			at.ID = rows[len(rows)-1].key()
			mark = at
		}
		b, err := json.Marshal(mark)
		if err != nil {
			return fmt.Errorf("write the checkpoint: %w", err)
		}
		if err := w.Flush(b); err != nil || last {
			return err
		}
	}
}

// begin tells where a read starts: at its own interrupted page, at the end of
// the read before it, or at the beginning.
func (s scope) begin(ctx context.Context, e *entity, r sdk.ReadRequest) (checkpoint, error) {
	var before checkpoint
	if len(r.Checkpoint) > 0 && (json.Unmarshal(r.Checkpoint, &before) != nil || before.Version != checkpointVersion) {
		before = checkpoint{}
	}
	if before.ID != 0 && before.Full == r.Full {
		return before, nil
	}
	if r.Full && before.Done {
		return before, nil
	}
	at := checkpoint{Version: checkpointVersion, Full: r.Full, Since: r.Since}
	// A checkpoint with an id is of a full read that never ended: nothing before
	// it is known to be here.
	if !r.Full && before.ID == 0 && !before.Next.IsZero() {
		at.Since = before.Next.Add(-overlap)
	}
	var err error
	at.Next, err = s.newest(ctx, e)
	return at, err
}

func (s scope) upsert(w pages, e *entity, r row) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return w.Bad(r.id(), "", err.Error())
	}
	return w.Upsert(sdk.Record{ID: r.id(), CreatedAt: r.time("create_date"), UpdatedAt: r.changed(), Fields: e.record(r, s.currency), Raw: raw})
}

// page reads records after an id, with what stands below them.
func (s scope) page(ctx context.Context, e *entity, domain []any, after int64) ([]row, error) {
	rows, err := s.after(ctx, e.model, after, domain, pageSize, append([]string{"create_date", "write_date"}, e.fields...))
	if err != nil {
		return nil, err
	}
	if e.complete != nil && len(rows) > 0 {
		if err := e.complete(ctx, s, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// domain returns the condition on what is wanted.
func (s scope) domain(ctx context.Context, e *entity, at checkpoint) ([]any, error) {
	domain := []any{}
	if e.only != nil {
		ids, err := e.only(ctx, s)
		if err != nil {
			return nil, err
		}
		domain = append(domain, []any{"id", "in", ids})
	}
	if at.Since.IsZero() {
		return domain, nil
	}
	// A record's own write_date is null until it is changed, and a changed line
	// leaves its header untouched.
	since := tagged(at.Since)
	changed := []any{"OR", []any{"write_date", ">", since}, []any{"create_date", ">", since}}
	for _, b := range e.beside {
		changed = append(changed, []any{b.field + ".write_date", ">", since}, []any{b.field + ".create_date", ">", since})
	}
	return append(domain, changed), nil
}

// newest returns the latest stamp that there is. It is Tryton's own, so that no
// two clocks are compared.
func (s scope) newest(ctx context.Context, e *entity) (time.Time, error) {
	var newest time.Time
	if !e.incremental {
		return newest, nil
	}
	models := []string{e.model}
	for _, b := range e.beside {
		models = append(models, b.model)
	}
	for _, m := range models {
		for _, stamp := range []string{"write_date", "create_date"} {
			rows, err := s.search(ctx, m, []any{[]any{stamp, "!=", nil}}, 1, stamp+" DESC", []string{stamp})
			if err != nil {
				return newest, err
			}
			if len(rows) > 0 && rows[0].time(stamp).After(newest) {
				newest = rows[0].time(stamp)
			}
		}
	}
	return newest, nil
}
