package expr

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var textFunctions = map[string]function.Function{
	"base64encode": Text("Encodes a string as base64.", cty.String, func(a []string) (cty.Value, error) {
		return cty.StringVal(base64.StdEncoding.EncodeToString([]byte(a[0]))), nil
	}, "string"),
	"base64decode": Text("Decodes base64.", cty.String, func(a []string) (cty.Value, error) {
		b, err := base64.StdEncoding.DecodeString(a[0])
		if err != nil {
			return cty.NilVal, errors.New("not base64")
		}
		return cty.StringVal(string(b)), nil
	}, "string"),
	"urlencode": Text("Escapes a string for a URL's query.", cty.String, func(a []string) (cty.Value, error) {
		return cty.StringVal(url.QueryEscape(a[0])), nil
	}, "string"),
	"sha256": Text("SHA-256 of a string, in hexadecimal.", cty.String, func(a []string) (cty.Value, error) {
		sum := sha256.Sum256([]byte(a[0]))
		return cty.StringVal(hex.EncodeToString(sum[:])), nil
	}, "string"),
	"startswith": Text("Says whether a string starts with another.", cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.HasPrefix(a[0], a[1])), nil
	}, "string", "prefix"),
	"endswith": Text("Says whether a string ends with another.", cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.HasSuffix(a[0], a[1])), nil
	}, "string", "suffix"),
	"strcontains": Text("Says whether a string contains another.", cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.Contains(a[0], a[1])), nil
	}, "string", "part"),
}

func timeFunctions(now func() time.Time) map[string]function.Function {
	compare := func(description string, holds func(a, b time.Time) bool) function.Function {
		return Text(description, cty.Bool, func(a []string) (cty.Value, error) {
			x, err := parseTime(a[0])
			if err != nil {
				return cty.NilVal, err
			}
			y, err := parseTime(a[1])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.BoolVal(holds(x, y)), nil
		}, "time", "other")
	}
	return map[string]function.Function{
		"now": Text("The time now, RFC 3339.", cty.String, func([]string) (cty.Value, error) {
			return cty.StringVal(formatTime(now())), nil
		}),
		"before": compare("Says whether the first time is before the second.", time.Time.Before),
		"after":  compare("Says whether the first time is after the second.", time.Time.After),
		"duration": Text("A duration in seconds, to compare and to calculate with.", cty.Number, func(a []string) (cty.Value, error) {
			d, err := parseDuration(a[0])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.NumberFloatVal(d.Seconds()), nil
		}, "duration"),
		"unixtime": Text("Seconds since 1970 of a time.", cty.Number, func(a []string) (cty.Value, error) {
			t, err := parseTime(a[0])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.NumberIntVal(t.Unix()), nil
		}, "time"),
	}
}

func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New(`not a time; times are RFC 3339, for example "2026-05-04T07:30:00Z"`)
}
