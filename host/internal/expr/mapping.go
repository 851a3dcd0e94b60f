package expr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Mapping makes fields of its own out of a record as it was received. It may be
// used by many goroutines at once.
type Mapping struct {
	fields    []field // by name
	functions map[string]function.Function
}

// field is a path where the expression is nothing but one, else an expression
// that waits for the values of its paths.
type field struct {
	name string
	path path
	expr hclsyntax.Expression
	refs []reference
}

// reference is a path into the data that an expression names; in the rewritten
// expression it stands as a variable of its own, so that only what is named is
// converted, and what is missing can be null.
type reference struct {
	variable string
	root     string // which of the data
	path     path
	at       hcl.Range
}

// CompileMapping compiles the attributes of a map block. src is the file that
// they stand in, and ctx holds what is known now (local, each). Their
// expressions may name raw, local and each, and call every function that does
// not read the world.
func CompileMapping(src []byte, attrs hcl.Attributes, ctx *hcl.EvalContext) (*Mapping, hcl.Diagnostics) {
	m := &Mapping{functions: waiting(time.Now)}
	var diags hcl.Diagnostics
	for _, a := range attrs {
		if more := CheckVariables(a.Expr, ctx, "raw"); more.HasErrors() {
			diags = append(diags, more...)
			continue
		}
		f, more := compile(src, a, ctx)
		diags = append(diags, more...)
		m.fields = append(m.fields, f)
	}
	slices.SortFunc(m.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return m, diags
}

// again parses an expression once more, to have a tree of its own: one block is
// compiled for each part of its for_each, and rewriting changes the tree.
func again(src []byte, e hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	r := e.Range()
	if r.End.Byte > len(src) {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Expression outside of its file", Subject: r.Ptr()}}
	}
	return hclsyntax.ParseExpression(append(slices.Clone(r.SliceBytes(src)), '\n'), r.Filename, r.Start)
}

func compile(src []byte, a *hcl.Attribute, ctx *hcl.EvalContext) (field, hcl.Diagnostics) {
	e, diags := again(src, a.Expr)
	if diags.HasErrors() {
		return field{}, diags
	}
	f := field{name: a.Name}
	if t, ok := e.(*hclsyntax.ScopeTraversalExpr); ok && t.Traversal.RootName() == "raw" {
		if f.path, ok = pathOf(t.Traversal); ok {
			return f, nil
		}
	}
	w := &rewriter{known: ctx, data: []string{"raw"}}
	f.expr = w.rewrite(e)
	f.refs = w.refs
	return f, w.diags
}

// CheckVariables reports what an expression that waits for data cannot name:
// variables other than those of the data and those known in ctx, and functions
// that read the world.
func CheckVariables(e hcl.Expression, ctx *hcl.EvalContext, data ...string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	wrong := func(at hcl.Range, summary, format string, args ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()})
	}
	for _, t := range e.Variables() {
		if slices.Contains(data, t.RootName()) {
			continue
		}
		v, more := t.TraverseAbs(ctx)
		if more.HasErrors() {
			wrong(t.SourceRange(), "Unknown variable", "There is no %s here; an expression in this place may name %s, local and each.", written(t), strings.Join(data, ", "))
			continue
		}
		if IsSensitive(v) {
			wrong(t.SourceRange(), "Sensitive value", "A sensitive value cannot go into records, which the API answers with. If it is no secret, write plain(…) around it.")
		}
	}
	node, ok := e.(hclsyntax.Node)
	if !ok {
		return diags
	}
	known := pure(time.Now)
	outside := world(Params{})
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			if _, ok := outside[call.Name]; ok {
				wrong(call.NameRange, "Function not allowed here", "%s reads the host's surroundings and cannot be called for each record. Put the value into locals and name that.", call.Name)
			} else if _, ok := known[call.Name]; !ok {
				wrong(call.NameRange, "Unknown function", "There is no function named %q; `dinrail help functions` lists all.", call.Name)
			}
		}
		return nil
	})
	return diags
}

// written is a traversal's first two steps as they stand in the file.
func written(t hcl.Traversal) string {
	s := t.RootName()
	if len(t) > 1 {
		if a, ok := t[1].(hcl.TraverseAttr); ok {
			s += "." + a.Name
		}
	}
	return s
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
	out := []byte{'{'}
	for i := range m.fields {
		f := &m.fields[i]
		v, err := m.apply(f, data)
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", f.name, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, f.name...) // an HCL identifier needs no escapes
		out = append(out, '"', ':')
		out = append(out, v...)
	}
	return append(out, '}'), nil
}

func (m *Mapping) apply(f *field, data any) ([]byte, error) {
	if f.expr == nil {
		return json.Marshal(f.path.read(data))
	}
	ctx := &hcl.EvalContext{Functions: m.functions, Variables: make(map[string]cty.Value, len(f.refs))}
	for _, r := range f.refs {
		ctx.Variables[r.variable] = toCty(r.path.read(data))
	}
	v, diags := f.expr.Value(ctx)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return nil, problem(d)
		}
	}
	v = Plain(v)
	if v.IsNull() {
		return []byte("null"), nil
	}
	if !v.IsWhollyKnown() {
		return nil, errors.New("the value is not known")
	}
	return ctyjson.Marshal(v, v.Type())
}

func problem(d *hcl.Diagnostic) error {
	text := strings.TrimSuffix(strings.TrimSpace(d.Summary+": "+d.Detail), ".")
	if d.Subject == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s:%d: %s", d.Subject.Filename, d.Subject.Start.Line, text)
}

// toCty converts decoded JSON.
func toCty(v any) cty.Value {
	switch v := v.(type) {
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case json.Number:
		n, err := cty.ParseNumberVal(string(v))
		if err != nil {
			return cty.NullVal(cty.DynamicPseudoType)
		}
		return n
	case []any:
		if len(v) == 0 {
			return cty.EmptyTupleVal
		}
		out := make([]cty.Value, len(v))
		for i, e := range v {
			out[i] = toCty(e)
		}
		return cty.TupleVal(out)
	case map[string]any:
		if len(v) == 0 {
			return cty.EmptyObjectVal
		}
		out := make(map[string]cty.Value, len(v))
		for k, e := range v {
			out[k] = toCty(e)
		}
		return cty.ObjectVal(out)
	default:
		return cty.NullVal(cty.DynamicPseudoType)
	}
}

// path is a place in decoded JSON.
type path []any // string: a key, int: an index

// pathOf returns the steps after the root, if all of them are keys and indexes.
func pathOf(t hcl.Traversal) (path, bool) {
	p := path{}
	for _, step := range t[1:] {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			p = append(p, s.Name)
		case hcl.TraverseIndex:
			switch {
			case s.Key.Type() == cty.String:
				p = append(p, s.Key.AsString())
			case s.Key.Type() == cty.Number:
				n, accuracy := s.Key.AsBigFloat().Int64()
				if accuracy != 0 || n < 0 || n > 1<<30 {
					return nil, false
				}
				p = append(p, int(n))
			default:
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return p, true
}

// read returns what stands at the path, nil where nothing does.
func (p path) read(data any) any {
	for _, step := range p {
		switch s := step.(type) {
		case string:
			m, _ := data.(map[string]any)
			data = m[s]
		case int:
			l, _ := data.([]any)
			if s >= len(l) {
				return nil
			}
			data = l[s]
		}
	}
	return data
}
