package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// member is a field of a JSON object, in the order of the text.
type member struct {
	name  string
	value json.RawMessage
}

// scalar is a value as text, whatever its type: a native entity has fields of
// any name and type.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var text string
	switch {
	case json.Unmarshal(b, &text) == nil: // null too
		*s = scalar(text)
	case len(b) > 0 && (b[0] == '{' || b[0] == '['):
		*s = "…"
	default:
		*s = scalar(b)
	}
	return nil
}

// membersOf returns the fields of an object in their order, numbers with the
// digits as they are.
func membersOf(object []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("read a record: %w", err)
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a record: %w", err)
		}
		m := member{name: fmt.Sprint(name)}
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("read a record: %w", err)
		}
		out = append(out, m)
	}
	return out, nil
}

// objectOf writes fields as people read them.
func objectOf(members []member) string {
	var b strings.Builder
	b.WriteString("{")
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			continue
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteString("}")
	return indented([]byte(b.String()))
}

// indented is JSON with a line for each value.
func indented(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}
