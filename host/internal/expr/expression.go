package expr

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/expr"
)

// Expression is one that waits for data. It may be used by many goroutines at
// once.
type Expression struct {
	scope *expr.Scope
	expr  *expr.Expression
}

// Given is what an expression is evaluated for: decoded JSON by the name under
// which the expression knows it, and the time that now() tells.
type Given struct {
	Values map[string]any
	Now    time.Time
}

// Path is a place in the data that an expression reads.
type Path = expr.Path

// Compile compiles an expression that may name the data given by names, local
// and each, and call every function that does not read the world. src is the
// file that it stands in, and ctx holds what is known now.
func Compile(src []byte, e hcl.Expression, ctx *hcl.EvalContext, names ...string) (*Expression, hcl.Diagnostics) {
	own, diags := again(src, e)
	if diags.HasErrors() {
		return nil, diags
	}
	s := scope(ctx, names...)
	x, diags := s.Compile(own)
	if diags.HasErrors() {
		return nil, diags
	}
	return &Expression{s, x}, diags
}

// Paths returns the paths into the data of a name that the expression reads.
func (x *Expression) Paths(name string) []Path { return x.expr.Paths(name) }

func (x *Expression) frame(d Given) *expr.Frame {
	f := x.scope.Frame(d.Now)
	for name, v := range d.Values {
		f.Set(name, v)
	}
	return f
}

// Holds evaluates the expression as a condition; null is false.
func (x *Expression) Holds(d Given) (bool, error) { return x.expr.Holds(x.frame(d)) }

// JSON evaluates the expression and returns its value as JSON.
func (x *Expression) JSON(d Given) ([]byte, error) { return x.expr.JSON(x.frame(d)) }
