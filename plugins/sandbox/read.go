package main

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

const pageSize = "500"

type connection struct{ client *client }

type whoami struct {
	User   string              `json:"user"`
	Time   time.Time           `json:"plantTime"`
	Rights map[string][]string `json:"rights"`
}

// Check implements sdk.Connection.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	c.client.forgive()
	var me whoami
	err := c.client.get(ctx, "/api/whoami", "/api/whoami", nil, &me)
	return sdk.Identity{Name: me.User}, err
}

// Entities implements sdk.Connection.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	var me whoami
	if err := c.client.get(ctx, "/api/whoami", "/api/whoami", nil, &me); err != nil {
		return nil, err
	}
	out := known()
	for i, e := range entities {
		if len(me.Rights[e.collection]) == 0 {
			out[i].Denied = "the login has no right on " + e.collection
		}
	}
	return out, nil
}

// Close implements sdk.Connection.
func (c *connection) Close() error { return nil }

// checkpoint is where a read stands: the plant's cursor within it, and the
// stamp from which the one after it asks for changes.
type checkpoint struct {
	Since  string `json:"since,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	Next   string `json:"next,omitempty"`
	Done   bool   `json:"done,omitempty"` // of a full read: nothing is left of it
}

// Read implements sdk.Connection.
func (c *connection) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	e, ok := lookup(r.Entity)
	if !ok {
		return sdk.Failf(sdk.CodeNotFound, "the plant has no %s", r.Entity)
	}
	var at checkpoint
	if len(r.Checkpoint) > 0 {
		if err := json.Unmarshal(r.Checkpoint, &at); err != nil {
			return &sdk.Failure{Code: sdk.CodeInvalid, Message: "the checkpoint is not one of this connector", Err: err}
		}
	}
	if r.Full && at.Done {
		return nil
	}
	if at.Cursor == "" { // a new read; the plant's clock says since when the next one asks
		var me whoami
		if err := c.client.get(ctx, "/api/whoami", "/api/whoami", nil, &me); err != nil {
			return err
		}
		since := at.Next
		if r.Full {
			since = ""
			if !r.Since.IsZero() {
				since = r.Since.UTC().Format(time.RFC3339Nano)
			}
		}
		at = checkpoint{Since: since, Next: me.Time.UTC().Format("2006-01-02T15:04:05.000Z")}
	}
	for {
		query := url.Values{"pageSize": {pageSize}}
		if at.Since != "" {
			query.Set("changedSince", at.Since)
		}
		if at.Cursor != "" {
			query.Set("cursor", at.Cursor)
		}
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  json.RawMessage   `json:"nextCursor"` // null on the last page
			Total int64             `json:"total"`
		}
		if err := c.client.get(ctx, "/api/"+e.collection, "/api/"+e.collection, query, &page); err != nil {
			return err
		}
		next, err := nextOf(page.Items, page.Next)
		if err != nil {
			return err
		}
		w.Total(page.Total)
		for _, raw := range page.Items {
			rec, bad := e.record(raw)
			var err error
			if bad != nil {
				err = w.Bad(bad.id, bad.field, bad.reason)
			} else {
				err = w.Upsert(rec)
			}
			if err != nil {
				return err
			}
		}
		mark := checkpoint{Next: at.Next, Done: r.Full}
		if next != "" {
			at.Cursor = next
			mark = at
		}
		b, err := json.Marshal(mark)
		if err != nil {
			return err
		}
		if err := w.Flush(b); err != nil || next == "" {
			return err
		}
	}
}

// nextOf returns the cursor of the next page, "" on the last. Deletions are
// concluded from a read that reached its end, so an end must be said: an answer
// that has no items or no word on the next page is none.
func nextOf(items []json.RawMessage, next json.RawMessage) (string, error) {
	if items == nil || next == nil {
		return "", sdk.Failf(sdk.CodeInternal, "the plant's answer is no page: it lacks items or nextCursor")
	}
	if string(next) == "null" {
		return "", nil
	}
	var cursor string
	if err := json.Unmarshal(next, &cursor); err != nil || cursor == "" {
		return "", sdk.Failf(sdk.CodeInternal, "the plant's nextCursor is neither null nor a text")
	}
	return cursor, nil
}

// Get implements sdk.Getter.
func (c *connection) Get(ctx context.Context, name, id string) (sdk.Record, error) {
	e, ok := lookup(name)
	if !ok {
		return sdk.Record{}, sdk.Failf(sdk.CodeNotFound, "the plant has no %s", name)
	}
	var raw json.RawMessage
	if err := c.client.get(ctx, "/api/"+e.collection+"/{id}", "/api/"+e.collection+"/"+url.PathEscape(id), nil, &raw); err != nil {
		return sdk.Record{}, err
	}
	rec, bad := e.record(raw)
	if bad != nil {
		return sdk.Record{}, sdk.Failf(sdk.CodeInternal, "the plant's record %s cannot be read: %s %s", id, bad.field, bad.reason)
	}
	return rec, nil
}

var _ sdk.Getter = (*connection)(nil)
