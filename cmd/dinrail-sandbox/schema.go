package main

import (
	"slices"
	"sync"
)

// kind is what a field of a record holds on the wire.
type kind int

// The kinds of fields that the plant knows.
const (
	kindText    kind = iota // a string
	kindTexts               // an array of strings
	kindWord                // one of the plant's own words
	kindNumber              // a JSON number, digits kept as sent
	kindWhole               // a JSON number without fraction
	kindFlag                // true or false
	kindInstant             // an RFC 3339 time, kept in UTC with milliseconds
	kindDay                 // a date, 2006-01-02
	kindRef                 // {"id","code","name"} of a record elsewhere
	kindRefs                // an array of those
	kindObject              // a small object of its own fields
	kindLines               // an array of objects, each with id and pos
)

// field describes one field of a record: what it holds and who may write it.
type field struct {
	name   string
	kind   kind
	words  []string // of kindWord
	to     string   // collection that a kindRef points into
	of     []field  // of kindObject and kindLines
	needed bool     // must be given when a record is created
	fixed  bool     // set by the plant alone
}

// need marks a field without which a record cannot be created.
func (f field) need() field { f.needed = true; return f }

// fix marks a field that only the plant sets.
func (f field) fix() field { f.fixed = true; return f }

func text(name string) field    { return field{name: name, kind: kindText} }
func texts(name string) field   { return field{name: name, kind: kindTexts} }
func number(name string) field  { return field{name: name, kind: kindNumber} }
func whole(name string) field   { return field{name: name, kind: kindWhole} }
func boolean(name string) field { return field{name: name, kind: kindFlag} }
func instant(name string) field { return field{name: name, kind: kindInstant} }
func day(name string) field     { return field{name: name, kind: kindDay} }

func word(name string, words ...string) field {
	return field{name: name, kind: kindWord, words: words}
}
func ref(name, to string) field  { return field{name: name, kind: kindRef, to: to} }
func refs(name, to string) field { return field{name: name, kind: kindRefs, to: to} }
func object(name string, of ...field) field {
	return field{name: name, kind: kindObject, of: of}
}

// lines is an embedded array; each line has an id and a place of its own.
func lines(name string, of ...field) field {
	own := []field{whole("id").fix(), whole("pos").fix()}
	return field{name: name, kind: kindLines, of: append(own, of...)}
}

// person is someone in the plant, who is no record of any collection.
func person(name string) field { return object(name, whole("id"), text("name")) }

// money is an amount as a decimal string beside its currency.
func money(name string) field { return object(name, text("value"), text("currency")) }

// codeName is a code that the plant defines, with its meaning.
func codeName(name string) field { return object(name, text("code"), text("name")) }

// collection describes one kind of record: its fields in the order in which
// they are written, and what may be done with it.
type collection struct {
	name     string
	about    string // one sentence for people
	prefix   string // of generated codes
	code     string // field that people call a record by
	title    string // field with the record's name; empty: it has none
	firstID  int64
	readOnly bool
	fields   []field // without those that every record has
	every    []field // with them
	actions  []action
}

// action is a change of status by a verb, as people in the plant do it.
type action struct {
	name string
	from []string // status words in which it is allowed
	to   string
	sets string // field that takes the time of the action; empty: none
}

// head and tail frame every record.
var (
	head = []field{whole("id").fix()}
	tail = []field{text("externalKey"), instant("createdAt").fix(), instant("changedAt").fix(), whole("revision").fix()}
)

// all returns every field of the collection's records, in order.
func (c collection) all() []field { return c.every }

// action finds a verb of the collection.
func (c collection) action(name string) (action, bool) {
	for _, a := range c.actions {
		if a.name == name {
			return a, true
		}
	}
	return action{}, false
}

// collections lists all of the plant's collections.
var collections = sync.OnceValue(func() []collection {
	all := slices.Concat(placeCollections(), materialCollections(), productionCollections(), maintenanceCollections(), qualityCollections())
	for i := range all {
		all[i].every = slices.Concat(head, all[i].fields, tail)
	}
	return all
})

// collectionNamed finds a collection.
func collectionNamed(name string) (collection, bool) {
	for _, c := range collections() {
		if c.name == name {
			return c, true
		}
	}
	return collection{}, false
}

func isCollection(name string) bool {
	_, ok := collectionNamed(name)
	return ok
}
