package expr

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/dinrail/dinrail/host"
)

// Expression is one that waits for data. It may be used by many goroutines at
// once.
type Expression struct {
	expr      hclsyntax.Expression
	refs      []reference
	functions map[string]function.Function
}

// Given is what an expression is evaluated for: decoded JSON by the name under
// which the expression knows it, and the time that now() tells.
type Given struct {
	Values map[string]any
	Now    time.Time
}

// Compile compiles an expression that may name the data given by names, local
// and each, and call every function that does not read the world. src is the
// file that it stands in, and ctx holds what is known now.
func Compile(src []byte, e hcl.Expression, ctx *hcl.EvalContext, names ...string) (*Expression, hcl.Diagnostics) {
	if diags := CheckVariables(e, ctx, names...); diags.HasErrors() {
		return nil, diags
	}
	own, diags := again(src, e)
	if diags.HasErrors() {
		return nil, diags
	}
	w := &rewriter{known: ctx, data: names, clock: true}
	x := &Expression{expr: w.rewrite(own), functions: waiting(time.Now)}
	x.refs = w.refs
	return x, w.diags
}

// Path is a place in the data that an expression reads.
type Path struct {
	Keys  []string // as far as they are keys
	Range hcl.Range
}

// Paths returns the paths into the data of a name that the expression reads.
func (x *Expression) Paths(name string) []Path {
	var out []Path
	for _, r := range x.refs {
		if r.root != name {
			continue
		}
		p := Path{Keys: []string{}, Range: r.at}
		for _, step := range r.path {
			key, ok := step.(string)
			if !ok {
				break
			}
			p.Keys = append(p.Keys, key)
		}
		out = append(out, p)
	}
	return out
}

func (x *Expression) value(d Given) (cty.Value, error) {
	ctx := &hcl.EvalContext{Functions: x.functions, Variables: make(map[string]cty.Value, len(x.refs)+1)}
	ctx.Variables[clockVariable] = cty.StringVal(host.FormatTime(d.Now))
	for _, r := range x.refs {
		ctx.Variables[r.variable] = toCty(r.path.read(d.Values[r.root]))
	}
	v, diags := x.expr.Value(ctx)
	for _, g := range diags {
		if g.Severity == hcl.DiagError {
			return cty.NilVal, problem(g)
		}
	}
	v = Plain(v)
	if !v.IsNull() && !v.IsWhollyKnown() {
		return cty.NilVal, errors.New("the value is not known")
	}
	return v, nil
}

// Holds evaluates the expression as a condition; null is false.
func (x *Expression) Holds(d Given) (bool, error) {
	v, err := x.value(d)
	if err != nil || v.IsNull() {
		return false, err
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil {
		r := x.expr.Range()
		return false, fmt.Errorf("%s:%d: a condition is true or false, and this is %s", r.Filename, r.Start.Line, v.Type().FriendlyName())
	}
	return b.True(), nil
}

// JSON evaluates the expression and returns its value as JSON.
func (x *Expression) JSON(d Given) ([]byte, error) {
	v, err := x.value(d)
	if err != nil {
		return nil, err
	}
	if v.IsNull() {
		return []byte("null"), nil
	}
	return ctyjson.Marshal(v, v.Type())
}
