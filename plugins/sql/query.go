package main

import (
	"fmt"
	"strings"
)

// words is how a dialect writes the parts of a query.
type words struct {
	quote func(name string) string
	// text writes a column so that its value can be given back as a parameter.
	text func(c *column) string
	// given writes the n-th parameter, which a column is compared with, and
	// returns it in the form in which it is sent.
	given func(n int, c *column, value string) (string, any)
	// before writes what comes the overlap before a time.
	before func(parameter string, c *column) string
}

// builder writes one query.
type builder struct {
	words
	where []string
	args  []any
}

func (b *builder) parameter(c *column, value string) string {
	text, arg := b.given(len(b.args)+1, c, value)
	b.args = append(b.args, arg)
	return text
}

// after adds the condition that a row comes after one whose columns have the
// values: (a, b) > (x, y), written so that an index on a is used by every
// database.
func (b *builder) after(columns []*column, values []string) {
	var alternatives []string
	for i := range columns {
		var all []string
		for j := range i {
			all = append(all, fmt.Sprintf("%s = %s", b.quote(columns[j].name), b.parameter(columns[j], values[j])))
		}
		all = append(all, fmt.Sprintf("%s > %s", b.quote(columns[i].name), b.parameter(columns[i], values[i])))
		alternatives = append(alternatives, "("+strings.Join(all, " AND ")+")")
	}
	if len(columns) > 1 {
		b.where = append(b.where, fmt.Sprintf("%s >= %s", b.quote(columns[0].name), b.parameter(columns[0], values[0])))
	}
	b.where = append(b.where, "("+strings.Join(alternatives, " OR ")+")")
}

// build writes the query for a page: each row's key, its change, and itself.
func build(w words, t *table, from, whole string, ask window) (string, []any) {
	b := &builder{words: w}
	var wanted, order []string
	// What is asked for has names of its own: ORDER BY would take a text of the
	// column's name for the column.
	for i := range t.key {
		wanted = append(wanted, fmt.Sprintf("%s AS dinrail_key_%d", w.text(&t.key[i]), i+1))
		order = append(order, w.quote(t.key[i].name))
	}
	if t.change != nil {
		wanted = append(wanted, w.text(t.change)+" AS dinrail_change")
	}
	wanted = append(wanted, whole)
	place, values := []*column{}, []string{}
	if ask.incremental {
		order = append([]string{w.quote(t.change.name)}, order...)
		place, values = append(place, t.change), append(values, ask.change)
		b.where = append(b.where, fmt.Sprintf("%s >= %s", w.quote(t.change.name), w.before(b.parameter(t.change, ask.since), t.change)))
	}
	if ask.history != "" {
		b.where = append(b.where, fmt.Sprintf("%s >= %s", w.quote(t.change.name), b.parameter(t.change, ask.history)))
	}
	if len(ask.key) > 0 {
		for i := range t.key {
			place, values = append(place, &t.key[i]), append(values, ask.key[i])
		}
		b.after(place, values)
	}
	text := "SELECT " + strings.Join(wanted, ", ") + " FROM " + from
	if len(b.where) > 0 {
		text += " WHERE " + strings.Join(b.where, " AND ")
	}
	if len(order) > 0 {
		text += " ORDER BY " + strings.Join(order, ", ")
	}
	if ask.limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", ask.limit)
	}
	return text, b.args
}
