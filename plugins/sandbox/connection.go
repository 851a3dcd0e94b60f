package main

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"

	"github.com/dinrail/dinrail/sdk"
)

// connection is one open connection.
type connection struct{ plant *client }

// whoami is what the plant tells about a login.
type whoami struct {
	User   string              `json:"user"`
	Plant  string              `json:"plant"`
	Rights map[string][]string `json:"rights"`
}

// Check implements sdk.Connection. It always logs in: a check is how someone
// finds out whether a login that was refused is accepted now, and a session may
// outlive the right to have it.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	if _, err := c.plant.session(ctx, "", true); err != nil {
		return sdk.Identity{}, err
	}
	me, err := c.whoami(ctx)
	if err != nil {
		return sdk.Identity{}, err
	}
	return sdk.Identity{Name: me.User + " at " + me.Plant}, nil
}

func (c *connection) whoami(ctx context.Context) (whoami, error) {
	var me whoami
	if err := c.plant.get(ctx, "/api/whoami", "/api/whoami", nil, &me); err != nil {
		return whoami{}, err
	}
	if me.User == "" || me.Rights == nil {
		return whoami{}, sdk.Failf(sdk.CodeInternal, "the plant does not tell who the login is; is this the URL of a sandbox plant?")
	}
	return me, nil
}

// Entities implements sdk.Connection.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	me, err := c.whoami(ctx)
	if err != nil {
		return nil, err
	}
	out := known()
	for i, e := range entities {
		if !slices.Contains(me.Rights[e.collection], "read") {
			out[i].Denied = "the login " + me.User + " has no right to read " + e.collection
		}
	}
	return out, nil
}

// Get implements sdk.Getter.
func (c *connection) Get(ctx context.Context, name, id string) (sdk.Record, error) {
	e, ok := lookup(name)
	if !ok {
		return sdk.Record{}, sdk.Failf(sdk.CodeNotFound, "the plant has no %s", name)
	}
	if _, err := strconv.ParseUint(id, 10, 63); err != nil {
		return sdk.Record{}, sdk.Failf(sdk.CodeNotFound, "the plant has no record %q: its ids are whole numbers", id)
	}
	var raw json.RawMessage
	if err := c.plant.get(ctx, "/api/"+e.collection+"/{id}", "/api/"+e.collection+"/"+url.PathEscape(id), nil, &raw); err != nil {
		return sdk.Record{}, err
	}
	rec, _, wrong := e.read(raw)
	if wrong != nil {
		return sdk.Record{}, &sdk.Failure{Code: sdk.CodeInternal, Path: wrong.field, Message: "the record cannot be read: " + wrong.reason}
	}
	return rec, nil
}

// Close implements sdk.Connection. The plant has no call that ends a session.
func (*connection) Close() error { return nil }
