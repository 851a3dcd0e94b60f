package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// pageRows is how many rows are asked for in one query.
const pageRows = 1000

// overlap is read again by each incremental read: a transaction that was
// stamped earlier may have been committed later.
const overlap = 2 * time.Minute

// checkpointVersion is that of the form below. A checkpoint of another is not
// understood, and the read begins anew: too much is read, never too little.
const checkpointVersion = 1

// checkpoint is where a read stands.
type checkpoint struct {
	Version int    `json:"version"`
	Full    bool   `json:"full,omitempty"`  // what kind of read Key belongs to
	Since   string `json:"since,omitempty"` // changes from then on are wanted, in the database's own words
	Next    string `json:"next,omitempty"`  // Since of the read after this one
	// Key and Change are of the last row that was read; none: not begun, or ended.
	Key    []string `json:"key,omitempty"`
	Change string   `json:"change,omitempty"`
	Done   bool     `json:"done,omitempty"` // of a full read: nothing is left of it
}

// window is which rows a query asks for.
type window struct {
	incremental bool
	since       string   // changes from then on, less the overlap; "": all
	history     string   // changes from then on, exactly; "": all
	key         []string // rows after this one; none: from the beginning
	change      string   // of that row, where rows come in order of change
	limit       int      // 0: all
}

// pages takes what is read. It is sdk.PageWriter.
type pages interface {
	Upsert(r sdk.Record) error
	Total(n int64)
	Flush(checkpoint []byte) error
}

// Read implements sdk.Connection.
func (c *connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	return c.read(ctx, r, w)
}

func (c *connection) read(ctx context.Context, r sdk.ReadRequest, w pages) error {
	t, err := c.lookup(ctx, r.Entity)
	if err != nil {
		return err
	}
	at, err := c.begin(ctx, t, r)
	if err != nil || at.Done {
		return err
	}
	if len(at.Key) == 0 && at.Since == "" {
		if n, ok := c.count(ctx, c.db, t); ok {
			w.Total(n)
		}
	}
	if len(t.key) == 0 {
		return c.whole(ctx, t, w)
	}
	ask := window{incremental: !at.Full && at.Since != "", since: at.Since, limit: pageRows}
	if at.Since == "" && !r.Since.IsZero() && t.change != nil {
		ask.history = r.Since.In(c.options.zone).Format("2006-01-02 15:04:05.999999")
	}
	for {
		ask.key, ask.change = at.Key, at.Change
		n := 0
		if err := c.each(ctx, t, ask, func(r row) error {
			n++
			at.Key, at.Change = r.key, r.change
			return c.upsert(w, t, r)
		}); err != nil {
			return err
		}
		mark := at
		if n < pageRows {
			mark = checkpoint{Version: checkpointVersion, Next: at.Next, Full: r.Full, Done: r.Full}
		}
		b, err := json.Marshal(mark)
		if err != nil {
			return fmt.Errorf("write the checkpoint: %w", err)
		}
		if err := w.Flush(b); err != nil || n < pageRows {
			return err
		}
	}
}

// begin tells where a read starts: at its own interrupted page, at the end of
// the read before it, or at the beginning.
func (c *connection) begin(ctx context.Context, t *table, r sdk.ReadRequest) (checkpoint, error) {
	var before checkpoint
	if len(r.Checkpoint) > 0 && (json.Unmarshal(r.Checkpoint, &before) != nil || before.Version != checkpointVersion) {
		before = checkpoint{}
	}
	if len(before.Key) == len(t.key) && len(before.Key) > 0 && before.Full == r.Full {
		return before, nil
	}
	if r.Full && before.Done {
		return before, nil
	}
	at := checkpoint{Version: checkpointVersion, Full: r.Full}
	if t.change == nil || len(t.key) == 0 {
		return at, nil
	}
	// A checkpoint with a key is of a read that never ended: nothing before it is
	// known to be here.
	if !r.Full && len(before.Key) == 0 {
		at.Since = before.Next
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var next sql.NullString
	if err := c.db.QueryRowContext(ctx, c.newest(t)).Scan(&next); err != nil {
		return at, c.explain(err)
	}
	if at.Next = next.String; at.Next == "" {
		at.Next = at.Since
	}
	return at, nil
}

// whole reads a table without a key in one go; where it is interrupted, it
// begins anew.
func (c *connection) whole(ctx context.Context, t *table, w pages) error {
	empty, err := json.Marshal(checkpoint{Version: checkpointVersion})
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	done, err := json.Marshal(checkpoint{Version: checkpointVersion, Full: true, Done: true})
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	n := 0
	if err := c.each(ctx, t, window{}, func(r row) error {
		if err := c.upsert(w, t, r); err != nil {
			return err
		}
		if n++; n%pageRows == 0 {
			return w.Flush(empty)
		}
		return nil
	}); err != nil {
		return err
	}
	return w.Flush(done)
}

// each hands the rows of one query to visit. An error of visit's comes back as
// it is.
func (c *connection) each(ctx context.Context, t *table, ask window, visit func(row) error) error {
	tx, err := c.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return c.explain(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	text, args := c.query(t, ask)
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return c.explain(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		r, err := c.row(t, rows)
		if err != nil {
			return c.explain(err)
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return c.explain(err)
	}
	return nil
}

func (c *connection) upsert(w pages, t *table, r row) error {
	return w.Upsert(sdk.Record{ID: t.idOf(r.key, r.json), UpdatedAt: c.timeOf(r.change), Fields: json.RawMessage(r.json), Raw: r.json})
}

// timeOf reads a change column's time; zero where it is none.
func (c *connection) timeOf(s string) time.Time {
	for _, layout := range []string{"2006-01-02 15:04:05.999999Z07", "2006-01-02 15:04:05.999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, c.options.zone); err == nil {
		return t
	}
	return time.Time{}
}
