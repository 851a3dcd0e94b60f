package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/state"
)

const sessions = "/v1/admin/connect-sessions"

func withPage(p *api.Params) { p.PageURL = func() string { return "https://connect.example.com" } }

// completed marks a session as the connect page does.
func (r *rig) completed(id string, made host.ConnectionID) {
	r.Helper()
	s, rev, err := state.Get[host.ConnectSession](context.Background(), r.store, state.KindSession, id)
	if err != nil {
		r.Fatal(err)
	}
	s.CompletedAt, s.Made = r.now(), made
	put, err := state.PutOf(state.KindSession, id, rev, &s)
	if err == nil {
		_, err = r.store.Commit(context.Background(), r.now(), []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.Fatal(err)
	}
}

func TestSessionLinksAreMadeAndTheirTokenIsExchangedOnce(t *testing.T) {
	r := setup(t, withPage)
	made := r.ask("POST", sessions, root, `{"systems":["erp"],"new":{"id":"plant-9","settings":{"url":"https://erp9.example.com"},"locked":["url"]},"end_user":{"id":"u1"},`+
		`"redirect_url":"https://app.example.com/done","allowed_origins":["https://app.example.com"],"expires_in":"2d"}`)
	id, _ := made.body["id"].(string)
	link, _ := made.body["url"].(string)
	if made.status != http.StatusCreated || !strings.HasPrefix(link, "https://connect.example.com/connect/dcs_") {
		t.Fatalf("%d %s", made.status, made.text)
	}
	secret := link[strings.LastIndexByte(link, '/')+1:]
	s, err := func() (host.ConnectSession, error) {
		s, _, err := r.auth.Session(t.Context(), secret)
		return s, err
	}()
	if err != nil || string(s.ID) != id || s.New.ID != "plant-9" || s.Deliver != host.DeliverExchange || !s.ExpiresAt.Equal(s.CreatedAt.Add(48*time.Hour)) {
		t.Fatalf("%+v, %v", s, err)
	}
	shown := r.ask("GET", sessions+"/"+id, root, "")
	if shown.body["status"] != "open" || shown.body["connection_id"] != nil || strings.Contains(shown.text, secret) {
		t.Errorf("%s", shown.text)
	}
	r.want("too early", r.ask("POST", sessions+"/"+id+"/exchange", root, "").code(), "conflict")
	r.completed(id, plant)
	got := r.ask("POST", sessions+"/"+id+"/exchange", root, "")
	token, _ := got.body["token"].(string)
	if got.status != http.StatusOK || got.body["connection_id"] != "plant-7" {
		t.Fatalf("%d %s", got.status, got.text)
	}
	r.want("what the token opens", r.ask("GET", "/v1/items", token, "").status, http.StatusOK)
	r.want("a second time", r.ask("POST", sessions+"/"+id+"/exchange", root, "").code(), "conflict")
	r.want("its status", r.ask("GET", sessions+"/"+id, root, "").body["status"], "completed")
}

func TestSessionsTokenForThePageIsNotExchanged(t *testing.T) {
	r := setup(t, withPage)
	id, _ := r.ask("POST", sessions, root, `{"deliver_token":"page"}`).body["id"].(string)
	r.completed(id, plant)
	r.want("exchange", r.ask("POST", sessions+"/"+id+"/exchange", root, "").code(), "conflict")
}

func TestWrongSessionsAreRefused(t *testing.T) {
	r := setup(t, withPage)
	for body, at := range map[string]string{
		`{"systems":["erq"]}`:                              "body.systems.0",
		`{"connection_id":"nobody"}`:                       "body.connection_id",
		`{"connection_id":"plant-7","new":{"id":"x"}}`:     "body.new",
		`{"new":{"id":"a b"}}`:                             "body.new.id",
		`{"new":{"settings":{"colour":"red"}}}`:            "body.new.settings.colour",
		`{"new":{"settings":{"pin":"99"}}}`:                "body.new.settings.pin",
		`{"new":{"locked":["url"]}}`:                       "body.new.locked.0",
		`{"end_user":{"name":"Anna"}}`:                     "body.end_user.id",
		`{"redirect_url":"javascript:alert(1)"}`:           "body.redirect_url",
		`{"redirect_url":"http://app.example.com"}`:        "body.redirect_url",
		`{"redirect_url":"https://u:p@app.example.com"}`:   "body.redirect_url",
		`{"allowed_origins":["https://app.example.com/"]}`: "body.allowed_origins.0",
		`{"allowed_origins":["*"]}`:                        "body.allowed_origins.0",
		`{"deliver_token":"mail"}`:                         "body.deliver_token",
		`{"expires_in":"8d"}`:                              "body.expires_in",
		`{"expires_in":"1ms"}`:                             "body.expires_in",
		`{"colour":"red"}`:                                 "body.colour",
	} {
		a := r.ask("POST", sessions, root, body)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text, `"location":"`+at+`"`) {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	r.want("unknown session", r.ask("GET", sessions+"/ses_x", root, "").status, http.StatusNotFound)
}

func TestSessionsAreForWhoMayMakeThem(t *testing.T) {
	r := setup(t, withPage)
	r.connect(other)
	token := func(name string, role host.Role, scope ...string) string {
		s, err := r.auth.MintAdmin(t.Context(), name, role, scope, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	viewer, operator := token("viewer", host.RoleViewer), token("operator", host.RoleOperator)
	connector, second, limited := token("connector", host.RoleConnector), token("second", host.RoleConnector), token("limited", host.RoleConnector, "plant-7*")
	for _, c := range []struct {
		name, token, body string
		status            int
	}{
		{"connector", connector, `{}`, 201},
		{"viewer", viewer, `{}`, 403},
		{"operator makes none", operator, `{}`, 403},
		{"operator renews", operator, `{"connection_id":"plant-7"}`, 201},
		{"limited names its own", limited, `{"new":{"id":"plant-77"}}`, 201},
		{"limited names no other", limited, `{"new":{"id":"plant-8"}}`, 422},
		{"limited names one", limited, `{}`, 422},
		{"limited renews no other", limited, `{"connection_id":"plant-8"}`, 422},
		{"a connection's token", r.token, `{}`, 403},
	} {
		if a := r.ask("POST", sessions, c.token, c.body); a.status != c.status {
			t.Errorf("%s: got %d, want %d: %s", c.name, a.status, c.status, a.text)
		}
	}
	id, _ := r.ask("POST", sessions, connector, `{}`).body["id"].(string)
	r.want("its own", r.ask("GET", sessions+"/"+id, connector, "").status, http.StatusOK)
	r.want("another's", r.ask("GET", sessions+"/"+id, second, "").status, http.StatusNotFound)
	r.completed(id, plant)
	r.want("another's token", r.ask("POST", sessions+"/"+id+"/exchange", second, "").status, http.StatusNotFound)
}
