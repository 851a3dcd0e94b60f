// Package expr holds the functions that configuration may call, the mark on
// what is sensitive, and the compiled form of expressions that wait for data.
//
// It promises that a sensitive value never appears in an error: functions that
// fail on one say so without it, and the mark follows a value through every
// function but plain. An expression that waits for data is checked when it is
// compiled, so that a misspelled variable is found then and not at the
// forty-thousandth record; a null or missing operand gives null, a wrong type
// is an error.
//
// It refuses blocks, attributes and what they mean: those are config's.
package expr

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dinrail/dinrail/host"
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

// Secret turns a string value, marked or not, into a host.Secret. Null, unknown
// and what cannot be a string give the empty secret.
func Secret(v cty.Value) host.Secret {
	v = Plain(v)
	if v.IsNull() || !v.IsWhollyKnown() {
		return host.Secret{}
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return host.Secret{}
	}
	return host.NewSecret(s.AsString())
}
