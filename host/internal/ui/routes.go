package ui

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// openDesk reads the dashboard's pages and opens their addresses.
func (u *UI) openDesk() error {
	names, err := fs.Glob(files, "pages/dash/*.html")
	if err != nil {
		return err
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue // of every page
		}
		t, err := template.New("layout.html").Funcs(words).ParseFS(files, "pages/dash/layout.html", "pages/dash/parts.html", file)
		if err != nil {
			return fmt.Errorf("read the page %s: %w", name, err)
		}
		u.sheets[name] = t
	}
	for pattern, f := range map[string]func(*at) error{
		"GET /sign-in":         u.askSignIn,
		"POST /sign-in":        u.signIn,
		"GET /sign-in/{link}":  u.byLink,
		"POST /sign-in/{link}": u.redeem,
	} {
		u.mux.HandleFunc(pattern, u.door(f))
	}
	for pattern, f := range map[string]func(*at) error{
		"GET /{$}":           u.overview,
		"POST /sign-out":     u.signOut,
		"GET /connect-link":  u.askLink,
		"POST /connect-link": u.makeLink,

		"GET /plugins":        u.plugins,
		"GET /systems":        u.systems,
		"GET /log":            u.log,
		"GET /events":         u.events,
		"GET /events/{event}": u.oneEvent,
		"GET /search":         u.search,

		"GET /syncs":                               u.syncs,
		"GET /connections":                         u.connections,
		"GET /connections/{connection}":            u.oneConnection,
		"GET /connections/{connection}/runs":       u.runs,
		"GET /connections/{connection}/history":    u.history,
		"GET /connections/{connection}/settings":   u.connectionSettings,
		"GET /connections/{connection}/export":     u.export,
		"GET /connections/{connection}/records":    u.records,
		"GET /connections/{connection}/record":     u.record,
		"POST /connections/{connection}/sync":      u.syncNow,
		"POST /connections/{connection}/token":     u.mintToken,
		"POST /connections/{connection}/revoke":    u.revokeToken,
		"POST /connections/{connection}/remove":    u.removeConnection,
		"POST /connections/{connection}/reconnect": u.reconnect,
		"POST /connections/{connection}/check":     u.check,
		"POST /connections/{id}/pause":             act("connections", "pause", "paused"),
		"POST /connections/{id}/resume":            act("connections", "resume", "resumed"),
		"GET /endpoints":                           u.endpoints,
		"GET /endpoints/{id}":                      u.oneEndpoint,
		"POST /endpoints/{id}/rotate-secret":       u.rotateSecret,
		"POST /endpoints/{id}/enable":              act("webhooks", "enable", "enabled"),
		"POST /endpoints/{id}/disable":             act("webhooks", "disable", "disabled"),
		"POST /endpoints/{id}/test":                act("webhooks", "test", "tested"),

		"GET /deliveries":                   u.deliveries,
		"GET /deliveries/{delivery}":        u.oneDelivery,
		"POST /deliveries/{delivery}/retry": u.retryOne,
		"POST /deliveries/retry":            u.retryMany,
		"GET /retries/{wish}":               u.retrying,
	} {
		u.mux.HandleFunc(pattern, u.desk(f))
	}
	return nil
}
