package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/host"
)

// Check holds every connection against the systems that can be connected:
// system, settings, auth method and credentials. A connection with a mistake
// becomes invalid, with the reason; it keeps the reason that it has. Settings
// that the system declares secret move to the credentials.
func (c *Config) Check(systems []host.System) hcl.Diagnostics {
	var all hcl.Diagnostics
	for i := range c.Connections {
		conn := &c.Connections[i]
		if conn.Invalid != "" {
			continue
		}
		k := checker{conn: conn}
		k.check(systems)
		inOrder(k.diags)
		for _, d := range k.diags {
			conn.spoil(d)
		}
		c.addProblems(fmt.Sprintf("connection %q", conn.ID), false, k.diags)
		all = append(all, k.diags...)
	}
	return append(all, c.checkTriggers(systems)...)
}

type checker struct {
	conn  *Connection
	diags hcl.Diagnostics
}

func (k *checker) wrong(at hcl.Range, summary, format string, args ...any) {
	k.diags = append(k.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: at.Ptr()})
}

func (k *checker) check(systems []host.System) {
	c := k.conn
	i := slices.IndexFunc(systems, func(s host.System) bool { return s.Name == c.System })
	if i < 0 {
		var names []string
		for _, s := range systems {
			names = append(names, string(s.Name))
		}
		k.wrong(c.Range, "Unknown system", "No connector serves the system %q; known are: %s.%s", c.System, quoteAll(names), didYouMean(string(c.System), names))
		return
	}
	s := systems[i]
	k.settings(s)
	if len(s.Auth) == 0 || len(s.Auth) == 1 && len(s.Auth[0].Fields) == 0 {
		// There is no login to wait for.
		if c.Credentials == nil {
			c.Credentials = map[string]host.Secret{}
		}
	}
	if !k.given() && c.Auth == "" && len(s.Auth) > 1 {
		return // whoever connects later chooses
	}
	if method, ok := k.method(s); ok && k.given() {
		k.credentials(s, method)
	}
}

// given says whether the block gives credentials, rather than sensitive
// settings alone.
func (k *checker) given() bool {
	if k.conn.Credentials == nil {
		return false
	}
	for name := range k.conn.Credentials {
		if !strings.HasPrefix(name, host.SettingPrefix) {
			return true
		}
	}
	return len(k.conn.Credentials) == 0
}

func (k *checker) settings(s host.System) {
	c := k.conn
	known := make([]string, 0, len(s.Settings))
	for _, f := range s.Settings {
		known = append(known, f.Name)
		hidden, isHidden := c.Credentials[host.SettingPrefix+f.Name]
		v, isPlain := c.Settings[f.Name]
		at := k.place("settings."+f.Name, c.settings)
		switch {
		case isHidden:
			k.value(at, "settings."+f.Name, f, hidden.Reveal(), true)
		case isPlain:
			text, ok := scalar(v)
			if !ok {
				k.wrong(at, "Wrong type", "%q must be a %s.", "settings."+f.Name, typeName(f.Type))
				continue
			}
			k.value(at, "settings."+f.Name, f, text, f.Secret)
			if f.Secret {
				c.hide(f.Name, host.NewSecret(text))
				k.literal(at, f.Name)
			}
		case f.Required && f.Default == "":
			k.wrong(c.settings, "Missing setting", "The system %q needs the setting %q (%s).", s.Name, f.Name, f.Label)
		}
	}
	for name := range c.fields {
		if setting, ok := strings.CutPrefix(name, "settings."); ok && !slices.Contains(known, setting) {
			k.wrong(c.fields[name], "Unknown setting", "The system %q has no setting %q; it has: %s.%s", s.Name, setting, quoteAll(known), didYouMean(setting, known))
		}
	}
}

func (k *checker) place(name string, or hcl.Range) hcl.Range {
	if at, ok := k.conn.fields[name]; ok {
		return at
	}
	return or
}

// method finds the auth method. A connection that names none uses the only one,
// or the one that its credentials fit.
func (k *checker) method(s host.System) (host.AuthMethod, bool) {
	c := k.conn
	names := make([]string, 0, len(s.Auth))
	for _, m := range s.Auth {
		names = append(names, m.Name)
	}
	if c.Auth == "" {
		if len(s.Auth) == 1 {
			c.Auth = s.Auth[0].Name
			return s.Auth[0], true
		}
		if m := s.Fitting(slices.Collect(maps.Keys(c.Credentials))); m != nil {
			c.Auth = m.Name
			return *m, true
		}
		if len(s.Auth) > 1 {
			k.wrong(c.Range, "Which auth method", "The system %q has several auth methods; name one with auth: %s.", s.Name, quoteAll(names))
		}
		return host.AuthMethod{}, false
	}
	i := slices.Index(names, c.Auth)
	if i < 0 {
		k.wrong(c.Range, "Unknown auth method", "The system %q has no auth method %q; it has: %s.%s", s.Name, c.Auth, quoteAll(names), didYouMean(c.Auth, names))
		return host.AuthMethod{}, false
	}
	return s.Auth[i], true
}

func (k *checker) credentials(s host.System, m host.AuthMethod) {
	c := k.conn
	known := make([]string, 0, len(m.Fields))
	for _, f := range m.Fields {
		known = append(known, f.Name)
		at := k.place("credentials."+f.Name, c.credentials)
		v, ok := c.Credentials[f.Name]
		switch {
		case ok && !(v.Empty() && f.Required):
			k.value(at, "credentials."+f.Name, f, v.Reveal(), true)
			if _, isLiteral := c.literals[f.Name]; isLiteral && f.Secret && !secretName.MatchString(f.Name) {
				k.literal(at, f.Name)
			}
		case f.Required && f.Default == "":
			k.wrong(at, "Missing credential", "Logging in to %q by %q needs %q (%s).", s.Name, m.Name, f.Name, f.Label)
		}
	}
	for name := range c.Credentials {
		if !strings.HasPrefix(name, host.SettingPrefix) && !slices.Contains(known, name) {
			k.wrong(k.place("credentials."+name, c.credentials), "Unknown credential", "Logging in to %q by %q takes no %q; it takes: %s.%s", s.Name, m.Name, name, quoteAll(known), didYouMean(name, known))
		}
	}
}

func (k *checker) literal(at hcl.Range, name string) {
	r := reader{}
	r.literalSecret(at, name)
	k.diags = append(k.diags, r.diags...)
}

// value checks one field's text. What is wrong with a secret is told without
// quoting it.
func (k *checker) value(at hcl.Range, name string, f host.Setting, v string, secret bool) {
	quoted := ""
	if !secret {
		quoted = fmt.Sprintf(" (%q)", v)
	}
	switch f.Type {
	case "number":
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			k.wrong(at, "Wrong type", "%q must be a number%s.", name, quoted)
		}
	case "bool":
		if v != "true" && v != "false" {
			k.wrong(at, "Wrong type", "%q must be true or false%s.", name, quoted)
		}
	case "url":
		if u, err := url.Parse(v); err != nil || u.Scheme == "" || u.Host == "" {
			k.wrong(at, "Wrong URL", "%q must be a whole URL, as in %q.", name, orElse(f.Placeholder, "https://system.example.com"))
		}
	case "duration":
		if _, err := host.ParseDuration(v); err != nil {
			k.wrong(at, "Wrong duration", "%q is %s.", name, err)
		}
	}
	if f.Pattern != "" {
		if re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`); err == nil && !re.MatchString(v) {
			k.wrong(at, "Wrong form", "%q%s does not have the form %s.", name, quoted, f.Pattern)
		}
	}
	if len(f.Choices) > 0 && !slices.Contains(f.Choices, v) {
		hint := ""
		if !secret {
			hint = didYouMean(v, f.Choices)
		}
		k.wrong(at, "Unknown value", "%q%s must be one of %s.%s", name, quoted, quoteAll(f.Choices), hint)
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func typeName(t string) string {
	if t == "url" {
		return "URL"
	}
	return orElse(t, "string")
}

// scalar is a JSON value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}
