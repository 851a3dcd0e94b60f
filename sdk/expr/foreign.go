package expr

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // systems sign with it; nothing here rests on it
	"crypto/sha1" //nolint:gosec // systems sign with it; nothing here rests on it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// foreignFunctions turn what systems write into what the model has: times,
// numbers and signatures.
var foreignFunctions = map[string]function.Function{
	"fromunix":         fromUnix("A time of seconds since 1970.", time.Second),
	"fromunixms":       fromUnix("A time of milliseconds since 1970.", time.Millisecond),
	"localtime":        Text("A time of one that was told without its zone: localtime(\"2026-05-04T07:30:00\", \"Europe/Vienna\").", cty.String, localTime, "time", "zone"),
	"parsetime":        parseTimeFunction,
	"decimal":          decimalFunction,
	"round":            roundFunction,
	"hmacsha256":       signature("HMAC-SHA256 of a text, in hexadecimal: hmacsha256(key, text).", sha256.New, hex.EncodeToString),
	"base64hmacsha256": signature("HMAC-SHA256 of a text, in base64.", sha256.New, base64.StdEncoding.EncodeToString),
	"hmacsha1":         signature("HMAC-SHA1 of a text, in hexadecimal.", sha1.New, hex.EncodeToString),
	"base64hmacsha1":   signature("HMAC-SHA1 of a text, in base64.", sha1.New, base64.StdEncoding.EncodeToString),
	"md5": Text("MD5 of a string, in hexadecimal.", cty.String, func(a []string) (cty.Value, error) {
		sum := md5.Sum([]byte(a[0])) //nolint:gosec // as above
		return cty.StringVal(hex.EncodeToString(sum[:])), nil
	}, "string"),
	"base64sha256": Text("SHA-256 of a string, in base64.", cty.String, func(a []string) (cty.Value, error) {
		sum := sha256.Sum256([]byte(a[0]))
		return cty.StringVal(base64.StdEncoding.EncodeToString(sum[:])), nil
	}, "string"),
}

func signature(description string, of func() hash.Hash, encode func([]byte) string) function.Function {
	return Text(description, cty.String, func(a []string) (cty.Value, error) {
		h := hmac.New(of, []byte(a[0]))
		h.Write([]byte(a[1]))
		return cty.StringVal(encode(h.Sum(nil))), nil
	}, "key", "text")
}

func fromUnix(description string, unit time.Duration) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "count", Type: cty.Number}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			f, _ := args[0].AsBigFloat().Float64()
			if f > 1e17 || f < -1e17 {
				return cty.UnknownVal(cty.String), errors.New("not a time; it is too far away")
			}
			ms := int64(f)
			if unit == time.Second {
				ms = int64(f * 1000)
			}
			t := time.UnixMilli(ms)
			if y := t.UTC().Year(); y < 0 || y > 9999 {
				return cty.UnknownVal(cty.String), errors.New("not a time; it is too far away")
			}
			return cty.StringVal(formatTime(t)), nil
		},
	})
}

func localTime(a []string) (cty.Value, error) {
	zone, err := time.LoadLocation(a[1])
	if err != nil {
		return cty.NilVal, fmt.Errorf("there is no time zone %q; zones are named as in Europe/Vienna", a[1])
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, a[0], zone); err == nil {
			return cty.StringVal(formatTime(t)), nil
		}
	}
	return cty.NilVal, errors.New("not a time such as 2026-05-04T07:30:00; use parsetime for others")
}

// parseTimeFunction reads times by the letters that formatdate writes them with.
var parseTimeFunction = function.New(&function.Spec{
	Description: `A time, or a day, read by a layout: parsetime("DD.MM.YYYY hh:mm", text, zone). The letters are those of formatdate; the zone is UTC where none is given.`,
	Params:      []function.Parameter{StringParam("layout"), StringParam("text")},
	VarParam:    &function.Parameter{Name: "zone", Type: cty.String},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		zone := time.UTC
		if len(args) > 2 {
			var err error
			if zone, err = time.LoadLocation(args[2].AsString()); err != nil {
				return cty.UnknownVal(cty.String), fmt.Errorf("there is no time zone %q; zones are named as in Europe/Vienna", args[2].AsString())
			}
		}
		layout, clock := layoutOf(args[0].AsString())
		t, err := time.ParseInLocation(layout, strings.TrimSpace(args[1].AsString()), zone)
		if err != nil {
			return cty.UnknownVal(cty.String), fmt.Errorf("not a time of the layout %s", args[0].AsString())
		}
		if !clock {
			return cty.StringVal(t.Format(time.DateOnly)), nil
		}
		return cty.StringVal(formatTime(t)), nil
	},
})

var layoutWords = strings.NewReplacer("YYYY", "2006", "YY", "06", "MMMM", "January", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2",
	"hh", "15", "HH", "03", "H", "3", "mm", "04", "ss", "05", "AA", "PM", "ZZZZZ", "-07:00", "ZZZZ", "-0700", "ZZZ", "MST")

// layoutOf turns formatdate's letters into Go's layout, and says whether it has
// a time of day.
func layoutOf(letters string) (layout string, clock bool) {
	return layoutWords.Replace(letters), strings.ContainsAny(letters, "hH")
}

var notDigits = regexp.MustCompile(`[^0-9]`)

// decimalFunction reads numbers as people write them.
var decimalFunction = function.New(&function.Spec{
	Description: `A number of a text with the decimal mark given: decimal("1.234,50", ",") is 1234.50. Other marks between digits are those of thousands.`,
	Params:      []function.Parameter{StringParam("text"), StringParam("mark")},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		wrong := fmt.Errorf("not a number with the decimal mark %q", args[1].AsString())
		text, negative := strings.CutPrefix(strings.TrimSpace(args[0].AsString()), "-")
		whole, part, _ := strings.Cut(text, args[1].AsString())
		number := notDigits.ReplaceAllString(whole, "")
		if number == "" || notDigits.MatchString(part) || len(whole)-len(number) > len(number) {
			return cty.UnknownVal(cty.Number), wrong
		}
		if part != "" {
			number += "." + part
		}
		if negative {
			number = "-" + number
		}
		n, err := cty.ParseNumberVal(number)
		if err != nil {
			return cty.UnknownVal(cty.Number), wrong
		}
		return n, nil
	},
})

var roundFunction = function.New(&function.Spec{
	Description: "A number rounded to so many digits after the point: round(number, digits).",
	Params:      []function.Parameter{{Name: "number", Type: cty.Number}, {Name: "digits", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		digits, _ := args[1].AsBigFloat().Int64()
		if digits < 0 || digits > 12 {
			return cty.UnknownVal(cty.Number), errors.New("digits are 0 to 12")
		}
		r, _ := args[0].AsBigFloat().Rat(nil)
		if r == nil {
			r = new(big.Rat)
		}
		return cty.ParseNumberVal(r.FloatString(int(digits)))
	},
})

// formatTime is RFC 3339 in UTC with milliseconds.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

var days = regexp.MustCompile(`^([+-]?)(\d{1,6}(?:\.\d+)?)d(.*)$`)

// parseDuration reads Go's durations, and days before them: "90d", "1d12h".
func parseDuration(s string) (time.Duration, error) {
	wrong := errors.New(`not a duration; write for example "30s", "15m", "12h" or "90d"`)
	m := days.FindStringSubmatch(s)
	if m == nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, wrong
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(m[2], 64)
	if err != nil || n > 100_000 {
		return 0, wrong
	}
	d := time.Duration(n * float64(24*time.Hour))
	if m[3] != "" {
		rest, err := time.ParseDuration(m[3])
		if err != nil || rest < 0 {
			return 0, wrong
		}
		d += rest
	}
	if m[1] == "-" {
		d = -d
	}
	return d, nil
}
