package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

// Trigger is one trigger block.
type Trigger struct {
	Name        string
	Entity      host.EntityName
	Connections []string // patterns; empty: all
	Level       bool     // fires for each change while it holds
	Initial     bool     // the records of a first run fire too
	Limit       int      // events a run, at most
	Every       time.Duration
	When        *expr.Expression
	Data        *expr.Expression // nil: none
	Source      string
	Range       hcl.Range
}

var triggerSchema = schema("entity! when! data every fire initial limit connections")

const (
	defaultTriggerLimit = 1000
	mostTriggerLimit    = 1_000_000
	leastTriggerEvery   = time.Second
)

func (l *loader) triggers() {
	for _, b := range l.unique("trigger", false) {
		r := open(b.Body, b.DefRange, b.ctx, triggerSchema)
		r.id(b.Labels[0], "The name of a trigger")
		t := Trigger{
			Name: b.Labels[0], Entity: r.entity("entity"), Connections: r.patterns("connections"),
			Level: r.choice("fire", "edge", "edge", "level") == "level", Initial: r.flag("initial", false),
			Every: r.duration("every", 0, leastTriggerEvery), Limit: defaultTriggerLimit,
			Source: b.place(), Range: b.DefRange,
		}
		if v, ok := r.shown("limit", cty.Number); ok {
			n, accuracy := v.AsBigFloat().Int64()
			if accuracy != 0 || n < 1 || n > mostTriggerLimit {
				r.wrong("limit", "Wrong limit", `"limit" must be a whole number from 1 to %d.`, mostTriggerLimit)
			}
			t.Limit = int(n)
		}
		t.When = l.compile(r, "when")
		t.Data = l.compile(r, "data")
		l.report(b.name(), false, r.diags)
		if !r.diags.HasErrors() {
			l.cfg.Triggers = append(l.cfg.Triggers, t)
		}
	}
}

// compile compiles an expression that waits for records.
func (l *loader) compile(r *reader, name string) *expr.Expression {
	a, ok := r.content.Attributes[name]
	if !ok {
		return nil
	}
	x, diags := expr.Compile(l.cfg.sources[a.Range.Filename].Bytes, a.Expr, r.ctx, "record", "old", "connection")
	r.diags = append(r.diags, diags...)
	return x
}

// common are the fields of every record.
var common = []string{
	"id", "entity", "number", "name", "external_reference", "url", "created_at", "updated_at", "synced_at", "sequence", "version",
	"deleted", "deleted_at", "custom",
}

// checkTriggers holds the fields that triggers read against those that systems
// declare for their entities, and leaves out a trigger that reads one that no
// system has.
func (c *Config) checkTriggers(systems []host.System) hcl.Diagnostics {
	var all hcl.Diagnostics
	c.Triggers = slices.DeleteFunc(c.Triggers, func(t Trigger) bool {
		var diags hcl.Diagnostics
		fields := fieldsOf(systems, t.Entity)
		for _, x := range []*expr.Expression{t.When, t.Data} {
			if x == nil {
				continue
			}
			if len(fields) > 0 {
				for _, name := range []string{"record", "old"} {
					diags = append(diags, unknownFields(x, name, fields, fmt.Sprintf("%s has no field", t.Entity))...)
				}
			}
			diags = append(diags, unknownFields(x, "connection", []string{"id", "label", "system", "metadata"}, "a connection has no field")...)
		}
		c.addProblems(fmt.Sprintf("trigger %q", t.Name), false, diags)
		all = append(all, diags...)
		return diags.HasErrors()
	})
	return all
}

// fieldsOf returns the fields that some system declares for an entity; none
// where only a login tells.
func fieldsOf(systems []host.System, entity host.EntityName) []string {
	var out []string
	for i := range systems {
		for j := range systems[i].Entities {
			e := &systems[i].Entities[j]
			if e.Name != entity {
				continue
			}
			for _, f := range e.Fields {
				top, _, _ := strings.Cut(f.Name, ".")
				out = append(out, top)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	out = append(out, common...)
	slices.Sort(out)
	return slices.Compact(out)
}

func unknownFields(x *expr.Expression, name string, fields []string, words string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range x.Paths(name) {
		if len(p.Keys) == 0 || slices.Contains(fields, p.Keys[0]) {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Unknown field", Subject: p.Range.Ptr(),
			Detail: fmt.Sprintf("%s %q.%s", capital(words), p.Keys[0], didYouMean(p.Keys[0], fields)),
		})
	}
	return diags
}
