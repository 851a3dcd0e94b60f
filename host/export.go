package host

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Exported are the parts of a connection that its HCL block would say, as the API
// answers them.
type Exported struct {
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

// HCL writes the block. Credentials are not in it.
func (k Exported) HCL() string {
	var b strings.Builder
	fmt.Fprintf(&b, "connection %s {\n  system = %s\n  label = %s\n", hclQuote(k.ID), hclQuote(k.System), hclQuote(k.Label))
	if len(k.Settings) > 0 {
		fmt.Fprintf(&b, "  settings = %s\n", hclValue(k.Settings))
	}
	if k.Auth != "" {
		fmt.Fprintf(&b, "  auth = %s\n", hclQuote(k.Auth))
	}
	if len(k.Metadata) > 0 {
		own := map[string]any{}
		for name, v := range k.Metadata {
			own[name] = v
		}
		fmt.Fprintf(&b, "  metadata = %s\n", hclValue(own))
	}
	if k.CheckEvery != "" {
		fmt.Fprintf(&b, "  check_every = %s\n", hclQuote(k.CheckEvery))
	}
	if k.Paused {
		b.WriteString("  paused = true\n")
	}
	b.WriteString("  # credentials are never exported: give them here, or by dinrail connection reconnect\n")
	for _, entity := range slices.Sorted(maps.Keys(k.Sync)) {
		fmt.Fprintf(&b, "\n  sync %s {\n", hclQuote(entity))
		for _, d := range []struct{ name, value string }{{"every", k.Sync[entity].Every}, {"full", k.Sync[entity].Full}, {"history", k.Sync[entity].History}} {
			if d.value != "" {
				fmt.Fprintf(&b, "    %s = %s\n", d.name, hclQuote(d.value))
			}
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// hclValue writes a JSON value as HCL has it.
func hclValue(v any) string {
	switch v := v.(type) {
	case string:
		return hclQuote(v)
	case map[string]any:
		var parts []string
		for name, inner := range v {
			parts = append(parts, hclQuote(name)+" = "+hclValue(inner))
		}
		slices.Sort(parts)
		return "{ " + strings.Join(parts, ", ") + " }"
	case []any:
		var parts []string
		for _, inner := range v {
			parts = append(parts, hclValue(inner))
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

// hclQuote writes a string so that HCL reads it as it is, without templates.
func hclQuote(s string) string {
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
