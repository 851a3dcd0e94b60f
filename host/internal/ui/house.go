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

// pluginsPage are the connectors' processes.
type pluginsPage struct{ List list[host.Process] }

func (u *UI) plugins(a *at) error {
	var p pluginsPage
	if err := a.get(with(admin("connectors"), "limit", "1000"), &p.List); err != nil {
		return err
	}
	return a.show("plugins", sheet{Title: "Plugins", Tab: "plugins", Live: true, Body: &p})
}

// systemsPage is what can be connected.
type systemsPage struct {
	List    list[host.System]
	NextURL string
}

func (u *UI) systems(a *at) error {
	var p systemsPage
	if err := a.get(with(admin("systems"), "limit", rowsShown, "cursor", a.URL.Query().Get("cursor")), &p.List); err != nil {
		return err
	}
	p.NextURL = with("/systems", "cursor", p.List.Next)
	return a.show("systems", sheet{Title: "Systems", Tab: "systems", Body: &p})
}

// logLine is a line of the host's log, as the API answers it.
type logLine struct {
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"`
	Part    string            `json:"part"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

// logPage is the end of the log, newest first.
type logPage struct {
	Connection string
	Limited    bool
	Lines      []logLine
}

func (u *UI) log(a *at) error {
	p := logPage{Connection: a.URL.Query().Get("connection"), Limited: a.who.Limited}
	if p.Connection == "" && p.Limited {
		return a.show("log", sheet{Title: "Log", Tab: "log", Body: &p})
	}
	var lines list[logLine]
	if err := a.get(with(admin("logs"), "limit", "1000", "connection", p.Connection), &lines); err != nil {
		return err
	}
	p.Lines = lines.Data
	slices.Reverse(p.Lines)
	return a.show("log", sheet{Title: "Log", Tab: "log", Live: true, Body: &p})
}

// event is an event as the API answers it.
type event struct {
	ID         host.EventID      `json:"id"`
	Type       host.EventType    `json:"type"`
	Time       time.Time         `json:"timestamp"`
	Connection host.ConnectionID `json:"connection_id"`
	Data       json.RawMessage   `json:"data"`
}

// eventsPage is a part of the events, newest first.
type eventsPage struct {
	Type, Connection string
	List             list[event]
	FirstURL         string
	NextURL          string
	First            bool
}

func (u *UI) events(a *at) error {
	q := a.URL.Query()
	p := eventsPage{Type: q.Get("type"), Connection: q.Get("connection"), First: q.Get("cursor") == ""}
	filter := []string{"type", p.Type, "connection", p.Connection}
	if err := a.get(with(admin("events"), append(filter, "order", "newest", "limit", rowsShown, "cursor", q.Get("cursor"))...), &p.List); err != nil {
		return err
	}
	p.FirstURL = with("/events", filter...)
	p.NextURL = with("/events", append(filter, "cursor", p.List.Next)...)
	return a.show("events", sheet{Title: "Events", Tab: "events", Live: p.First, Body: &p})
}

func (u *UI) oneEvent(a *at) error {
	var e event
	if err := a.get(admin("events", a.PathValue("event")), &e); err != nil {
		return err
	}
	return a.show("event", sheet{Title: string(e.ID), Tab: "events", Body: &e})
}

// request is a call as the request log tells it.
type request struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
	Who    string    `json:"who"`
}

// searchPage is what a name or an id was found to be.
type searchPage struct {
	Query       string
	Connections list[connection]
	Requests    list[request]
}

// search leads to what an id names; a name, or a part of one, finds connections.
func (u *UI) search(a *at) error {
	q := strings.TrimSpace(a.URL.Query().Get("q"))
	to := ""
	switch {
	case strings.HasPrefix(q, "evt_"):
		to = "/events/" + url.PathEscape(q)
	case strings.HasPrefix(q, "dlv_"):
		to = "/deliveries/" + url.PathEscape(q)
	case q == "":
		to = "/connections"
	default:
		var one connection
		if a.get(admin("connections", q), &one) == nil {
			to = "/connections/" + url.PathEscape(q)
		}
	}
	if to != "" {
		http.Redirect(a.w, a.Request, to, http.StatusSeeOther)
		return nil
	}
	p := searchPage{Query: q}
	if err := a.get(with(admin("connections"), "limit", rowsShown, "q", q), &p.Connections); err != nil {
		return err
	}
	if err := a.get(with(admin("requests"), "limit", rowsShown, "request_id", q), &p.Requests); err != nil {
		return err
	}
	return a.show("search", sheet{Title: "Found for " + q, Find: q, Body: &p})
}
