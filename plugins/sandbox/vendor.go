package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/model"
)

// vendor is the plant behind a login by OAuth: its work orders stand at the
// provider of the tokens, and are few.
type vendor struct {
	client *client

	mu     sync.Mutex
	access string
}

// get reads a path with the access token of the moment.
func (v *vendor) get(ctx context.Context, path string, into any) error {
	v.mu.Lock()
	access := v.access
	v.mu.Unlock()
	err := v.client.do(ctx, http.MethodGet, path, path, url.Values{}, nil, access, into)
	if errors.Is(err, errSession) {
		return sdk.Failf(sdk.CodeTokenExpired, "the plant does not take the access token any more")
	}
	return err
}

// Renew implements sdk.Renewer.
func (v *vendor) Renew(_ context.Context, credentials map[string]string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.access = credentials["access_token"]
	return nil
}

// Check implements sdk.Connection.
func (v *vendor) Check(ctx context.Context) (sdk.Identity, error) {
	var me struct {
		Sub string `json:"sub"`
	}
	err := v.get(ctx, "/api/me", &me)
	return sdk.Identity{Name: me.Sub}, err
}

// Entities implements sdk.Connection.
func (v *vendor) Entities(ctx context.Context) ([]sdk.Entity, error) {
	out := []sdk.Entity{{Name: "work_orders", Key: []string{"id"}}}
	err := v.get(ctx, "/api/workorders", &struct{}{})
	if f, ok := errors.AsType[*sdk.Failure](err); ok && f.Code == sdk.CodePermissionDenied {
		out[0].Denied = "the login was not granted workorders:read"
		return out, nil
	}
	return out, err
}

// Read implements sdk.Connection: all in one page, since there is no cursor.
func (v *vendor) Read(ctx context.Context, r sdk.ReadRequest, w *sdk.PageWriter) error {
	if r.Entity != "work_orders" {
		return sdk.Failf(sdk.CodeNotFound, "the plant has no %s behind this login", r.Entity)
	}
	if r.Full && len(r.Checkpoint) > 0 {
		return nil // the page was kept
	}
	var answer struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := v.get(ctx, "/api/workorders", &answer); err != nil {
		return err
	}
	if answer.Items == nil {
		return sdk.Failf(sdk.CodeInternal, "the plant's answer to /api/workorders has no items")
	}
	for _, raw := range answer.Items {
		var theirs struct{ ID, Status string }
		if err := json.Unmarshal(raw, &theirs); err != nil || theirs.ID == "" {
			if err := w.Bad(theirs.ID, "id", "it is no object that has an id"); err != nil {
				return err
			}
			continue
		}
		ours := model.WorkOrder{Head: model.Head{Number: model.Text(theirs.ID), Name: model.Text(theirs.ID)}, Status: statuses[theirs.Status], StatusNative: model.Text(theirs.Status)}
		if err := w.Upsert(sdk.Record{ID: theirs.ID, Fields: ours, Raw: raw}); err != nil {
			return err
		}
	}
	return w.Flush([]byte(`{"done":true}`))
}

var statuses = map[string]model.WorkOrderStatus{"open": "open", "running": "in_progress", "done": "completed"}

// Close implements sdk.Connection.
func (v *vendor) Close() error { return nil }

var _ sdk.Renewer = (*vendor)(nil)
