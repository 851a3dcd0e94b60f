package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/sdk"
)

// scope is what a login sees Tryton through. Values that each company has for
// itself, such as prices of products, are empty or nought without the company,
// and nothing says so; names are in the user's language.
type scope struct {
	rpc      *client
	context  map[string]any
	currency string // of the company; empty: not known
}

// scope asks for the login's company and language.
func (c *connection) scope(ctx context.Context) (scope, error) {
	// Archived records are shown only to those who ask.
	s := scope{rpc: c.rpc, context: map[string]any{"active_test": false}}
	var preferences row
	if err := c.rpc.call(ctx, &preferences, "model.res.user.get_preferences", true, map[string]any{}); err != nil {
		return scope{}, err
	}
	for _, name := range []string{"company", "language"} {
		if v := preferences[name]; v != nil {
			s.context[name] = v
		}
	}
	if company, ok := preferences["company"].(json.Number); ok {
		rows, err := s.search(ctx, "company.company", []any{[]any{"id", "=", company}}, 1, "id", []string{"currency.code"})
		var f *sdk.Failure
		if errors.As(err, &f) && (f.Code == sdk.CodePermissionDenied || f.Code == sdk.CodeInvalid) {
			return s, nil // amounts without a currency are worth more than none
		}
		if err != nil {
			return scope{}, err
		}
		if len(rows) == 1 {
			s.currency = rows[0].of("currency").text("code")
		}
	}
	return s, nil
}

// count tells how many records of a model meet a condition.
func (s scope) count(ctx context.Context, name string, domain []any) (int64, error) {
	var n json.Number
	if err := s.rpc.call(ctx, &n, "model."+name+".search_count", domain, s.context); err != nil {
		return 0, err
	}
	total, err := n.Int64()
	if err != nil {
		return 0, sdk.Failf(sdk.CodeInternal, "Tryton's answer is no count of %s", name)
	}
	return total, nil
}

// search reads records of a model that meet a condition, in an order. An answer
// that is no list of records is a failure: it would look like an end.
func (s scope) search(ctx context.Context, name string, domain []any, limit int, order string, fields []string) ([]row, error) {
	field, direction, _ := strings.Cut(order, " ")
	by := []any{[]any{field, cmp.Or(direction, "ASC")}}
	var rows []row
	if err := s.rpc.call(ctx, &rows, "model."+name+".search_read", domain, 0, limit, by, fields, s.context); err != nil {
		return nil, err
	}
	if rows == nil || len(rows) > limit || slices.ContainsFunc(rows, func(r row) bool { return r.key() <= 0 }) {
		return nil, sdk.Failf(sdk.CodeInternal, "Tryton's answer is no list of %s", name)
	}
	return rows, nil
}

// after is a search in order of id, behind an id. What comes next is asked for
// behind the last: an order that is none would leave records out.
func (s scope) after(ctx context.Context, name string, id int64, domain []any, limit int, fields []string) ([]row, error) {
	rows, err := s.search(ctx, name, append([]any{[]any{"id", ">", id}}, domain...), limit, "id", fields)
	for _, r := range rows {
		if r.key() <= id {
			return nil, sdk.Failf(sdk.CodeInternal, "Tryton's records of %s are not in the order of their ids", name)
		}
		id = r.key()
	}
	return rows, err
}

// all reads all records of a model that meet a condition, in order of id.
func (s scope) all(ctx context.Context, name string, domain []any, fields []string) ([]row, error) {
	const most = 1000
	var all []row
	for id := int64(0); ; {
		rows, err := s.after(ctx, name, id, domain, most, fields)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < most {
			return all, nil
		}
		id = rows[len(rows)-1].key()
	}
}
