package ui

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// words are what templates can say.
var words = template.FuncMap{
	"when":   when,
	"ago":    ago,
	"num":    num,
	"bytes":  size,
	"spoken": func(s any) string { return strings.ReplaceAll(fmt.Sprint(s), "_", " ") },
	"status": status,
	"took":   took,
	"path":   func(s any) string { return url.PathEscape(fmt.Sprint(s)) },
	"query":  func(s any) string { return url.QueryEscape(fmt.Sprint(s)) },
	"pretty": pretty,
	"list":   func(all ...any) []any { return all },
	"entity": func(s any) string {
		return strings.ReplaceAll(strings.TrimPrefix(fmt.Sprint(s), host.NativePrefix), "_", " ")
	},
	"entitypath": func(s any) string {
		return url.PathEscape(fmt.Sprint(s))
	},
}

// when is a moment: how far it is from now, and on looking closer the time.
func when(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="soft">–</span>`
	}
	at := host.FormatTime(t)
	return template.HTML(`<time datetime="` + at + `" title="` + at + `">` + ago(t) + `</time>`) //nolint:gosec // digits and our own words
}

// ago is how far a moment is from now, in words.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := time.Since(t)
	if d < 0 {
		if -d < 2*time.Second {
			return "now"
		}
		return "in " + span(-d)
	}
	if d < 2*time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// took is how long something took.
func took(from, to time.Time) string {
	if from.IsZero() {
		return "–"
	}
	if to.IsZero() {
		to = time.Now()
	}
	switch d := to.Sub(from); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// num is a number with its thousands apart.
func num(v any) string {
	s := fmt.Sprint(v)
	if n, err := strconv.ParseInt(s, 10, 64); err != nil || n < 1000 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString("\u202f")
		}
		b.WriteRune(r)
	}
	return b.String()
}

// size is a number of bytes.
func size(n int64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%d KB", n>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d GB", n>>30)
}

// tones are the colours of statuses: what is good, what waits, what is wrong.
var tones = map[string]string{
	"online": "good", "running": "good", "completed": "good", "delivered": "good", "enabled": "good", "succeeded": "good", "good": "good",
	"auth_required": "bad", "invalid": "bad", "dead": "bad", "failed": "bad", "crashed": "bad", "error": "bad", "disabled": "bad", "credentials": "bad",
	"offline": "warn", "pending": "warn", "held": "warn", "late": "warn", "restarting": "warn", "quarantined": "warn", "warn": "warn", "starting": "warn", "detached": "warn", "canceled": "warn", "queued": "warn",
}

// status is a status word, with its colour.
func status(s any) template.HTML {
	word := fmt.Sprint(s)
	tone := tones[word]
	if tone == "" {
		tone = "none"
	}
	return template.HTML(`<span class="status ` + tone + `">` + template.HTMLEscapeString(strings.ReplaceAll(word, "_", " ")) + `</span>`) //nolint:gosec // escaped
}

// pretty is JSON as people read it.
func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}
