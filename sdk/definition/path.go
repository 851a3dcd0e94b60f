package definition

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Path is a call's path, in which values are escaped.
type Path struct {
	parts []pathPart
	Range hcl.Range
}

type pathPart struct {
	text  string // as it stands
	value *Expr
	name  string
}

// Template is the path with names for its values: /orders/{id}.
func (p *Path) Template() string {
	var b strings.Builder
	for _, part := range p.parts {
		if part.value == nil {
			b.WriteString(part.text)
		} else {
			b.WriteString("{" + part.name + "}")
		}
	}
	return b.String()
}

// Fill returns the path with its values, escaped.
func (p *Path) Fill(g Given) (string, error) {
	var b strings.Builder
	for _, part := range p.parts {
		if part.value == nil {
			b.WriteString(part.text)
			continue
		}
		text, ok, err := part.value.Text(g)
		switch {
		case err != nil:
			return "", err
		case !ok || text == "" || text == "." || text == "..":
			return "", fmt.Errorf("the path %s has no value for {%s}", p.Template(), part.name)
		}
		b.WriteString(url.PathEscape(text))
	}
	return b.String(), nil
}

// path compiles an attribute as a path.
func (b *block) path(name, place string) *Path {
	a := b.content.Attributes[name]
	if a == nil {
		return nil
	}
	p := &Path{Range: a.Expr.Range()}
	parts := []hclsyntax.Expression{}
	switch e := a.Expr.(type) {
	case *hclsyntax.TemplateExpr:
		parts = e.Parts
	case *hclsyntax.TemplateWrapExpr:
		parts = append(parts, e.Wrapped)
	case hclsyntax.Expression:
		parts = append(parts, e)
	}
	for _, e := range parts {
		if l, ok := e.(*hclsyntax.LiteralValueExpr); ok && l.Val.Type() == cty.String {
			p.parts = append(p.parts, pathPart{text: l.Val.AsString()})
			continue
		}
		part := pathPart{name: "value"}
		if t := e.Variables(); len(t) == 1 {
			part.name = t[0].RootName()
			for _, step := range t[0][1:] {
				if attr, ok := step.(hcl.TraverseAttr); ok {
					part.name = attr.Name
				}
			}
		}
		if part.value = b.compile(e, place); part.value != nil {
			p.parts = append(p.parts, part)
		}
	}
	if len(p.parts) > 0 && p.parts[0].value == nil && !strings.HasPrefix(p.parts[0].text, "/") {
		b.wrong(a.Expr.Range(), "Wrong path", "%q begins with a slash; it follows request.base.", name)
	}
	for _, part := range p.parts {
		if strings.ContainsAny(part.text, "?#") {
			b.wrong(a.Expr.Range(), "Wrong path", "What follows ? stands in query = { … }.")
		}
	}
	return p
}
