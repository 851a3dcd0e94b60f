package model

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Schema is the JSON Schema (2020-12) of a record as the API answers it. What a
// system cannot tell is null, so nearly every field may be; each is present in
// a record that lives. A tombstone has what every record has, and may lack the
// rest.
func Schema(name string) ([]byte, error) {
	e, ok := Lookup(name)
	if !ok {
		return nil, fmt.Errorf("write schema: no entity is called %q", name)
	}
	fields := Fields(name)
	own := members{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", e.Name},
		{"description", e.Doc},
	}
	whole := append(own, objectSchema(fields)...)
	for i, f := range fields {
		if f.Name == "entity" {
			properties := whole.value("properties").(members)
			properties[i].value = members{{"const", e.Name}}
		}
	}
	return json.MarshalIndent(whole, "", "  ")
}

// objectSchema describes an object of fields. Fields that are added later break
// no reader: nothing says that there are no others.
func objectSchema(fields []Field) members {
	var required []string
	properties := members{}
	for _, f := range fields {
		properties = append(properties, member{f.Name, fieldSchema(f)})
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema := members{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		schema = append(schema, member{"required", required})
	}
	return schema
}

// fieldSchema describes one field, null included where it may be.
func fieldSchema(f Field) members {
	one := f
	one.Doc = ""
	var schema members
	if f.Array {
		one.Array, one.Required = false, true
		schema = members{{"type", orNull("array", f.Required)}, {"items", fieldSchema(one)}}
	} else {
		schema = valueSchema(one)
	}
	if f.Doc != "" {
		schema = append(schema, member{"description", f.Doc})
	}
	return schema
}

// valueSchema describes a single value.
func valueSchema(f Field) members {
	switch f.Kind {
	case KindEnum:
		words := make([]any, 0, len(f.Words)+1)
		for _, w := range f.Words {
			words = append(words, w)
		}
		if !f.Required {
			words = append(words, nil)
		}
		return members{{"type", orNull("string", f.Required)}, {"enum", words}}
	case KindTimestamp:
		return members{{"type", orNull("string", f.Required)}, {"format", "date-time"}}
	case KindDate:
		return members{{"type", orNull("string", f.Required)}, {"format", "date"}}
	case KindReference, KindObject:
		schema := objectSchema(f.Fields)
		schema[0].value = orNull("object", f.Required)
		if f.Target != "" {
			schema = append(schema, member{"x-entity", f.Target})
		}
		return schema
	default:
		return members{{"type", orNull(string(f.Kind), f.Required)}}
	}
}

// orNull is a type, and null unless the value is required.
func orNull(name string, required bool) any {
	if required {
		return name
	}
	return []string{name, "null"}
}

// members is a JSON object that keeps its order.
type members []member

type member struct {
	name  string
	value any
}

func (m members) value(name string) any {
	for _, one := range m {
		if one.name == name {
			return one.value
		}
	}
	return nil
}

// MarshalJSON writes the members in their order.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(one.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
