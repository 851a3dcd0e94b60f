package ui

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// categories are what systems are grouped by, in the order in which they are
// offered.
var categories = []struct{ Name, Label string }{
	{"cmms", "Maintenance"}, {"eam", "Assets"}, {"erp", "ERP"}, {"wms", "Warehouse"}, {"mrp", "Planning"}, {"mes", "Production"},
	{"qms", "Quality"}, {"database", "Databases"}, {"machine", "Machines"}, {"other", "Other"},
}

func categoryLabel(name string) string {
	for _, c := range categories {
		if c.Name == name {
			return c.Label
		}
	}
	return "Other"
}

// catalogPage is what there is to choose from.
type catalogPage struct {
	Base, Query, Category string
	Categories            []struct{ Name, Label string }
	Systems               []host.System
	More                  int // that are not shown
}

// mostShown bounds a catalog's page: a search finds the others.
const mostShown = 120

// ongoing sends a visitor to where the session is, if it is not open.
func (u *UI) ongoing(v *visit) bool {
	switch v.session.Status(time.Now()) {
	case host.SessionOpen:
		return false
	case host.SessionCompleted:
		http.Redirect(v.w, v.Request, "/connect/"+v.link+"/attempt", http.StatusSeeOther)
	case host.SessionCanceled:
		u.canceled(v)
	default:
		u.end(v, http.StatusGone, "This link has expired", "Ask whoever sent it for a new one.")
	}
	return true
}

// catalog shows the systems; where there is one, its form.
func (u *UI) catalog(v *visit) error {
	if u.ongoing(v) {
		return nil
	}
	all := u.Sessions.Systems(&v.session)
	if len(all) == 1 {
		http.Redirect(v.w, v.Request, "/connect/"+v.link+"/to/"+url.PathEscape(string(all[0].Name)), http.StatusSeeOther)
		return nil
	}
	p := catalogPage{Base: "/connect/" + v.link, Query: strings.TrimSpace(v.URL.Query().Get("q")), Category: v.URL.Query().Get("category")}
	for _, c := range categories {
		if slices.ContainsFunc(all, func(s host.System) bool { return categoryLabel(s.Category) == c.Label }) {
			p.Categories = append(p.Categories, c)
		}
	}
	words := strings.Fields(strings.ToLower(p.Query))
	for _, s := range all {
		text := strings.ToLower(s.Label + " " + s.Vendor + " " + string(s.Name) + " " + categoryLabel(s.Category))
		if p.Category != "" && categoryLabel(s.Category) != categoryLabel(p.Category) || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			continue
		}
		if len(p.Systems) == mostShown {
			p.More++
			continue
		}
		s.Category = categoryLabel(s.Category)
		p.Systems = append(p.Systems, s)
	}
	u.show(v, http.StatusOK, "catalog", shown{Title: "Choose a system", Back: p.Base, Body: p})
	return nil
}

// system finds the system of a visit's path.
func (u *UI) system(v *visit) (host.System, error) {
	all := u.Sessions.Systems(&v.session)
	name := host.SystemName(v.PathValue("system"))
	i := slices.IndexFunc(all, func(s host.System) bool { return s.Name == name })
	if i < 0 {
		return host.System{}, host.Errorf(host.CodeNotFound, "this link does not connect to %q", string(name))
	}
	return all[i], nil
}

// form shows what a system asks for.
func (u *UI) form(v *visit) error {
	if u.ongoing(v) {
		return nil
	}
	s, err := u.system(v)
	if err != nil {
		return err
	}
	filled, _, err := u.Attempts.Preset(v.Context(), &v.session)
	if err != nil {
		return err
	}
	if auth := v.URL.Query().Get("auth"); auth != "" {
		filled.Auth = auth
	}
	return u.showForm(v, http.StatusOK, s, filled, Attempt{})
}

// submit has what was filled in be tried.
func (u *UI) submit(v *visit) error {
	s, err := u.system(v)
	if err != nil {
		return err
	}
	v.Body = http.MaxBytesReader(v.w, v.Body, 256<<10)
	if err := v.ParseForm(); err != nil {
		return host.Errorf(host.CodeConflict, "the form did not arrive whole; fill it in again")
	}
	f := Filled{System: s.Name, Label: v.PostForm.Get("label"), Auth: v.PostForm.Get("auth"), Settings: map[string]string{}, Credentials: map[string]string{}}
	for name := range v.PostForm {
		if setting, ok := strings.CutPrefix(name, "settings."); ok {
			f.Settings[setting] = v.PostForm.Get(name)
		} else if field, ok := strings.CutPrefix(name, "credentials."); ok {
			f.Credentials[field] = v.PostForm.Get(name)
		}
	}
	switch err := u.Attempts.Begin(v.Context(), v.link, f); host.CodeOf(err) {
	case "":
		if !v.framed() && u.AtVendor(&s, f.Auth) {
			if _, err := u.Attempts.Leave(v.Context(), v.link, v.browser(true), true, false); err != nil {
				return err
			}
		}
		http.Redirect(v.w, v.Request, "/connect/"+v.link+"/attempt", http.StatusSeeOther)
		return nil
	case host.CodeRateLimited:
		for _, d := range s.Settings { // what was typed stays, but for secrets
			if d.Secret {
				delete(f.Settings, d.Name)
			}
		}
		f.Credentials = map[string]string{}
		return u.showForm(v, http.StatusTooManyRequests, s, f, Attempt{Stage: "failed", Problem: host.MessageOf(err)})
	default:
		return err
	}
}

// attempt shows how far a login is.
func (u *UI) attempt(v *visit) error {
	a, err := u.Attempts.Look(v.Context(), v.link)
	if err != nil {
		return err
	}
	switch a.Stage {
	case "away":
		return u.away(v, a)
	case "trying":
		v.w.Header().Set("Refresh", "1")
		u.show(v, http.StatusOK, "trying", shown{Title: "Trying the login", Busy: true, Body: a})
		return nil
	case "failed":
		v.SetPathValue("system", string(a.Filled.System))
		s, err := u.system(v)
		if err != nil {
			return err
		}
		return u.showForm(v, http.StatusUnprocessableEntity, s, a.Filled, a)
	case "done":
		return u.done(v, a)
	}
	if u.ongoing(v) {
		return nil
	}
	http.Redirect(v.w, v.Request, "/connect/"+v.link, http.StatusSeeOther)
	return nil
}

// stage tells a page's script how far it is.
func (u *UI) stage(v *visit) error {
	a, err := u.Attempts.Look(v.Context(), v.link)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v.w).Encode(map[string]string{"stage": a.Stage, "step": a.Step})
}

// donePage is what came of it.
type donePage struct {
	Label, Token string
	Connection   host.ConnectionID
	ForPage      bool // the token was for the page: shown now, or before
	Entities     []string
	Renewed      bool
}

func (u *UI) done(v *visit, a Attempt) error {
	p := donePage{Label: a.Label, Connection: a.Connection, ForPage: v.session.Deliver == host.DeliverPage, Renewed: v.session.Connection != ""}
	if p.Label == "" {
		p.Label = string(a.Connection)
	}
	if p.ForPage {
		var err error
		if p.Token, err = u.Attempts.TakeToken(v.Context(), v.link); err != nil {
			return err
		}
	}
	for _, e := range a.Entities {
		if e.Denied == "" {
			p.Entities = append(p.Entities, strings.ReplaceAll(strings.TrimPrefix(string(e.Name), host.NativePrefix), "_", " "))
		}
	}
	u.show(v, http.StatusOK, "done", shown{Title: "Connected", Outcome: "success", Made: a.Connection, Continue: u.leads(v, "success", a.Connection), Body: p})
	return nil
}

// cancel ends the session.
func (u *UI) cancel(v *visit) error {
	if err := u.Sessions.Cancel(v.Context(), v.link); err != nil {
		return err
	}
	u.canceled(v)
	return nil
}

func (u *UI) canceled(v *visit) {
	u.show(v, http.StatusOK, "ended", shown{
		Title: "Canceled", Outcome: "cancel", Continue: u.leads(v, "cancel", ""),
		Body: ended{"Canceled", "Nothing was connected, and nothing that you typed was kept. You can close this window."},
	})
}

// leads is where the integrator wants the person to go on: their own address,
// with what became of the session, and never with a token.
func (u *UI) leads(v *visit, status string, made host.ConnectionID) string {
	to, err := url.Parse(v.session.RedirectURL)
	if err != nil || v.session.RedirectURL == "" {
		return ""
	}
	q := to.Query()
	q.Set("status", status)
	q.Set("session_id", string(v.session.ID))
	if made != "" {
		q.Set("connection_id", string(made))
	}
	if v.session.State != "" {
		q.Set("state", v.session.State)
	}
	to.RawQuery = q.Encode()
	return to.String()
}
