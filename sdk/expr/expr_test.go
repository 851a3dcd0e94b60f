package expr_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/sdk/expr"
)

func compile(t testing.TB, s *expr.Scope, text string) (*expr.Expression, error) {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(text), "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", text, diags)
	}
	x, diags := s.Compile(e)
	if diags.HasErrors() {
		return nil, diags
	}
	return x, nil
}

func decoded(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func known() *hcl.EvalContext {
	return &hcl.EvalContext{Variables: map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{
		"words": cty.ObjectVal(map[string]cty.Value{"A": cty.StringVal("high")}), "two": cty.NumberIntVal(2),
	})}}
}

func TestExpressionsGiveWhatTheySay(t *testing.T) {
	t.Parallel()
	raw := decoded(t, `{"n":3,"exact":1.10,"s":"abc","nil":null,"b":true,"k":"A","cents":12345,
		"l":[{"q":1,"in":[{"z":"x"},{"z":"y"}]},{"q":null,"in":[]}],"o":{"b":2,"a":1},"unix":1767225600,"day":"20260504","money":"1.234,50"}`)
	for text, want := range map[string]string{
		"raw.exact": "1.10", "raw.exact == 1.1": "true", "raw.s != raw.s": "false", `"${raw.exact} of ${raw.b}"`: `"1.10 of true"`,
		"[for i in raw.l : { q = i.q, all = [for j in i.in : upper(j.z)] }]": `[{"all":["X","Y"],"q":1},{"all":[],"q":null}]`,
		"[for i, v in raw.l : i if v.q != null]":                             "[0]", "[for k, v in raw.o : \"${k}${v}\"]": `["a1","b2"]`,
		"{ for i in raw.l : tostring(i.q) => i.q if i.q != null }": `{"1":1}`, "[for i in raw.nil : i]": "null",
		`lookup(local.words, raw.k, "low")`: `"high"`, `lookup(local.words, raw.s, "low")`: `"low"`, "raw.n * local.two": "6",
		"coalesce(raw.nil, raw.missing)": "null", "coalesce(raw.nil, raw.n)": "3", "raw.b ? raw.n : raw.s": "3",
		"raw.cents / 100": "123.45", "raw.n / 7": "0.42857142857142857", "round(raw.n / 7, 2)": "0.43",
		"fromunix(raw.unix)": `"2026-01-01T00:00:00.000Z"`, "fromunixms(raw.unix * 1000)": `"2026-01-01T00:00:00.000Z"`,
		`localtime("2026-05-04T07:30:00", "Europe/Vienna")`: `"2026-05-04T05:30:00.000Z"`, `localtime("2026-01-04 07:30:00", "Europe/Vienna")`: `"2026-01-04T06:30:00.000Z"`,
		`parsetime("YYYYMMDD", raw.day)`: `"2026-05-04"`, `parsetime("DD.MM.YYYY hh:mm", "04.05.2026 07:30", "Europe/Vienna")`: `"2026-05-04T05:30:00.000Z"`,
		`decimal(raw.money, ",")`: "1234.5", `decimal("-12.5", ".")`: "-12.5", "decimal(raw.nil, \",\")": "null",
		`hmacsha256("key", "The quick brown fox jumps over the lazy dog")`: `"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"`,
		"now()": `"2026-05-04T07:00:00.000Z"`, "before(raw.missing, now())": "null", "{ a = raw.nil, \"b c\" = raw.n }": `{"a":null,"b c":3}`,
	} {
		s := expr.NewScope(known(), "raw")
		x, err := compile(t, s, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := x.JSON(s.Frame(time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC)).Set("raw", raw))
		if err != nil || string(got) != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestWrongTypesAreErrorsWithTheirPlace(t *testing.T) {
	t.Parallel()
	raw := decoded(t, `{"o":{"a":1},"s":"abc"}`)
	for text, want := range map[string]string{
		`"x ${raw.o}"`: "a.hcl:1: Wrong type: an object cannot be put into a text", "raw.s ? 1 : 2": "a condition is true or false, and this is a string",
		"[for i in raw.s : i]": "a string is no list", `lookup({ a = 1 }, raw.o, 2)`: "an object is no key of a table", "raw.s + 1": "a.hcl:1",
		`decimal(raw.s, ",")`: "not a number with the decimal mark", `parsetime("YYYYMMDD", raw.s)`: "not a time of the layout", "fromunix(1e30)": "too far away",
	} {
		s := expr.NewScope(nil, "raw")
		x, err := compile(t, s, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := x.Value(s.Frame(time.Now()).Set("raw", raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestErrorsOfSecretsTellThePlaceAlone(t *testing.T) {
	t.Parallel()
	s := expr.NewScope(nil, "credential")
	s.Secret = true
	x, err := compile(t, s, "parseint(credential.key, 10)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Value(s.Frame(time.Now()).Set("credential", map[string]any{"key": "s3cr3t"}))
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "a.hcl:1") {
		t.Errorf("error: %v", err)
	}
}

func TestWhatWasNotGivenIsLeftOut(t *testing.T) {
	t.Parallel()
	s := expr.NewScope(nil, "record", "id")
	s.Sparse = "record"
	x, err := compile(t, s, `{ title = record.name, state = lookup({ open = "OPEN" }, record.status, null), asset = { id = record.asset.id }, key = id, due = record.due_at, kind = "A" }`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.JSON(s.Frame(time.Now()).Set("record", decoded(t, `{"name":"n","due_at":null}`)).Set("id", "7"))
	if want := `{"due":null,"key":"7","kind":"A","title":"n"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestPathsGoThroughListsAndLoops(t *testing.T) {
	t.Parallel()
	s := expr.NewScope(nil, "raw", "setting")
	x, err := compile(t, s, `[for i in raw.lines : { a = upper(i.item.id), b = i.parts[0].n, c = [for p in i.parts : p.q + raw.top] }]`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range x.Paths("raw") {
		got = append(got, strings.Join(p.Keys, "."))
	}
	if want := "lines lines.item.id lines.parts.n lines.parts lines.parts.q top"; strings.Join(got, " ") != want {
		t.Errorf("paths %q, want %s", got, want)
	}
	if roots := x.Roots(); strings.Join(roots, " ") != "raw" {
		t.Errorf("roots %q", roots)
	}
}

func TestMistakesAreFoundWhenCompiled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"rwa.x": `There is no rwa.x here; an expression in this place may name raw and local. Did you mean "raw"?`, "local.wrods": "There is no local.wrods here",
		"uper(raw.x)": `Did you mean "upper"?`, `env("HOME")`: "no environment here", "[for i in raw.l : j.x]": "There is no j.x here",
	} {
		s := expr.NewScope(known(), "raw")
		s.KnownNames, s.Outside = []string{"local"}, map[string]string{"env": "There is no environment here."}
		if _, err := compile(t, s, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestStringsAreWrittenAsJSONWritesThem(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", `"quoted"\`, "<a>&", "Ünïcode \u2028", "\x00\x1f\n", "bad \xff utf8"} {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := expr.AppendString(nil, s); string(got) != string(want) {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
}
