package web

import (
	"context"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
)

// Write implements sdk.Writer. It answers with the record as the system has it
// afterwards: read back where there is a call for one, else as the answer tells.
func (c *Connection) Write(ctx context.Context, r sdk.WriteRequest) (sdk.Record, error) {
	e, err := c.entity(r.Entity)
	if err != nil {
		return sdk.Record{}, err
	}
	call := map[string]*definition.Write{"create": e.Create, "update": e.Update, "delete": e.Delete}[r.Operation]
	if call == nil {
		return sdk.Record{}, sdk.Failf(sdk.CodeUnsupported, "the file of %s has no %s of %s", c.system.Label, r.Operation, r.Entity)
	}
	given := definition.Given{"id": nil, "key": nil, "expect": nil, "idempotency_key": nil}
	if r.ID != "" {
		given["id"], given["key"] = r.ID, e.Key(r.ID)
	}
	if r.Expect != "" {
		given["expect"] = r.Expect
	}
	if r.IdempotencyKey != "" {
		given["idempotency_key"] = r.IdempotencyKey
	}
	if len(r.Fields) > 0 {
		if given["record"], err = definition.Decode(r.Fields); err != nil {
			return sdk.Record{}, &sdk.Failure{Code: sdk.CodeInvalid, Message: "the record is not JSON", Err: err}
		}
	}
	if err := c.knows(e, call, given["record"]); err != nil {
		return sdk.Record{}, err
	}
	req, err := c.client.request(&call.Call, given, nil)
	if err != nil {
		return sdk.Record{}, err
	}
	a, err := c.client.call(ctx, req)
	if err != nil {
		return sdk.Record{}, err
	}
	if r.Operation == "delete" {
		return sdk.Record{ID: r.ID, Deleted: true}, nil
	}
	return c.readBack(ctx, e, call, a, r.ID)
}

// knows refuses fields that the call would leave out: a write that succeeds and
// did nothing is worse than one that fails.
func (c *Connection) knows(e *definition.Entity, call *definition.Write, record any) error {
	fields, ok := record.(map[string]any)
	if !ok || call.Body == nil {
		return nil
	}
	known := map[string]bool{}
	for _, p := range call.Body.Paths("record") {
		if len(p.Keys) == 0 {
			return nil // the whole record
		}
		known[p.Keys[0]] = true
	}
	for name := range fields {
		if !known[name] {
			return &sdk.Failure{Code: sdk.CodeInvalid, Path: name, Message: "the file of " + c.system.Label + " does not write " + e.Name + "." + name}
		}
	}
	return nil
}

func (c *Connection) readBack(ctx context.Context, e *definition.Entity, call *definition.Write, a *Answer, id string) (sdk.Record, error) {
	value, err := part(a, call.Record)
	if err != nil {
		return sdk.Record{}, err
	}
	if id == "" {
		if call.ID != nil {
			id, err = e.Mapper(c.client.settings).IDOf(call.ID, a.given())
		} else {
			id, err = e.Mapper(c.client.settings).ID(value, nil)
		}
		if err != nil {
			return sdk.Record{}, sdk.Failf(sdk.CodeInternal, "%s made the record, and its answer does not say under which id: %s", c.system.Label, err)
		}
	}
	if e.Get != nil {
		return c.Get(ctx, e.Name, id)
	}
	if _, ok := value.(map[string]any); !ok {
		return sdk.Record{}, sdk.Failf(sdk.CodeUnsupported, "%s wrote the record %s of %s, and its file has no call to read it back", c.system.Label, id, e.Name)
	}
	return c.one(ctx, e, value, id)
}
