package api

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

// filter is one condition on a field of a record.
type filter struct {
	path   []string
	op     string // eq, in, ne, gt, gte, lt, lte, null
	values []operand
}

// operand is what a field is compared with, read once as all that it can be.
type operand struct {
	text   string
	number *big.Rat // nil: it is none
	time   time.Time
}

func operandOf(text string) operand {
	o := operand{text: text, number: number(text)}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		o.time = t
	}
	return o
}

// number reads decimal digits exactly; nil for what is no number. Bounds keep a
// short text such as 1e999999 from becoming a number of megabytes.
func number(text string) *big.Rat {
	const digits, exponent = 128, 400
	if len(text) > digits || strings.ContainsAny(text, "/_xXpPbBoO") {
		return nil
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		if n, err := strconv.Atoi(text[at+1:]); err != nil || n > exponent || n < -exponent {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

var operators = []string{"in", "ne", "gt", "gte", "lt", "lte", "null"}

// filters returns the conditions on fields.
func (q *query) filters(e host.Entity) []filter {
	var out []filter
	for name, v := range q.values {
		if slices.Contains(q.known, name) {
			continue
		}
		f := filter{op: "eq"}
		texts := v[:1]
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
			texts = strings.Split(v[0], ",")
		case "null":
			if v[0] != "true" && v[0] != "false" {
				q.fault(name, "it must be true or false")
			}
		}
		for _, t := range texts {
			f.values = append(f.values, operandOf(t))
		}
		out = append(out, f)
	}
	return out
}

// hasField says whether an entity has the field. A unified entity's fields are
// known to the last; of a native one only the first step is, and where the
// connector told none, anything goes.
func hasField(e host.Entity, path []string) bool {
	if path[0] == "custom" || len(path) == 1 && path[0] == "id" {
		return true
	}
	if unified, ok := model.Lookup(string(e.Name)); ok {
		_, ok := unified.Field(strings.Join(path, "."))
		return ok
	}
	return len(e.Fields) == 0 || slices.ContainsFunc(e.Fields, func(f host.Field) bool { return f.Name == path[0] })
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
		met := false
		if len(f.path) == 1 && f.path[0] == "id" {
			met = f.meets(string(r.ID))
		} else {
			met = f.met(fields, f.path)
		}
		if !met {
			return false
		}
	}
	return true
}

// met says whether the value at the path meets the condition; of an array, one
// of its elements must.
func (f *filter) met(v any, path []string) bool {
	if elements, ok := v.([]any); ok && (len(path) > 0 || f.op != "null") {
		return slices.ContainsFunc(elements, func(e any) bool { return f.met(e, path) })
	}
	if len(path) == 0 {
		return f.meets(v)
	}
	m, _ := v.(map[string]any) // what is no object has no such field
	return f.met(m[path[0]], path[1:])
}

func (f *filter) meets(v any) bool {
	if f.op == "null" {
		return (v == nil) == (f.values[0].text == "true")
	}
	if v == nil {
		return false // null matches nothing
	}
	if f.op == "eq" || f.op == "in" {
		return slices.ContainsFunc(f.values, func(w operand) bool { return compare(v, w) == 0 })
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

// compare compares a field with a parameter: numbers as numbers with all their
// digits, times as times, all else as text.
func compare(v any, with operand) int {
	switch v := v.(type) {
	case json.Number:
		n := number(v.String())
		if n == nil || with.number == nil {
			return incomparable
		}
		return n.Cmp(with.number)
	case bool:
		if strconv.FormatBool(v) == with.text {
			return 0
		}
		return incomparable
	case string:
		if !with.time.IsZero() {
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return t.Compare(with.time)
			}
		}
		return strings.Compare(v, with.text)
	default:
		return incomparable
	}
}
