package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// schemaOf describes how encoding/json writes a type, as JSON Schema 2020-12.
// The types are this package's views and the nouns: structs without cycles.
func schemaOf(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[stamp]():
		return object{"type": []string{"string", "null"}, "format": "date-time"}
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		of := schemaOf(t.Elem())
		if kind, ok := of["type"].(string); ok {
			of["type"] = []string{kind, "null"}
		}
		return of
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		properties, required := object{}, []string{}
		required = members(t, properties, required)
		return object{"type": "object", "properties": properties, "required": required}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	default:
		return object{"type": "integer"}
	}
}

// members adds a struct's members and returns those that are always there; one
// of an embedded struct gives way to one of the same name outside of it.
func members(t reflect.Type, properties object, required []string) []string {
	var embedded []reflect.Type
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			embedded = append(embedded, f.Type)
		case name != "-" && name != "" && properties[name] == nil:
			properties[name] = schemaOf(f.Type)
			if !strings.Contains(options, "omit") {
				required = append(required, name)
			}
		}
	}
	for _, e := range embedded {
		required = members(e, properties, required)
	}
	return required
}
