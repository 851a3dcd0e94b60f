package web

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition"
	"github.com/dinrail/dinrail/sdk/expr"
)

// position is where a list stands: what of it was read, and how it goes on.
type position struct {
	Next   json.RawMessage `json:"next,omitempty"` // cursor
	URL    string          `json:"url,omitempty"`
	Read   int             `json:"read,omitempty"` // records
	Pages  int             `json:"pages,omitempty"`
	Last   json.RawMessage `json:"last,omitempty"` // the last record
	Digest uint64          `json:"digest,omitempty"`
}

// page is what expressions see of a position.
func (p *position) page(of *definition.Page) map[string]any {
	out := map[string]any{"next": nil, "offset": number(p.Read), "number": number(of.First + p.Pages), "size": nil, "last": nil}
	if of.Size > 0 {
		out["size"] = number(of.Size)
	}
	for name, kept := range map[string]json.RawMessage{"next": p.Next, "last": p.Last} {
		if v, err := definition.Decode(kept); err == nil {
			out[name] = v
		}
	}
	return out
}

// maxLast bounds a record that says where a list goes on.
const maxLast = 256 << 10

// walk goes through the pages of one list.
type walk struct {
	client *client
	list   *definition.List
	given  definition.Given
	since  *definition.Since
	at     position
	seen   map[string]bool // cursors and addresses that were asked for
}

// batch is a page of records as received.
type batch struct {
	answer *Answer
	values []any
	raws   []json.RawMessage
	total  int64 // -1: not told
	last   bool
}

func (w *walk) fail(format string, args ...any) error {
	return sdk.Failf(sdk.CodeInternal, "%s, %s %s: %s", w.client.system.Label, w.list.Method, w.template(), fmt.Sprintf(format, args...))
}

func (w *walk) template() string {
	if w.list.Path == nil {
		return ""
	}
	return w.list.Path.Template()
}

// request is the call for the page at which the walk stands.
func (w *walk) request() (*Request, error) {
	w.given["page"] = w.at.page(w.list.Page)
	more := map[string]any{}
	var send *definition.Expr
	if w.since != nil {
		send = w.since.Send
	}
	for _, x := range []*definition.Expr{w.list.Page.Send, send} {
		v, err := x.Value(w.given)
		if err != nil {
			return nil, sdk.Failf(sdk.CodeInvalid, "%s", err)
		}
		m, _ := v.(map[string]any)
		for k, v := range m {
			more[k] = v
		}
	}
	r, err := w.client.request(&w.list.Call, w.given, more)
	if err != nil {
		return nil, err
	}
	r.Safe = true
	if w.at.URL != "" {
		if r.URL, err = w.client.base.Parse(w.at.URL); err != nil {
			return nil, w.fail("the next page's address is none")
		}
	}
	return r, nil
}

// next reads the page at which the walk stands and moves on.
func (w *walk) next(ctx context.Context, r *Request) (*batch, error) {
	a, err := w.client.call(ctx, r)
	if err != nil {
		return nil, err
	}
	b := &batch{answer: a, total: -1}
	if err := w.records(b); err != nil {
		return nil, err
	}
	if err := w.move(b); err != nil {
		return nil, err
	}
	return b, nil
}

// records takes the records out of an answer. An answer in which they are not
// is no page: it would look like an empty system.
func (w *walk) records(b *batch) error {
	x := w.list.Records
	given := b.answer.given()
	v, err := x.Value(given)
	if err != nil {
		return w.fail("%s", err)
	}
	xml := w.client.system.Request.Answer == "xml"
	switch v := v.(type) {
	case nil:
		if there, known := x.There(given); known && !there && !(xml && b.answer.body != nil) || b.answer.body == nil && b.answer.status != 204 {
			return w.fail("the answer is no page, it has no %s", written(x))
		}
	case []any:
		b.values = v
	case map[string]any:
		if !xml {
			return w.fail("%s is an object, and records are a list", written(x))
		}
		b.values = []any{v}
	case string:
		if !xml || v != "" {
			return w.fail("%s is a text, and records are a list", written(x))
		}
	default:
		return w.fail("%s is no list", written(x))
	}
	if keys, plain := bodyPath(x); plain && !xml && w.client.protocol.Unwrap == nil {
		b.raws = elements(b.answer.text, keys)
	}
	if len(b.raws) != len(b.values) {
		b.raws = make([]json.RawMessage, len(b.values))
		for i, v := range b.values {
			b.raws[i] = expr.AppendJSON(nil, v)
		}
	}
	return nil
}

// written is a path of an answer as it stands in the file.
func written(x *definition.Expr) string {
	if keys, plain := bodyPath(x); plain {
		return strings.Join(append([]string{"body"}, keys...), ".")
	}
	return "records"
}

// bodyPath is where in the body an expression reads, if it is nothing else.
func bodyPath(x *definition.Expr) ([]string, bool) {
	paths := x.Paths("body")
	if !x.Plain() || len(paths) != 1 {
		return nil, false
	}
	return paths[0].Keys, true
}

// move sets where the next page is, and whether there is one.
func (w *walk) move(b *batch) error {
	p, given, n := w.list.Page, b.answer.given(), len(b.values)
	if v, err := p.Total.Value(given); err == nil {
		if text, ok := expr.TextOf(v); ok {
			if total, err := strconv.ParseInt(text, 10, 64); err == nil && total >= 0 {
				b.total = total
			}
		}
	}
	w.at.Pages++
	w.at.Read += n
	switch p.Kind {
	case "none":
		b.last = true
		return nil
	case "cursor":
		v, err := p.Next.Value(given)
		if err != nil {
			return w.fail("%s", err)
		}
		text, ok := expr.TextOf(v)
		if v != nil && !ok {
			return w.fail("the next page's cursor is %s", expr.AppendJSON(nil, v))
		}
		if v == false || text == "" {
			b.last = true
			return nil
		}
		w.at.Next = expr.AppendJSON(nil, v)
		return w.once("cursor " + text)
	case "url", "link", "odata":
		return w.follow(b)
	}
	return w.count(b)
}

// follow takes the next page's address.
func (w *walk) follow(b *batch) error {
	text := ""
	from := b.answer.url
	switch w.list.Page.Kind {
	case "link":
		text = nextLink(b.answer.link)
	case "odata":
		m, _ := b.answer.body.(map[string]any)
		d, _ := m["d"].(map[string]any)
		for _, v := range []any{m["@odata.nextLink"], m["odata.nextLink"], d["__next"]} {
			if s, ok := v.(string); ok && s != "" {
				text = s
				break
			}
		}
		service := *w.client.base
		service.Path += "/"
		from = &service
	default:
		v, err := w.list.Page.Next.Value(b.answer.given())
		if err != nil {
			return w.fail("%s", err)
		}
		text, _ = v.(string)
	}
	if text == "" {
		b.last = true
		return nil
	}
	u, err := from.Parse(text)
	if err != nil || u.Host != w.client.base.Host || u.Scheme != w.client.base.Scheme {
		return w.fail("the next page would be at another host")
	}
	w.at.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
	return w.once("address " + u.Path)
}

// once refuses to go where the walk has been.
func (w *walk) once(where string) error {
	key := where
	if w.at.URL != "" {
		key = w.at.URL
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	if w.seen[key] {
		return w.fail("its pages go in circles: the %.60s came twice", where)
	}
	w.seen[key] = true
	return nil
}

// count is how lists go on that are asked for by numbers: until nothing comes, or
// the system says that it is all. A page that is shorter than was asked for is no
// end: many systems cut pages silently.
func (w *walk) count(b *batch) error {
	p, n := w.list.Page, len(b.values)
	if n == 0 || b.total >= 0 && int64(w.at.Read) >= b.total {
		b.last = true
		return nil
	}
	if p.More != nil {
		more, err := p.More.Holds(b.answer.given())
		if err != nil {
			return w.fail("%s", err)
		}
		if !more {
			b.last = true
			return nil
		}
	}
	if p.Kind == "keyset" {
		if w.at.Last = b.raws[n-1]; len(w.at.Last) > maxLast {
			return w.fail("the last record of a page has %d bytes, and its place cannot be kept", len(w.at.Last))
		}
	}
	sum := fnv.New64a()
	for _, raw := range b.raws {
		sum.Write(raw)
	}
	digest := sum.Sum64()
	if digest == w.at.Digest {
		return w.fail("its pages go in circles: the same records came twice, so what the file sends to go on is not heeded")
	}
	w.at.Digest = digest
	return nil
}

// nextLink finds the address of the next page in Link headers (RFC 8288).
func nextLink(headers []string) string {
	for _, h := range headers {
		for rest := h; rest != ""; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			target, after, ok := strings.Cut(after, ">")
			if !ok {
				break
			}
			parameters, next, _ := strings.Cut(after, ",<")
			if next != "" {
				next = "<" + next
			} else if at := strings.Index(after, ", <"); at >= 0 {
				parameters, next = after[:at], after[at+2:]
			}
			for part := range strings.SplitSeq(parameters, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
				if strings.EqualFold(name, "rel") && strings.EqualFold(strings.Trim(strings.TrimSpace(value), `",`), "next") {
					return target
				}
			}
			rest = next
		}
	}
	return ""
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }
