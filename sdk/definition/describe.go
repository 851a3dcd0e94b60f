package definition

import (
	"slices"
	"strings"

	"github.com/dinrail/dinrail/sdk/model"
)

// Filled is a field that an entity has.
type Filled struct {
	Name     string
	Type     string // string number boolean timestamp date object array reference
	Readable bool
	Writable bool
}

// Incremental says whether the entity can be asked for what changed.
func (e *Entity) Incremental() bool { return e.Since != nil }

// TellsDeletions says whether that tells deletions, too.
func (e *Entity) TellsDeletions() bool {
	return e.Since != nil && (e.Deletions != nil || e.Deleted != nil)
}

// Fields are what the entity fills of the model, in the model's order, and what
// it writes; none for a native entity.
func (e *Entity) Fields() []Filled {
	writable := e.writable()
	var out []Filled
	if e.Map == nil || e.Native() {
		return nil
	}
	for _, f := range e.Map.fields {
		w := slices.Contains(writable, f.field.Name)
		if f.expr != nil || w {
			out = append(out, Filled{f.field.Name, typeOf(f.field), f.expr != nil, w})
		}
	}
	if e.Map.custom != nil {
		out = append(out, Filled{"custom", "object", true, slices.Contains(writable, "custom")})
	}
	return out
}

// Native says whether the entity is one of the system's own.
func (e *Entity) Native() bool { return strings.HasPrefix(e.Name, "native/") }

func typeOf(f model.Field) string {
	switch {
	case f.Array:
		return "array"
	case f.Kind == model.KindEnum:
		return "string"
	case f.Kind == model.KindInteger:
		return "number"
	default:
		return string(f.Kind)
	}
}
