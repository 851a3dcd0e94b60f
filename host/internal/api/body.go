package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/host"
)

// codeMediaType tells that a body is not JSON by its own word.
const codeMediaType host.Code = "unsupported_media_type"

// spoken says whether the request's body is of a type that is read: JSON. What
// says nothing is taken for it, and so is the type that curl -d names by itself.
func spoken(c *call) error {
	text := c.Header.Get("Content-Type")
	if text == "" || c.Method == http.MethodGet || c.Method == http.MethodHead || c.ContentLength == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(text)
	if err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "application/x-www-form-urlencoded") {
		return nil
	}
	return host.Errorf(codeMediaType, "a body is read as application/json, not as %s", text)
}

// withoutBody returns a route's call; where it takes no body, one with a field
// is refused like any other unknown field.
func withoutBody(r route) func(*call) error {
	if r.method == http.MethodGet || r.body != nil || r.later {
		return r.do
	}
	return func(c *call) error {
		if err := body(c, &struct{}{}); err != nil {
			return err
		}
		return r.do(c)
	}
}

// body reads a JSON body into v; what it does not know is a mistake with its
// name. An empty body leaves v as it is.
func body(c *call, v any) error {
	content, err := io.ReadAll(c.Body)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	d.UseNumber()
	err = d.Decode(v)
	if err == nil {
		if rest := d.InputOffset(); len(bytes.TrimSpace(content[rest:])) > 0 {
			return faults{{"body", "it goes on after its JSON value, at " + placeIn(content, rest+1)}}
		}
		return nil
	}
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &kind):
		return faults{{strings.TrimSuffix("body."+kind.Field, "."), "it must be " + kindOf(kind.Type) + ", not " + kind.Value}}
	case errors.As(err, &syntax):
		return faults{{"body", "it is no JSON at " + placeIn(content, syntax.Offset) + ": " + syntax.Error()}}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return faults{{"body", "it is no JSON: it ends at " + placeIn(content, int64(len(content))) + " in the middle of a value"}}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		var given any
		if json.Unmarshal(content, &given) == nil {
			if bad := unknownFields(reflect.TypeOf(v), given, "body"); len(bad) > 0 {
				return bad
			}
		}
		return faults{{"body." + strings.Trim(name, `"`), "there is no such field"}}
	}
	return faults{{"body", "it cannot be read: " + strings.TrimPrefix(err.Error(), "json: ")}}
}

// unknownFields are the members of what was given that a type does not have,
// each with its whole path.
func unknownFields(t reflect.Type, given any, at string) (bad faults) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch given := given.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(given)) {
			switch t.Kind() {
			case reflect.Map:
				bad = append(bad, unknownFields(t.Elem(), given[name], at+"."+name)...)
			case reflect.Struct:
				if f, ok := memberOf(t, name); ok {
					bad = append(bad, unknownFields(f, given[name], at+"."+name)...)
				} else {
					bad = append(bad, fault{at + "." + name, "there is no such field"})
				}
			default: // whatever stands there is the caller's own
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i := range given {
				bad = append(bad, unknownFields(t.Elem(), given[i], fmt.Sprintf("%s.%d", at, i))...)
			}
		}
	}
	return bad
}

// memberOf finds a struct's field as encoding/json does: letters of either case.
func memberOf(t reflect.Type, name string) (reflect.Type, bool) {
	for f := range t.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); strings.EqualFold(tag, name) {
			return f.Type, true
		}
	}
	return nil, false
}

// placeIn tells in words where the byte before an offset stands.
func placeIn(content []byte, offset int64) string {
	before := content[:min(max(offset-1, 0), int64(len(content)))]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte{'\n'})+1, len(before)-bytes.LastIndexByte(before, '\n'))
}

// kindOf is what JSON calls a type.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return kindOf(t.Elem())
	default:
		return "a number"
	}
}
