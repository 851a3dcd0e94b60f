package expr_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

func compileExpression(t *testing.T, text string) (*expr.Expression, hcl.Diagnostics) {
	t.Helper()
	src := []byte("x = " + text + "\n")
	f, diags := hclsyntax.ParseConfig(src, "trigger.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	attrs, _ := f.Body.JustAttributes()
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{"limit": cty.NumberIntVal(5)})}}
	return expr.Compile(src, attrs["x"].Expr, ctx, "record", "old", "connection")
}

func TestExpressionOverRecordOldAndConnection(t *testing.T) {
	t.Parallel()
	var values map[string]any
	d := json.NewDecoder(strings.NewReader(`{
		"record": {"id": "i1", "on_hand": 3, "reorder_point": 10.5, "status": "open", "due_at": "2026-03-01T08:00:00.000Z", "item": {"id": "p1"}, "lines": [{"quantity": 2}]},
		"old": {"on_hand": 12},
		"connection": {"id": "plant-7", "metadata": {"customer": "4711"}}}`))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ text, want string }{
		{`record.on_hand < record.reorder_point`, "true"},
		{`record.on_hand < local.limit && old.on_hand > local.limit`, "true"},
		{`record.missing < 5`, "false"},
		{`record.missing == null`, "true"},
		{`old.item.id == record.item.id`, "false"},
		{`record.lines[0].quantity == 2`, "true"},
		{`connection.metadata.customer == "4711"`, "true"},
		{`record.status != "completed" && before(record.due_at, now())`, "true"},
		{`before(now(), record.due_at)`, "false"},
		{`{ item = record.item.id, short_by = record.reorder_point - record.on_hand, none = record.missing }`, `{"item":"p1","none":null,"short_by":7.5}`},
		{`upper(record.status)`, `"OPEN"`},
		{`record.status`, "error"},
		{`record.on_hand + record.status`, "error"},
	} {
		x, diags := compileExpression(t, c.text)
		if diags.HasErrors() {
			t.Fatalf("%s: %v", c.text, diags)
		}
		data := expr.Given{Values: values, Now: at("2026-03-01T09:00:00Z")}
		got := ""
		switch c.want {
		case "true", "false", "error":
			b, err := x.Holds(data)
			got = map[bool]string{true: "true", false: "false"}[b]
			if err != nil {
				got = "error"
				if !strings.Contains(err.Error(), "trigger.hcl:1") {
					t.Errorf("%s: %v", c.text, err)
				}
			}
		default:
			b, err := x.JSON(data)
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			got = string(b)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestExpressionIsCheckedWhenItIsCompiled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"recrod.status":    "no recrod.status here",
		`env("HOME")`:      "reads the host's surroundings",
		"nosuch(record.x)": "no function named",
		"local.none":       "no local.none here",
	} {
		if _, diags := compileExpression(t, text); !diags.HasErrors() || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %v", text, diags)
		}
	}
	x, _ := compileExpression(t, `record.item.id == old.number && record.lines[0].quantity > 1`)
	var got []string
	for _, p := range x.Paths("record") {
		got = append(got, strings.Join(p.Keys, "."))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"item.id", "lines.quantity"}) {
		t.Errorf("paths %q", got)
	}
}

func TestDurationsAreThoseOfTheHost(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"30s", "90d", "1d12h", "-2d", "0.5d", "1d-1h", "d", "", "99999999d", "1e3s"} {
		x, diags := compileExpression(t, fmt.Sprintf("duration(%q)", text))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got, err := x.JSON(expr.Given{})
		want, wantErr := host.ParseDuration(text)
		if (err == nil) != (wantErr == nil) || err == nil && string(got) != strconv.FormatFloat(want.Seconds(), 'f', -1, 64) {
			t.Errorf("%q is %s, %v; the host reads %s, %v", text, got, err, want, wantErr)
		}
	}
}
