package config

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns the source in the canonical layout. Source that does not parse
// comes back as it is.
func Format(src []byte) []byte {
	if _, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos); diags.HasErrors() {
		return src
	}
	return hclwrite.Format(src)
}

// Render writes the diagnostics for people: place, what is wrong, the source
// line, what to do. Strings of attributes that may be secret are masked in
// source lines, and values of variables are never written.
func Render(w io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File) error {
	masked := map[string][][]byte{}
	for _, d := range diags {
		word := "Error"
		if d.Severity == hcl.DiagWarning {
			word = "Warning"
		}
		var b strings.Builder
		if d.Subject == nil {
			fmt.Fprintf(&b, "%s: %s\n", word, d.Summary)
		} else {
			fmt.Fprintf(&b, "%s: %s: %s\n", word, place(*d.Subject), d.Summary)
			if f := files[d.Subject.Filename]; f != nil {
				lines, ok := masked[d.Subject.Filename]
				if !ok {
					lines = bytes.Split(mask(f.Bytes, d.Subject.Filename), []byte("\n"))
					masked[d.Subject.Filename] = lines
				}
				if n := d.Subject.Start.Line; n >= 1 && n <= len(lines) {
					fmt.Fprintf(&b, "  %4d | %s\n", n, bytes.TrimRight(lines[n-1], "\r"))
				}
			}
		}
		if d.Detail != "" {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(d.Detail, "\n", "\n  "))
		}
		if _, err := io.WriteString(w, b.String()+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// secretAttribute is what attributes and object keys that hold secrets are
// called.
var secretAttribute = regexp.MustCompile(`(?i)pass|secret|token|credential|key|^value$|^pin$|^headers$|^proxy$|url$|command`)

// mask returns the source with the text of strings that may be secret replaced
// by asterisks: those in attributes called like secrets, and, in a file that
// does not parse, all that may be a string. Lines stay lines.
func mask(src []byte, name string) []byte {
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	out := bytes.Clone(src)
	if diags.HasErrors() {
		tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
		for _, t := range tokens {
			if t.Type == hclsyntax.TokenQuotedLit || t.Type == hclsyntax.TokenStringLit {
				blank(out, t.Range)
			}
		}
		// Where a quote is missing, what is a string and what is not are swapped:
		// nothing after the first quote of a line is safe to show.
		quoted := false
		for i, c := range src {
			switch {
			case c == '\n':
				quoted = false
			case c == '"':
				quoted = true
			case quoted && c != '\r':
				out[i] = '*'
			}
		}
		return out
	}
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		maskBody(out, body, false)
	}
	return out
}

func maskBody(out []byte, body *hclsyntax.Body, all bool) {
	for name, a := range body.Attributes {
		maskExpr(out, a.Expr, all || secretAttribute.MatchString(name))
	}
	for _, b := range body.Blocks {
		maskBody(out, b.Body, all)
	}
}

// maskExpr masks every string of an expression whose attribute is secret, and
// else those of object items whose key is. An argument of a function that
// reads a secret from elsewhere is a name, which a person needs to see.
func maskExpr(out []byte, e hclsyntax.Expression, all bool) {
	w := &masker{out: out}
	if all {
		w.depth = 1
	}
	_ = hclsyntax.Walk(e, w)
}

type masker struct {
	out   []byte
	depth int // of nodes entered in which everything is masked
	names int // of nodes entered in which strings are names of secrets
	items []hclsyntax.Node
}

// Enter implements hclsyntax.Walker.
func (m *masker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n := n.(type) {
	case *hclsyntax.FunctionCallExpr:
		if n.Name == "env" && len(n.Args) == 1 || n.Name == "credential" || n.Name == "file" {
			m.names++
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range n.Items {
			if k := hcl.ExprAsKeyword(item.KeyExpr); k != "" && !secretAttribute.MatchString(k) {
				continue
			}
			m.items = append(m.items, item.ValueExpr)
		}
	case *hclsyntax.LiteralValueExpr:
		if (m.depth > 0 || m.under(n)) && m.names == 0 {
			blank(m.out, n.SrcRange)
		}
	}
	return nil
}

// under says whether a node stands in the value of a secret item.
func (m *masker) under(n hclsyntax.Node) bool {
	for _, item := range m.items {
		if within(n.Range(), item.Range()) {
			return true
		}
	}
	return false
}

// Exit implements hclsyntax.Walker.
func (m *masker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	if n, ok := n.(*hclsyntax.FunctionCallExpr); ok && (n.Name == "env" && len(n.Args) == 1 || n.Name == "credential" || n.Name == "file") {
		m.names--
	}
	return nil
}

func blank(out []byte, r hcl.Range) {
	for i := r.Start.Byte; i < r.End.Byte && i < len(out); i++ {
		if out[i] != '\n' && out[i] != '\r' {
			out[i] = '*'
		}
	}
}
