package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// hide takes the settings that a system declares secret out of settings, where
// they would be kept in clear, and puts them among the credentials, which are
// sealed. They may be given in either place. It returns nil where there is
// nothing to seal.
func hide(s host.System, settings map[string]any, credentials map[string]string) map[string]string {
	out := maps.Clone(credentials)
	if out == nil && !slices.ContainsFunc(s.Auth, func(m host.AuthMethod) bool { return len(m.Fields) > 0 }) {
		out = map[string]string{} // there is no login to wait for
	}
	for _, d := range s.Settings {
		if !d.Secret {
			continue
		}
		text, given := scalar(settings[d.Name])
		if given {
			delete(settings, d.Name)
		} else if text, given = out[d.Name]; given {
			delete(out, d.Name)
		}
		if given {
			if out == nil {
				out = map[string]string{}
			}
			out[host.SettingPrefix+d.Name] = text
		}
	}
	return out
}

// scalar is the text of a setting's value.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	default:
		return "", false
	}
}

// checkSettings holds settings, and the secret ones among the credentials,
// against what the system declares.
func checkSettings(s host.System, settings map[string]any, credentials map[string]string) faults {
	var bad faults
	names := make([]string, 0, len(s.Settings))
	for _, d := range s.Settings {
		names = append(names, d.Name)
		at := "body.settings." + d.Name
		text, given := credentials[host.SettingPrefix+d.Name]
		if v, plain := settings[d.Name]; plain {
			var ok bool
			if text, ok = scalar(v); !ok {
				bad = append(bad, fault{at, "it must be a " + d.Type})
				continue
			}
			given = true
		}
		if !given && d.Required && d.Default == "" {
			bad = append(bad, fault{at, labelOf(d) + " is missing"})
		}
		if wrong := mistake(d, text); given && wrong != "" {
			bad = append(bad, fault{at, wrong})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(names, name) {
			bad = append(bad, fault{"body.settings." + name, fmt.Sprintf("the system %s has no such setting; it has %s", s.Name, strings.Join(names, ", "))})
		}
	}
	return bad
}

func labelOf(d host.Setting) string {
	if d.Label == "" {
		return d.Name
	}
	return d.Label
}

// mistake says what is wrong with a value, without repeating it: it may be a
// secret.
func mistake(d host.Setting, text string) string {
	switch d.Type {
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "it must be a number"
		}
	case "bool":
		if text != "true" && text != "false" {
			return "it must be true or false"
		}
	case "url":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			return "it must be a whole URL, as in https://system.example.com"
		}
	case "duration":
		if _, ok := durationOf(text); !ok {
			return "it must be a duration such as 15m or 90d"
		}
	}
	if len(d.Choices) > 0 && !slices.Contains(d.Choices, text) {
		return "it must be one of " + strings.Join(d.Choices, ", ")
	}
	if d.Pattern != "" {
		if re, err := regexp.Compile("^(?:" + d.Pattern + ")$"); err == nil && !re.MatchString(text) {
			return strings.TrimSpace(labelOf(d) + " does not have the right form. " + d.Help)
		}
	}
	return ""
}

// checkAuth holds credentials against the way to log in, which is the first
// where none is named.
func checkAuth(s host.System, method *string, credentials map[string]string) faults {
	if len(s.Auth) == 0 {
		return nil
	}
	if *method == "" {
		*method = s.Auth[0].Name
	}
	names := make([]string, 0, len(s.Auth))
	for _, m := range s.Auth {
		if m.Name == *method {
			return checkCredentials(m, credentials)
		}
		names = append(names, m.Name)
	}
	return faults{{"body.auth", fmt.Sprintf("the system %s has no such way to log in; it has %s", s.Name, strings.Join(names, ", "))}}
}

func checkCredentials(m host.AuthMethod, credentials map[string]string) faults {
	login := maps.Clone(credentials)
	maps.DeleteFunc(login, func(name, _ string) bool { return strings.HasPrefix(name, host.SettingPrefix) })
	if credentials == nil || len(login) == 0 && len(credentials) > 0 {
		return nil // pending until somebody gives them
	}
	var bad faults
	names := make([]string, 0, len(m.Fields))
	for _, f := range m.Fields {
		names = append(names, f.Name)
		text := login[f.Name]
		if text == "" && f.Required && f.Default == "" {
			bad = append(bad, fault{"body.credentials." + f.Name, labelOf(f) + " is missing"})
		}
		if wrong := mistake(f, text); text != "" && wrong != "" {
			bad = append(bad, fault{"body.credentials." + f.Name, wrong})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(login)) {
		if !slices.Contains(names, name) {
			bad = append(bad, fault{"body.credentials." + name, "this way to log in has no such field; it has " + strings.Join(names, ", ")})
		}
	}
	return bad
}

// orders reads the standing orders of a request into a connection.
func orders(conn *host.Connection, asked map[string]*orderView) faults {
	var bad faults
	for _, e := range slices.Sorted(maps.Keys(asked)) {
		order := host.Order{Every: host.DefaultEvery, Full: host.DefaultFull}
		o := asked[e]
		if o == nil {
			o = &orderView{}
		}
		for _, d := range []struct {
			name, text string
			into       *time.Duration
		}{{"every", o.Every, &order.Every}, {"full", o.Full, &order.Full}, {"history", o.History, &order.History}} {
			var ok bool
			if d.text == "" {
				continue
			}
			if *d.into, ok = durationOf(d.text); !ok {
				bad = append(bad, fault{"body.sync." + e + "." + d.name, "it must be a duration such as 15m or 90d"})
			}
		}
		if conn.Syncs == nil {
			conn.Syncs = map[host.EntityName]host.Order{}
		}
		conn.Syncs[host.EntityName(e)] = order
	}
	return bad
}
