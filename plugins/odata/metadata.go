package main

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/sdk"
)

// document is what is read of $metadata, of V2 and V4 alike.
type document struct {
	XMLName xml.Name
	Version string `xml:"Version,attr"`
	Schemas []struct {
		Namespace string `xml:"Namespace,attr"`
		Alias     string `xml:"Alias,attr"`
		Types     []kind `xml:"EntityType"`
		Holders   []struct {
			Sets []struct {
				Name string `xml:"Name,attr"`
				Type string `xml:"EntityType,attr"`
			} `xml:"EntitySet"`
		} `xml:"EntityContainer"`
	} `xml:"DataServices>Schema"`
}

// kind is an entity type.
type kind struct {
	Name string `xml:"Name,attr"`
	Base string `xml:"BaseType,attr"`
	Keys []struct {
		Name string `xml:"Name,attr"`
	} `xml:"Key>PropertyRef"`
	Fields []field `xml:"Property"`
	Parts  []struct {
		Name string `xml:"Name,attr"`
	} `xml:"NavigationProperty"`
}

// field is a property.
type field struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
}

// set is an entity set.
type set struct {
	name   string
	old    bool // OData V2
	key    []field
	fields []field
	change *field // tells when a record changed; nil: none does
	expand []string
	denied string // why it cannot be read; empty: it can
}

// changeNames are what change fields are called, in small letters, best first.
var changeNames = []string{
	"modifiedat", "lastmodifiedat", "systemmodifiedat", "lastmodifieddatetime", "lastchangedatetime", "lastchangeddatetime",
	"changedat", "changedon", "updatedat", "updated_at", "modifiedon", "lastmodified", "lastupdated",
}

// setsOf reads $metadata.
func (o *options) setsOf(text []byte) ([]set, error) {
	var d document
	if err := xml.Unmarshal(text, &d); err != nil || d.XMLName.Local != "Edmx" {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "what is found under $metadata there is no description of an OData service; give the service's root", Err: err}
	}
	types := map[string]kind{}
	for _, s := range d.Schemas {
		for _, k := range s.Types {
			types[s.Namespace+"."+k.Name] = k
			if s.Alias != "" {
				types[s.Alias+"."+k.Name] = k
			}
		}
	}
	var out []set
	for _, s := range d.Schemas {
		for _, h := range s.Holders {
			for _, e := range h.Sets {
				if o.wanted(e.Name) {
					out = append(out, o.setOf(e.Name, e.Type, types, !strings.HasPrefix(d.Version, "4")))
				}
			}
		}
	}
	return out, nil
}

func (o *options) setOf(name, typ string, types map[string]kind, old bool) set {
	s := set{name: name, old: old, expand: o.expand[name]}
	var keys, parts []string
	for depth := 0; typ != "" && depth < 20; depth++ { // a type that stands on itself ends, too
		k := types[typ]
		s.fields = append(slices.Clone(k.Fields), s.fields...)
		for _, r := range k.Keys {
			keys = append(keys, r.Name)
		}
		for _, p := range k.Parts {
			parts = append(parts, p.Name)
		}
		typ = k.Base
	}
	for _, name := range keys {
		i := slices.IndexFunc(s.fields, func(f field) bool { return f.Name == name })
		if i < 0 {
			s.denied = "its key " + name + " is no field of its own"
			return s
		}
		if _, ok := literal(s.fields[i].Type, "0", old); !ok {
			s.denied = "pages cannot be asked for by its key " + name + " of the type " + s.fields[i].Type
			return s
		}
		s.key = append(s.key, s.fields[i])
	}
	if len(s.key) == 0 {
		s.denied = "the service gives it no key"
	}
	for _, part := range s.expand {
		if !slices.Contains(parts, part) {
			s.denied = "it has no part " + part + " (settings.expand)"
		}
	}
	s.findChange(o.changes[name])
	return s
}

// findChange finds the field that tells when a record changed: the one that is
// given, else by its name.
func (s *set) findChange(given []string) {
	names := changeNames
	if given != nil {
		names = given
	}
	for _, name := range names {
		for i, f := range s.fields {
			if f.Name != name && (given != nil || !strings.EqualFold(f.Name, name)) {
				continue
			}
			if f.Type == "Edm.DateTimeOffset" || f.Type == "Edm.DateTime" {
				s.change = &s.fields[i]
				return
			}
		}
	}
	if len(given) > 0 {
		s.denied = "it has no field " + given[0] + " that holds a time (settings.changes)"
	}
}

// describe is the set as an entity.
func (s *set) describe() sdk.Entity {
	e := sdk.Entity{Name: "native/" + s.name, Label: s.name, Incremental: s.change != nil, Denied: s.denied}
	for _, k := range s.key {
		e.Key = append(e.Key, k.Name)
	}
	for _, f := range s.fields {
		e.Fields = append(e.Fields, sdk.Field{Name: f.Name, Type: jsonType(f.Type, s.old)})
	}
	for _, part := range s.expand {
		e.Fields = append(e.Fields, sdk.Field{Name: part, Type: "array"})
	}
	return e
}

func jsonType(t string, old bool) string {
	switch t {
	case "Edm.Boolean":
		return "boolean"
	case "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Single":
		if old { // V2 writes them as texts
			return "string"
		}
		return "number"
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32":
		return "number"
	case "Edm.DateTimeOffset", "Edm.DateTime":
		return "timestamp"
	case "Edm.Date":
		return "date"
	}
	switch {
	case strings.HasPrefix(t, "Collection("):
		return "array"
	case strings.HasPrefix(t, "Edm."):
		return "string"
	}
	return "object"
}
