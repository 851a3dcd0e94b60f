package expr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/expr"
)

// Mapping makes fields of its own out of a record as it was received. It may be
// used by many goroutines at once.
type Mapping struct {
	scope  *expr.Scope
	fields []field // by name
}

type field struct {
	name string
	expr *expr.Expression
}

// CompileMapping compiles the attributes of a map block. src is the file that
// they stand in, and ctx holds what is known now (local, each). Their
// expressions may name raw, local and each, and call every function that does
// not read the world.
func CompileMapping(src []byte, attrs hcl.Attributes, ctx *hcl.EvalContext) (*Mapping, hcl.Diagnostics) {
	m := &Mapping{scope: scope(ctx, "raw")}
	var diags hcl.Diagnostics
	for _, a := range attrs {
		own, more := again(src, a.Expr)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		x, more := m.scope.Compile(own)
		diags = append(diags, more...)
		m.fields = append(m.fields, field{a.Name, x})
	}
	slices.SortFunc(m.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return m, diags
}

// Fields returns the names that the mapping makes, sorted.
func (m *Mapping) Fields() []string {
	out := make([]string, len(m.fields))
	for i, f := range m.fields {
		out[i] = f.name
	}
	return out
}

// Apply returns the JSON object of the fields for a record as it was received.
// An error names the field and where it stands.
func (m *Mapping) Apply(raw []byte) ([]byte, error) {
	var data any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&data); err != nil {
		return nil, fmt.Errorf("read the raw record: %w", err)
	}
	frame := m.scope.Frame(time.Now()).Set("raw", data)
	out := []byte{'{'}
	for i := range m.fields {
		f := &m.fields[i]
		v, err := f.expr.Value(frame)
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", f.name, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = expr.AppendString(out, f.name)
		out = append(out, ':')
		out = expr.AppendJSON(out, v)
	}
	return append(out, '}'), nil
}
