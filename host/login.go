package host

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fault is one mistake in what a person gave, and where: "settings.url",
// "credentials.password", "auth". The message never repeats what was given: it
// may be a secret.
type Fault struct{ Path, Message string }

// HideSettings takes the settings that the system declares secret out of
// settings, where they would be kept in clear, and returns them among the
// credentials, which are sealed. They may be given in either place. It returns
// nil where there is nothing to seal.
func (s *System) HideSettings(settings map[string]any, credentials map[string]string) map[string]string {
	out := maps.Clone(credentials)
	if out == nil && !slices.ContainsFunc(s.Auth, func(m AuthMethod) bool { return len(m.Fields) > 0 }) {
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
			out[SettingPrefix+d.Name] = text
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

// CheckSettings holds settings, and the secret ones among the credentials,
// against what the system declares.
func (s *System) CheckSettings(settings map[string]any, credentials map[string]string) []Fault {
	var bad []Fault
	names := make([]string, 0, len(s.Settings))
	for _, d := range s.Settings {
		names = append(names, d.Name)
		at := "settings." + d.Name
		text, given := credentials[SettingPrefix+d.Name]
		if v, plain := settings[d.Name]; plain {
			var ok bool
			if text, ok = scalar(v); !ok {
				bad = append(bad, Fault{at, "it must be a " + d.Type})
				continue
			}
			given = true
		}
		if !given && d.Required && d.Default == "" {
			bad = append(bad, Fault{at, d.title() + " is missing"})
		}
		if wrong := d.mistake(text); given && wrong != "" {
			bad = append(bad, Fault{at, wrong})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(names, name) {
			bad = append(bad, Fault{"settings." + name, fmt.Sprintf("the system %s has no such setting; it has %s", s.Name, strings.Join(names, ", "))})
		}
	}
	return bad
}

// title is what a person calls the setting.
func (d *Setting) title() string {
	if d.Label == "" {
		return d.Name
	}
	return d.Label
}

// mistake says what is wrong with a value; "" where nothing is.
func (d *Setting) mistake(text string) string {
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
		if _, err := ParseDuration(text); err != nil {
			return "it must be a duration such as 15m or 90d"
		}
	}
	if len(d.Choices) > 0 && !slices.Contains(d.Choices, text) {
		return "it must be one of " + strings.Join(d.Choices, ", ")
	}
	if d.Pattern != "" {
		if re, err := regexp.Compile("^(?:" + d.Pattern + ")$"); err == nil && !re.MatchString(text) {
			return strings.TrimSpace(d.title() + " does not have the right form. " + d.Help)
		}
	}
	return ""
}

// Method returns the way to log in that has the name, the first where it is "";
// nil if there is none.
func (s *System) Method(name string) *AuthMethod {
	for i := range s.Auth {
		if name == "" || s.Auth[i].Name == name {
			return &s.Auth[i]
		}
	}
	return nil
}

// Fitting returns the one way to log in that the names of credentials are for:
// all are its fields, and none that it needs is missing; nil where it is none, or
// several.
func (s *System) Fitting(names []string) *AuthMethod {
	var found *AuthMethod
	for i := range s.Auth {
		m, fits := &s.Auth[i], true
		for _, f := range m.Fields {
			fits = fits && (!f.Required || f.Default != "" || slices.Contains(names, f.Name))
		}
		for _, name := range names {
			fits = fits && (strings.HasPrefix(name, SettingPrefix) || slices.ContainsFunc(m.Fields, func(f Setting) bool { return f.Name == name }))
		}
		if fits && found != nil {
			return nil
		}
		if fits {
			found = m
		}
	}
	return found
}

// CheckLogin holds credentials against the way to log in. Where none is named it
// sets the one that they fit, or else the first.
func (s *System) CheckLogin(method *string, credentials map[string]string) []Fault {
	if len(s.Auth) == 0 {
		return nil
	}
	if *method == "" {
		*method = s.Auth[0].Name
		if m := s.Fitting(slices.Collect(maps.Keys(credentials))); m != nil {
			*method = m.Name
		}
	}
	names := make([]string, 0, len(s.Auth))
	for i := range s.Auth {
		if s.Auth[i].Name == *method {
			login := maps.Clone(credentials)
			maps.DeleteFunc(login, func(name, _ string) bool { return strings.HasPrefix(name, SettingPrefix) })
			if credentials == nil || len(login) == 0 && len(credentials) > 0 {
				return nil // pending until somebody gives them
			}
			return s.Auth[i].Check(login)
		}
		names = append(names, s.Auth[i].Name)
	}
	return []Fault{{"auth", fmt.Sprintf("the system %s has no such way to log in; it has %s", s.Name, strings.Join(names, ", "))}}
}

// Check holds what was given for the method's fields against what they are
// declared to be.
func (m *AuthMethod) Check(login map[string]string) []Fault {
	var bad []Fault
	names := make([]string, 0, len(m.Fields))
	for i := range m.Fields {
		f := &m.Fields[i]
		names = append(names, f.Name)
		text := login[f.Name]
		if text == "" && f.Required && f.Default == "" {
			bad = append(bad, Fault{"credentials." + f.Name, f.title() + " is missing"})
		}
		if wrong := f.mistake(text); text != "" && wrong != "" {
			bad = append(bad, Fault{"credentials." + f.Name, wrong})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(login)) {
		if !slices.Contains(names, name) {
			bad = append(bad, Fault{"credentials." + name, "this way to log in has no such field; it has " + strings.Join(names, ", ")})
		}
	}
	return bad
}
