package ui

import (
	"bytes"
	"html/template"
	"slices"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/dinrail/dinrail/host"
)

// field is an input, as it is shown.
type field struct {
	ID, Name, Label, Help, Placeholder, Value, Pattern, Kind, Fault string
	Required, Secret, Locked                                        bool
	Kept                                                            bool // a secret that stays where it is left empty
	Choices                                                         []string
}

// formPage is what a system asks for.
type formPage struct {
	Action, Back  string // Back: to the catalog; "": there is none
	System        host.System
	Methods       []methodLink
	Auth          string
	Label         field
	Settings      []field
	Credentials   []field
	Guide         template.HTML
	Problem       string
	Faults        []field // those with a mistake, in their order
	Renews        bool
	Away          bool // the login is made at the vendor's
	Person, Named string
}

// methodLink is a way to log in, to be chosen.
type methodLink struct {
	Name, Label, URL string
	Chosen           bool
}

// inputKinds are the types of HTML inputs by those of settings.
var inputKinds = map[string]string{"number": "number", "url": "url"}

func inputOf(place string, d host.Setting, value, fault string) field {
	f := field{
		ID: place + "-" + d.Name, Name: place + "." + d.Name, Label: d.Label, Help: d.Help, Placeholder: d.Placeholder, Value: value,
		Required: d.Required && d.Default == "", Secret: d.Secret, Choices: d.Choices, Kind: "text", Fault: fault,
	}
	if f.Label == "" {
		f.Label = d.Name
	}
	if f.Value == "" && !d.Secret {
		f.Value = d.Default
	}
	switch {
	case d.Secret:
		f.Kind, f.Value = "password", ""
	case d.Type == "bool":
		f.Choices = []string{"true", "false"}
	case inputKinds[d.Type] != "":
		f.Kind = inputKinds[d.Type]
	}
	return f
}

// showForm shows a system's form, with the mistakes of an attempt.
func (u *UI) showForm(v *visit, status int, s host.System, filled Filled, a Attempt) error {
	preset, locked, err := u.Attempts.Preset(v.Context(), &v.session)
	if err != nil {
		return err
	}
	fault := map[string]string{}
	for _, f := range a.Faults {
		fault[f.Path] = f.Message
	}
	renews := v.session.Connection != ""
	base := "/connect/" + v.link
	p := formPage{Action: base + "/to/" + string(s.Name), System: s, Problem: a.Problem, Renews: renews}
	if v.session.EndUser != nil {
		p.Person = v.session.EndUser.Name
	}
	if len(u.Sessions.Systems(&v.session)) > 1 {
		p.Back = base
	}
	p.Label = field{ID: "label", Name: "label", Label: "Name of this connection", Help: "What it is called in your application; leave it as it is if you do not mind.", Value: filled.Label, Placeholder: s.Label, Kind: "text", Fault: fault["label"], Locked: renews}
	method := -1
	for i, m := range s.Auth {
		chosen := m.Name == filled.Auth || filled.Auth == "" && i == 0
		if chosen {
			method = i
		}
		label := m.Label
		if label == "" {
			label = m.Name
		}
		p.Methods = append(p.Methods, methodLink{m.Name, label, p.Action + "?auth=" + m.Name, chosen})
	}
	if method < 0 && len(s.Auth) > 0 {
		return host.Errorf(host.CodeNotFound, "%s has no such way to log in", s.Label)
	}
	auth := ""
	if method >= 0 {
		auth = s.Auth[method].Name
	}
	for _, d := range s.Settings {
		if !s.Shows(&d, auth) {
			continue
		}
		value, given := filled.Settings[d.Name]
		if !given {
			value = preset.Settings[d.Name]
		}
		f := inputOf("settings", d, value, fault["settings."+d.Name])
		f.Locked = slices.Contains(locked, d.Name)
		f.Required = f.Required || method >= 0 && u.AtVendor(&s, auth) && s.Auth[method].OAuth.Asks(d.Name)
		f.Kept = renews && d.Secret
		if f.Kept {
			f.Required = false
		}
		p.Settings = append(p.Settings, f)
	}
	if method >= 0 {
		p.Auth = s.Auth[method].Name
		p.Away = u.AtVendor(&s, p.Auth)
		for _, d := range s.Auth[method].Fields {
			if p.Away {
				break
			}
			p.Credentials = append(p.Credentials, inputOf("credentials", d, filled.Credentials[d.Name], fault["credentials."+d.Name]))
		}
	}
	for _, f := range append(append([]field{p.Label}, p.Settings...), p.Credentials...) {
		if f.Fault != "" {
			p.Faults = append(p.Faults, f)
		}
	}
	if p.Guide, err = guideOf(s.Guide); err != nil {
		u.Log.Warn("a guide cannot be shown", "system", s.Name, "error", err)
	}
	title := "Connect " + s.Label
	if renews {
		title = "Renew the login to " + s.Label
	}
	u.show(v, status, "form", shown{Title: title, Back: base, Body: p})
	return nil
}

// markdown turns guides into HTML. Raw HTML and addresses that could run
// something are left out by it.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Linkify))

func guideOf(text string) (template.HTML, error) {
	if text == "" {
		return "", nil
	}
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil //nolint:gosec // goldmark writes no HTML of the guide's own
}
