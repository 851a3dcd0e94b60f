package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host/daemon"
)

// exported are the parts of a connection that its HCL block would say.
type exported struct {
	ID       string            `json:"id"`
	System   string            `json:"system"`
	Label    string            `json:"label"`
	Settings map[string]any    `json:"settings"`
	Auth     string            `json:"auth"`
	Metadata map[string]string `json:"metadata"`

	CheckEvery string `json:"check_every"`
	Paused     bool   `json:"paused"`
	Sync       map[string]struct {
		Every   string `json:"every"`
		Full    string `json:"full"`
		History string `json:"history"`
	} `json:"sync"`
}

func (c *cli) connectionExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export CONNECTION",
		Short: "Write a connection as HCL, without its credentials",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var k exported
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("connections", args[0]), into: &k}); err != nil {
				return err
			}
			_, err = c.out.Write(daemon.Format([]byte(k.hcl())))
			return err
		},
	}
}

func (k exported) hcl() string {
	var b strings.Builder
	fmt.Fprintf(&b, "connection %s {\n  system = %s\n  label = %s\n", quote(k.ID), quote(k.System), quote(k.Label))
	if len(k.Settings) > 0 {
		fmt.Fprintf(&b, "  settings = %s\n", value(k.Settings))
	}
	if k.Auth != "" {
		fmt.Fprintf(&b, "  auth = %s\n", quote(k.Auth))
	}
	if len(k.Metadata) > 0 {
		own := map[string]any{}
		for name, v := range k.Metadata {
			own[name] = v
		}
		fmt.Fprintf(&b, "  metadata = %s\n", value(own))
	}
	if k.CheckEvery != "" {
		fmt.Fprintf(&b, "  check_every = %s\n", quote(k.CheckEvery))
	}
	if k.Paused {
		b.WriteString("  paused = true\n")
	}
	b.WriteString("  # credentials are never exported: give them here, or by dinrail connection reconnect\n")
	for _, entity := range slices.Sorted(maps.Keys(k.Sync)) {
		fmt.Fprintf(&b, "\n  sync %s {\n", quote(entity))
		for _, d := range []struct{ name, value string }{{"every", k.Sync[entity].Every}, {"full", k.Sync[entity].Full}, {"history", k.Sync[entity].History}} {
			if d.value != "" {
				fmt.Fprintf(&b, "    %s = %s\n", d.name, quote(d.value))
			}
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// value writes a JSON value as HCL has it.
func value(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case map[string]any:
		var parts []string
		for name, inner := range v {
			parts = append(parts, quote(name)+" = "+value(inner))
		}
		slices.Sort(parts)
		return "{ " + strings.Join(parts, ", ") + " }"
	case []any:
		var parts []string
		for _, inner := range v {
			parts = append(parts, value(inner))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return "null"
		}
		return string(text)
	}
}

// quote writes a string so that HCL reads it as it is, without templates.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(b.String())
}
