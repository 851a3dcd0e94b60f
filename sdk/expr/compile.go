package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// reference is a path into the data that an expression names. Inside of what
// cty evaluates it stands as a variable of its own, so that only what is named
// is converted, and what is missing can be null.
type reference struct {
	variable string
	root     string // of the data
	through  []string
	slot     int
	path     path
	at       hcl.Range
}

// Compile compiles an expression of the file's native syntax. It takes the tree
// over: a tree is compiled once.
func (s *Scope) Compile(e hcl.Expression) (*Expression, hcl.Diagnostics) {
	if diags := s.check(e); diags.HasErrors() {
		return nil, diags
	}
	own, ok := e.(hclsyntax.Expression)
	if !ok {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Not an expression of HCL", Subject: e.Range().Ptr()}}
	}
	c := &compiler{scope: s}
	x := &Expression{scope: s, at: own.Range()}
	x.node = c.compile(own)
	x.refs = c.refs
	if c.diags.HasErrors() {
		return nil, c.diags
	}
	return x, nil
}

// check reports what an expression cannot name: variables other than those of
// the data and those known, and functions that are not there.
func (s *Scope) check(e hcl.Expression) hcl.Diagnostics {
	var diags hcl.Diagnostics
	wrong := func(at hcl.Range, summary, format string, args ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()})
	}
	for _, t := range e.Variables() {
		if slices.Contains(s.roots, t.RootName()) {
			continue
		}
		if s.Known == nil {
			wrong(t.SourceRange(), "Unknown variable", "There is no %s here; an expression in this place may name %s.%s", written(t), s.names(), DidYouMean(t.RootName(), s.roots))
			continue
		}
		v, more := t.TraverseAbs(s.Known)
		if more.HasErrors() {
			wrong(t.SourceRange(), "Unknown variable", "There is no %s here; an expression in this place may name %s.%s", written(t), s.names(), DidYouMean(t.RootName(), s.everything()))
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
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return nil
		}
		if why, ok := s.Outside[call.Name]; ok {
			wrong(call.NameRange, "Function not allowed here", "%s", why)
		} else if _, ok := forData[call.Name]; !ok {
			wrong(call.NameRange, "Unknown function", "There is no function named %q; `dinrail help functions` lists all.%s", call.Name, DidYouMean(call.Name, Names()))
		}
		return nil
	})
	return diags
}

// everything are the names of the data and of what is known.
func (s *Scope) everything() []string {
	out := slices.Clone(s.roots)
	for name := range s.Known.Variables {
		out = append(out, name)
	}
	return out
}

func (s *Scope) names() string {
	out := slices.Concat(s.roots[:s.data], s.KnownNames)
	if len(out) == 0 {
		return "nothing"
	}
	if len(out) == 1 {
		return out[0]
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
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

// compiler turns one expression into nodes.
type compiler struct {
	scope *Scope
	refs  []reference
	vars  []variable // of the for expressions around
	diags hcl.Diagnostics
}

// variable is one of a for expression; what it walks through, where that is a
// path.
type variable struct {
	name    string
	slot    int
	root    string
	through []string
}

// refer returns the reference that a traversal is, if it is one into the data.
func (c *compiler) refer(t hcl.Traversal, at hcl.Range) (reference, bool) {
	name := t.RootName()
	r := reference{at: at}
	if i := slices.IndexFunc(c.vars, func(v variable) bool { return v.name == name }); i >= 0 {
		v := c.vars[i]
		r.slot, r.root, r.through = v.slot, v.root, v.through
	} else if i := slices.Index(c.scope.roots[:c.scope.data], name); i >= 0 {
		r.slot, r.root = i, name
	} else {
		return r, false
	}
	p, ok := pathOf(t)
	if !ok {
		c.diags = append(c.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong index", Detail: "An index is a name or a whole number.", Subject: at.Ptr()})
	}
	r.path = p
	r.variable = fmt.Sprintf("%s/%d", name, len(c.refs)) // no identifier has a slash
	c.refs = append(c.refs, r)
	return r, true
}

// compile compiles what can be done without cty, and leaves the rest to it.
func (c *compiler) compile(e hclsyntax.Expression) node {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if r, ok := c.refer(e.Traversal, e.SrcRange); ok {
			return &pathNode{r.slot, r.path}
		}
	case *hclsyntax.LiteralValueExpr:
		return literalNode{FromCty(Plain(e.Val))}
	case *hclsyntax.ParenthesesExpr:
		return c.compile(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return c.compile(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		return &templateNode{c.all(e.Parts), e.SrcRange}
	case *hclsyntax.TupleConsExpr:
		return tupleNode(c.all(e.Exprs))
	case *hclsyntax.ObjectConsExpr:
		if n := c.object(e); n != nil {
			return n
		}
	case *hclsyntax.ConditionalExpr:
		return &conditionNode{c.compile(e.Condition), c.compile(e.TrueResult), c.compile(e.FalseResult), e.SrcRange}
	case *hclsyntax.BinaryOpExpr:
		switch e.Op {
		case hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalOr:
			return &logicNode{c.compile(e.LHS), c.compile(e.RHS), e.Op == hclsyntax.OpLogicalOr, e.SrcRange}
		case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
			return &equalNode{c.compile(e.LHS), c.compile(e.RHS), e.Op == hclsyntax.OpNotEqual, isNull(e.LHS) || isNull(e.RHS)}
		}
	case *hclsyntax.IndexExpr:
		if table, ok := c.constant(e.Collection); ok {
			if words, ok := table.(map[string]any); ok {
				return &lookupNode{words, c.compile(e.Key), literalNode{}, e.Key.Range()}
			}
		}
	case *hclsyntax.ForExpr:
		if e.KeyExpr == nil && !e.Group {
			return c.loop(e)
		}
	case *hclsyntax.FunctionCallExpr:
		if n := c.call(e); n != nil {
			return n
		}
	}
	return c.calculate(e)
}

func isNull(e hclsyntax.Expression) bool {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	return ok && l.Val.IsNull()
}

func (c *compiler) all(list []hclsyntax.Expression) []node {
	out := make([]node, len(list))
	for i, e := range list {
		out[i] = c.compile(e)
	}
	return out
}

// object compiles an object whose keys are written out; nil for another.
func (c *compiler) object(e *hclsyntax.ObjectConsExpr) node {
	keys := make([]string, len(e.Items))
	for i, item := range e.Items {
		key, ok := Key(item)
		if !ok {
			return nil
		}
		keys[i] = key
	}
	n := &objectNode{members: make([]member, len(e.Items))}
	for i, item := range e.Items {
		before := len(c.refs)
		n.members[i] = member{key: keys[i], node: c.compile(item.ValueExpr)}
		if c.scope.Sparse == "" {
			continue
		}
		for _, r := range c.refs[before:] {
			if r.root == c.scope.Sparse && r.slot < c.scope.data {
				n.members[i].sparse = append(n.members[i].sparse, r)
			}
		}
	}
	return n
}

// Key returns the key of an object's member, where it is written out.
func Key(item hclsyntax.ObjectConsItem) (string, bool) {
	k, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
	if ok && k.ForceNonLiteral {
		return "", false
	}
	if name := hcl.ExprAsKeyword(item.KeyExpr); name != "" {
		return name, true
	}
	inner := item.KeyExpr
	if ok {
		inner = k.Wrapped
	}
	if t, ok := inner.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		v, _ := t.Value(nil)
		return v.AsString(), true
	}
	return "", false
}

// loop compiles a for expression that makes a list.
func (c *compiler) loop(e *hclsyntax.ForExpr) node {
	n := &loopNode{over: c.compile(e.CollExpr), at: e.CollExpr.Range(), key: -1}
	item := variable{}
	if t, ok := e.CollExpr.(*hclsyntax.ScopeTraversalExpr); ok && len(c.refs) > 0 {
		if r := c.refs[len(c.refs)-1]; r.at == t.SrcRange {
			item.root, item.through = r.root, slices.Clone(r.through)
			for _, step := range r.path {
				if key, ok := step.(string); ok {
					item.through = append(item.through, key)
				}
			}
		}
	}
	around := len(c.vars)
	if e.KeyVar != "" {
		n.key = c.slot()
		c.vars = slices.Insert(c.vars, 0, variable{name: e.KeyVar, slot: n.key})
	}
	item.name, item.slot = e.ValVar, c.slot()
	n.value = item.slot
	c.vars = slices.Insert(c.vars, 0, item)
	n.body = c.compile(e.ValExpr)
	if e.CondExpr != nil {
		n.when, n.whenAt = c.compile(e.CondExpr), e.CondExpr.Range()
	}
	c.vars = c.vars[len(c.vars)-around:]
	return n
}

func (c *compiler) slot() int {
	c.scope.size++
	return c.scope.size - 1
}

// call compiles the functions that need no cty; nil for others.
func (c *compiler) call(e *hclsyntax.FunctionCallExpr) node {
	if e.ExpandFinal {
		return nil
	}
	switch e.Name {
	case "lookup":
		if len(e.Args) != 3 {
			return nil
		}
		table, ok := c.constant(e.Args[0])
		if !ok {
			return nil
		}
		words, ok := table.(map[string]any)
		if !ok {
			return nil
		}
		return &lookupNode{words, c.compile(e.Args[1]), c.compile(e.Args[2]), e.Args[1].Range()}
	case "coalesce":
		return coalesceNode(c.all(e.Args))
	}
	return nil
}

// constant evaluates an expression that names no data and asks for no time.
func (c *compiler) constant(e hclsyntax.Expression) (any, bool) {
	for _, t := range e.Variables() {
		if c.scope.Known == nil || c.named(t.RootName()) {
			return nil, false
		}
	}
	clock := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "now" {
			clock = true
		}
		return nil
	})
	if clock {
		return nil, false
	}
	ctx := &hcl.EvalContext{Functions: forData}
	if c.scope.Known != nil {
		ctx.Variables = c.scope.Known.Variables
	}
	v, diags := e.Value(ctx)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return nil, false
	}
	return FromCty(Plain(v)), true
}

// named says whether a name is one of the data, or of a for expression around.
func (c *compiler) named(name string) bool {
	return slices.Contains(c.scope.roots[:c.scope.data], name) || slices.ContainsFunc(c.vars, func(v variable) bool { return v.name == name })
}

// calculate leaves an expression to cty.
func (c *compiler) calculate(e hclsyntax.Expression) node {
	if v, ok := c.constant(e); ok {
		return literalNode{v}
	}
	before := len(c.refs)
	w := &rewriter{compiler: c}
	n := &calculation{expr: w.rewrite(e)}
	n.refs = slices.Clone(c.refs[before:])
	return n
}

// calculation is an expression that cty evaluates.
type calculation struct {
	expr hclsyntax.Expression
	refs []reference
}

func (n *calculation) eval(f *Frame) (any, error) {
	ctx := &hcl.EvalContext{Functions: forData, Variables: make(map[string]cty.Value, len(n.refs)+1)}
	ctx.Variables[clockVariable] = cty.StringVal(formatTime(f.now))
	for i := range n.refs {
		r := &n.refs[i]
		ctx.Variables[r.variable] = toCty(r.path.read(f.slots[r.slot]))
	}
	v, diags := n.expr.Value(ctx)
	for _, g := range diags {
		if g.Severity == hcl.DiagError {
			return nil, problem(g)
		}
	}
	v = Plain(v)
	if !v.IsNull() && !v.IsWhollyKnown() {
		return nil, fmt.Errorf("%s: the value is not known", place(n.expr.Range()))
	}
	return FromCty(v), nil
}

var forData map[string]function.Function // set by init: the functions call each other's names

func init() { forData = waiting() }
