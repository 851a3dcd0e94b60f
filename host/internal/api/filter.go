package api

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

// filter is one condition on a field of a record.
type filter struct {
	path   []string
	op     string // eq, in, ne, gt, gte, lt, lte, null
	values []operand
	names  *filling // of a reference's number or name: the copy knows what the system did not send
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
func (q *query) filters(e host.Entity, names *filling) []filter {
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
		known, ok := fieldOf(e, field)
		if !ok {
			q.fault(name, "the entity "+string(e.Name)+" has no field "+field+", and there is no such parameter")
			continue
		}
		if at := len(f.path) - 1; at > 0 && (f.path[at] == "number" || f.path[at] == "name") {
			if of, ok := fieldOf(e, strings.Join(f.path[:at], ".")); ok && of.Kind == model.KindReference {
				f.names = names
			}
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
			o := operandOf(t)
			if why := unfit(known, f.op, o); why != "" {
				q.fault(name, why)
			}
			f.values = append(f.values, o)
		}
		out = append(out, f)
	}
	return out
}

// common are the fields that the host keeps of every record, unified or not.
var common = sync.OnceValue(func() []model.Field {
	var fields []model.Field
	for _, f := range model.Fields(model.Entities()[0].Name) {
		if reserved([]byte(f.Name)) {
			fields = append(fields, f)
		}
	}
	return fields
})

// fieldOf finds a field by its dotted path. A unified entity's fields are known
// to the last; of a native one only the first step is, and where the connector
// told none, anything goes.
func fieldOf(e host.Entity, path string) (model.Field, bool) {
	first, _, _ := strings.Cut(path, ".")
	if first == "custom" {
		if path == first {
			return model.Field{Name: path, Kind: model.KindObject, Fields: []model.Field{{Name: "NAME"}}}, true
		}
		return model.Field{}, true
	}
	if fields := model.Fields(string(e.Name)); fields != nil {
		return model.Entity{Fields: fields}.Field(path)
	}
	if f, ok := (model.Entity{Fields: common()}).Field(path); ok {
		return f, true
	}
	return model.Field{}, len(e.Fields) == 0 || slices.ContainsFunc(e.Fields, func(f host.Field) bool { return f.Name == first })
}

// unfit says why a field cannot be compared with a value; "" where it can. Of
// what nobody described anything goes.
func unfit(f model.Field, op string, o operand) string {
	if op == "null" {
		return ""
	}
	switch f.Kind {
	case model.KindNumber, model.KindInteger:
		if o.number == nil {
			return "it must be a number, not " + strconv.Quote(o.text)
		}
	case model.KindBoolean:
		if o.text != "true" && o.text != "false" {
			return "it must be true or false, not " + strconv.Quote(o.text)
		}
	case model.KindTimestamp, model.KindDate:
		if _, err := time.Parse(time.DateOnly, o.text); err != nil && o.time.IsZero() {
			return "it must be a time as in 2026-01-31T12:00:00Z, or a date as in 2026-01-31, not " + strconv.Quote(o.text)
		}
	case model.KindObject, model.KindReference:
		inside := "id"
		if f.Kind == model.KindObject && len(f.Fields) > 0 {
			inside = f.Fields[0].Name
		}
		return "it is an object; name a field in it, such as " + f.Name + "." + inside
	case model.KindString, model.KindEnum:
	}
	return ""
}

// matches says whether a record meets all conditions.
func matches(filters []filter, r *host.Record) bool {
	if len(filters) == 0 {
		return true
	}
	var fields map[string]any
	for i := range filters {
		f := &filters[i]
		if v, own := ownField(r, f.path); own {
			if !f.meets(v) {
				return false
			}
			continue
		}
		if fields == nil {
			d := json.NewDecoder(bytes.NewReader(r.Body))
			d.UseNumber()
			if err := d.Decode(&fields); err != nil {
				return false // a record that is no object has no fields
			}
		}
		if !f.met(fields, f.path) {
			return false
		}
	}
	return true
}

// ownField returns the value of a field that the host keeps of every record, as
// it is answered, and whether the path names one.
func ownField(r *host.Record, path []string) (any, bool) {
	if len(path) != 1 {
		return nil, false
	}
	at := func(t time.Time) (any, bool) {
		if t.IsZero() {
			return nil, true
		}
		return host.FormatTime(t), true
	}
	switch path[0] {
	case "id":
		return string(r.ID), true
	case "entity":
		return string(r.Entity), true
	case "sequence":
		return json.Number(strconv.FormatUint(uint64(r.Sequence), 10)), true
	case "version":
		return strconv.FormatUint(uint64(r.Sequence), 36), true
	case "created_at":
		return at(r.CreatedAt)
	case "updated_at":
		return at(r.UpdatedAt)
	case "synced_at":
		return at(r.SyncedAt)
	case "deleted":
		return r.Deleted(), true
	case "deleted_at":
		return at(r.DeletedAt)
	}
	return nil, false
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
	inside := m[path[0]]
	if inside == nil && f.names != nil && len(path) == 1 {
		inside = f.names.word(m, path[0])
	}
	return f.met(inside, path[1:])
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
