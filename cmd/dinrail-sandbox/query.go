package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Sizes of a page.
const (
	defaultPage = 100
	maxPage     = 500
)

// position is where a list goes on: after this record.
type position struct {
	Collection string `json:"c,omitempty"`
	Since      int64  `json:"s,omitempty"` // as asked, plus one; 0: without changedSince
	Changed    int64  `json:"t,omitempty"`
	ID         int64  `json:"i,omitempty"`
}

// query is what a list was asked for.
type query struct {
	collection string
	size       int
	since      *int64
	after      position
}

// parseQuery reads the parameters of a list.
func parseQuery(collection string, values url.Values) (query, error) {
	q := query{collection: collection, size: defaultPage}
	for name, given := range values {
		value := given[0]
		var err error
		switch name {
		case "pageSize":
			if q.size, err = strconv.Atoi(value); err != nil || q.size < 1 || q.size > maxPage {
				return query{}, fail(http.StatusBadRequest, "badParameter", "pageSize must be a number from 1 to %d", maxPage)
			}
		case "changedSince":
			since, err := time.Parse(time.RFC3339, value)
			if err != nil {
				return query{}, fail(http.StatusBadRequest, "badParameter", "changedSince must be a time such as 2026-03-01T08:30:00Z")
			}
			// What changed within the asked millisecond counts.
			stamp := since.UnixMilli()
			q.since = &stamp
		case "cursor":
			if err := q.after.parse(value); err != nil {
				return query{}, fail(http.StatusBadRequest, "badCursor", "this cursor was not given out by this system")
			}
		default:
			return query{}, fail(http.StatusBadRequest, "badParameter", "there is no parameter %q", name)
		}
	}
	if q.after != (position{}) && (q.after.Collection != collection || q.after.Since != q.mark()) {
		return query{}, fail(http.StatusBadRequest, "badCursor", "this cursor belongs to another list")
	}
	return q, nil
}

// mark tells lists with and without changedSince apart.
func (q query) mark() int64 {
	if q.since == nil {
		return 0
	}
	return *q.since + 1
}

// next is the cursor behind a record.
func (q query) next(last *record) string {
	p := position{Collection: q.collection, Since: q.mark(), ID: last.id}
	if q.since != nil {
		p.Changed = last.changed
	}
	written, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(written)
}

// parse reads a cursor.
func (p *position) parse(cursor string) error {
	written, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return err
	}
	return json.Unmarshal(written, p)
}
