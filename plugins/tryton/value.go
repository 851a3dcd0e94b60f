package main

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk/model"
)

// row is a record as Tryton answers it. Values other than text, numbers and
// truth are objects tagged with __class__; a field of a referenced record
// stands nested under the reference's name and a dot.
type row map[string]any

func (r row) text(name string) string {
	switch v := r[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return ""
	}
}

func (r row) number(name string) model.Number { return model.Number(decimal(r[name])) }

func (r row) decimal(name string) string { return decimal(r[name]) }

// decimal returns a number's digits as they were sent; "" where there is none.
func decimal(v any) string {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case map[string]any:
		s, _ := v["decimal"].(string)
		return s
	default:
		return ""
	}
}

// id returns the record's own id.
func (r row) id() string { return r.text("id") }

// key returns the id as a number; 0 where it is none.
func (r row) key() int64 {
	n, _ := r["id"].(json.Number)
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return i
}

// of returns the nested fields of a reference; none where it is null.
func (r row) of(reference string) row {
	m, _ := r[reference+"."].(map[string]any)
	return m
}

func (r row) truth(name string) *bool {
	var b bool
	switch v := r[name].(type) {
	case bool:
		b = v
	case json.Number: // SQLite's
		b = v.String() != "0"
	default:
		return nil
	}
	return &b
}

// time reads a tagged datetime, which is UTC.
func (r row) time(name string) time.Time {
	m, ok := r[name].(map[string]any)
	if !ok {
		return time.Time{}
	}
	part := func(name string) int {
		n, _ := m[name].(json.Number)
		i, _ := n.Int64()
		return int(i)
	}
	return time.Date(part("year"), time.Month(part("month")), part("day"), part("hour"), part("minute"), part("second"), part("microsecond")*1000, time.UTC)
}

func (r row) date(name string) model.Date {
	if t := r.time(name); !t.IsZero() {
		return model.DateOf(t)
	}
	return ""
}

// changed returns when the record was changed last: write_date is null until
// the first change.
func (r row) changed() time.Time {
	if t := r.time("write_date"); !t.IsZero() {
		return t
	}
	return r.time("create_date")
}

// tagged is a time as Tryton takes it.
func tagged(t time.Time) map[string]any {
	t = t.UTC()
	return map[string]any{
		"__class__": "datetime", "year": t.Year(), "month": int(t.Month()), "day": t.Day(),
		"hour": t.Hour(), "minute": t.Minute(), "second": t.Second(), "microsecond": t.Nanosecond() / 1000,
	}
}

// street splits an address's lines.
func street(s string) (first, second model.Text) {
	a, b, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return model.Text(a), model.Text(strings.ReplaceAll(b, "\n", ", "))
}
