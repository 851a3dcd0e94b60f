package expr_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host/internal/expr"
)

func compile(t testing.TB, src string) (*expr.Mapping, hcl.Diagnostics) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(src), "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	attrs, diags := file.Body.JustAttributes()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return expr.CompileMapping([]byte(src), attrs, &hcl.EvalContext{Variables: map[string]cty.Value{
		"local": cty.ObjectVal(map[string]cty.Value{"factor": cty.NumberIntVal(2), "secret": cty.StringVal("x").Mark(expr.Sensitive)}),
	}})
}

const raw = `{"n":3,"big":12345678901234567890,"s":"abc","t":"2026-05-04T07:00:00Z","nil":null,"b":true,
 "o":{"k":"v","deep":{"x":1}},"l":[{"q":1},{"q":null},{"q":3}],"k":"deep","html":"<a>"}`

func TestMapping(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"raw.n": "3", "raw.big": "12345678901234567890", "raw.o.deep": `{"x":1}`, "raw.l[2].q": "3", `raw["s"]`: `"abc"`,
		"raw.missing": "null", "raw.missing.deeper": "null", "raw.s.deeper": "null", "raw.l[9].q": "null", "raw.nil": "null",
		"raw.n + 1": "4", "raw.n * local.factor": "6", "raw.nil + 1": "null", "-raw.missing": "null", "raw.missing < 1": "null",
		`raw.s == "abc"`: "true", `raw.nil == "abc"`: "null", "raw.nil == null": "true", "raw.s == null": "false", "raw.missing != null": "false",
		"raw.b && raw.nil": "null", "false && raw.nil": "false", "raw.nil && false": "false", "raw.nil || true": "true", "raw.nil || false": "null", "!raw.nil": "null",
		`raw.nil ? 1 : 2`: "null", `raw.b ? raw.n : raw.missing`: "3", `raw.b ? raw.missing : 1`: "null",
		`"n is ${raw.n}"`: `"n is 3"`, `"n is ${raw.missing}"`: "null", `"${raw.n}"`: "3",
		"upper(raw.s)": `"ABC"`, "upper(raw.missing)": "null", "length(raw.l)": "3", "coalesce(raw.nil, raw.s)": `"abc"`,
		`lookup({ abc = "yes" }, raw.s, "no")`: `"yes"`, `lookup({ x = "yes" }, raw.s, "no")`: `"no"`, `lookup({ x = "yes" }, raw.missing, "no")`: `"no"`,
		"raw.o[raw.k].x": "1", "raw.o[raw.missing]": "null", "raw.o[raw.s]": "null",
		"[for i in raw.l : i.q]": "[1,null,3]", "[for i in raw.missing : i.q]": "null", "raw.l[*].q": "[1,null,3]",
		"{ a = raw.n, b = raw.missing }": `{"a":3,"b":null}`, "[raw.n, raw.missing]": "[3,null]", "(raw.n)": "3",
		`before(raw.t, "2026-05-05")`: "true", "after(raw.missing, raw.t)": "null", `duration("1d") > 3600`: "true",
		"try(raw.s + 1, 7)": "7", "raw.html": `"\u003ca\u003e"`,
	} {
		m, diags := compile(t, "x = "+source+"\n")
		if diags.HasErrors() {
			t.Errorf("%s: %v", source, diags)
			continue
		}
		got, err := m.Apply([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if string(got) != `{"x":`+want+`}` {
			t.Errorf("%s is %s, want %s", source, got, want)
		}
	}
}

func TestWrongTypeIsAnErrorWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"raw.s + 1", "raw.o < 1", "raw.s && true", `before(raw.s, raw.t)`, "(raw.s).x.y"} {
		m, diags := compile(t, "x = "+source+"\n")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if got, err := m.Apply([]byte(raw)); err == nil || !strings.Contains(err.Error(), "map x: a.hcl:1: ") {
			t.Errorf("%s is %s, %v", source, got, err)
		}
	}
}

func TestMistakesAreFoundWhenCompiled(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"rwa.x": "There is no rwa.x here", "local.missing": "There is no local.missing here", `env("HOME")`: "cannot be called for each record",
		"uper(raw.x)": `no function named "uper"`, "local.secret": "Sensitive value", `command(["x"])`: "cannot be called for each record",
	} {
		_, diags := compile(t, "x = "+source+"\n")
		if !diags.HasErrors() || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %v, want %s", source, diags, want)
		}
	}
}

func TestMappingIsUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	m, diags := compile(t, "a = \"${raw.n}-${upper(raw.s)}\"\nb = raw.l[*].q\n")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			got, err := m.Apply(fmt.Appendf(nil, `{"n":%d,"s":"x","l":[{"q":%d}]}`, n, n))
			if want := fmt.Sprintf(`{"a":"%d-X","b":[%d]}`, n, n); err != nil || string(got) != want {
				t.Errorf("%s, %v, want %s", got, err, want)
			}
		})
	}
	wg.Wait()
}

const secret = "s3cr3t-value"

func eval(t *testing.T, source string) (cty.Value, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "note.txt"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "db"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"PASSWORD": secret, "CREDENTIALS_DIRECTORY": dir}
	e, diags := hclsyntax.ParseExpression([]byte(source), "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	v, diags := e.Value(&hcl.EvalContext{Functions: expr.Functions(expr.Params{
		Dir: dir, Now: func() time.Time { return time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC) },
		Env: func(n string) (string, bool) { v, ok := vars[n]; return v, ok },
	})})
	if diags.HasErrors() {
		return v, diags
	}
	return v, nil
}

func TestFunctionsThatReadTheWorld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source, want string
		sensitive    bool
	}{
		{`env("PASSWORD")`, secret, true},
		{`env("MISSING", "default")`, "default", true},
		{`credential("db")`, secret, true},
		{`command(["printf", "%s\n", "out"])`, "out", true},
		{`"x-${upper(env("PASSWORD"))}"`, "x-" + strings.ToUpper(secret), true},
		{`plain(env("PASSWORD"))`, secret, false},
		{`file("note.txt")`, "hello\n", false},
		{`now()`, "2026-05-04T07:00:00.000Z", false},
	} {
		v, err := eval(t, c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got := expr.Secret(v).Reveal(); got != c.want || expr.IsSensitive(v) != c.sensitive {
			t.Errorf("%s is %q, sensitive %v", c.source, got, expr.IsSensitive(v))
		}
	}
}

func TestErrorsTellNoSecret(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`parseint(env("PASSWORD"), 10)`, `jsondecode(env("PASSWORD"))`, `formatdate("YYYY", env("PASSWORD"))`, `env("PASSWORD") + 1`,
		`tonumber(env("PASSWORD"))`, `duration(env("PASSWORD"))`, `regex(env("PASSWORD"), "x")`, `{ a = 1 }[env("PASSWORD")]`,
		`lookup({ a = 1 }, env("PASSWORD"))`, `timeadd(env("PASSWORD"), "1h")`, `base64decode("${env("PASSWORD")}!")`,
		`command(["/nowhere/program", env("PASSWORD")])`, `command(["false", env("PASSWORD")])`, `credential("../${env("PASSWORD")}")`,
		`file(env("PASSWORD"))`, `file(".${substr(env("PASSWORD"), 0, 0)}")`, `env(env("PASSWORD"))`, `csvdecode("a\n\"${env("PASSWORD")}")`, `try(parseint(env("PASSWORD"), 10))`,
	} {
		_, err := eval(t, source)
		if err == nil {
			t.Errorf("%s is no error", source)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s tells the secret: %v", source, err)
		}
	}
}

func TestNamesAreSortedAndComplete(t *testing.T) {
	t.Parallel()
	names := expr.Names()
	if !slices.IsSorted(names) {
		t.Error("not sorted")
	}
	for _, n := range []string{"env", "file", "credential", "command", "plain", "now", "before", "after", "duration", "lookup", "formatdate", "unixtime"} {
		if !slices.Contains(names, n) {
			t.Errorf("no %s", n)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	m, diags := compile(b, "a = raw.n\nb = raw.o.k\nc = \"${raw.s}-${raw.n}\"\nd = raw.n * 2\n")
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	for b.Loop() {
		if _, err := m.Apply([]byte(raw)); err != nil {
			b.Fatal(err)
		}
	}
}
