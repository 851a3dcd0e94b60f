package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the README's tables anew")

const (
	readmeBegin = "<!-- fields: written from the schema by go test -run TestReadmeFields -update -->\n"
	readmeEnd   = "<!-- end -->\n"
)

// Ensure the README names every collection and field as the schema has it, and
// shows a record as it is answered.
func TestReadmeFields(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), readmeBegin)
	_, after, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		t.Fatal("the README has lost the marks around its field tables")
	}
	want := before + readmeBegin + fieldTable(setup(t)) + readmeEnd + after
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatal("the README's tables differ from the schema: run go test -run TestReadmeFields -update")
	}
	if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fieldTable describes every collection, with a record of the tests' plant.
func fieldTable(plant *caller) string {
	var b strings.Builder
	for _, c := range collections() {
		fmt.Fprintf(&b, "\n### %s\n%s", c.name, c.about)
		if c.readOnly {
			b.WriteString(" Read only.")
		}
		b.WriteString("\n\n")
		for _, f := range c.fields {
			fmt.Fprintf(&b, "- %s\n", fieldWords(f))
		}
		if len(c.actions) > 0 {
			b.WriteString("\nActions:")
			for i, a := range c.actions {
				if i > 0 {
					b.WriteString(",")
				}
				fmt.Fprintf(&b, " `%s` (%s → %s)", a.name, strings.Join(a.from, ", "), a.to)
			}
			b.WriteString("\n")
		}
		all := plant.plant.tables[c.name].byID
		fmt.Fprintf(&b, "\n```json\n%s\n```\n", all[len(all)/2].body)
	}
	b.WriteString("\n")
	return b.String()
}

func fieldWords(f field) string {
	var marks string
	if f.needed {
		marks += ", needed"
	}
	if f.fixed {
		marks += ", set by the plant"
	}
	return fmt.Sprintf("`%s` %s%s", f.name, kindWords(f), marks)
}

func kindWords(f field) string {
	switch f.kind {
	case kindText:
		return "text"
	case kindTexts:
		return "texts"
	case kindWord:
		return strings.Join(f.words, " · ")
	case kindNumber:
		return "number"
	case kindWhole:
		return "whole number"
	case kindFlag:
		return "true or false"
	case kindInstant:
		return "time"
	case kindDay:
		return "day"
	case kindRef:
		return "→ " + f.to
	case kindRefs:
		return "array of → " + f.to
	}
	var parts []string
	for _, s := range f.of {
		parts = append(parts, "`"+s.name+"` "+kindWords(s))
	}
	if f.kind == kindLines {
		return "[{" + strings.Join(parts, ", ") + "}]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
