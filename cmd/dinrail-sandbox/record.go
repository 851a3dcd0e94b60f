package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// fields are a record's values by name, as encoding/json decodes them with
// UseNumber. Code of the plant may also put int, int64, float64, time.Time and
// slices of fields or strings; an id stands for a reference.
type fields = map[string]any

// record is one version of one record. It is never changed, only replaced.
type record struct {
	id       int64
	changed  int64 // milliseconds; what changedSince compares
	revision int64
	code     string // what people call it, for references to it
	title    string
	body     []byte // JSON as it is answered
}

// instantLayout is how the plant writes times.
const instantLayout = "2006-01-02T15:04:05.000Z"

// decode reads a record's fields again.
func (r *record) decode() fields {
	f, err := decodeObject(r.body)
	if err != nil {
		panic(fmt.Sprintf("record %d does not read back: %v", r.id, err))
	}
	return f
}

// decodeObject reads one JSON object and keeps the digits of its numbers.
func decodeObject(body []byte) (fields, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var f fields
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	if f == nil {
		return nil, fmt.Errorf("not a JSON object")
	}
	return f, nil
}

// encoder writes records in the order of their schema.
type encoder struct {
	// resolve gives the code and name of a referenced record.
	resolve func(collection string, id int64) (code, title string, ok bool)
}

// record makes a version out of fields. The fields that every record has must
// be among them.
func (e encoder) record(c collection, f fields) *record {
	r := &record{
		id: wholeOf(f["id"]), revision: wholeOf(f["revision"]),
		changed: instantOf(f["changedAt"]).UnixMilli(), code: str(f, c.code),
	}
	if c.title != "" {
		r.title = str(f, c.title)
	}
	r.body = slices.Clip(e.object(make([]byte, 0, 1024), c.all(), f))
	return r
}

// object writes the fields of an object.
func (e encoder) object(b []byte, of []field, f fields) []byte {
	b = append(b, '{')
	for i, one := range of {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, one.name...)
		b = append(b, '"', ':')
		b = e.value(b, one, f[one.name])
	}
	return append(b, '}')
}

// value writes one field. What is absent is null, or an empty array.
func (e encoder) value(b []byte, f field, v any) []byte {
	switch f.kind {
	case kindRef:
		return e.ref(b, f, v)
	case kindRefs, kindLines, kindTexts:
		return e.array(b, f, v)
	case kindObject:
		if v == nil {
			return append(b, "null"...)
		}
		return e.object(b, f.of, v.(fields))
	}
	return e.scalar(b, f, v)
}

// scalar writes a single value; those that are met most without reflection.
func (e encoder) scalar(b []byte, f field, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		if isPlain(v) {
			b = append(b, '"')
			b = append(b, v...)
			return append(b, '"')
		}
	case json.Number:
		return append(b, v...)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return append(b, decimal(v)...)
	case bool:
		return strconv.AppendBool(b, v)
	case time.Time:
		if v.IsZero() {
			return append(b, "null"...)
		}
		layout := instantLayout
		if f.kind == kindDay {
			layout = time.DateOnly
		}
		b = append(b, '"')
		b = v.UTC().AppendFormat(b, layout)
		return append(b, '"')
	}
	written, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("field %s: %v", f.name, err))
	}
	return append(b, written...)
}

// isPlain says that a string needs no escaping in JSON.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// array writes references, lines or texts.
func (e encoder) array(b []byte, f field, v any) []byte {
	b = append(b, '[')
	for i, one := range listOf(v) {
		if i > 0 {
			b = append(b, ',')
		}
		switch f.kind {
		case kindRefs:
			b = e.ref(b, f, one)
		case kindLines:
			b = e.object(b, f.of, one.(fields))
		default:
			b = e.value(b, field{name: f.name, kind: kindText}, one)
		}
	}
	return append(b, ']')
}

// ref writes a reference with the code and name that its record has now, or the
// last ones known where it is gone.
func (e encoder) ref(b []byte, f field, v any) []byte {
	id := refID(v)
	if id == 0 {
		return append(b, "null"...)
	}
	code, title, ok := e.resolve(f.to, id)
	if old, is := v.(fields); is && !ok {
		code, title = str(old, "code"), str(old, "name")
	}
	label := field{name: f.name, kind: kindText}
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, `,"code":`...)
	b = e.scalar(b, label, orNil(code))
	b = append(b, `,"name":`...)
	b = e.scalar(b, label, orNil(title))
	return append(b, '}')
}

// orNil makes an empty text null.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// decimal writes a number with at most four digits after the point.
func decimal(v float64) string {
	return strconv.FormatFloat(round(v), 'f', -1, 64)
}

// round cuts the noise of binary fractions off.
func round(v float64) float64 { return math.Round(v*10000) / 10000 }

// str reads a text field; absent is empty.
func str(f fields, name string) string {
	s, _ := f[name].(string)
	return s
}

// num reads a number field; absent is zero.
func num(f fields, name string) float64 {
	switch v := f[name].(type) {
	case json.Number:
		n, _ := v.Float64()
		return n
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	}
	return 0
}

// moment reads a time field; absent is the zero time.
func moment(f fields, name string) time.Time { return instantOf(f[name]) }

func instantOf(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case string:
		t, _ := time.Parse(time.RFC3339, v)
		return t
	}
	return time.Time{}
}

func wholeOf(v any) int64 {
	switch v := v.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// refID reads the id out of a reference, in whatever form; none is zero.
func refID(v any) int64 {
	if f, ok := v.(fields); ok {
		return wholeOf(f["id"])
	}
	return wholeOf(v)
}

// listOf reads an array, in whatever form.
func listOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case []fields:
		return anyOf(v)
	case []string:
		return anyOf(v)
	case []int64:
		return anyOf(v)
	}
	return nil
}

func anyOf[T any](list []T) []any {
	all := make([]any, len(list))
	for i, one := range list {
		all[i] = one
	}
	return all
}
