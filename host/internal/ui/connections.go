package ui

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// connection is a connection as the API answers it.
type connection struct {
	ID         host.ConnectionID     `json:"id"`
	Label      string                `json:"label"`
	System     host.SystemName       `json:"system"`
	Status     host.ConnectionStatus `json:"status"`
	Since      time.Time             `json:"since"`
	Reason     string                `json:"reason"`
	ManagedBy  host.ManagedBy        `json:"managed_by"`
	Metadata   map[string]string     `json:"metadata"`
	Entities   []host.EntityName     `json:"entities"`
	Settings   map[string]any        `json:"settings"`
	Auth       string                `json:"auth"`
	CheckEvery string                `json:"check_every"`
	Paused     bool                  `json:"paused"`
	Source     string                `json:"source"`
	CreatedAt  time.Time             `json:"created_at"`
}

// syncRow is how an entity's sync stands.
type syncRow struct {
	Connection    host.ConnectionID `json:"connection_id"` // in the list of all
	Label         string            `json:"label"`         // the same
	Late          bool              `json:"late"`          // the same
	Entity        host.EntityName   `json:"entity"`
	Status        host.SyncStatus   `json:"status"`
	LastSuccessAt time.Time         `json:"last_success_at"`
	Progress      *struct {
		Read  int64  `json:"read"`
		Total *int64 `json:"total"`
	} `json:"progress"`
	Records   int64         `json:"records"`
	NextRunAt time.Time     `json:"next_run_at"`
	Error     *host.Problem `json:"error"`
}

// connectionsPage is a part of the list of connections.
type connectionsPage struct {
	Status, System, Q string
	Statuses          []host.ConnectionStatus
	Systems           []host.System
	List              list[connection]
	NextURL           string
	First             bool
}

const rowsShown = "50"

func (u *UI) connections(a *at) error {
	q := a.URL.Query()
	p := connectionsPage{Status: q.Get("status"), System: q.Get("system"), Q: q.Get("q"), Statuses: statusOrder, First: q.Get("cursor") == ""}
	if err := a.get(with(admin("connections"), "limit", rowsShown, "status", p.Status, "system", p.System, "q", p.Q, "cursor", q.Get("cursor")), &p.List); err != nil {
		return err
	}
	if err := a.systemsInto(&p.Systems); err != nil {
		return err
	}
	p.NextURL = with("/connections", "status", p.Status, "system", p.System, "q", p.Q, "cursor", p.List.Next)
	return a.show("connections", sheet{Title: "Connections", Tab: "connections", Body: p})
}

// systemsInto reads the catalog, by label.
func (a *at) systemsInto(into *[]host.System) error {
	var l list[host.System]
	if err := a.get(with(admin("systems"), "limit", "1000"), &l); err != nil {
		return err
	}
	slices.SortFunc(l.Data, func(x, y host.System) int { return strings.Compare(strings.ToLower(x.Label), strings.ToLower(y.Label)) })
	*into = l.Data
	return nil
}

// connectionPage is one connection.
type connectionPage struct {
	connection
	Where   string // the page's address
	Part    string // what is shown of it
	Syncs   []syncRow
	Set     []pair
	Meta    []pair
	Records int64
	Mends   bool // a reconnect would help
	Catalog host.System

	History []happening
	Tokens  []token
	Runs    list[host.Run]
	Entity  string
	Plot    plot
	NextURL string
	Minted  string
	Name    string // of the token that was minted
}

// pair is a name and what stands for it.
type pair struct{ Name, Value string }

func pairs[V any](m map[string]V, text func(V) string) (out []pair) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, pair{name, text(m[name])})
	}
	return out
}

// happening is something that an event told of.
type happening struct {
	ID   host.EventID   `json:"id"`
	Type host.EventType `json:"type"`
	Time time.Time      `json:"timestamp"`
	Data struct {
		Previous, Status, Reason string
	} `json:"data"`
}

// token is a token without its secret.
type token struct {
	ID        host.TokenID `json:"id"`
	Name      string       `json:"name"`
	Access    host.Access  `json:"access"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// findConnection reads the connection of a request's path.
func (a *at) findConnection(part string) (*connectionPage, error) {
	id := a.PathValue("connection")
	p := &connectionPage{Part: part, Where: "/connections/" + url.PathEscape(id)}
	if err := a.get(admin("connections", id), &p.connection); err != nil {
		return nil, err
	}
	p.Label = cmp.Or(p.Label, string(p.ID))
	p.Mends = p.Status == host.StatusAuthRequired || p.Status == host.StatusPending
	return p, nil
}

func (a *at) showConnection(p *connectionPage, live bool) error {
	return a.show("connection", sheet{Title: p.Label, Tab: "connections", Live: live, Body: p})
}

// oneConnection shows how a connection stands.
func (u *UI) oneConnection(a *at) error {
	p, err := a.findConnection("syncs")
	if err != nil {
		return err
	}
	var syncs list[syncRow]
	if err := a.ask(http.MethodGet, "/v1/sync-status?limit=1000", p.ID, nil, &syncs); err != nil {
		return err
	}
	p.Syncs = syncs.Data
	for i := range p.Syncs {
		p.Records += p.Syncs[i].Records
	}
	return a.showConnection(p, true)
}

// history shows what happened to a connection.
func (u *UI) history(a *at) error {
	p, err := a.findConnection("history")
	if err != nil {
		return err
	}
	var l list[happening]
	if err := a.get(with(admin("events"), "connection", string(p.ID), "type", "connection.*", "order", "newest", "limit", "100"), &l); err != nil {
		return err
	}
	p.History = l.Data
	return a.showConnection(p, false)
}

// runs shows a connection's runs, and how they went over time.
func (u *UI) runs(a *at) error {
	p, err := a.findConnection("runs")
	if err != nil {
		return err
	}
	q := a.URL.Query()
	p.Entity = q.Get("entity")
	if err := a.ask(http.MethodGet, with("/v1/sync-runs", "limit", rowsShown, "entity", p.Entity, "cursor", q.Get("cursor")), p.ID, nil, &p.Runs); err != nil {
		return err
	}
	p.NextURL = with(p.Where+"/runs", "entity", p.Entity, "cursor", p.Runs.Next)
	p.Plot = plotOf(p.Runs.Data)
	return a.showConnection(p, q.Get("cursor") == "")
}

// plotOf draws runs: how many records each changed, oldest first.
func plotOf(runs []host.Run) plot {
	p := plot{Title: "Records changed by each run, oldest first", Unit: "records"}
	for i := len(runs) - 1; i >= 0; i-- {
		r := &runs[i]
		if r.StartedAt.IsZero() {
			continue
		}
		changed := r.Counts.Created + r.Counts.Updated + r.Counts.Deleted
		p.Bars = append(p.Bars, bar{Value: float64(changed), Bad: r.Status == host.RunFailed, Label: string(r.Entity) + ", " + string(r.Status) + ", " + num(changed) + " changed, " + host.FormatTime(r.StartedAt)})
	}
	return p.drawn()
}

// settings shows what a connection is made of, and its tokens.
func (u *UI) connectionSettings(a *at) error {
	p, err := a.settingsOf()
	if err != nil {
		return err
	}
	return a.showConnection(p, false)
}

func (a *at) settingsOf() (*connectionPage, error) {
	p, err := a.findConnection("settings")
	if err != nil {
		return nil, err
	}
	if err := a.get(admin("systems", string(p.connection.System)), &p.Catalog); err != nil && host.CodeOf(err) != host.CodeNotFound {
		return nil, err // an invalid connection may name a system that is not there
	}
	shown := map[string]string{}
	for name, v := range p.connection.Settings {
		shown[name] = plainText(v)
	}
	for _, d := range p.Catalog.Settings {
		if d.Secret {
			shown[d.Name] = "••••••"
		}
	}
	p.Set = pairs(shown, func(s string) string { return s })
	p.Meta = pairs(p.Metadata, func(s string) string { return s })
	var tokens list[token]
	if err := a.get(with(admin("connections", string(p.ID), "tokens"), "limit", "1000"), &tokens); err != nil {
		return nil, err
	}
	p.Tokens = tokens.Data
	return p, nil
}

// plainText is a setting's value as text.
func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pretty(v)
}

// mintToken makes a token and shows it, once.
func (u *UI) mintToken(a *at) error {
	body := map[string]string{}
	for _, name := range []string{"name", "access", "expires_in"} {
		if v := strings.TrimSpace(a.PostFormValue(name)); v != "" {
			body[name] = v
		}
	}
	var minted struct {
		Token string `json:"token"`
	}
	if err := a.post(admin("connections", a.PathValue("connection"), "token"), body, &minted); err != nil {
		return err
	}
	p, err := a.settingsOf()
	if err != nil {
		return err
	}
	p.Minted, p.Name = minted.Token, cmp.Or(body["name"], "default")
	return a.showConnection(p, false)
}

// revokeToken ends a token.
func (u *UI) revokeToken(a *at) error {
	id := a.PathValue("connection")
	name := a.PostFormValue("name")
	if name == "" {
		return host.Errorf(host.CodeInvalid, "no token was named")
	}
	if err := a.ask(http.MethodDelete, with(admin("connections", id, "token"), "name", name), "", nil, nil); err != nil {
		return err
	}
	return a.back("/connections/"+url.PathEscape(id)+"/settings", "revoked")
}

// removeConnection removes a connection once its id was typed.
func (u *UI) removeConnection(a *at) error {
	id := a.PathValue("connection")
	if a.PostFormValue("id") != id {
		return host.Errorf(host.CodeConflict, "the id that was typed is not that of this connection, so nothing was removed")
	}
	if err := a.ask(http.MethodDelete, admin("connections", id), "", nil, nil); err != nil {
		return err
	}
	return a.back("/connections", "removed")
}

// syncNow queues runs: of one entity or of all, incremental or full.
func (u *UI) syncNow(a *at) error {
	id := a.PathValue("connection")
	body := map[string]any{}
	if e := a.PostFormValue("entity"); e != "" {
		body["entities"] = []string{e}
	}
	if m := a.PostFormValue("mode"); m != "" {
		body["mode"] = m
	}
	if err := a.post(admin("connections", id, "sync"), body, nil); err != nil {
		return err
	}
	return a.back("/connections/"+url.PathEscape(id), "queued")
}

// syncsPage is the syncs of all connections.
type syncsPage struct {
	Status  string
	List    list[syncRow]
	NextURL string
	First   bool
}

func (u *UI) syncs(a *at) error {
	q := a.URL.Query()
	p := syncsPage{Status: q.Get("status"), First: q.Get("cursor") == ""}
	if err := a.get(with(admin("syncs"), "limit", rowsShown, "status", p.Status, "cursor", q.Get("cursor")), &p.List); err != nil {
		return err
	}
	p.NextURL = with("/syncs", "status", p.Status, "cursor", p.List.Next)
	return a.show("syncs", sheet{Title: "Syncs", Tab: "connections", Live: true, Body: p})
}

// export writes a connection as its block in HCL would say it.
func (u *UI) export(a *at) error {
	var c host.Exported
	if err := a.get(admin("connections", a.PathValue("connection")), &c); err != nil {
		return err
	}
	a.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := a.w.Write([]byte(c.HCL()))
	return err
}
