package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// pageRows is how many records are asked for at once; a server may give fewer.
const pageRows = 500

// overlap is read again by each incremental read: what was stamped earlier may
// have become visible later.
const overlap = 2 * time.Minute

// checkpointVersion is that of the form below. A checkpoint of another is not
// understood, and the read begins anew: too much is read, never too little.
const checkpointVersion = 1

// checkpoint is where a read stands.
type checkpoint struct {
	Version int       `json:"version"`
	Full    bool      `json:"full,omitempty"` // what kind of read Key belongs to
	Since   time.Time `json:"since,omitzero"` // changes from then on are wanted
	Next    time.Time `json:"next,omitzero"`  // Since of the read after this one
	Key     []string  `json:"key,omitempty"`  // of the last record; none: not begun, or ended
	Done    bool      `json:"done,omitempty"` // of a full read: nothing is left of it
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

// read goes by key through all records, or through those that changed since
// the mark. The mark of the next read is taken before the first page: what
// changes meanwhile, on this side of the page or on that, is later than it.
func (c *connection) read(ctx context.Context, r sdk.ReadRequest, w pages) error {
	s, err := c.lookup(ctx, r.Entity)
	if err != nil {
		return err
	}
	at, err := c.begin(ctx, s, r)
	if err != nil || at.Done {
		return err
	}
	since := at.Since
	if !since.IsZero() {
		since = since.Add(-overlap)
	} else if s.change != nil {
		since = r.Since
	}
	if since.IsZero() && len(at.Key) == 0 {
		if n, ok := c.count(ctx, s); ok {
			w.Total(n)
		}
	}
	for {
		rows, err := c.client.rows(ctx, s, s.query(since, at.Key))
		if err != nil {
			return err
		}
		before := at.Key
		for _, row := range rows {
			if at.Key, err = s.upsert(w, row); err != nil {
				return err
			}
		}
		mark := at
		if len(rows) == 0 {
			mark = checkpoint{Version: checkpointVersion, Next: at.Next, Full: r.Full, Done: r.Full}
		} else if slices.Equal(before, at.Key) {
			return sdk.Failf(sdk.CodeInternal, "%s answers with the page that was read already: the service does not obey $filter and $orderby by key", s.name)
		}
		b, err := json.Marshal(mark)
		if err != nil {
			return fmt.Errorf("write the checkpoint: %w", err)
		}
		if err := w.Flush(b); err != nil || len(rows) == 0 {
			return err
		}
	}
}

// begin tells where a read starts: at its own interrupted page, at the mark of
// the read before it, or at the beginning.
func (c *connection) begin(ctx context.Context, s *set, r sdk.ReadRequest) (checkpoint, error) {
	var before checkpoint
	if len(r.Checkpoint) > 0 && (json.Unmarshal(r.Checkpoint, &before) != nil || before.Version != checkpointVersion) {
		before = checkpoint{}
	}
	if len(before.Key) == len(s.key) && before.Full == r.Full || r.Full && before.Done {
		return before, nil
	}
	at := checkpoint{Version: checkpointVersion, Full: r.Full}
	if s.change == nil {
		return at, nil
	}
	// A checkpoint with a key is of a read that never ended: nothing before it is
	// known to be here.
	if !r.Full && len(before.Key) == 0 {
		at.Since = before.Next
	}
	rows, err := c.client.rows(ctx, s, query("$filter", s.change.Name+" ne null", "$orderby", s.change.Name+" desc", "$top", "1", "$select", s.change.Name))
	if err != nil {
		return at, err
	}
	at.Next = at.Since
	if len(rows) > 0 {
		var row map[string]json.RawMessage
		if json.Unmarshal(rows[0], &row) == nil {
			text, _ := textOf(row[s.change.Name])
			at.Next = timeOf(text)
		}
	}
	if now := time.Now().UTC(); at.Next.After(now) { // a stamp of tomorrow hides no change of today
		at.Next = now
	}
	return at, nil
}

// query asks for the page after key.
func (s *set) query(since time.Time, key []string) string {
	var filter []string
	if !since.IsZero() {
		v, _ := literal(s.change.Type, since.UTC().Format("2006-01-02T15:04:05.000Z"), s.old) // a time always can
		filter = append(filter, s.change.Name+" ge "+v)
	}
	var order, after, same []string
	for i, k := range s.key {
		order = append(order, k.Name)
		if len(key) > 0 {
			v, _ := literal(k.Type, key[i], s.old) // it was tried when the set was described
			after = append(after, strings.Join(append(slices.Clone(same), k.Name+" gt "+v), " and "))
			same = append(same, k.Name+" eq "+v)
		}
	}
	switch {
	case len(after) == 1:
		filter = append(filter, after[0])
	case len(after) > 1:
		filter = append(filter, "(("+strings.Join(after, ") or (")+"))")
	}
	return query("$filter", strings.Join(filter, " and "), "$orderby", strings.Join(order, ","), "$top", strconv.Itoa(pageRows), "$expand", strings.Join(s.expand, ","))
}

// upsert hands one record on and returns its key.
func (s *set) upsert(w pages, raw json.RawMessage) ([]string, error) {
	var row map[string]json.RawMessage
	if err := json.Unmarshal(raw, &row); err != nil {
		return nil, &sdk.Failure{Code: sdk.CodeInternal, Message: "a record of " + s.name + " is no JSON object", Err: err}
	}
	key := make([]string, len(s.key))
	for i, k := range s.key {
		var ok bool
		if key[i], ok = textOf(row[k.Name]); !ok {
			return nil, sdk.Failf(sdk.CodeInternal, "a record of %s has no %s, which is part of its key", s.name, k.Name)
		}
	}
	r := sdk.Record{ID: idOf(key), Fields: s.fieldsOf(row), Raw: raw}
	if s.change != nil {
		text, _ := textOf(row[s.change.Name])
		r.UpdatedAt = timeOf(text)
	}
	return key, w.Upsert(r)
}
