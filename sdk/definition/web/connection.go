package web

import (
	"context"
	"errors"
	"fmt"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
	"github.com/dinrail/dinrail/sdk/expr"
)

// Connection is one open connection of a definition.
type Connection struct {
	system *definition.System
	client *client
	leave  func()
}

var (
	_ sdk.Connection = (*Connection)(nil)
	_ sdk.Getter     = (*Connection)(nil)
	_ sdk.Writer     = (*Connection)(nil)
	_ sdk.Renewer    = (*Connection)(nil)
)

// Check implements sdk.Connection: by the definition's check, else by one page
// of the first list that can be asked for by itself.
func (c *Connection) Check(ctx context.Context) (sdk.Identity, error) {
	c.client.forgive()
	if call := c.system.Check; call != nil {
		a, err := c.whoami(ctx)
		if err != nil {
			return sdk.Identity{}, err
		}
		v, err := c.system.Identity.Value(a.given())
		if err != nil {
			return sdk.Identity{}, sdk.Failf(sdk.CodeInternal, "the answer of %s to its check cannot be read: %s", c.system.Label, err)
		}
		name, _ := expr.TextOf(v)
		return sdk.Identity{Name: name}, nil
	}
	for _, e := range c.system.Entities {
		if e.Each != "" {
			continue
		}
		w := c.walk(e, nil)
		r, err := w.request()
		if err != nil {
			return sdk.Identity{}, err
		}
		_, err = w.client.call(ctx, r)
		if code(err) == sdk.CodePermissionDenied {
			err = nil // the login was taken
		}
		return sdk.Identity{}, err
	}
	return sdk.Identity{}, sdk.Failf(sdk.CodeUnsupported, "the system's file has nothing to check a login with")
}

// whoami makes the definition's check call.
func (c *Connection) whoami(ctx context.Context) (*Answer, error) {
	r, err := c.client.request(c.system.Check, definition.Given{}, nil)
	if err != nil {
		return nil, err
	}
	r.Safe = true
	return c.client.call(ctx, r)
}

// Entities implements sdk.Connection. What the login may not read is told where
// the check's answer says so.
func (c *Connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	out := entities(c.system)
	var answer *Answer
	for i, e := range c.system.Entities {
		if e.Readable == nil {
			continue
		}
		if answer == nil {
			var err error
			if answer, err = c.whoami(ctx); err != nil {
				return nil, err
			}
		}
		readable, err := e.Readable.Holds(answer.given())
		if err != nil {
			return nil, sdk.Failf(sdk.CodeInternal, "what the login may read of %s cannot be told: %s", e.Name, err)
		}
		if !readable {
			out[i].Denied = fmt.Sprintf("the login has no right to read %s", e.Name)
		}
	}
	return out, nil
}

// Renew implements sdk.Renewer.
func (c *Connection) Renew(_ context.Context, credentials map[string]string) error {
	c.client.renew(credentials)
	return nil
}

// Close implements sdk.Connection.
func (c *Connection) Close() error {
	c.leave()
	return nil
}

func (c *Connection) entity(name string) (*definition.Entity, error) {
	if e, ok := c.system.Entity(name); ok {
		return e, nil
	}
	return nil, sdk.Failf(sdk.CodeNotFound, "the file of %s has no entity %s", c.system.Label, name)
}

// walk returns a walk through an entity's list from its beginning.
func (c *Connection) walk(e *definition.Entity, given definition.Given) *walk {
	if given == nil {
		given = definition.Given{}
	}
	return &walk{client: c.client, list: e.List, given: given, since: e.Since}
}

// record maps a record; details are called for first.
func (c *Connection) record(ctx context.Context, e *definition.Entity, m *definition.Mapper, value any, raw []byte, parent any) (sdk.Record, error) {
	if len(e.Details) > 0 {
		object, ok := value.(map[string]any)
		if !ok {
			return sdk.Record{}, &definition.Misfit{Reason: "it is no object"}
		}
		id, err := m.ID(value, parent)
		if err != nil {
			return sdk.Record{}, err
		}
		for i := range e.Details {
			d := &e.Details[i]
			r, err := c.client.request(&d.Call, definition.Given{"raw": value, "id": id, "key": e.Key(id)}, nil)
			if err != nil {
				return sdk.Record{}, err
			}
			r.Safe = true
			a, err := c.client.call(ctx, r)
			if err != nil && code(err) != sdk.CodeNotFound {
				return sdk.Record{}, err
			}
			if err != nil {
				continue // it went in between
			}
			object[d.Name] = a.body
			if d.Value != nil {
				if object[d.Name], err = d.Value.Value(a.given()); err != nil {
					return sdk.Record{}, &definition.Misfit{ID: id, Field: d.Name, Reason: err.Error()}
				}
			}
		}
		raw = expr.AppendJSON(nil, value)
	}
	rec, err := m.Map(value, parent)
	if err != nil {
		return sdk.Record{}, err
	}
	return sdk.Record{ID: rec.ID, CreatedAt: rec.CreatedAt, UpdatedAt: rec.UpdatedAt, Deleted: rec.Deleted, Fields: rec.Fields, Raw: raw}, nil
}

// Get implements sdk.Getter.
func (c *Connection) Get(ctx context.Context, name, id string) (sdk.Record, error) {
	e, err := c.entity(name)
	if err != nil {
		return sdk.Record{}, err
	}
	if e.Get == nil {
		return sdk.Record{}, sdk.Failf(sdk.CodeUnsupported, "%s has no call for one of %s", c.system.Label, name)
	}
	r, err := c.client.request(&e.Get.Call, definition.Given{"id": id, "key": e.Key(id)}, nil)
	if err != nil {
		return sdk.Record{}, err
	}
	r.Safe = true
	a, err := c.client.call(ctx, r)
	if err != nil {
		return sdk.Record{}, err
	}
	value, err := part(a, e.Get.Record)
	if err != nil {
		return sdk.Record{}, err
	}
	return c.one(ctx, e, value, id)
}

// part is what an expression takes of an answer; all of it where there is none.
func part(a *Answer, x *definition.Expr) (any, error) {
	if x == nil {
		return a.body, nil
	}
	v, err := x.Value(a.given())
	if err != nil {
		return nil, sdk.Failf(sdk.CodeInternal, "the answer cannot be read: %s", err)
	}
	return v, nil
}

// one maps a single record, of which a misfit is a failure.
func (c *Connection) one(ctx context.Context, e *definition.Entity, value any, id string) (sdk.Record, error) {
	rec, err := c.record(ctx, e, e.Mapper(c.client.settings), value, expr.AppendJSON(nil, value), nil)
	if m, ok := errors.AsType[*definition.Misfit](err); ok {
		return rec, sdk.Failf(sdk.CodeInternal, "the record %s of %s in %s cannot be read: %s", id, e.Name, c.system.Label, m)
	}
	return rec, err
}
