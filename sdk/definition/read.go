package definition

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dinrail/dinrail/sdk/expr"
)

// Bounds of a definition and of what stands beside it.
const (
	maxFile     = 1 << 20
	maxEntities = 500
)

// Open reads a file for a definition that names it.
type Open func(name string) ([]byte, error)

// Beside opens files of the folder in which the definition stands.
func Beside(fsys fs.FS, dir string) Open {
	return func(name string) ([]byte, error) { return fs.ReadFile(fsys, path.Join(dir, name)) }
}

// FromFiles opens what that came with a definition.
func FromFiles(files map[string][]byte) Open {
	return func(name string) ([]byte, error) {
		if b, ok := files[name]; ok {
			return b, nil
		}
		return nil, fs.ErrNotExist
	}
}

// Read reads, checks and compiles a system's file. name is the file's, as it is
// told in mistakes; its base without .hcl must be the system's. The System is nil
// where a diagnostic is an error.
func Read(name string, content []byte, open Open) (*System, hcl.Diagnostics) {
	l := &loader{name: name, src: content, open: open, sys: &System{Files: map[string][]byte{}}, locals: map[string]cty.Value{}}
	l.read()
	slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		return a.Subject.Start.Byte - b.Subject.Start.Byte
	})
	if l.diags.HasErrors() {
		return nil, l.diags
	}
	return l.sys, l.diags
}

// loader reads one file.
type loader struct {
	name   string
	src    []byte
	open   Open
	sys    *System
	dia    dialect
	known  *hcl.EvalContext
	locals map[string]cty.Value
	diags  hcl.Diagnostics
	scopes map[string]*expr.Scope
	secret map[string]bool // settings
}

func (l *loader) wrong(at hcl.Range, summary, format string, args ...any) {
	l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()})
}

func (l *loader) read() {
	start := hcl.Range{Filename: l.name, Start: hcl.InitialPos, End: hcl.InitialPos}
	switch {
	case len(l.src) > maxFile:
		l.wrong(start, "File too large", "A definition has at most %d bytes; put tables into files beside it.", maxFile)
		return
	case !utf8.Valid(l.src):
		l.wrong(start, "Not UTF-8", "A definition is UTF-8 text. Save it in that encoding.")
		return
	}
	file, diags := hclsyntax.ParseConfig(l.src, l.name, hcl.InitialPos)
	l.diags = append(l.diags, diags...)
	if diags.HasErrors() {
		return
	}
	functions := expr.Pure(time.Now)
	functions["file"] = l.file()
	l.known = &hcl.EvalContext{Variables: map[string]cty.Value{"local": cty.EmptyObjectVal}, Functions: functions}
	content, diags := file.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "system", LabelNames: []string{"name"}}, {Type: "locals"}}})
	l.diags = append(l.diags, diags...)
	for _, b := range content.Blocks.OfType("locals") {
		l.readLocals(b)
	}
	systems := content.Blocks.OfType("system")
	switch {
	case len(systems) == 0 && !diags.HasErrors():
		l.wrong(start, "No system", "The file has no block system \"NAME\" { … }.")
	case len(systems) > 1:
		l.wrong(systems[1].DefRange, "Second system", "A file describes one system. Put the other into a file of its own.")
	case len(systems) == 1:
		l.system(systems[0])
	}
}

// file reads a guide or a table beside the definition.
func (l *loader) file() function.Function {
	return expr.Text("The content of a file beside the definition.", cty.String, func(a []string) (cty.Value, error) {
		name := a[0]
		if name == "" || name != path.Base(name) || name == ".." || name == "." || strings.Contains(name, `\`) {
			return cty.NilVal, fmt.Errorf("%q is no file beside the definition; name it without a folder", name)
		}
		b, err := l.open(name)
		switch {
		case err != nil:
			return cty.NilVal, fmt.Errorf("there is no file %s beside the definition", name)
		case len(b) > maxFile || !utf8.Valid(b):
			return cty.NilVal, fmt.Errorf("%s is not UTF-8 text of at most %d bytes", name, maxFile)
		}
		l.sys.Files[name] = b
		return cty.StringVal(string(b)), nil
	}, "name")
}

// readLocals reads tables; one may name those above it.
func (l *loader) readLocals(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	l.diags = append(l.diags, diags...)
	for _, a := range slices.SortedFunc(maps.Values(attrs), func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte }) {
		if !l.static(a.Expr) {
			continue
		}
		v, diags := a.Expr.Value(l.known)
		l.diags = append(l.diags, diags...)
		if diags.HasErrors() {
			continue
		}
		l.locals[a.Name] = v
		l.known.Variables["local"] = cty.ObjectVal(l.locals)
	}
}

// surroundings are functions of the configuration that a definition has not.
var surroundings = map[string]string{
	"env":        "A system's file knows no environment. What differs from one connection to another is a setting block.",
	"credential": "A system's file knows no credentials of the host. What a login gives is credential.NAME, inside auth.",
	"command":    "A system's file starts no programs.",
	"file":       "Files are read once, where the file is read: put the content into locals and name that.",
}

// static says whether an expression names no data, and reports what it names
// instead.
func (l *loader) static(e hcl.Expression) bool {
	ok := true
	for _, t := range e.Variables() {
		if t.RootName() == "local" {
			continue
		}
		ok = false
		l.wrong(t.SourceRange(), "Unknown variable", "There is no %s here; an expression in this place is known when the file is read, and may name local.%s", t.RootName(), expr.DidYouMean(t.RootName(), []string{"local"}))
	}
	if node, isNode := e.(hclsyntax.Node); isNode {
		_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			if call, isCall := n.(*hclsyntax.FunctionCallExpr); isCall && call.Name != "file" {
				if why, is := surroundings[call.Name]; is {
					ok = false
					l.wrong(call.NameRange, "Function not allowed here", "%s", why)
				}
			}
			return nil
		})
	}
	return ok
}

// block is one whose attributes are read by name.
type block struct {
	*loader
	at      hcl.Range
	content *hcl.BodyContent
}

// schema is a body schema of attributes; a name with "!" is required.
func schema(attrs string, blocks ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: blocks}
	for name := range strings.FieldsSeq(attrs) {
		plain, required := strings.CutSuffix(name, "!")
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: plain, Required: required})
	}
	return s
}

// named are blocks with a label, plain ones without.
func named(types ...string) []hcl.BlockHeaderSchema {
	out := make([]hcl.BlockHeaderSchema, len(types))
	for i, t := range types {
		plain, label := strings.CutSuffix(t, "*")
		out[i].Type = plain
		if label {
			out[i].LabelNames = []string{"name"}
		}
	}
	return out
}

func (l *loader) block(b *hcl.Block, s *hcl.BodySchema) *block {
	content, diags := b.Body.Content(s)
	l.diags = append(l.diags, diags...)
	return &block{l, b.DefRange, content}
}

// one returns the only block of a type, nil where there is none.
func (b *block) one(kind string) *hcl.Block {
	all := b.content.Blocks.OfType(kind)
	if len(all) == 0 {
		return nil
	}
	if len(all) > 1 {
		b.wrong(all[1].DefRange, "Named twice", "There is one block %q here; another stands at line %d.", kind, all[0].DefRange.Start.Line)
	}
	return all[0]
}

func (b *block) has(name string) bool { return b.content.Attributes[name] != nil }

// place is where an attribute stands, or the block where it is left out.
func (b *block) place(name string) hcl.Range {
	if a := b.content.Attributes[name]; a != nil {
		return a.Expr.Range()
	}
	return b.at
}

// value evaluates an attribute that is known when the file is read.
func (b *block) value(name string, want cty.Type) (cty.Value, bool) {
	a := b.content.Attributes[name]
	if a == nil || !b.static(a.Expr) {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(b.known)
	b.diags = append(b.diags, diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	v, err := convert.Convert(v, want)
	if err != nil {
		b.wrong(a.Expr.Range(), "Wrong type", "%q: %s.", name, err)
		return cty.NilVal, false
	}
	return v, !v.IsNull() && v.IsWhollyKnown()
}

func (b *block) str(name string) string {
	if v, ok := b.value(name, cty.String); ok {
		return v.AsString()
	}
	return ""
}

func (b *block) flag(name string, otherwise bool) bool {
	if v, ok := b.value(name, cty.Bool); ok {
		return v.True()
	}
	return otherwise
}

func (b *block) list(name string) []string {
	v, ok := b.value(name, cty.List(cty.String))
	if !ok {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		if !e.IsNull() {
			out = append(out, e.AsString())
		}
	}
	return out
}

func (b *block) whole(name string, otherwise, least, most int) int {
	v, ok := b.value(name, cty.Number)
	if !ok {
		return otherwise
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != 0 || n < int64(least) || n > int64(most) {
		b.wrong(b.place(name), "Wrong number", "%q is a whole number from %d to %d.", name, least, most)
		return otherwise
	}
	return int(n)
}

func (b *block) choice(name, otherwise string, choices []string) string {
	if !b.has(name) {
		return otherwise
	}
	v, ok := b.value(name, cty.String)
	if !ok {
		return otherwise
	}
	if s := v.AsString(); slices.Contains(choices, s) {
		return s
	} else {
		b.wrong(b.place(name), "Unknown value", "%q is one of %s.%s", name, quoted(choices), expr.DidYouMean(s, choices))
	}
	return otherwise
}

var durationDays = regexp.MustCompile(`^(\d{1,5})d$`)

func (b *block) duration(name string, otherwise time.Duration) time.Duration {
	v, ok := b.value(name, cty.String)
	if !ok {
		return otherwise
	}
	if m := durationDays.FindStringSubmatch(v.AsString()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n) * 24 * time.Hour
	}
	d, err := time.ParseDuration(v.AsString())
	if err != nil || d < 0 {
		b.wrong(b.place(name), "Wrong duration", `%q is a duration such as "30s", "15m" or "90d".`, name)
		return otherwise
	}
	return d
}

var ratePattern = regexp.MustCompile(`^(\d{1,9}(?:\.\d{1,6})?)/(s|m|h)$`)

// rate reads "10/s" as calls a second.
func (b *block) rate(name string) float64 {
	v, ok := b.value(name, cty.String)
	if !ok {
		return 0
	}
	m := ratePattern.FindStringSubmatch(v.AsString())
	n := 0.0
	if m != nil {
		n, _ = strconv.ParseFloat(m[1], 64)
	}
	if n <= 0 {
		b.wrong(b.place(name), "Wrong rate", `%q is a rate such as "10/s", "600/m" or "5000/h".`, name)
		return 0
	}
	return n / map[string]float64{"s": 1, "m": 60, "h": 3600}[m[2]]
}

// expr compiles an attribute that waits for data; nil where it is left out.
func (b *block) expr(name, place string) *Expr {
	a := b.content.Attributes[name]
	if a == nil {
		return nil
	}
	return b.compile(a.Expr, place)
}

// object compiles an attribute that is an object: headers, queries.
func (b *block) object(name, place string) *Expr {
	a := b.content.Attributes[name]
	if a == nil {
		return nil
	}
	if _, ok := a.Expr.(*hclsyntax.ObjectConsExpr); !ok {
		b.wrong(a.Expr.Range(), "Not an object", "%q is written out as an object: %s = { NAME = … }.", name, name)
		return nil
	}
	return b.compile(a.Expr, place)
}

// scope is that of a place.
func (l *loader) scope(place string) *expr.Scope {
	if s := l.scopes[place]; s != nil {
		return s
	}
	if l.scopes == nil {
		l.scopes = map[string]*expr.Scope{}
	}
	s := expr.NewScope(l.known, roots[place]...)
	s.KnownNames, s.Outside = []string{"local"}, surroundings
	s.Secret = slices.Contains(roots[place], "credential")
	if place == "write" {
		s.Sparse = "record"
	}
	l.scopes[place] = s
	return s
}

// compile compiles an expression for a place.
func (l *loader) compile(e hcl.Expression, place string) *Expr {
	s := l.scope(place)
	x, diags := s.Compile(e)
	l.diags = append(l.diags, diags...)
	if diags.HasErrors() {
		return nil
	}
	out := &Expr{x, s}
	l.checkNames(out, place)
	return out
}

// checkNames holds what an expression reads of settings and pages against what
// there is.
func (l *loader) checkNames(x *Expr, place string) {
	names := make([]string, len(l.sys.Settings))
	for i, s := range l.sys.Settings {
		names[i] = s.Name
	}
	for _, p := range x.Paths("setting") {
		switch {
		case len(p.Keys) == 0 || !slices.Contains(names, p.Keys[0]):
			given := "setting"
			if len(p.Keys) > 0 {
				given = p.Keys[0]
			}
			l.wrong(p.Range, "Unknown setting", "There is no setting %q; the file has %s.%s", given, quoted(names), expr.DidYouMean(given, names))
		case l.secret[p.Keys[0]] && !slices.Contains(roots[place], "credential"):
			l.wrong(p.Range, "Secret out of place", "The setting %q is secret: it may stand in auth and in request.headers, and nowhere else.", p.Keys[0])
		}
	}
	for root, known := range map[string][]string{
		"page": {"next", "offset", "number", "size", "last"}, "session": {"token"}, "request": {"method", "path", "query", "body", "host", "time"},
	} {
		for _, p := range x.Paths(root) {
			if len(p.Keys) == 0 || !slices.Contains(known, p.Keys[0]) {
				given := ""
				if len(p.Keys) > 0 {
					given = p.Keys[0]
				}
				l.wrong(p.Range, "Unknown variable", "%s has %s.%s", root, quoted(known), expr.DidYouMean(given, known))
			}
		}
	}
}

// quoted lists names for people.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	return strings.Join(out, ", ")
}
