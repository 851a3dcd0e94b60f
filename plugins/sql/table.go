package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/sdk"
)

// column is a column of a table.
type column struct {
	name     string
	kind     string // as the database writes it: "numeric(12,4)"
	json     string // string number boolean timestamp date object array
	nullable bool
	binary   bool
}

// table is a table or a view, and how it is read.
type table struct {
	schema, name string
	entity       string // of it here
	label        string
	columns      []column
	key          []column // none: rows have no name, and are told by their content
	change       *column  // tells when a row changed last; nil: nothing does
	denied       string   // why the login may not read it
}

// found is what a database tells of a table.
type found struct {
	schema, name string
	comment      string
	columns      []column
	unique       [][]string // keys, the primary one first, whose columns are never null
	readable     bool
}

// changeNames are what columns that tell of changes are called, the most
// certain first.
var changeNames = []string{
	"updated_at", "modified_at", "changed_at", "last_modified", "last_modified_at", "lastmodified", "last_modified_date", "lastmodifieddate",
	"last_updated", "last_updated_at", "last_update", "lastupdate", "updatedat", "modifiedat", "updated_on", "modified_on", "updated", "modified", "changed",
	"update_date", "update_time", "modified_date", "modify_date", "modify_time", "date_modified", "date_updated", "mod_date", "write_date", "changedate", "change_date", "updatedate", "updatetime",
	"geaendert", "geändert", "geaendert_am", "geändert_am", "aenderungsdatum", "änderungsdatum", "letzte_aenderung", "letzte_änderung",
}

// tables turns what the database tells into what is read of it, by name.
func (o *options) tablesOf(all []found) []table {
	names := map[string]int{}
	for _, f := range all {
		if o.wanted(f.schema, f.name) {
			names[f.name]++
		}
	}
	var out []table
	for _, f := range all {
		if !o.wanted(f.schema, f.name) {
			continue
		}
		t := table{schema: f.schema, name: f.name, entity: "native/" + f.name, label: f.comment, columns: f.columns}
		if names[f.name] > 1 {
			t.entity = "native/" + f.schema + "." + f.name
		}
		if !f.readable {
			t.denied = fmt.Sprintf("the login may not read the table %s: give it the right to SELECT from it", f.name)
		}
		o.choose(&t, f)
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b table) int { return strings.Compare(a.entity, b.entity) })
	return out
}

// choose finds the key and the change column.
func (o *options) choose(t *table, f found) {
	column := func(name string) *column {
		for i := range t.columns {
			if t.columns[i].name == name {
				return &t.columns[i]
			}
		}
		return nil
	}
	keys := f.unique
	if given, ok := o.given(o.keys, t); ok {
		keys = [][]string{given}
	}
	if len(keys) > 0 {
		for _, name := range keys[0] {
			c := column(name)
			if c == nil {
				t.denied = fmt.Sprintf("the setting keys names the column %s of %s, which it does not have", name, f.name)
				return
			}
			t.key = append(t.key, *c)
		}
	}
	if given, ok := o.given(o.changes, t); ok {
		if len(given) == 1 {
			if t.change = column(given[0]); t.change == nil {
				t.denied = fmt.Sprintf("the setting changes names the column %s of %s, which it does not have", given[0], f.name)
			}
		}
		return
	}
	if len(t.key) == 0 {
		return // changes are read in the order of their time and key
	}
	for _, name := range changeNames {
		for i := range t.columns {
			c := &t.columns[i]
			if strings.EqualFold(c.name, name) && c.json == "timestamp" && !c.nullable {
				t.change = c
				return
			}
		}
	}
}

// given finds what a setting says of a table, by its name or with its schema.
func (o *options) given(of map[string][]string, t *table) ([]string, bool) {
	if v, ok := of[t.schema+"."+t.name]; ok {
		return v, true
	}
	v, ok := of[t.name]
	return v, ok
}

// describe is the entity that the table is.
func (t *table) describe() sdk.Entity {
	e := sdk.Entity{Name: t.entity, Label: t.label, Incremental: t.change != nil && len(t.key) > 0, Denied: t.denied}
	for _, k := range t.key {
		e.Key = append(e.Key, k.name)
	}
	for _, c := range t.columns {
		e.Fields = append(e.Fields, sdk.Field{Name: c.name, Type: c.json})
	}
	return e
}

// idOf is a row's id: the key's parts joined by ~, or, without a key, a digest
// of what the row holds.
func (t *table) idOf(key []string, row []byte) string {
	switch len(key) {
	case 0:
		sum := sha256.Sum256(row)
		return hex.EncodeToString(sum[:16])
	case 1:
		return key[0]
	}
	parts := make([]string, len(key))
	for i, k := range key {
		parts[i] = joinable.Replace(k)
	}
	return strings.Join(parts, "~")
}

// joinable keeps a part that holds a ~ from being taken for two.
var joinable = strings.NewReplacer("%", "%25", "~", "%7E")
