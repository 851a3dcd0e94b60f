package main

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// connection is one open connection.
type connection struct{ rpc *client }

// Check implements sdk.Connection: a login and a small question. It alone tries
// a refused login once more.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	if err := c.rpc.recent(ctx); err != nil {
		return sdk.Identity{}, err
	}
	if _, err := c.rpc.login(ctx, "", true); err != nil {
		return sdk.Identity{}, err
	}
	var preferences row
	if err := c.rpc.call(ctx, &preferences, "model.res.user.get_preferences", true, map[string]any{}); err != nil {
		return sdk.Identity{}, err
	}
	return sdk.Identity{Name: c.rpc.user}, nil
}

// Entities implements sdk.Connection. Rights are asked for as such, in one
// call: the words of a refusal are in the user's language.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	var models []string
	for _, e := range entities {
		models = append(models, e.models()...)
	}
	denied, err := c.denied(ctx, models)
	if err != nil {
		return nil, err
	}
	out := known()
	for i, e := range entities {
		for _, m := range e.models() {
			if why := denied[m]; why != "" {
				out[i].Denied = why
				break
			}
		}
	}
	return out, nil
}

// denied tells why models may not be read; those that may are not named.
func (c *connection) denied(ctx context.Context, models []string) (map[string]string, error) {
	var access map[string]row
	err := c.rpc.call(ctx, &access, "model.ir.model.access.get_access", models, map[string]any{})
	var f *sdk.Failure
	if errors.As(err, &f) && f.Code == sdk.CodeInternal {
		return c.deniedOneByOne(ctx, models)
	}
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, m := range models {
		if may := access[m].truth("read"); may == nil || !*may {
			out[m] = "the login " + c.rpc.user + " has no right to read " + m
		}
	}
	return out, nil
}

// deniedOneByOne asks for each model alone: one that Tryton does not know fails
// the call for all of them.
func (c *connection) deniedOneByOne(ctx context.Context, models []string) (map[string]string, error) {
	out := map[string]string{}
	for _, m := range models {
		var access map[string]row
		err := c.rpc.call(ctx, &access, "model.ir.model.access.get_access", []string{m}, map[string]any{})
		var f *sdk.Failure
		switch may := access[m].truth("read"); {
		case errors.As(err, &f) && f.Code == sdk.CodeInternal:
			out[m] = "this Tryton has no " + m + "; its module is not activated"
		case err != nil:
			return nil, err
		case may == nil || !*may:
			out[m] = "the login " + c.rpc.user + " has no right to read " + m
		}
	}
	return out, nil
}

// refusal turns a failure of a read into a missing right, where that is why.
func (c *connection) refusal(ctx context.Context, e *entity, err error) error {
	var f *sdk.Failure
	if !errors.As(err, &f) || f.Code != sdk.CodeInvalid {
		return err
	}
	denied, deniedErr := c.denied(ctx, e.models())
	if deniedErr != nil {
		return err
	}
	for _, m := range e.models() {
		if why := denied[m]; why != "" {
			return &sdk.Failure{Code: sdk.CodePermissionDenied, Message: why, Err: err}
		}
	}
	return err
}

// Close implements sdk.Connection.
func (c *connection) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c.rpc.logout(ctx)
	return nil
}
