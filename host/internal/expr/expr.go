// Package expr is what configuration makes of expressions: the functions that
// read the environment, files and programs, the secrets that come of them, and
// the mappings and conditions of its blocks. The language itself is sdk/expr's,
// which the files that describe systems are written in, too.
//
// It promises that a sensitive value never appears in an error: functions that
// fail on one say so without it, and the mark follows a value through every
// function but plain.
//
// It refuses blocks, attributes and what they mean: those are config's.
package expr

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/expr"
)

// Sensitive is the mark on values that must not be seen.
const Sensitive = expr.Sensitive

// IsSensitive says whether v, or anything in it, is sensitive.
func IsSensitive(v cty.Value) bool { return expr.IsSensitive(v) }

// Plain returns v without marks, for the one place that needs the value.
func Plain(v cty.Value) cty.Value { return expr.Plain(v) }

// DidYouMean suggests the nearest of the known names, or nothing.
func DidYouMean(given string, known []string) string { return expr.DidYouMean(given, known) }

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

// Params are what the functions of configuration see of the world.
type Params struct {
	Dir string                      // where file() starts: the folder of the configuration file
	Env func(string) (string, bool) // os.LookupEnv
	Now func() time.Time
}

// Functions returns the functions that configuration may call. Those that read
// the world (env, file, credential, command) do so when they are called; a
// command that is named twice runs once.
func Functions(p Params) map[string]function.Function {
	all := expr.Pure(p.Now)
	maps.Copy(all, world(p))
	for name, f := range all {
		if name != "plain" && name != "try" && name != "can" {
			all[name] = expr.Discreet(f)
		}
	}
	return all
}

// Names returns the names of all functions, sorted.
func Names() []string {
	return slices.Sorted(maps.Keys(Functions(Params{Now: time.Now})))
}

// outside are the functions that an expression which waits for data cannot
// call.
var outside = func() map[string]string {
	out := map[string]string{}
	for name := range world(Params{}) {
		out[name] = name + " reads the host's surroundings and cannot be called for each record. Put the value into locals and name that."
	}
	return out
}()

// scope is one for expressions of a block, where ctx is what is known.
func scope(ctx *hcl.EvalContext, data ...string) *expr.Scope {
	s := expr.NewScope(ctx, data...)
	s.Outside, s.KnownNames = outside, []string{"local", "each"}
	return s
}

// again parses an expression once more, to have a tree of its own: one block is
// compiled for each part of its for_each, and compiling takes the tree over.
func again(src []byte, e hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	r := e.Range()
	if r.End.Byte > len(src) {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Expression outside of its file", Subject: r.Ptr()}}
	}
	return hclsyntax.ParseExpression(append(slices.Clone(r.SliceBytes(src)), '\n'), r.Filename, r.Start)
}
