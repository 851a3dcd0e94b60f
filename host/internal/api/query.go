package api

import (
	"bytes"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

// query is the checked query of a request.
type query struct {
	values url.Values
	bad    faults
	known  map[string]bool
	wild   bool
}

// parse reads the query; parameters that the route does not name are mistakes,
// but for filters where it takes them.
func parse(c *call, names ...string) *query {
	values, err := url.ParseQuery(c.URL.RawQuery)
	q := &query{values: values, known: map[string]bool{}}
	if err != nil {
		q.bad = append(q.bad, fault{"query", "it is not well-formed"})
	}
	for _, n := range names {
		if n == "*" {
			q.wild = true
		}
		q.known[n] = true
	}
	for name, v := range values {
		if !q.known[name] && !q.wild {
			q.fault(name, "there is no such parameter here")
		}
		if len(v) > 1 {
			q.fault(name, "it is given more than once")
		}
	}
	return q
}

func (q *query) fault(name, message string) {
	q.bad = append(q.bad, fault{"query." + name, message})
}

// err returns the mistakes, if there are any.
func (q *query) err() error {
	if len(q.bad) == 0 {
		return nil
	}
	slices.SortFunc(q.bad, func(a, b fault) int { return strings.Compare(a.Location, b.Location) })
	return q.bad
}

func (q *query) limit() int {
	v := q.values.Get("limit")
	if !q.values.Has("limit") {
		return host.DefaultLimit
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > host.MaxListLimit {
		q.fault("limit", "it must be a number from 1 to 1000")
		return host.DefaultLimit
	}
	return n
}

func (q *query) time(name string) time.Time {
	v := q.values.Get(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		q.fault(name, "it must be a time as in 2026-01-31T12:00:00Z (RFC 3339)")
	}
	return t
}

func (q *query) duration(name string, most time.Duration) time.Duration {
	v := q.values.Get(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > most {
		q.fault(name, "it must be a duration up to "+most.String()+", as in 30s")
		return 0
	}
	return d
}

// include returns whether raw and deleted are asked for.
func (q *query) include() (raw, deleted bool) {
	for _, w := range strings.Split(q.values.Get("include"), ",") {
		switch w {
		case "raw":
			raw = true
		case "deleted":
			deleted = true
		case "":
		default:
			q.fault("include", "it takes raw and deleted, not "+w)
		}
	}
	return raw, deleted
}

// filter is one condition on a field of a record.
type filter struct {
	path   []string
	op     string // eq, in, ne, gt, gte, lt, lte, null
	values []string
}

var operators = []string{"in", "ne", "gt", "gte", "lt", "lte", "null"}

// filters returns the conditions on fields.
func (q *query) filters(e host.Entity) []filter {
	var out []filter
	for name, v := range q.values {
		if q.known[name] {
			continue
		}
		f := filter{op: "eq", values: v[:1]}
		field := name
		if at := strings.IndexByte(name, '['); at >= 0 && strings.HasSuffix(name, "]") {
			field, f.op = name[:at], name[at+1:len(name)-1]
			if !slices.Contains(operators, f.op) {
				q.fault(name, "there is no operator "+f.op+"; there are "+strings.Join(operators, ", "))
				continue
			}
		}
		f.path = strings.Split(field, ".")
		if !hasField(e, f.path) {
			q.fault(name, "the entity "+string(e.Name)+" has no field "+field+", and there is no such parameter")
			continue
		}
		switch f.op {
		case "in":
			f.values = strings.Split(v[0], ",")
		case "null":
			if v[0] != "true" && v[0] != "false" {
				q.fault(name, "it must be true or false")
			}
		}
		out = append(out, f)
	}
	return out
}

// hasField says whether an entity has a field at the path's start.
func hasField(e host.Entity, path []string) bool {
	if path[0] == "custom" || path[0] == "id" {
		return true
	}
	if fields := model.Fields(string(e.Name)); len(fields) > 0 {
		for _, f := range fields {
			if f.Name == path[0] {
				return true
			}
		}
		return false
	}
	for _, f := range e.Fields {
		if f.Name == path[0] {
			return true
		}
	}
	return len(e.Fields) == 0 // what the entity has is not known
}

// matches says whether a record meets all conditions.
func matches(filters []filter, r *host.Record) bool {
	if len(filters) == 0 {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return false // a record that is no object has no fields
	}
	for i := range filters {
		f := &filters[i]
		var v any
		if f.path[0] == "id" {
			v = string(r.ID)
		} else {
			v = at(fields, f.path)
		}
		if !f.meets(v) {
			return false
		}
	}
	return true
}

func at(v any, path []string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func (f *filter) meets(v any) bool {
	if f.op == "null" {
		return (v == nil) == (f.values[0] == "true")
	}
	if v == nil {
		return false // null matches nothing
	}
	if f.op == "eq" || f.op == "in" {
		return slices.ContainsFunc(f.values, func(w string) bool { return compare(v, w) == 0 })
	}
	n := compare(v, f.values[0])
	switch f.op {
	case "ne":
		return n != 0
	case "gt":
		return n == 1
	case "gte":
		return n == 0 || n == 1
	case "lt":
		return n == -1
	default: // lte
		return n == 0 || n == -1
	}
}

// incomparable is neither smaller, equal nor larger.
const incomparable = 2

// compare compares a field with a parameter's text: numbers as numbers with all
// their digits, times as times, all else as text.
func compare(v any, text string) int {
	switch v := v.(type) {
	case json.Number:
		a, ok := new(big.Rat).SetString(v.String())
		b, ok2 := new(big.Rat).SetString(text)
		if !ok || !ok2 {
			return incomparable
		}
		return a.Cmp(b)
	case bool:
		if strconv.FormatBool(v) == text {
			return 0
		}
		return incomparable
	case string:
		if a, err := time.Parse(time.RFC3339Nano, v); err == nil {
			if b, err := time.Parse(time.RFC3339Nano, text); err == nil {
				return a.Compare(b)
			}
		}
		return strings.Compare(v, text)
	default:
		return incomparable
	}
}
