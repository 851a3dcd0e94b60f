package api

import (
	_ "embed"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/model"
)

// The reference page is made from the routes and the model, as the machine's
// description is. It needs neither scripts nor the network.

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS []byte

var docsPage = template.Must(template.New("docs").Parse(docsHTML))

// docsCall is one call on the page.
type docsCall struct {
	Method, Path, Summary, Token string
	Parameters                   []docsField
	Body, Answer                 []docsField
}

// docsField is a parameter, a member of a body, or a field of an entity.
type docsField struct{ Name, Type, Words string }

// docsEntity is one entity of the common model.
type docsEntity struct {
	Name, Words string
	Fields      []docsField
}

func (a *API) docs(c *call) error {
	page := struct {
		Version  string
		Groups   []string
		Calls    map[string][]docsCall
		Entities []docsEntity
	}{Version: a.Version, Groups: []string{"Data", "Administration", "Host"}, Calls: map[string][]docsCall{}}
	for _, r := range a.routes {
		group := map[door]string{data: "Data", admin: "Administration"}[r.open]
		if group == "" {
			group = "Host"
		}
		page.Calls[group] = append(page.Calls[group], docsCallOf(r))
	}
	for _, e := range model.Entities() {
		page.Entities = append(page.Entities, docsEntity{e.Name, e.Doc, modelFields(nil, "", model.Fields(e.Name))})
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return docsPage.Execute(c.w, page)
}

func docsCallOf(r route) docsCall {
	d := docsCall{Method: r.method, Path: r.path, Summary: r.summary}
	switch r.open {
	case everybody:
		d.Token = "none"
	case machine:
		d.Token = "none on this machine, elsewhere an admin token (" + string(r.role) + ")"
	case data:
		d.Token = map[bool]string{true: "the connection's, to write", false: "the connection's"}[r.role == host.RoleAdmin]
	case admin:
		d.Token = "admin (" + string(r.role) + ")"
	}
	for _, q := range r.query {
		p := parameterOf(q)
		name := q
		if q == "*" {
			name = "FIELD=VALUE"
		}
		words, _ := p["description"].(string)
		kind, _ := p["schema"].(object)
		d.Parameters = append(d.Parameters, docsField{name, typeOf(kind), words})
	}
	if r.body != nil {
		d.Body = schemaFields(nil, "", schemaOf(reflect.TypeOf(r.body)))
	}
	if r.answer != nil {
		d.Answer = schemaFields(nil, "", schemaOf(reflect.TypeOf(r.answer)))
	}
	return d
}

// typeOf is a schema's type in words.
func typeOf(schema object) string {
	switch t := schema["type"].(type) {
	case string:
		if f, ok := schema["format"].(string); ok {
			return f
		}
		return t
	case []string:
		if f, ok := schema["format"].(string); ok {
			return f + " or null"
		}
		return strings.Join(t, " or ")
	}
	return "any"
}

// deepestShown is how many levels of a body the page shows.
const deepestShown = 3

// schemaFields adds the members of an object, and those inside of them.
func schemaFields(out []docsField, under string, schema object) []docsField {
	if items, ok := schema["items"].(object); ok {
		return schemaFields(out, under+"[]", items)
	}
	members, _ := schema["properties"].(object)
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		inside, _ := members[name].(object)
		path := strings.TrimPrefix(under+"."+name, ".")
		out = append(out, docsField{Name: path, Type: typeOf(inside)})
		if strings.Count(path, ".") < deepestShown {
			out = schemaFields(out, path, inside)
		}
	}
	return out
}

// modelFields adds an entity's fields, and those inside of them.
func modelFields(out []docsField, under string, fields []model.Field) []docsField {
	for _, f := range fields {
		kind := string(f.Kind)
		switch f.Kind {
		case model.KindEnum:
			kind = strings.Join(f.Words, ", ")
		case model.KindReference:
			kind = "reference"
			if f.Target != "" {
				kind += " to " + f.Target
			}
		default:
		}
		path := under + f.Name
		if f.Array {
			path += "[]"
		}
		if !f.Required {
			kind += ", or null"
		}
		out = append(out, docsField{path, kind, f.Doc})
		if f.Kind == model.KindObject {
			out = modelFields(out, path+".", f.Fields)
		}
	}
	return out
}

func (*API) docsStyle(c *call) error {
	c.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	if _, err := c.w.Write(docsCSS); err != nil {
		return fmt.Errorf("write the reference's style: %w", err)
	}
	return nil
}
