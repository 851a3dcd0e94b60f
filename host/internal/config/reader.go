package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

// reader reads the attributes of one body by name, checks each and collects
// what is wrong. A wrong attribute reads as its zero value or default.
type reader struct {
	block   hcl.Range
	ctx     *hcl.EvalContext
	content *hcl.BodyContent
	diags   hcl.Diagnostics
	// own: the block is about the host itself, and none of its plain attributes
	// is answered by the API: a sensitive value is taken as it is.
	own bool
}

// open reads a body by its schema: what is not in it is an error with a
// suggestion.
func open(body hcl.Body, at hcl.Range, ctx *hcl.EvalContext, schema *hcl.BodySchema) *reader {
	content, diags := body.Content(schema)
	return &reader{block: at, ctx: ctx, content: content, diags: diags}
}

// schema is a body schema of optional attributes; a name with "!" is required.
func schema(attrs string, blocks ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: blocks}
	for name := range strings.FieldsSeq(attrs) {
		plain, required := strings.CutSuffix(name, "!")
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: plain, Required: required})
	}
	return s
}

// wrong reports a mistake at an attribute.
func (r *reader) wrong(name, summary, format string, args ...any) {
	r.at(r.place(name), summary, format, args...)
}

func (r *reader) at(at hcl.Range, summary, format string, args ...any) {
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()})
}

func (r *reader) warn(at hcl.Range, summary, detail string) {
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail, Subject: at.Ptr()})
}

// place is where an attribute stands, or the block where it is left out.
func (r *reader) place(name string) hcl.Range {
	if a, ok := r.content.Attributes[name]; ok {
		return a.Expr.Range()
	}
	return r.block
}

func (r *reader) has(name string) bool { return r.content.Attributes[name] != nil }

// value evaluates an attribute as a type. ok is false where it is left out,
// null, wrong, or depends on something wrong.
func (r *reader) value(name string, want cty.Type) (cty.Value, bool) {
	a, ok := r.content.Attributes[name]
	if !ok {
		return cty.NilVal, false
	}
	return r.eval(a.Expr, name, want)
}

func (r *reader) eval(e hcl.Expression, name string, want cty.Type) (cty.Value, bool) {
	v, diags := e.Value(r.ctx)
	r.diags = append(r.diags, diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	v, err := convert.Convert(v, want)
	if err != nil {
		r.at(e.Range(), "Wrong type", "%q: %s.", name, err)
		return cty.NilVal, false
	}
	if !v.IsWhollyKnown() {
		r.at(e.Range(), "Depends on a mistake", "%q needs a local that has a mistake.", name)
		return cty.NilVal, false
	}
	return v, !v.IsNull()
}

// shown evaluates an attribute that people will see: a sensitive value is a
// mistake there.
func (r *reader) shown(name string, want cty.Type) (cty.Value, bool) {
	v, ok := r.value(name, want)
	if ok && r.own {
		return expr.Plain(v), true
	}
	if ok && expr.IsSensitive(v) {
		r.wrong(name, "Sensitive value", "%q is shown to people, and this value is sensitive. If it is no secret, write plain(…) around it.", name)
		return cty.NilVal, false
	}
	return v, ok
}

func (r *reader) str(name, def string) string {
	if v, ok := r.shown(name, cty.String); ok {
		return v.AsString()
	}
	return def
}

func (r *reader) choice(name, def string, choices ...string) string {
	s := r.str(name, def)
	if !slices.Contains(choices, s) {
		r.wrong(name, "Unknown value", "%q must be one of %s.%s", name, quoteAll(choices), didYouMean(s, choices))
		return def
	}
	return s
}

func (r *reader) flag(name string, def bool) bool {
	if v, ok := r.shown(name, cty.Bool); ok {
		return v.True()
	}
	return def
}

func (r *reader) strings(name string) []string {
	v, ok := r.shown(name, cty.List(cty.String))
	if !ok {
		return nil
	}
	return r.list(name, v)
}

func (r *reader) list(name string, v cty.Value) []string {
	var out []string
	for _, e := range expr.Plain(v).AsValueSlice() {
		if e.IsNull() {
			r.wrong(name, "Null in a list", "%q has a null entry.", name)
			continue
		}
		out = append(out, e.AsString())
	}
	return out
}

func (r *reader) stringMap(name string) map[string]string {
	v, ok := r.shown(name, cty.Map(cty.String))
	if !ok {
		return nil
	}
	out := map[string]string{}
	for k, e := range v.AsValueMap() {
		if !e.IsNull() {
			out[k] = e.AsString()
		}
	}
	return out
}

// secret evaluates a secret attribute; a literal one is warned of.
func (r *reader) secret(name string) host.Secret {
	v, ok := r.value(name, cty.String)
	if !ok {
		return host.Secret{}
	}
	if literal(r.content.Attributes[name].Expr, v) {
		r.literalSecret(r.place(name), name)
	}
	return expr.Secret(v)
}

func (r *reader) literalSecret(at hcl.Range, name string) {
	r.warn(at, "Literal secret", fmt.Sprintf("%q stands in the file in clear. Take it from env(…), credential(…), command(…) or file(…) instead.", name))
}

// literal says whether a value was written out in the file.
func literal(e hcl.Expression, v cty.Value) bool {
	if expr.IsSensitive(v) {
		return false
	}
	node, ok := e.(hclsyntax.Node)
	if !ok {
		return false
	}
	calls := false
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if _, call := n.(*hclsyntax.FunctionCallExpr); call {
			calls = true
		}
		return nil
	})
	return !calls
}

func (r *reader) duration(name string, def, least time.Duration) time.Duration {
	v, ok := r.shown(name, cty.String)
	if !ok {
		return def
	}
	d, err := host.ParseDuration(v.AsString())
	if err != nil {
		r.wrong(name, "Wrong duration", "%q is %s.", name, err)
		return def
	}
	if d < least {
		r.wrong(name, "Duration too short", "%q must be at least %s.", name, least)
		return def
	}
	return d
}

var sizePattern = regexp.MustCompile(`^(\d{1,12})\s*(B|KiB|MiB|GiB|TiB)$`)

func (r *reader) size(name string) int64 {
	v, ok := r.shown(name, cty.String)
	if !ok {
		return 0
	}
	n, err := parseSize(v.AsString())
	if err != nil {
		r.wrong(name, "Wrong size", "%q is %s.", name, err)
	}
	return n
}

func parseSize(s string) (int64, error) {
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf(`not a size; write for example "512MiB" or "1GiB"`)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := map[string]int{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[m[2]]
	if err != nil || n > 1<<62>>shift {
		return 0, fmt.Errorf("too large a size")
	}
	return n << shift, nil
}

var ratePattern = regexp.MustCompile(`^(\d{1,9}(?:\.\d{1,6})?)/(s|m|h)$`)

// rate reads "100/s" as calls a second; "none" and nothing are 0.
func (r *reader) rate(name string) float64 {
	v, ok := r.shown(name, cty.String)
	if !ok || v.AsString() == "none" {
		return 0
	}
	m := ratePattern.FindStringSubmatch(v.AsString())
	if m == nil {
		r.wrong(name, "Wrong rate", `%q is not a rate; write for example "100/s", "600/m" or "none".`, name)
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n == 0 {
		r.wrong(name, "Wrong rate", `%q must be more than nothing; "none" means no limit.`, name)
		return 0
	}
	return n / map[string]float64{"s": 1, "m": 60, "h": 3600}[m[2]]
}

// url reads an absolute URL of one of the schemes. What is wrong with it is
// told without quoting it: it may hold a password.
func (r *reader) url(name string, schemes ...string) string {
	v, ok := r.value(name, cty.String)
	if !ok {
		return ""
	}
	s := expr.Plain(v).AsString()
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		r.wrong(name, "Wrong URL", "%q must be a URL that starts with %s://.", name, strings.Join(schemes, ":// or "))
		return ""
	}
	return s
}

// prefixes reads addresses and prefixes such as 10.0.0.0/8.
func (r *reader) prefixes(name string) []string {
	all := r.strings(name)
	for _, s := range all {
		if _, err := netip.ParsePrefix(s); err != nil {
			if _, err := netip.ParseAddr(s); err != nil {
				r.wrong(name, "Wrong address", `%q has an entry that is neither an address nor a prefix such as "10.0.0.0/8".`, name)
			}
		}
	}
	return all
}

var hexDigest = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

func (r *reader) digest(name string) string {
	s := r.str(name, "")
	if r.has(name) && s != "" && !hexDigest.MatchString(s) {
		r.wrong(name, "Wrong checksum", "%q must be 64 hexadecimal digits, as sha256sum prints them.", name)
		return ""
	}
	return strings.ToLower(s)
}
