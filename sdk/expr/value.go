package expr

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// path is a place in decoded JSON.
type path []any // string: a key, int: an index

// pathOf returns the steps after the root, if all of them are keys and indexes.
func pathOf(t hcl.Traversal) (path, bool) {
	p := make(path, 0, len(t)-1)
	for _, step := range t[1:] {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			p = append(p, s.Name)
		case hcl.TraverseIndex:
			switch {
			case s.Key.Type() == cty.String:
				p = append(p, s.Key.AsString())
			case s.Key.Type() == cty.Number:
				n, accuracy := s.Key.AsBigFloat().Int64()
				if accuracy != 0 || n < 0 || n > 1<<30 {
					return nil, false
				}
				p = append(p, int(n))
			default:
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return p, true
}

// read returns what stands at the path, nil where nothing does.
func (p path) read(data any) any {
	for _, step := range p {
		switch s := step.(type) {
		case string:
			m, _ := data.(map[string]any)
			data = m[s]
		case int:
			l, _ := data.([]any)
			if s >= len(l) {
				return nil
			}
			data = l[s]
		}
	}
	return data
}

// there says whether something stands at the path, null included.
func (p path) there(data any) bool {
	for _, step := range p {
		switch s := step.(type) {
		case string:
			m, _ := data.(map[string]any)
			v, ok := m[s]
			if !ok {
				return false
			}
			data = v
		case int:
			l, _ := data.([]any)
			if s >= len(l) {
				return false
			}
			data = l[s]
		}
	}
	return true
}

// toCty converts decoded JSON.
func toCty(v any) cty.Value {
	switch v := v.(type) {
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case json.Number:
		n, err := cty.ParseNumberVal(string(v))
		if err != nil {
			return null
		}
		return n
	case []any:
		if len(v) == 0 {
			return cty.EmptyTupleVal
		}
		out := make([]cty.Value, len(v))
		for i, e := range v {
			out[i] = toCty(e)
		}
		return cty.TupleVal(out)
	case map[string]any:
		if len(v) == 0 {
			return cty.EmptyObjectVal
		}
		out := make(map[string]cty.Value, len(v))
		for k, e := range v {
			out[k] = toCty(e)
		}
		return cty.ObjectVal(out)
	default:
		return null
	}
}

// FromCty converts a known value without marks into what decoded JSON would be.
func FromCty(v cty.Value) any {
	if v.IsNull() {
		return nil
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString()
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		return number(v.AsBigFloat())
	case t.IsObjectType() || t.IsMapType():
		out := make(map[string]any, v.LengthInt())
		for k, e := range v.AsValueMap() {
			out[k] = FromCty(e)
		}
		return out
	default:
		out := make([]any, 0, v.LengthInt())
		for _, e := range v.AsValueSlice() {
			out = append(out, FromCty(e))
		}
		return out
	}
}

// mostDigits bounds the digits of a number that was calculated: one third has no
// end.
const mostDigits = 34

func number(f *big.Float) json.Number {
	text := f.Text('f', -1)
	if len(text) > mostDigits && !f.IsInt() {
		text = f.Text('g', mostDigits/2)
	}
	return json.Number(text)
}

// TextOf returns a string, or a number or bool as it is written.
func TextOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	default:
		return "", false
	}
}

func truth(v any) (value, ok bool) {
	switch v {
	case true, "true":
		return true, true
	case false, "false":
		return false, true
	default:
		return false, false
	}
}

// kindOf names what a value is, for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// AppendJSON appends a value as JSON; the members of objects by name.
func AppendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return AppendString(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		text, _ := TextOf(v)
		return append(b, text...)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, e)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendString(b, k)
			b = append(b, ':')
			b = AppendJSON(b, v[k])
		}
		return append(b, '}')
	default:
		return append(b, "null"...)
	}
}

// AppendString appends a string as JSON, as encoding/json writes it.
func AppendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			if err != nil {
				return append(b, "null"...) // no string is refused
			}
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
