package definition

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dinrail/dinrail/sdk/expr"
	"github.com/dinrail/dinrail/sdk/model"
)

// Mapping makes a record of the entity's shape out of one as received.
type Mapping struct {
	fields []mapped
	custom *Expr // an object; nil: none
}

// mapped is one field. A field of the model that is not mapped has no expr.
type mapped struct {
	field  model.Field
	native bool // of a native entity: as it is
	expr   *Expr
	twin   *Expr // of an enumeration: the system's own word
}

// Fields are the names of what is mapped, in order.
func (m *Mapping) Fields() []string {
	var out []string
	for _, f := range m.fields {
		if f.expr != nil {
			out = append(out, f.field.Name)
		}
	}
	return out
}

// Expr is the expression of a field; nil where it is not mapped.
func (m *Mapping) Expr(field string) *Expr {
	for _, f := range m.fields {
		if f.field.Name == field {
			return f.expr
		}
	}
	return nil
}

// Custom is the expression of custom; nil where there is none.
func (m *Mapping) Custom() *Expr { return m.custom }

// reserved are what every record has, which a map does not fill.
var reserved = map[string]string{
	"id": "the entity's id = …", "created_at": "the entity's created_at = …", "updated_at": "the entity's updated_at = …", "deleted": "the entity's deleted = …",
	"entity": "the host's", "sequence": "the host's", "version": "the host's", "synced_at": "the host's", "deleted_at": "the host's",
}

// mapping reads a map block.
func (l *loader) mapping(b *hcl.Block, unified model.Entity, known bool) *Mapping {
	attrs, diags := b.Body.JustAttributes()
	l.diags = append(l.diags, diags...)
	m := &Mapping{}
	for _, a := range attrs {
		if a.Name == "custom" {
			if _, ok := a.Expr.(*hclsyntax.ObjectConsExpr); !ok {
				l.wrong(a.Expr.Range(), "Not an object", "custom is written out as an object: custom = { NAME = raw.x }.")
				continue
			}
			m.custom = l.compile(a.Expr, "record")
			delete(attrs, a.Name)
		} else if whose, is := reserved[a.Name]; is && known {
			l.wrong(a.NameRange, "Not mapped", "%q is %s.", a.Name, whose)
			delete(attrs, a.Name)
		}
	}
	if !known {
		for _, a := range sorted(attrs) {
			if x := l.compile(a.Expr, "record"); x != nil {
				m.fields = append(m.fields, mapped{field: model.Field{Name: a.Name}, native: true, expr: x})
			}
		}
		return m
	}
	names := namesOf(unified.Fields)
	for _, a := range sorted(attrs) {
		if !slices.Contains(names, a.Name) {
			l.wrong(a.NameRange, "Unknown field", "%s has no field %q; what the model has not goes into custom = { … }.%s", unified.Name, a.Name, expr.DidYouMean(a.Name, names))
		}
	}
	for _, f := range unified.Fields {
		field := mapped{field: f}
		if a := attrs[f.Name]; a != nil {
			e, _ := a.Expr.(hclsyntax.Expression)
			l.checkValue(f, e)
			twin := f.Name + "_native"
			if f.Kind == model.KindEnum && !f.Array && slices.Contains(names, twin) && attrs[twin] == nil {
				if own := l.nativeOf(e); own != nil {
					attrs[twin] = &hcl.Attribute{Name: twin, Expr: own, Range: a.Range, NameRange: a.NameRange}
				}
			}
			field.expr = l.compile(a.Expr, "record")
		}
		m.fields = append(m.fields, field)
	}
	for i := range m.fields {
		if f := &m.fields[i]; f.field.Kind == model.KindEnum {
			f.twin = m.Expr(f.field.Name + "_native")
		}
	}
	return m
}

func sorted(attrs hcl.Attributes) []*hcl.Attribute {
	out := make([]*hcl.Attribute, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	return out
}

// nativeOf returns what the system's own word of an enumeration is read from: a
// tree of its own. It is nil where that cannot be told.
func (l *loader) nativeOf(e hclsyntax.Expression) hclsyntax.Expression {
	var from hcl.Expression = e
	switch t := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return l.nativeOf(t.Expression)
	case *hclsyntax.FunctionCallExpr:
		if t.Name == "lookup" && len(t.Args) > 1 {
			from = t.Args[1]
			break
		}
		from = nil
	case *hclsyntax.IndexExpr:
		from = t.Key
	case *hclsyntax.ScopeTraversalExpr:
	default:
		from = nil
	}
	var at hcl.Range
	if from != nil {
		at = from.Range()
	} else {
		for _, t := range e.Variables() {
			if t.RootName() == "local" {
				continue
			}
			if at.Filename != "" && string(at.SliceBytes(l.src)) != string(t.SourceRange().SliceBytes(l.src)) {
				return nil
			}
			at = t.SourceRange()
		}
	}
	if at.Filename == "" || at.End.Byte > len(l.src) {
		return nil
	}
	own, diags := hclsyntax.ParseExpression(append(slices.Clone(at.SliceBytes(l.src)), '\n'), at.Filename, at.Start)
	if diags.HasErrors() {
		return nil
	}
	return own
}

// checkValue holds an expression against the field that it fills: the names of
// objects, the words of enumerations, lists where lists belong. It gives
// enumerations within objects their native twins.
func (l *loader) checkValue(f model.Field, e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		l.checkValue(f, e.Expression)
	case *hclsyntax.ConditionalExpr:
		l.checkValue(f, e.TrueResult)
		l.checkValue(f, e.FalseResult)
	case *hclsyntax.ForExpr:
		if !f.Array {
			l.wrong(e.SrcRange, "Not a list", "%s is %s.", f.Name, kindWords(f))
			return
		}
		l.checkValue(element(f), e.ValExpr)
	case *hclsyntax.TupleConsExpr:
		if !f.Array {
			l.wrong(e.SrcRange, "Not a list", "%s is %s.", f.Name, kindWords(f))
			return
		}
		for _, x := range e.Exprs {
			l.checkValue(element(f), x)
		}
	case *hclsyntax.ObjectConsExpr:
		l.checkObject(f, e)
	case *hclsyntax.FunctionCallExpr:
		l.checkCall(f, e)
	case *hclsyntax.IndexExpr:
		l.checkTable(f, e.Collection)
	case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr:
		if t, ok := e.(*hclsyntax.TemplateExpr); ok && !t.IsStringLiteral() {
			return
		}
		v, diags := e.Value(nil)
		if diags.HasErrors() || v.IsNull() {
			return
		}
		text, _ := expr.TextOf(expr.FromCty(v))
		l.checkWord(f, text, e.Range())
		if f.Array || f.Kind == model.KindReference || f.Kind == model.KindObject {
			l.wrong(e.Range(), "Wrong type", "%s is %s.", f.Name, kindWords(f))
		}
	}
}

// element is what a list's field consists of.
func element(f model.Field) model.Field {
	f.Array = false
	return f
}

func (l *loader) checkObject(f model.Field, e *hclsyntax.ObjectConsExpr) {
	if f.Array || f.Kind != model.KindObject && f.Kind != model.KindReference {
		l.wrong(e.SrcRange, "Not an object", "%s is %s.", f.Name, kindWords(f))
		return
	}
	names := namesOf(f.Fields)
	given := map[string]bool{}
	for _, item := range e.Items {
		key, ok := expr.Key(item)
		if !ok {
			l.wrong(item.KeyExpr.Range(), "Name not written out", "The names of %s's fields are %s.", f.Name, quoted(names))
			return
		}
		given[key] = true
	}
	for _, item := range e.Items {
		key, _ := expr.Key(item)
		i := slices.Index(names, key)
		switch {
		case i < 0:
			l.wrong(item.KeyExpr.Range(), "Unknown field", "%s has no field %q; it has %s.%s", f.Name, key, quoted(names), expr.DidYouMean(key, names))
			continue
		case f.Kind == model.KindReference && key == "entity" && f.Target != "":
			l.wrong(item.KeyExpr.Range(), "Known already", "%s refers to %s.", f.Name, f.Target)
		}
		field := f.Fields[i]
		l.checkValue(field, item.ValueExpr)
		twin := key + "_native"
		if field.Kind == model.KindEnum && slices.Contains(names, twin) && !given[twin] {
			if own := l.nativeOf(item.ValueExpr); own != nil {
				e.Items = append(e.Items, hclsyntax.ObjectConsItem{KeyExpr: keyOf(twin, item.KeyExpr.Range()), ValueExpr: own})
			}
		}
	}
}

func keyOf(name string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.ObjectConsKeyExpr{Wrapped: &hclsyntax.ScopeTraversalExpr{Traversal: hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: at}}, SrcRange: at}}
}

// checkCall holds the words of a table against an enumeration's.
func (l *loader) checkCall(f model.Field, e *hclsyntax.FunctionCallExpr) {
	switch {
	case e.Name == "coalesce":
		for _, x := range e.Args {
			l.checkValue(f, x)
		}
	case e.Name == "lookup" && len(e.Args) == 3:
		l.checkValue(f, e.Args[2])
		l.checkTable(f, e.Args[0])
	}
}

// checkTable holds the words of a table against an enumeration's.
func (l *loader) checkTable(f model.Field, e hclsyntax.Expression) {
	if f.Kind != model.KindEnum || f.Array {
		return
	}
	if table, ok := e.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range table.Items {
			l.checkValue(f, item.ValueExpr)
		}
		return
	}
	v, diags := e.Value(l.known)
	if diags.HasErrors() || v.IsNull() || !v.CanIterateElements() {
		return
	}
	for _, word := range v.AsValueSlice() {
		if text, ok := expr.TextOf(expr.FromCty(word)); ok {
			l.checkWord(f, text, e.Range())
		}
	}
}

// checkWord holds a word against an enumeration's.
func (l *loader) checkWord(f model.Field, word string, at hcl.Range) {
	if f.Kind != model.KindEnum || word == model.Unknown || slices.Contains(f.Words, word) {
		return
	}
	l.wrong(at, "Unknown word", "%s is one of %s.%s", f.Name, quoted(f.Words), expr.DidYouMean(word, f.Words))
}

// kindWords says what a field is, for people.
func kindWords(f model.Field) string {
	one := map[model.Kind]string{
		model.KindReference: "a reference, { id = … }", model.KindObject: "an object of " + quoted(namesOf(f.Fields)), model.KindTimestamp: "a time", model.KindDate: "a day",
		model.KindEnum: "one of " + quoted(f.Words), model.KindInteger: "a whole number", model.KindBoolean: "true or false",
	}[f.Kind]
	if one == "" {
		one = "a " + string(f.Kind)
	}
	if f.Array {
		return "a list; each part is " + one
	}
	return one
}
