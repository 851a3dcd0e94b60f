package main

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/dinrail/dinrail/sdk"
)

// connection is one login to one service.
type connection struct {
	options options
	client  *client

	mu   sync.Mutex
	sets []set // as $metadata told; nil: not read yet
}

// Close implements sdk.Connection.
func (*connection) Close() error { return nil }

// Check implements sdk.Connection.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	c.client.refused.Store(nil)
	sets, err := c.describe(ctx)
	if err != nil {
		return sdk.Identity{}, err
	}
	id := sdk.Identity{Name: c.client.credentials["username"], Version: "OData V4"}
	if len(sets) > 0 && sets[0].old {
		id.Version = "OData V2"
	}
	return id, nil
}

// Entities implements sdk.Connection. Whether the login may read a set is only
// told by asking for one record of it.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	sets, err := c.describe(ctx)
	if err != nil {
		return nil, err
	}
	var out []sdk.Entity
	for i := range sets {
		e := sets[i].describe()
		if e.Denied == "" {
			if e.Denied, err = c.denied(ctx, &sets[i]); err != nil {
				return nil, err
			}
		}
		out = append(out, e)
	}
	return out, nil
}

func (c *connection) denied(ctx context.Context, s *set) (string, error) {
	_, err := c.client.rows(ctx, s, query("$top", "1"))
	if f, ok := err.(*sdk.Failure); ok { //nolint:errorlint // it is never wrapped
		switch f.Code {
		case sdk.CodePermissionDenied, sdk.CodeNotFound, sdk.CodeInvalid, sdk.CodeUnsupported:
			return f.Message, nil
		}
	}
	return "", err
}

// describe reads $metadata anew.
func (c *connection) describe(ctx context.Context) ([]set, error) {
	b, err := c.client.get(ctx, "$metadata", "application/xml", "")
	if err != nil {
		return nil, err
	}
	sets, err := c.options.setsOf(b)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets = sets
	return sets, nil
}

// lookup finds the set of an entity.
func (c *connection) lookup(ctx context.Context, entity string) (*set, error) {
	c.mu.Lock()
	sets := c.sets
	c.mu.Unlock()
	if sets == nil {
		var err error
		if sets, err = c.describe(ctx); err != nil {
			return nil, err
		}
	}
	for i := range sets {
		if "native/"+sets[i].name != entity {
			continue
		}
		if why := sets[i].denied; why != "" {
			return nil, sdk.Failf(sdk.CodeUnsupported, "%s cannot be read: %s", sets[i].name, why)
		}
		return &sets[i], nil
	}
	return nil, sdk.Failf(sdk.CodeNotFound, "the service has no entity set for %s", entity)
}

// count tells how many records a set has, where the service tells.
func (c *connection) count(ctx context.Context, s *set) (int64, bool) {
	b, err := c.client.get(ctx, s.name+"/$count", "text/plain", "")
	if err != nil {
		return 0, false // the read itself tells what is wrong
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(string(b)), "\ufeff"), 10, 64)
	return n, err == nil
}
