package definition

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/sdk/expr"
	"github.com/dinrail/dinrail/sdk/model"
)

var mapOfStrings = cty.Map(cty.String)

var entitySchema = schema("label id! created_at updated_at deleted each readable", named("list", "since", "deletions", "detail*", "get", "create", "update", "delete", "map")...)

const callAttrs = "method path! query headers body body_as"

// callSchema is that of a block that is a call, with more attributes and
// blocks.
func (l *loader) callSchema(more string, blocks ...string) *hcl.BodySchema {
	attrs := l.dia.call
	if l.dia.http {
		attrs = callAttrs + " " + attrs
		if l.dia.call != "" {
			attrs = strings.Replace(attrs, "path!", "path", 1)
		}
	}
	return schema(attrs+" "+more, named(blocks...)...)
}

// call reads what a call consists of.
func (b *block) call(place, method string) *Call {
	c := &Call{Method: method, BodyAs: "json", Range: b.at, Words: map[string]*Expr{}}
	for name := range strings.FieldsSeq(b.dia.call) {
		if x := b.expr(name, place); x != nil {
			c.Words[name] = x
		}
	}
	if !b.dia.http {
		return c
	}
	c.Method = b.choice("method", method, methods)
	c.Path, c.Query, c.Headers = b.path("path", place), b.object("query", place), b.object("headers", place)
	c.Body = b.expr("body", place)
	c.BodyAs = b.choice("body_as", "json", []string{"json", "form", "xml"})
	if c.Body != nil && c.Method == http.MethodGet {
		b.wrong(b.place("body"), "Body of a GET", "A GET has no body: say the method, as in method = \"POST\".")
	}
	return c
}

var nativeName = regexp.MustCompile(`^native/[A-Za-z0-9_.-]{1,100}$`)

func (l *loader) entities(r *block, page *Page) {
	blocks := r.content.Blocks.OfType("entity")
	if len(blocks) > maxEntities {
		l.wrong(r.at, "Too many entities", "A definition has at most %d.", maxEntities)
		return
	}
	for _, b := range blocks {
		if _, twice := l.sys.Entity(b.Labels[0]); twice {
			l.wrong(b.DefRange, "Named twice", "There is an entity %q above.", b.Labels[0])
			continue
		}
		l.sys.Entities = append(l.sys.Entities, l.entity(b, page))
	}
	if len(blocks) == 0 {
		l.wrong(r.at, "No entity", `What the system has: entity "work_orders" { … }.`)
	}
	for _, e := range l.sys.Entities {
		if e.Each == "" {
			continue
		}
		parent, ok := l.sys.Entity(e.Each)
		switch {
		case !ok:
			names := make([]string, len(l.sys.Entities))
			for i, x := range l.sys.Entities {
				names[i] = x.Name
			}
			l.wrong(e.Range, "Unknown entity", "each = %q is none of the file's entities: %s.%s", e.Each, quoted(names), expr.DidYouMean(e.Each, names))
		case parent.Each != "":
			l.wrong(e.Range, "Parent of a parent", "%q is itself read for each of %q; one step is as far as it goes.", e.Each, parent.Each)
		}
	}
}

func (l *loader) entity(b *hcl.Block, page *Page) *Entity {
	r := l.block(b, entitySchema)
	e := &Entity{Name: b.Labels[0], Label: r.str("label"), Each: r.str("each"), Range: b.DefRange}
	unified, known := model.Lookup(e.Name)
	switch {
	case strings.HasPrefix(e.Name, "native/"):
		if !nativeName.MatchString(e.Name) {
			l.wrong(b.LabelRanges[0], "Wrong name", "A native entity is native/ and at most 100 of A to Z, a to z, 0 to 9, _, . and -.")
		}
	case !known:
		var names []string
		for _, m := range model.Entities() {
			names = append(names, m.Name)
		}
		l.wrong(b.LabelRanges[0], "Unknown entity", "The model has no entity %q; what it has not is native: %q.%s", e.Name, "native/"+e.Name, expr.DidYouMean(e.Name, names))
	}
	if a := r.content.Attributes["id"]; a != nil {
		_, e.composite = a.Expr.(*hclsyntax.TupleConsExpr)
	}
	e.ID, e.CreatedAt, e.UpdatedAt, e.Deleted = r.expr("id", "record"), r.expr("created_at", "record"), r.expr("updated_at", "record"), r.expr("deleted", "record")
	e.Readable = r.expr("readable", "answer")
	if e.Readable != nil && l.sys.Check == nil {
		l.wrong(r.place("readable"), "No check", "readable asks the answer of the system's check call: the file needs check { … }.")
	}
	l.readEntity(r, e, page)
	l.writeEntity(r, e)
	if m := r.one("map"); m != nil {
		e.Map = l.mapping(m, unified, known)
	} else if known {
		l.wrong(r.at, "No map", "A unified entity says what becomes what: map { name = raw.title }.")
	}
	return e
}

// readEntity reads how records are asked for.
func (l *loader) readEntity(r *block, e *Entity, page *Page) {
	if b := r.one("list"); b != nil {
		e.List = l.list(b, "list", page)
	} else {
		l.wrong(r.at, "No list", "How records are asked for: list { … }.")
	}
	if b := r.one("since"); b != nil {
		e.Since = l.since(b)
		if !r.has("updated_at") && l.dia.http {
			l.wrong(b.DefRange, "No updated_at", "What changed is asked for since the latest change that was seen: the entity needs updated_at.")
		}
		if e.Since.Send == nil && l.dia.since == "" && e.List != nil && !e.List.Names("since") {
			l.wrong(b.DefRange, "Nothing asked for", "Say where the time goes: send = { updated_after = since }, or name since in the list.")
		}
	}
	if b := r.one("deletions"); b != nil {
		q := l.block(b, l.callSchema("records id", "page*"))
		e.Deletions = &Deletions{List: *l.listOf(q, "list", page), ID: q.expr("id", "record")}
		if e.Since == nil {
			l.wrong(b.DefRange, "No since", "Deletions are asked for beside what changed: the entity needs since.")
		}
		if e.Deletions.ID == nil {
			e.Deletions.ID = e.ID
		}
	}
	for _, b := range r.content.Blocks.OfType("detail") {
		q := l.block(b, l.callSchema("value"))
		e.Details = append(e.Details, Detail{Call: *q.call("detail", "GET"), Name: b.Labels[0], Value: q.expr("value", "answer")})
	}
	if b := r.one("get"); b != nil {
		q := l.block(b, l.callSchema("record"))
		e.Get = &Get{Call: *q.call("get", "GET"), Record: q.expr("record", "answer")}
	}
}

// Names says whether the call names a root.
func (c *Call) Names(root string) bool {
	all := slices.Collect(maps.Values(c.Words))
	all = append(all, c.Query, c.Headers, c.Body)
	if c.Path != nil {
		for _, p := range c.Path.parts {
			all = append(all, p.value)
		}
	}
	return slices.ContainsFunc(all, func(x *Expr) bool { return x != nil && reads(x, root) })
}

func (l *loader) list(b *hcl.Block, place string, page *Page) *List {
	return l.listOf(l.block(b, l.callSchema("records", "page*")), place, page)
}

func (l *loader) listOf(q *block, place string, page *Page) *List {
	out := &List{Call: *q.call(place, "GET"), Records: q.expr("records", "answer"), Page: page}
	if p := q.one("page"); p != nil {
		out.Page = l.page(p)
	}
	if l.dia.http && l.dia.page != nil && out.Records == nil {
		l.wrong(q.at, "No records", "Where the records are in the answer: records = body.items, or records = body where it is the list.")
	}
	return out
}

func (l *loader) since(b *hcl.Block) *Since {
	r := l.block(b, schema("send overlap ordered window "+l.dia.since))
	s := &Since{Send: r.object("send", "list"), Overlap: r.duration("overlap", 2*time.Minute), Ordered: r.flag("ordered", false), Window: r.duration("window", 0), Range: b.DefRange, Words: map[string]*Expr{}}
	for name := range strings.FieldsSeq(l.dia.since) {
		if x := r.expr(name, "list"); x != nil {
			s.Words[name] = x
		}
	}
	if s.Send != nil && !reads(s.Send, "since") {
		l.wrong(r.place("send"), "Nothing asked for", "send names since: send = { updated_after = since }.")
	}
	if s.Window > 0 && s.Send != nil && !reads(s.Send, "until") {
		l.wrong(r.place("window"), "Window without an end", "A window needs its end, too: send = { from = since, to = until }.")
	}
	return s
}

// writeEntity reads how records are changed.
func (l *loader) writeEntity(r *block, e *Entity) {
	for _, w := range []struct {
		kind, method string
		to           **Write
	}{{"create", "POST", &e.Create}, {"update", "PATCH", &e.Update}, {"delete", "DELETE", &e.Delete}} {
		b := r.one(w.kind)
		if b == nil {
			continue
		}
		q := l.block(b, l.callSchema("record id"))
		out := &Write{Call: *q.call("write", w.method), Record: q.expr("record", "answer"), ID: q.expr("id", "answer")}
		if w.kind != "create" && q.has("id") {
			l.wrong(q.place("id"), "Unknown attribute", "The id is known here.")
		}
		*w.to = out
		if out.Body != nil {
			l.checkWritten(out.Body, e)
		}
	}
}

// checkWritten holds the fields that a body reads against the model.
func (l *loader) checkWritten(body *Expr, e *Entity) {
	fields := model.Fields(e.Name)
	if fields == nil {
		return // native
	}
	for _, p := range body.Paths("record") {
		if len(p.Keys) == 0 || p.Keys[0] == "custom" {
			continue
		}
		level, at := fields, ""
		for _, key := range p.Keys {
			i := slices.IndexFunc(level, func(f model.Field) bool { return f.Name == key })
			if i < 0 {
				names := namesOf(level)
				l.wrong(p.Range, "Unknown field", "%s has no field %q.%s", e.Name, at+key, expr.DidYouMean(key, names))
				break
			}
			level, at = level[i].Fields, at+key+"."
		}
	}
}

func namesOf(fields []model.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}
