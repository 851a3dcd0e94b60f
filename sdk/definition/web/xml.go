package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/expr"
)

// maxDepth bounds how deep an answer's elements stand in each other.
const maxDepth = 100

// decodeXML reads XML as expressions take it: the root element's content is the
// body, under the root's name. An element is its text, or an object of its
// attributes (as "@name"), its children, and its text beside those (as "#text").
// Children of one name are a list where there are several. Prefixes of
// namespaces are left out.
func decodeXML(text []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // it is UTF-8 by now
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if start, ok := t.(xml.StartElement); ok {
			v, err := element(d, start, 0)
			if err != nil {
				return nil, err
			}
			return map[string]any{start.Name.Local: v}, nil
		}
	}
}

func element(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("its elements stand too deep in each other")
	}
	out := map[string]any{}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			out["@"+a.Name.Local] = a.Value
		}
	}
	if out["@nil"] == "true" {
		return nil, d.Skip()
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := element(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			was, there := out[t.Name.Local]
			list, isList := was.(several)
			switch {
			case !there:
				out[t.Name.Local] = v
			case isList:
				out[t.Name.Local] = append(list, v)
			default:
				out[t.Name.Local] = several{was, v}
			}
		case xml.EndElement:
			words := strings.TrimSpace(text.String())
			if len(out) == 0 {
				return words, nil
			}
			for k, v := range out {
				if list, ok := v.(several); ok {
					out[k] = []any(list)
				}
			}
			if words != "" {
				out["#text"] = words
			}
			return out, nil
		}
	}
}

// several are children of one name, while more may come.
type several []any

// encodeXML writes an object with one member, the root element.
func encodeXML(v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return nil, sdk.Failf(sdk.CodeInvalid, "a body of XML is an object with one member, its root")
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	for name, inner := range m {
		if err := writeElement(&b, name, inner); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func writeElement(b *bytes.Buffer, name string, v any) error {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			if err := writeElement(b, name, x); err != nil {
				return err
			}
		}
		return nil
	}
	b.WriteString("<" + name)
	m, ok := v.(map[string]any)
	if !ok {
		b.WriteString(">")
		if text, ok := expr.TextOf(v); ok {
			if err := xml.EscapeText(b, []byte(text)); err != nil {
				return err
			}
		}
		b.WriteString("</" + name + ">")
		return nil
	}
	names := slices.Sorted(maps.Keys(m))
	for _, k := range names {
		if text, isText := expr.TextOf(m[k]); strings.HasPrefix(k, "@") && isText {
			b.WriteString(" " + k[1:] + `="`)
			if err := xml.EscapeText(b, []byte(text)); err != nil {
				return err
			}
			b.WriteString(`"`)
		}
	}
	b.WriteString(">")
	for _, k := range names {
		switch {
		case k == "#text":
			text, _ := expr.TextOf(m[k])
			if err := xml.EscapeText(b, []byte(text)); err != nil {
				return err
			}
		case !strings.HasPrefix(k, "@"):
			if err := writeElement(b, k, m[k]); err != nil {
				return err
			}
		}
	}
	b.WriteString("</" + name + ">")
	return nil
}

// declared finds the charset that an XML declaration names; "" where it names
// none.
func declared(text []byte) string {
	head, _, found := bytes.Cut(text, []byte("?>"))
	if !found || !bytes.HasPrefix(bytes.TrimSpace(head), []byte("<?xml")) {
		return ""
	}
	_, rest, found := strings.Cut(string(head), "encoding=")
	if !found || len(rest) < 2 {
		return ""
	}
	name, _, _ := strings.Cut(rest[1:], rest[:1])
	if _, err := htmlindex.Get(name); err != nil {
		return ""
	}
	return name
}
