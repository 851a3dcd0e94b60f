package expr

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// node is a part of an expression. It may be used by many goroutines at once.
type node interface {
	eval(f *Frame) (any, error)
}

type literalNode struct{ value any }

func (n literalNode) eval(*Frame) (any, error) { return n.value, nil }

// pathNode reads straight from the data.
type pathNode struct {
	slot int
	path path
}

func (n *pathNode) eval(f *Frame) (any, error) { return n.path.read(f.slots[n.slot]), nil }

// templateNode puts texts together; one that is null makes it null.
type templateNode struct {
	parts []node
	at    hcl.Range
}

func (n *templateNode) eval(f *Frame) (any, error) {
	var b strings.Builder
	for _, p := range n.parts {
		v, err := p.eval(f)
		if err != nil || v == nil {
			return nil, err
		}
		text, ok := TextOf(v)
		if !ok {
			return nil, fmt.Errorf("%s: Wrong type: %s cannot be put into a text", place(n.at), kindOf(v))
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

type tupleNode []node

func (n tupleNode) eval(f *Frame) (any, error) {
	out := make([]any, len(n))
	for i, p := range n {
		v, err := p.eval(f)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

type objectNode struct{ members []member }

type member struct {
	key    string
	node   node
	sparse []reference // left out where none of these is there
}

func (n *objectNode) eval(f *Frame) (any, error) {
	out := make(map[string]any, len(n.members))
	for i := range n.members {
		m := &n.members[i]
		if len(m.sparse) > 0 && !slices.ContainsFunc(m.sparse, func(r reference) bool { return r.path.there(f.slots[r.slot]) }) {
			continue
		}
		v, err := m.node.eval(f)
		if err != nil {
			return nil, err
		}
		out[m.key] = v
	}
	return out, nil
}

type conditionNode struct {
	when, then, other node
	at                hcl.Range
}

func (n *conditionNode) eval(f *Frame) (any, error) {
	v, err := n.when.eval(f)
	if err != nil || v == nil {
		return nil, err
	}
	b, ok := truth(v)
	if !ok {
		return nil, fmt.Errorf("%s: Wrong type: a condition is true or false, and this is %s", place(n.at), kindOf(v))
	}
	if b {
		return n.then.eval(f)
	}
	return n.other.eval(f)
}

// logicNode is && or ||: decided by one operand if it can be, null if it cannot
// and one of them is null.
type logicNode struct {
	left, right node
	or          bool
	at          hcl.Range
}

func (n *logicNode) eval(f *Frame) (any, error) {
	missing := false
	for _, p := range []node{n.left, n.right} {
		v, err := p.eval(f)
		if err != nil {
			return nil, err
		}
		if v == nil {
			missing = true
			continue
		}
		b, ok := truth(v)
		if !ok {
			return nil, fmt.Errorf("%s: Wrong type: a condition is true or false, and this is %s", place(n.at), kindOf(v))
		}
		if b == n.or {
			return b, nil
		}
	}
	if missing {
		return nil, nil
	}
	return !n.or, nil
}

// equalNode is == or !=. It is null where an operand is, unless null is asked
// for.
type equalNode struct {
	left, right node
	not         bool
	asksForNull bool
}

func (n *equalNode) eval(f *Frame) (any, error) {
	l, err := n.left.eval(f)
	if err != nil {
		return nil, err
	}
	r, err := n.right.eval(f)
	if err != nil {
		return nil, err
	}
	if (l == nil || r == nil) && !n.asksForNull {
		return nil, nil
	}
	return equal(l, r) != n.not, nil
}

func equal(l, r any) bool {
	switch l := l.(type) {
	case json.Number:
		r, ok := r.(json.Number)
		return ok && (l == r || sameNumber(l, r))
	case []any:
		r, ok := r.([]any)
		return ok && slices.EqualFunc(l, r, equal)
	case map[string]any:
		r, ok := r.(map[string]any)
		return ok && maps.EqualFunc(l, r, equal)
	default:
		switch r.(type) {
		case []any, map[string]any:
			return false
		}
		return l == r
	}
}

func sameNumber(l, r json.Number) bool {
	a, _, err := big.ParseFloat(string(l), 10, 512, big.ToNearestEven)
	if err != nil {
		return false
	}
	b, _, err := big.ParseFloat(string(r), 10, 512, big.ToNearestEven)
	return err == nil && a.Cmp(b) == 0
}

// loopNode makes a list of what is in another, or in an object, by its keys.
type loopNode struct {
	over       node
	key, value int // slots; key -1: none
	body, when node
	at, whenAt hcl.Range
}

func (n *loopNode) eval(f *Frame) (any, error) {
	v, err := n.over.eval(f)
	if err != nil || v == nil {
		return nil, err
	}
	var out []any
	each := func(key, value any) error {
		if n.key >= 0 {
			f.slots[n.key] = key
		}
		f.slots[n.value] = value
		if n.when != nil {
			v, err := n.when.eval(f)
			if err != nil {
				return err
			}
			b, ok := truth(v)
			if v != nil && !ok {
				return fmt.Errorf("%s: Wrong type: a condition is true or false, and this is %s", place(n.whenAt), kindOf(v))
			}
			if !b {
				return nil
			}
		}
		v, err := n.body.eval(f)
		out = append(out, v)
		return err
	}
	switch v := v.(type) {
	case []any:
		out = make([]any, 0, len(v))
		for i, e := range v {
			if err := each(json.Number(strconv.Itoa(i)), e); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		out = make([]any, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if err := each(k, v[k]); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("%s: Wrong type: %s is no list", place(n.at), kindOf(v))
	}
	return out, nil
}

// lookupNode finds a word in a table; what is null or not in it gives the
// default.
type lookupNode struct {
	table map[string]any
	key   node
	other node
	at    hcl.Range
}

func (n *lookupNode) eval(f *Frame) (any, error) {
	v, err := n.key.eval(f)
	if err != nil {
		return nil, err
	}
	if v != nil {
		key, ok := TextOf(v)
		if !ok {
			return nil, fmt.Errorf("%s: Wrong type: %s is no key of a table", place(n.at), kindOf(v))
		}
		if found, ok := n.table[key]; ok {
			return found, nil
		}
	}
	return n.other.eval(f)
}

// coalesceNode is the first that is not null.
type coalesceNode []node

func (n coalesceNode) eval(f *Frame) (any, error) {
	for _, p := range n {
		if v, err := p.eval(f); err != nil || v != nil {
			return v, err
		}
	}
	return nil, nil
}
