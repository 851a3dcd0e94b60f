// Package expr compiles the expressions of HCL files that wait for data, and
// has the functions that they may call. It is one for both sides of the wire: for
// the host's configuration, and for the files that describe systems.
//
// It promises that an expression is checked when it is compiled, so that a
// misspelled variable is found then and not at the forty-thousandth record; that
// a null or missing operand gives null and a wrong type is an error with its
// place; that paths, objects, lists, tables and templates are read straight from
// decoded JSON, numbers with the digits as sent, and only what calculates goes
// through cty; and that a sensitive value never appears in an error.
//
// It refuses the world: no environment, no files, no programs. Whoever lets
// expressions read those brings the functions.
package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

type mark string

// Sensitive is the mark on values that must not be seen.
const Sensitive = mark("sensitive")

// IsSensitive says whether v, or anything in it, is sensitive.
func IsSensitive(v cty.Value) bool { return v.ContainsMarked() }

// Plain returns v without marks, for the one place that needs the value.
func Plain(v cty.Value) cty.Value {
	v, _ = v.UnmarkDeep()
	return v
}

// Scope is what expressions of one place may name. It is made and compiled
// into by one goroutine; what is compiled may then be used by many at once.
type Scope struct {
	// Known holds what is known already: local, each. Nil: nothing.
	Known *hcl.EvalContext
	// KnownNames are the variables that Known may have, for the words of errors.
	KnownNames []string
	// Outside are functions that exist elsewhere, and why not here.
	Outside map[string]string
	// Secret: some of the data must not be seen, so that errors tell the place
	// alone.
	Secret bool
	// Sparse names a root that holds a part of a record. A member of an object
	// that reads nothing but what is not there is left out of the object, so that
	// what was not given is not overwritten by null.
	Sparse string

	roots []string // by slot: data first, then variables of for expressions
	size  int      // slots that a frame needs
	data  int
}

// NewScope returns a scope in which expressions may name the roots of data.
func NewScope(known *hcl.EvalContext, data ...string) *Scope {
	return &Scope{Known: known, roots: slices.Clone(data), size: len(data), data: len(data)}
}

// Frame is the data that expressions of a scope are evaluated for. It is used
// by one goroutine, and may be filled anew.
type Frame struct {
	scope *Scope
	slots []any
	now   time.Time
}

// Frame returns an empty frame; now is what now() tells.
func (s *Scope) Frame(now time.Time) *Frame {
	return &Frame{scope: s, slots: make([]any, s.size), now: now}
}

// Set sets a root's decoded JSON. Roots that the scope does not have are passed
// by, so that one way of filling serves several scopes.
func (f *Frame) Set(root string, v any) *Frame {
	for i, name := range f.scope.roots[:f.scope.data] {
		if name == root {
			f.slots[i] = v
		}
	}
	return f
}

// Expression is one that waits for data.
type Expression struct {
	scope *Scope
	node  node
	at    hcl.Range
	refs  []reference
}

// Path is a place in the data that an expression reads.
type Path struct {
	Keys  []string // as far as they are keys; an index is left out, and what follows it is there
	Range hcl.Range
}

// Paths returns the paths into the data of a root that the expression reads.
func (x *Expression) Paths(root string) []Path {
	var out []Path
	for _, r := range x.refs {
		if r.root != root {
			continue
		}
		p := Path{Keys: slices.Clone(r.through), Range: r.at}
		for _, step := range r.path {
			if key, ok := step.(string); ok {
				p.Keys = append(p.Keys, key)
			}
		}
		out = append(out, p)
	}
	return out
}

// Roots returns the roots of data that the expression names, sorted.
func (x *Expression) Roots() []string {
	var out []string
	for _, r := range x.refs {
		out = append(out, r.root)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Plain says whether the expression is a path and nothing else.
func (x *Expression) Plain() bool {
	_, ok := x.node.(*pathNode)
	return ok
}

// There says whether something stands where the expression reads, null
// included. known is false for one that is more than a path.
func (x *Expression) There(f *Frame) (there, known bool) {
	n, ok := x.node.(*pathNode)
	if !ok {
		return false, false
	}
	return n.path.there(f.slots[n.slot]), true
}

// Range is where the expression stands.
func (x *Expression) Range() hcl.Range { return x.at }

// Value evaluates the expression: nil, a string, a bool, a json.Number, a []any
// or a map[string]any. What it returns may share memory with the data.
func (x *Expression) Value(f *Frame) (any, error) {
	v, err := x.node.eval(f)
	if err != nil && x.scope.Secret {
		return nil, fmt.Errorf("%s: this cannot be made of what was given", place(x.at))
	}
	return v, err
}

// Holds evaluates the expression as a condition; null is false.
func (x *Expression) Holds(f *Frame) (bool, error) {
	v, err := x.Value(f)
	if err != nil || v == nil {
		return false, err
	}
	b, ok := truth(v)
	if !ok {
		return false, fmt.Errorf("%s: a condition is true or false, and this is %s", place(x.at), kindOf(v))
	}
	return b, nil
}

// Text evaluates the expression as text: a string, or a number or bool as it is
// written. ok is false where it is null.
func (x *Expression) Text(f *Frame) (text string, ok bool, err error) {
	v, err := x.Value(f)
	if err != nil || v == nil {
		return "", false, err
	}
	if text, ok = TextOf(v); !ok {
		return "", false, fmt.Errorf("%s: this must be text, and it is %s", place(x.at), kindOf(v))
	}
	return text, true, nil
}

// JSON evaluates the expression and returns its value as JSON.
func (x *Expression) JSON(f *Frame) ([]byte, error) {
	v, err := x.Value(f)
	if err != nil {
		return nil, err
	}
	return AppendJSON(nil, v), nil
}

func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

func problem(d *hcl.Diagnostic) error {
	text := strings.TrimSuffix(strings.TrimSpace(d.Summary+": "+d.Detail), ".")
	if d.Subject == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %s", place(*d.Subject), text)
}
