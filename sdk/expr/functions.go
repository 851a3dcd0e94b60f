package expr

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Names returns the names of the functions that expressions may call, sorted.
func Names() []string { return slices.Sorted(maps.Keys(forData)) }

// Pure are the functions whose result depends on their arguments (and the
// time) alone: those that expressions waiting for data may call too.
func Pure(now func() time.Time) map[string]function.Function {
	all := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "chomp": stdlib.ChompFunc, "chunklist": stdlib.ChunklistFunc,
		"coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "csvdecode": stdlib.CSVDecodeFunc,
		"distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc,
		"format": stdlib.FormatFunc, "formatdate": stdlib.FormatDateFunc, "formatlist": stdlib.FormatListFunc,
		"indent": stdlib.IndentFunc, "index": stdlib.IndexFunc, "int": stdlib.IntFunc, "join": stdlib.JoinFunc,
		"jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc,
		"length": stdlib.LengthFunc, "log": stdlib.LogFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc,
		"max": stdlib.MaxFunc, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc,
		"pow": stdlib.PowFunc, "range": stdlib.RangeFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"regexreplace": stdlib.RegexReplaceFunc, "replace": stdlib.ReplaceFunc, "reverse": stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "signum": stdlib.SignumFunc,
		"slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc,
		"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "timeadd": stdlib.TimeAddFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,
		"tostring": stdlib.MakeToFunc(cty.String), "tonumber": stdlib.MakeToFunc(cty.Number), "tobool": stdlib.MakeToFunc(cty.Bool),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"try":   tryfunc.TryFunc, "can": tryfunc.CanFunc,
		"plain": plainFunc,
	}
	maps.Copy(all, textFunctions)
	maps.Copy(all, timeFunctions(now))
	maps.Copy(all, foreignFunctions)
	return all
}

var plainFunc = function.New(&function.Spec{
	Description: "Takes the sensitive mark off a value, for values such as URLs.",
	Params:      []function.Parameter{anything("value")},
	Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl:        func(args []cty.Value, _ cty.Type) (cty.Value, error) { return Plain(args[0]), nil },
})

func anything(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true}
}

// errDiscreet stands for the error of a function that was given a sensitive
// value: its own words might quote it.
var errDiscreet = errors.New("the function cannot work on this value, which is sensitive and not shown")

// Discreet wraps f so that an error about a sensitive argument does not quote
// it. cty hands functions their arguments without marks, so that they cannot
// know.
func Discreet(f function.Function) function.Function {
	hide := func(args []cty.Value, err error) error {
		if err == nil || !slices.ContainsFunc(args, IsSensitive) {
			return err
		}
		if at, ok := errors.AsType[function.ArgError](err); ok {
			return function.NewArgError(at.Index, errDiscreet)
		}
		return errDiscreet
	}
	return wrap(f, func(args []cty.Value) (cty.Type, error) {
		t, err := f.ReturnTypeForValues(args)
		return t, hide(args, err)
	}, func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, err := f.Call(args)
		return v, hide(args, err)
	})
}

// wrap returns a function with f's parameters that leaves every decision about
// marks, nulls and unknowns to the two functions given.
func wrap(f function.Function, t function.TypeFunc, impl function.ImplFunc) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.AllowMarked, p.AllowNull, p.AllowUnknown, p.AllowDynamicType = true, true, true, true
		return p
	}
	spec := &function.Spec{Description: f.Description(), Type: t, Impl: impl}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if p := f.VarParam(); p != nil {
		v := open(*p)
		spec.VarParam = &v
	}
	return function.New(spec)
}

// StringParam is a parameter that takes a string.
func StringParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.String}
}

// Text is a function of strings.
func Text(description string, result cty.Type, f func(args []string) (cty.Value, error), params ...string) function.Function {
	spec := &function.Spec{Description: description, Type: function.StaticReturnType(result)}
	for _, p := range params {
		spec.Params = append(spec.Params, StringParam(p))
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		s := make([]string, len(args))
		for i, a := range args {
			s[i] = a.AsString()
		}
		v, err := f(s)
		if err != nil {
			return cty.UnknownVal(result), fmt.Errorf("%w", err)
		}
		return v, nil
	}
	return function.New(spec)
}
