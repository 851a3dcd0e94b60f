package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Shape is what a connection makes of an entity's records before anybody sees
// them, stored or live: fields that are never kept, and fields of its own.
type Shape struct {
	exclude [][]string
	mapping func(raw []byte) ([]byte, error)
}

// NewShape returns the shape of an entity: exclude are a connection's
// "entity.field", of which those of other entities are passed by; mapping makes
// the JSON object of its own fields of a record as received, nil: there are
// none.
func NewShape(e EntityName, exclude []string, mapping func(raw []byte) ([]byte, error)) Shape {
	return Shape{excluded(exclude, e), mapping}
}

// Apply shapes a record. The error says, for a person, why it cannot be.
func (s Shape) Apply(r *Received) error {
	if len(s.exclude) > 0 {
		var err error
		if r.Body, r.Raw, err = without(r.Body, r.Raw, s.exclude); err != nil {
			return fmt.Errorf("its excluded fields could not be left out: %w", err)
		}
	}
	if s.mapping != nil && len(r.Raw) > 0 {
		custom, err := s.mapping(r.Raw)
		if err != nil {
			return fmt.Errorf("its own mapping could not be applied: %w", err)
		}
		if r.Body, err = withCustom(r.Body, custom); err != nil {
			return err
		}
	}
	return nil
}

// excluded returns the paths of an entity's fields that are never stored.
func excluded(all []string, e EntityName) [][]string {
	var out [][]string
	for _, x := range all {
		if path, ok := strings.CutPrefix(x, string(e)+"."); ok && path != "" {
			out = append(out, strings.Split(path, "."))
		}
	}
	return out
}

// without returns body and raw without the fields at the paths.
func without(body, raw json.RawMessage, paths [][]string) (json.RawMessage, json.RawMessage, error) {
	b, err := cut(body, paths)
	if err != nil {
		return nil, nil, err
	}
	w, err := cut(raw, paths)
	return b, w, err
}

func cut(text json.RawMessage, paths [][]string) (json.RawMessage, error) {
	if len(text) == 0 {
		return text, nil
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	for _, p := range paths {
		remove(v, p)
	}
	return json.Marshal(v)
}

func remove(v any, path []string) {
	switch v := v.(type) {
	case map[string]any:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		remove(v[path[0]], path[1:])
	case []any:
		for _, x := range v {
			remove(x, path)
		}
	}
}

// withCustom puts the connection's own fields into a record's body.
func withCustom(body, custom json.RawMessage) (json.RawMessage, error) {
	n := len(body)
	if n < 2 || body[n-1] != '}' {
		return nil, errors.New("its body is not a JSON object")
	}
	out := make([]byte, 0, n+len(custom)+len(`,"custom":`))
	out = append(out, body[:n-1]...)
	if n > 2 {
		out = append(out, ',')
	}
	out = append(out, `"custom":`...)
	out = append(out, custom...)
	return append(out, '}'), nil
}
