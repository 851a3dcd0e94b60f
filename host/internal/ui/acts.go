package ui

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"github.com/dinrail/dinrail/host"
)

// link is a connect session's link.
type link struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// connectLife is how long a link is good that is opened at once.
const connectLife = "1h"

// follow opens a link of a connect session here, whatever address it was made
// for.
func (a *at) follow(l link) error {
	u, err := url.Parse(l.URL)
	if err != nil {
		return fmt.Errorf("read a connect link: %w", err)
	}
	return a.back(u.EscapedPath(), "")
}

// origin is where this dashboard is reached, if the end of a connect session
// may lead there.
func (a *at) origin() string {
	u, err := url.Parse(a.Header.Get("Origin"))
	if err != nil || u.Host != a.Host {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// session makes a connect session whose page leads back to the dashboard.
func (a *at) session(body map[string]any, to string) (l link, err error) {
	body["deliver_token"] = host.DeliverPage
	if origin := a.origin(); origin != "" {
		body["redirect_url"] = origin + to
		if err = a.post(admin("connect-sessions"), body, &l); host.CodeOf(err) != host.CodeInvalid {
			return l, err
		}
		delete(body, "redirect_url") // not over plain HTTP from elsewhere
	}
	err = a.post(admin("connect-sessions"), body, &l)
	return l, err
}

// reconnect opens the page on which a connection's login is renewed.
func (u *UI) reconnect(a *at) error {
	id := a.PathValue("connection")
	l, err := a.session(map[string]any{"connection_id": id, "expires_in": connectLife}, "/connections/"+url.PathEscape(id))
	if err != nil {
		return err
	}
	return a.follow(l)
}

// check has a connection's login tried now.
func (u *UI) check(a *at) error {
	id := a.PathValue("connection")
	var outcome struct {
		OK    bool          `json:"ok"`
		Error *host.Problem `json:"error"`
	}
	if err := a.post(admin("connections", id, "check"), nil, &outcome); err != nil {
		return err
	}
	if !outcome.OK && outcome.Error != nil {
		return &host.Error{Code: host.CodeConflict, Message: outcome.Error.Message}
	}
	return a.back("/connections/"+url.PathEscape(id), "checked")
}

// act makes a call without a body about a connection or endpoint, and leads
// back to it.
func act(kind, verb, note string) func(*at) error {
	return func(a *at) error {
		id := a.PathValue("id")
		if err := a.post(admin(kind, id, verb), nil, nil); err != nil {
			return err
		}
		page := map[string]string{"webhooks": "endpoints"}[kind]
		return a.back("/"+cmp.Or(page, kind)+"/"+url.PathEscape(id), note)
	}
}

// retryMany has the deliveries of a filter tried again, and shows how far it is.
func (u *UI) retryMany(a *at) error {
	body := map[string]string{}
	for _, name := range []string{"status", "endpoint", "connection", "event_type", "since", "until"} {
		if v := a.PostFormValue(name); v != "" {
			body[name] = v
		}
	}
	var w struct {
		ID string `json:"id"`
	}
	if err := a.post(admin("deliveries", "retry"), body, &w); err != nil {
		return err
	}
	return a.back("/retries/"+url.PathEscape(w.ID), "")
}

// retryPage is how far a retry of many is.
type retryPage struct {
	ID     string    `json:"id"`
	Count  int64     `json:"count"`
	Done   int64     `json:"done"`
	DoneAt time.Time `json:"done_at"`
}

func (u *UI) retrying(a *at) error {
	var p retryPage
	if err := a.get(admin("retries", a.PathValue("wish")), &p); err != nil {
		return err
	}
	return a.show("retry", sheet{Title: "Retrying deliveries", Tab: "deliveries", Live: p.DoneAt.IsZero(), Body: p})
}

// linkPage is where a link for somebody else is made.
type linkPage struct {
	Link      string
	ExpiresAt time.Time
	Fault     string
	ID, Label string
}

func (u *UI) askLink(a *at) error {
	return a.show("link", sheet{Title: "Connect a system", Tab: "connections", Body: linkPage{}})
}

// makeLink makes a link with which a system is connected, and opens it or shows
// it.
func (u *UI) makeLink(a *at) error {
	p := linkPage{ID: a.PostFormValue("id"), Label: a.PostFormValue("label")}
	preset, body := map[string]any{}, map[string]any{}
	if p.ID != "" {
		preset["id"] = p.ID
	}
	if p.Label != "" {
		preset["label"] = p.Label
	}
	if len(preset) > 0 {
		body["new"] = preset
	}
	if a.PostFormValue("open") != "" {
		body["expires_in"] = connectLife
		l, err := a.session(body, "/connections")
		if err != nil {
			return err
		}
		return a.follow(l)
	}
	body["deliver_token"], body["expires_in"] = host.DeliverPage, "7d"
	var l link
	switch err := a.post(admin("connect-sessions"), body, &l); host.CodeOf(err) {
	case "":
		p.Link, p.ExpiresAt = l.URL, l.ExpiresAt
	case host.CodeInvalid:
		p.Fault = host.MessageOf(err)
	default:
		return err
	}
	return a.show("link", sheet{Title: "Connect a system", Tab: "connections", Body: p})
}
