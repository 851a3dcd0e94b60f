package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk/expr"
	"github.com/dinrail/dinrail/sdk/model"
)

// KeySeparator stands between the parts of a key that has several.
const KeySeparator = "~"

// Record is a record in its entity's shape.
type Record struct {
	ID        string
	CreatedAt time.Time
	UpdatedAt time.Time
	Deleted   bool
	Fields    json.RawMessage // nil where Deleted
}

// Misfit is why a record cannot be kept, and which of its fields is at fault.
type Misfit struct{ ID, Field, Reason string }

// Error tells field and reason.
func (m *Misfit) Error() string {
	if m.Field == "" {
		return m.Reason
	}
	return m.Field + ": " + m.Reason
}

// Mapper maps the records of one entity. It is used by one goroutine.
type Mapper struct {
	entity *Entity
	frame  *expr.Frame
	size   int // of the last record
}

// Mapper returns a mapper for a connection's settings.
func (e *Entity) Mapper(settings any) *Mapper {
	return &Mapper{entity: e, frame: e.ID.scope.Frame(time.Now()).Set("setting", settings), size: 512}
}

// Map maps a record, decoded with its numbers as json.Number; parent is the one
// that it was read for, nil where there is none. The error is a *Misfit.
func (m *Mapper) Map(raw, parent any) (Record, error) {
	id, err := m.ID(raw, parent)
	if err != nil {
		return Record{}, err
	}
	r := Record{ID: id}
	if x := m.entity.Deleted; x != nil {
		if r.Deleted, err = x.Expression.Holds(m.frame); err != nil {
			return r, &Misfit{id, "deleted", err.Error()}
		}
	}
	for _, t := range []struct {
		name string
		x    *Expr
		to   *time.Time
	}{{"created_at", m.entity.CreatedAt, &r.CreatedAt}, {"updated_at", m.entity.UpdatedAt, &r.UpdatedAt}} {
		if t.x == nil {
			continue
		}
		if *t.to, err = m.time(t.x); err != nil {
			return r, &Misfit{id, t.name, err.Error()}
		}
	}
	if r.Deleted {
		return r, nil
	}
	if r.Fields, err = m.fields(raw); err != nil {
		if at, ok := err.(*fieldError); ok { //nolint:errorlint // encode returns it unwrapped
			return r, &Misfit{id, at.field, at.reason}
		}
		return r, &Misfit{ID: id, Reason: err.Error()}
	}
	return r, nil
}

// ID returns a record's id. The error is a *Misfit.
func (m *Mapper) ID(raw, parent any) (string, error) {
	m.frame.Set("raw", raw).Set("parent", parent)
	return idOf(m.entity.ID.Expression.Value(m.frame))
}

// IDOf returns the id that another expression gives.
func (m *Mapper) IDOf(x *Expr, g Given) (string, error) { return idOf(x.Value(g)) }

func idOf(v any, err error) (string, error) {
	if err != nil {
		return "", &Misfit{Field: "id", Reason: err.Error()}
	}
	if text, ok := expr.TextOf(v); ok && text != "" {
		return text, nil
	}
	parts, ok := v.([]any)
	if !ok || len(parts) == 0 {
		return "", &Misfit{Field: "id", Reason: "it has no id"}
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		text, ok := expr.TextOf(p)
		if !ok {
			return "", &Misfit{Field: "id", Reason: fmt.Sprintf("part %d of its key is missing", i+1)}
		}
		texts[i] = joinable.Replace(text)
	}
	return strings.Join(texts, KeySeparator), nil
}

// A part of a key that has the separator in it must not become two.
var (
	joinable = strings.NewReplacer("%", "%25", KeySeparator, "%7E")
	joined   = strings.NewReplacer("%25", "%", "%7E", KeySeparator)
)

// Key returns the parts of an id, as key is in the calls of one record.
func (e *Entity) Key(id string) []any {
	if !e.composite {
		return []any{id}
	}
	var out []any
	for part := range strings.SplitSeq(id, KeySeparator) {
		out = append(out, joined.Replace(part))
	}
	return out
}

func (m *Mapper) time(x *Expr) (time.Time, error) {
	v, err := x.Expression.Value(m.frame)
	if err != nil || v == nil || v == "" {
		return time.Time{}, err
	}
	return timeOf(v)
}

func (m *Mapper) fields(raw any) (json.RawMessage, error) {
	mapping := m.entity.Map
	if mapping == nil {
		if _, ok := raw.(map[string]any); !ok {
			return nil, &fieldError{"", "it is no object"}
		}
		return expr.AppendJSON(nil, raw), nil
	}
	b := make([]byte, 0, m.size+m.size/4)
	b = append(b, '{')
	for i := range mapping.fields {
		f := &mapping.fields[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, f.field.Name...)
		b = append(b, '"', ':')
		if f.expr == nil {
			b = append(b, "null"...)
			continue
		}
		v, err := f.expr.Expression.Value(m.frame)
		if err != nil {
			return nil, &fieldError{f.field.Name, err.Error()}
		}
		if f.native {
			b = expr.AppendJSON(b, v)
			continue
		}
		if v == nil && f.twin != nil {
			if own, err := f.twin.Expression.Value(m.frame); err == nil && own != nil && own != "" {
				v = model.Unknown // the system has a word, and no table names it
			}
		}
		if b, err = encode(b, &f.field, v); err != nil {
			return nil, within(f.field.Name, err)
		}
	}
	if mapping.custom != nil {
		v, err := mapping.custom.Expression.Value(m.frame)
		if err != nil {
			return nil, &fieldError{"custom", err.Error()}
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"custom":`...)
		b = expr.AppendJSON(b, v)
	}
	m.size = len(b)
	return append(b, '}'), nil
}

// WithDefaults returns a connection's settings as expressions read them, with the
// defaults of what was not given.
func (s *System) WithDefaults(given map[string]any) map[string]any {
	out := maps.Clone(given)
	if out == nil {
		out = map[string]any{}
	}
	for _, f := range s.Settings {
		if out[f.Name] == nil && f.Default != "" {
			out[f.Name] = f.Default
		}
	}
	return out
}

// writable are the fields of the model that a create or an update reads, sorted.
func (e *Entity) writable() []string {
	var out []string
	for _, w := range []*Write{e.Create, e.Update} {
		if w == nil || w.Body == nil {
			continue
		}
		for _, p := range w.Body.Paths("record") {
			if len(p.Keys) > 0 {
				out = append(out, p.Keys[0])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
