package expr

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// null is the value of whatever has a null or missing operand.
var null = cty.NullVal(cty.DynamicPseudoType)

// rewriter turns an expression into one that gives null where an operand is
// null, and in which paths into the data are variables of their own. HCL alone
// makes an error of both.
type rewriter struct {
	*compiler
	inner []string // variables of for expressions that cty walks
}

// clockVariable stands for now(): the time is what the expression is evaluated
// for, not when that happens. No identifier has a slash.
const clockVariable = "now/"

func (w *rewriter) rewrite(e hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return w.traversal(e)
	case *hclsyntax.ParenthesesExpr:
		e.Expression = w.rewrite(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		e.Wrapped = w.rewrite(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		w.all(e.Parts)
		return strict{e, e.Parts, func(v []hclsyntax.Expression) hclsyntax.Expression {
			return &hclsyntax.TemplateExpr{Parts: v, SrcRange: e.SrcRange}
		}}
	case *hclsyntax.UnaryOpExpr:
		e.Val = w.rewrite(e.Val)
		return strict{e, []hclsyntax.Expression{e.Val}, func(v []hclsyntax.Expression) hclsyntax.Expression {
			return &hclsyntax.UnaryOpExpr{Op: e.Op, Val: v[0], SrcRange: e.SrcRange, SymbolRange: e.SymbolRange}
		}}
	case *hclsyntax.BinaryOpExpr:
		return w.binary(e)
	case *hclsyntax.ConditionalExpr:
		e.Condition, e.TrueResult, e.FalseResult = w.rewrite(e.Condition), w.rewrite(e.TrueResult), w.rewrite(e.FalseResult)
		return strict{e, []hclsyntax.Expression{e.Condition}, func(v []hclsyntax.Expression) hclsyntax.Expression {
			return &hclsyntax.ConditionalExpr{Condition: v[0], TrueResult: e.TrueResult, FalseResult: e.FalseResult, SrcRange: e.SrcRange}
		}}
	case *hclsyntax.IndexExpr:
		e.Collection, e.Key = w.rewrite(e.Collection), w.rewrite(e.Key)
		return step{e, []hclsyntax.Expression{e.Collection, e.Key}, nil}
	case *hclsyntax.RelativeTraversalExpr:
		e.Source = w.rewrite(e.Source)
		return step{e, []hclsyntax.Expression{e.Source}, e.Traversal}
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "now" {
			return &hclsyntax.ScopeTraversalExpr{Traversal: hcl.Traversal{hcl.TraverseRoot{Name: clockVariable, SrcRange: e.Range()}}, SrcRange: e.Range()}
		}
		w.all(e.Args) // the functions themselves answer null with null
	case *hclsyntax.TupleConsExpr:
		w.all(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			e.Items[i].ValueExpr = w.rewrite(e.Items[i].ValueExpr)
		}
	case *hclsyntax.SplatExpr:
		e.Source = w.rewrite(e.Source)
	case *hclsyntax.ForExpr:
		e.CollExpr = w.rewrite(e.CollExpr)
		around := w.inner
		w.inner = append(slices.Clone(around), e.KeyVar, e.ValVar)
		defer func() { w.inner = around }()
		e.ValExpr = w.rewrite(e.ValExpr)
		if e.KeyExpr != nil {
			e.KeyExpr = w.rewrite(e.KeyExpr)
		}
		if e.CondExpr != nil {
			e.CondExpr = w.rewrite(e.CondExpr)
		}
		return strict{e, []hclsyntax.Expression{e.CollExpr}, func(v []hclsyntax.Expression) hclsyntax.Expression {
			c := *e
			c.CollExpr = v[0]
			return &c
		}}
	}
	return e
}

func (w *rewriter) all(list []hclsyntax.Expression) {
	for i := range list {
		list[i] = w.rewrite(list[i])
	}
}

// traversal gives a path into the data a variable of its own, and puts in what
// is known already.
func (w *rewriter) traversal(e *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
	if slices.Contains(w.inner, e.Traversal.RootName()) {
		return e
	}
	if r, ok := w.refer(e.Traversal, e.SrcRange); ok {
		return &hclsyntax.ScopeTraversalExpr{Traversal: hcl.Traversal{hcl.TraverseRoot{Name: r.variable, SrcRange: e.SrcRange}}, SrcRange: e.SrcRange}
	}
	if w.scope.Known == nil {
		return e
	}
	v, diags := e.Traversal.TraverseAbs(w.scope.Known)
	w.diags = append(w.diags, diags...)
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.SrcRange}
}

func (w *rewriter) binary(e *hclsyntax.BinaryOpExpr) hclsyntax.Expression {
	asksForNull := isNull(e.LHS) || isNull(e.RHS)
	e.LHS, e.RHS = w.rewrite(e.LHS), w.rewrite(e.RHS)
	switch e.Op {
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		if asksForNull {
			return e
		}
	case hclsyntax.OpLogicalAnd:
		return logical{e, cty.False}
	case hclsyntax.OpLogicalOr:
		return logical{e, cty.True}
	}
	return strict{e, []hclsyntax.Expression{e.LHS, e.RHS}, func(v []hclsyntax.Expression) hclsyntax.Expression {
		return &hclsyntax.BinaryOpExpr{LHS: v[0], Op: e.Op, RHS: v[1], SrcRange: e.SrcRange}
	}}
}

// strict evaluates its operands once each; if one of them is null it is null,
// else it is what HCL makes of them.
type strict struct {
	hclsyntax.Expression
	operands []hclsyntax.Expression
	build    func([]hclsyntax.Expression) hclsyntax.Expression
}

// Value implements hcl.Expression.
func (s strict) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	literals := make([]hclsyntax.Expression, len(s.operands))
	for i, o := range s.operands {
		v, diags := o.Value(ctx)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		if v.IsNull() {
			return null, nil
		}
		literals[i] = &hclsyntax.LiteralValueExpr{Val: v, SrcRange: o.Range()}
	}
	return s.build(literals).Value(ctx)
}

// logical is && or ||: decided by one operand if it can be, null if it cannot
// and one of them is null.
type logical struct {
	*hclsyntax.BinaryOpExpr
	decides cty.Value
}

// Value implements hcl.Expression.
func (l logical) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var values [2]hclsyntax.Expression
	missing := false
	for i, o := range []hclsyntax.Expression{l.LHS, l.RHS} {
		v, diags := o.Value(ctx)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		if v.IsNull() {
			missing = true
			continue
		}
		if v.Type() == cty.Bool && v.IsKnown() && v.RawEquals(l.decides) {
			return l.decides, nil
		}
		values[i] = &hclsyntax.LiteralValueExpr{Val: v, SrcRange: o.Range()}
	}
	if missing {
		return null, nil
	}
	return (&hclsyntax.BinaryOpExpr{LHS: values[0], Op: l.Op, RHS: values[1], SrcRange: l.SrcRange}).Value(ctx)
}

// step goes into a value by a key or by a traversal; what is not there is null.
type step struct {
	hclsyntax.Expression
	operands  []hclsyntax.Expression
	traversal hcl.Traversal
}

// Value implements hcl.Expression.
func (s step) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var values []cty.Value
	for _, o := range s.operands {
		v, diags := o.Value(ctx)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		if v.IsNull() {
			return null, nil
		}
		values = append(values, v)
	}
	keys := values[1:]
	for _, t := range s.traversal {
		switch t := t.(type) {
		case hcl.TraverseAttr:
			keys = append(keys, cty.StringVal(t.Name))
		case hcl.TraverseIndex:
			keys = append(keys, t.Key)
		default:
			return cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Wrong index", Detail: "An index is a name or a number.", Subject: s.Range().Ptr()}}
		}
	}
	v := values[0]
	for _, k := range keys {
		if v.IsNull() {
			return null, nil
		}
		if t := v.Type(); !t.IsObjectType() && !t.IsTupleType() && !t.IsCollectionType() {
			return cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Wrong type", Detail: "This value has no parts.", Subject: s.Range().Ptr()}}
		}
		next, diags := hcl.Index(v, k, s.Range().Ptr())
		if diags.HasErrors() {
			return null, nil
		}
		v = next
	}
	return v, nil
}

// waiting are the functions for expressions that wait for data: null for an
// argument that they cannot take as null, and lookup's default for a null key.
func waiting() map[string]function.Function {
	all := Pure(time.Now)
	for name, f := range all {
		if name == "try" || name == "can" || name == "coalesce" {
			continue
		}
		all[name] = nullable(name, f)
	}
	return all
}

func nullable(name string, f function.Function) function.Function {
	takesNull := func(i int) bool {
		if params := f.Params(); i < len(params) {
			return params[i].AllowNull
		}
		return f.VarParam() != nil && f.VarParam().AllowNull
	}
	return wrap(f, function.StaticReturnType(cty.DynamicPseudoType), func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		for i, a := range args {
			if !a.IsNull() || takesNull(i) {
				continue
			}
			if name == "lookup" && len(args) == 3 {
				return args[2], nil
			}
			return null, nil
		}
		return f.Call(slices.Clone(args))
	})
}
