package definition

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/expr"
)

var (
	systemSchema = schema("label! vendor! category! website connector! guide", named("proof", "setting*", "auth*", "request", "page*", "error", "retry", "check", "entity*")...)
	proofSchema  = schema("state! source! date! note")
	fieldSchema  = schema("type label help placeholder pattern choices default required secret")
	requestAttrs = "base! headers query rate timeout answer charset"
	retrySchema  = schema("attempts first")
	errorSchema  = schema("when code message")
)

var systemName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// system reads the system block.
func (l *loader) system(b *hcl.Block) {
	r, s := l.block(b, systemSchema), l.sys
	s.Name, s.Range = b.Labels[0], b.DefRange
	if base := strings.TrimSuffix(l.name[strings.LastIndexAny(l.name, `/\`)+1:], ".hcl"); s.Name != base {
		l.wrong(b.LabelRanges[0], "Wrong name", "A system is named as its file: %q, or rename the file to %s.hcl.", base, s.Name)
	}
	if !systemName.MatchString(s.Name) {
		l.wrong(b.LabelRanges[0], "Wrong name", "A name is at most 63 of a to z, 0 to 9 and -, and begins with a letter.")
	}
	s.Label, s.Vendor, s.Website, s.Guide = r.str("label"), r.str("vendor"), r.str("website"), r.str("guide")
	s.Category = r.choice("category", "other", categories)
	if u, err := url.Parse(s.Website); s.Website != "" && (err != nil || u.Host == "") {
		l.wrong(r.place("website"), "Wrong URL", "%q is a whole URL, as in https://vendor.example.com.", "website")
	}
	connectors := []string{"jsonrpc", "odata", "rest", "sql"}
	s.Connector = r.choice("connector", "", connectors)
	dia, ok := dialects[s.Connector]
	if !ok {
		return // nothing below can be told right from wrong
	}
	l.dia = dia
	l.proof(r)
	l.settings(r)
	l.request(r)
	l.auths(r)
	l.retries(r)
	for _, e := range r.content.Blocks.OfType("error") {
		l.errorRule(e)
	}
	page := l.systemPage(r)
	if c := r.one("check"); c != nil {
		call := l.block(c, l.callSchema("identity"))
		if !l.dia.http {
			l.wrong(c.DefRange, "Unknown block", "A system of the connector %q is checked by the connector.", s.Connector)
		}
		s.Check = call.call("detail", "GET")
		s.Identity = call.expr("identity", "answer")
	}
	l.entities(r, page)
}

func (l *loader) proof(r *block) {
	b := r.one("proof")
	if b == nil {
		l.sys.Proof = Proof{State: proofs[0]}
		return
	}
	p := l.block(b, proofSchema)
	l.sys.Proof = Proof{State: p.choice("state", "untested", proofs), Source: p.str("source"), Date: p.str("date"), Note: p.str("note")}
	if _, err := time.Parse(time.DateOnly, l.sys.Proof.Date); err != nil && p.has("date") {
		l.wrong(p.place("date"), "Wrong date", `%q is a day such as "2026-05-04".`, "date")
	}
}

func (l *loader) settings(r *block) {
	l.secret = map[string]bool{}
	seen := map[string]bool{}
	for _, b := range r.content.Blocks.OfType("setting") {
		if seen[b.Labels[0]] {
			l.wrong(b.DefRange, "Named twice", "There is a setting %q above.", b.Labels[0])
		}
		seen[b.Labels[0]] = true
		f := l.field(b)
		l.secret[f.Name] = f.Secret
		l.sys.Settings = append(l.sys.Settings, f)
	}
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// field reads a setting, or a field of a login.
func (l *loader) field(b *hcl.Block) Field {
	r := l.block(b, fieldSchema)
	f := Field{
		Name: b.Labels[0], Label: r.str("label"), Help: r.str("help"), Placeholder: r.str("placeholder"), Pattern: r.str("pattern"),
		Choices: r.list("choices"), Default: r.str("default"), Secret: r.flag("secret", false),
	}
	if !fieldName.MatchString(f.Name) {
		l.wrong(b.LabelRanges[0], "Wrong name", "A name is at most 63 of a to z, 0 to 9 and _, and begins with a letter.")
	}
	f.Type = r.choice("type", "string", fieldTypes)
	if f.Name == "url" && !r.has("type") {
		f.Type = "url"
	}
	if f.Label == "" && f.Name != "" {
		f.Label = strings.ToUpper(f.Name[:1]) + strings.ReplaceAll(f.Name[1:], "_", " ")
	}
	f.Required = r.flag("required", f.Default == "")
	if _, err := regexp.Compile(f.Pattern); err != nil {
		l.wrong(r.place("pattern"), "Wrong pattern", "%q is a regular expression of RE2: %s.", "pattern", err)
	}
	return f
}

func (l *loader) request(r *block) {
	l.sys.Request = Request{Answer: "json", Timeout: time.Minute}
	b := r.one("request")
	if b == nil {
		if l.dia.http {
			l.wrong(r.at, "No request", `Where the system is: request { base = "${setting.url}/api" }.`)
		}
		return
	}
	if !l.dia.http {
		l.wrong(b.DefRange, "Unknown block", "A system of the connector %q has no request; it is reached by its settings.", l.sys.Connector)
		return
	}
	q := l.block(b, schema(requestAttrs))
	s := &l.sys.Request
	s.Base, s.Headers, s.Query = q.expr("base", "base"), q.object("headers", "request"), q.object("query", "base")
	s.Rate, s.Timeout = q.rate("rate"), q.duration("timeout", time.Minute)
	s.Charset = q.str("charset")
	if q.has("answer") {
		s.Answer = q.choice("answer", "json", []string{"json", "xml"})
		if !l.dia.format && s.Answer == "xml" {
			l.wrong(q.place("answer"), "Unknown value", "The connector %q reads JSON.", l.sys.Connector)
		}
	}
}

func (l *loader) retries(r *block) {
	l.sys.Retry = Retry{Attempts: 3, First: time.Second}
	if b := r.one("retry"); b != nil {
		q := l.block(b, retrySchema)
		l.sys.Retry = Retry{Attempts: q.whole("attempts", 3, 1, 10), First: q.duration("first", time.Second)}
	}
}

func (l *loader) errorRule(b *hcl.Block) {
	r := l.block(b, errorSchema)
	rule := ErrorRule{When: r.expr("when", "answer"), Message: r.expr("message", "answer")}
	if r.has("code") {
		rule.Code = r.choice("code", "", codes)
	}
	if rule.When != nil && rule.Code == "" && !reads(rule.When, "status") {
		l.wrong(r.at, "No code", "An error that is not told by its status has a code, one of %s.", quoted(codes))
	}
	l.sys.Errors = append(l.sys.Errors, rule)
}

// reads says whether an expression names a root.
func reads(x *Expr, root string) bool { return len(x.Paths(root)) > 0 }

// systemPage reads the page block that lists without one of their own use.
func (l *loader) systemPage(r *block) *Page {
	b := r.one("page")
	if b == nil {
		return &Page{Kind: "none"}
	}
	return l.page(b)
}

func (l *loader) page(b *hcl.Block) *Page {
	kind := b.Labels[0]
	attrs, ok := pageKinds[kind]
	if !ok || l.dia.page == nil {
		l.wrong(b.LabelRanges[0], "Unknown way of paging", "The connector %q pages by %s.%s", l.sys.Connector, quoted(l.dia.page), expr.DidYouMean(kind, l.dia.page))
		return &Page{Kind: "none"}
	}
	r := l.block(b, schema(attrs))
	p := &Page{Kind: kind, Range: b.DefRange, First: r.whole("first", 1, 0, 1), Size: r.whole("size", 0, 1, 100_000)}
	p.Send, p.Next, p.More, p.Total = r.object("send", "list"), r.expr("next", "answer"), r.expr("more", "answer"), r.expr("total", "answer")
	if needs := map[string]string{"cursor": "next", "offset": "offset", "page": "number", "keyset": "last"}[kind]; needs != "" && p.Send != nil {
		found := false
		for _, path := range p.Send.Paths("page") {
			found = found || len(path.Keys) > 0 && path.Keys[0] == needs
		}
		if !found {
			l.wrong(r.place("send"), "Paging in circles", "The same page would be asked for again and again: send names page.%s.", needs)
		}
	}
	return p
}
