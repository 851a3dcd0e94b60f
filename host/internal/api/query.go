package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// query is the checked query of a request.
type query struct {
	values url.Values
	bad    faults
	worse  error // a mistake with a code of its own
	known  []string
	wild   bool
}

// parse reads the query; parameters that the route does not name are mistakes,
// but for filters where it takes them.
func parse(c *call, names []string) *query {
	q := &query{known: names, wild: slices.Contains(names, "*")}
	if c.URL.RawQuery == "" {
		return q
	}
	var err error
	if q.values, err = url.ParseQuery(c.URL.RawQuery); err != nil {
		q.bad = append(q.bad, fault{"query", "it is not well-formed"})
	}
	for name, v := range q.values {
		if !q.wild && !slices.Contains(names, name) {
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
		return q.worse
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
	if !q.values.Has(name) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, q.values.Get(name))
	if err != nil {
		q.fault(name, "it must be a time as in 2026-01-31T12:00:00Z (RFC 3339)")
	}
	return t
}

func (q *query) duration(name string, most time.Duration) time.Duration {
	if !q.values.Has(name) {
		return 0
	}
	d, err := host.ParseDuration(q.values.Get(name))
	if err != nil || d < 0 || d > most {
		q.fault(name, "it must be a duration up to "+most.String()+", as in 30s")
		return 0
	}
	return d
}

// flag reads true or false; false where it is not given.
func (q *query) flag(name string) bool {
	v := q.values.Get(name)
	if q.values.Has(name) && v != "true" && v != "false" {
		q.fault(name, "it must be true or false")
	}
	return v == "true"
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
