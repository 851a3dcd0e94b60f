package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

type local struct {
	attr *hcl.Attribute
	ctx  *hcl.EvalContext
}

func (l *loader) collectLocals(b block) {
	if l.locals == nil {
		l.locals = map[string]local{}
	}
	attrs, diags := b.Body.JustAttributes()
	for name, a := range attrs {
		if prior, ok := l.locals[name]; ok {
			diags = append(diags, twice("local."+name, a.NameRange, prior.attr.NameRange))
			continue
		}
		l.locals[name] = local{a, b.ctx}
	}
	l.report("locals", false, diags)
}

// evaluateLocals evaluates each local after those that it names, and gives
// every file the result. A local with a mistake is unknown: what uses it is
// not reported again.
func (l *loader) evaluateLocals() {
	values := map[string]cty.Value{}
	visiting := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		loc, ok := l.locals[name]
		if _, done := values[name]; done || !ok {
			return
		}
		visiting[name] = true
		defer delete(visiting, name)
		var diags hcl.Diagnostics
		for _, t := range loc.attr.Expr.Variables() {
			for _, dep := range localNames(t) {
				if visiting[dep] {
					diags = append(diags, &hcl.Diagnostic{
						Severity: hcl.DiagError, Summary: "Local refers to itself", Subject: t.SourceRange().Ptr(),
						Detail: fmt.Sprintf("local.%s needs local.%s, which needs it in turn. Break the circle.", name, dep),
					})
					continue
				}
				visit(dep)
			}
		}
		v := cty.DynamicVal
		if !diags.HasErrors() {
			ctx := loc.ctx.NewChild()
			ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(values)}
			var more hcl.Diagnostics
			v, more = loc.attr.Expr.Value(ctx)
			if diags = append(diags, more...); diags.HasErrors() {
				v = cty.DynamicVal
			}
		}
		values[name] = v
		l.report("locals", false, diags)
	}
	for _, name := range slices.Sorted(maps.Keys(l.locals)) {
		visit(name)
	}
	for _, ctx := range l.contexts {
		ctx.Variables["local"] = cty.ObjectVal(values)
	}
}

// localNames returns the name of the local that a traversal starts with.
func localNames(t hcl.Traversal) []string {
	if t.RootName() != "local" || len(t) < 2 {
		return nil
	}
	if a, ok := t[1].(hcl.TraverseAttr); ok {
		return []string{a.Name}
	}
	return nil
}
