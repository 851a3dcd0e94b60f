package connect_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/connect"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// clear seals nothing: what stands in the store can be looked at.
type clear struct{}

func (clear) Seal(_ host.ConnectionID, plain, _ []byte) ([]byte, error) {
	return bytes.Clone(plain), nil
}

func (clear) Open(_ host.ConnectionID, sealed, _ []byte) ([]byte, error) {
	return bytes.Clone(sealed), nil
}

func (clear) AppendOpen(dst []byte, _ host.ConnectionID, sealed, _ []byte) ([]byte, error) {
	return append(dst, sealed...), nil
}

func (clear) Forget(host.ConnectionID) {}

var erp = host.System{
	Name: "erp", Label: "ERP", Connector: "erp",
	Settings: []host.Setting{
		{Name: "url", Type: "url", Label: "Instance URL", Required: true},
		{Name: "port", Type: "number", Label: "Port"},
		{Name: "pin", Label: "PIN", Secret: true},
	},
	Auth: []host.AuthMethod{
		{Name: "basic", Fields: []host.Setting{
			{Name: "username", Label: "User name", Required: true}, {Name: "password", Label: "Password", Required: true, Secret: true},
		}},
		{Name: "api_key", Fields: []host.Setting{{Name: "key", Label: "Key", Required: true, Secret: true}}},
	},
}

// rig is a Connect over a store, and the system behind it.
type rig struct {
	*connect.Connect
	t     *testing.T
	store *state.Store
	auth  *auth.Auth
	box   *credential.Box

	mu    sync.Mutex
	tried []host.Connection
	login func(ctx context.Context, c *host.Connection) error // nil: right
}

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, store: state.NewStore(memory.New(), clear{}), box: credential.New(clear{})}
	var err error
	if r.auth, err = auth.New(auth.Params{Store: r.store, Clock: time.Now}); err != nil {
		t.Fatal(err)
	}
	n := 0
	r.Connect, err = connect.New(connect.Params{
		Vendor: connect.Vendor{
			Asks:   func(*host.System, string) bool { return false },
			Depart: func(*host.Connection, string) (string, connect.Arrive, error) { return "", nil, nil },
		},
		Store: r.store, Session: r.auth.Session, Seal: r.box.Seal, Open: r.box.Open, Log: hclog.NewNullLogger(),
		Systems: func() []host.System { return []host.System{erp, {Name: "cmms", Label: "A CMMS"}} },
		NewID: func(prefix string) string {
			r.mu.Lock()
			defer r.mu.Unlock()
			n++
			return fmt.Sprintf("%s%026d", prefix, n)
		},
		Try: func(ctx context.Context, c *host.Connection) ([]host.Entity, error) {
			r.mu.Lock()
			r.tried = append(r.tried, *c)
			login := r.login
			r.mu.Unlock()
			if login != nil {
				if err := login(ctx, c); err != nil {
					return nil, err
				}
			}
			return []host.Entity{{Name: "items", Unified: true}}, nil
		},
		Mint: func(ctx context.Context, c host.ConnectionID, with connect.Step, one bool) (string, error) {
			step := auth.Step{Puts: with.Puts, Events: with.Events}
			if one {
				return r.auth.Renew(ctx, c, step)
			}
			return "", r.auth.EndAll(ctx, c, step)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// link makes a session and returns its link.
func (r *rig) link(s host.ConnectSession) string {
	r.t.Helper()
	link, id, hash := auth.NewLink()
	s.ID, s.Hash, s.CreatedAt = id, hash, time.Now()
	if s.ExpiresAt.IsZero() {
		s.ExpiresAt = time.Now().Add(time.Hour)
	}
	if s.Deliver == "" {
		s.Deliver = host.DeliverPage
	}
	put, err := state.PutOf(state.KindSession, string(id), state.Absent, &s)
	if err == nil {
		_, err = r.store.Commit(context.Background(), time.Now(), []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return link
}

func right() connect.Given {
	return connect.Given{
		System: "erp", Settings: map[string]string{"url": " https://erp.example.com ", "port": "8443", "pin": "99"},
		Credentials: map[string]string{"username": "plant", "password": " with a space "},
	}
}

// try begins and waits for what becomes of it.
func (r *rig) try(link string, g connect.Given) connect.Attempt {
	r.t.Helper()
	if err := r.Begin(context.Background(), link, g); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
	return r.attempt(link)
}

func (r *rig) attempt(link string) connect.Attempt {
	r.t.Helper()
	a, err := r.Attempt(context.Background(), link)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// take takes the token that the page is to show.
func (r *rig) take(link string) string {
	r.t.Helper()
	token, err := r.TakeToken(context.Background(), link)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

func (r *rig) connections() []state.Versioned[host.Connection] {
	r.t.Helper()
	all, err := state.All[host.Connection](context.Background(), r.store, state.KindConnection)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) session(link string) host.ConnectSession {
	r.t.Helper()
	s, err := r.Session(context.Background(), link)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func TestRightLoginMakesAConnectionAndShowsItsTokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{New: &host.NewConnection{
			ID: "plant-7", Label: "Plant 7", Metadata: map[string]string{"customer": "4711"}, Settings: map[string]any{"port": 9000.0}, Locked: []string{"port"},
		}})
		a := r.try(link, right())
		token := r.take(link)
		if a.Stage != connect.StageDone || token == "" || a.Connection != "plant-7" || len(a.Entities) != 1 {
			t.Fatalf("%+v", a)
		}
		who, err := r.auth.Authenticate(context.Background(), token)
		if err != nil || who.Connection != "plant-7" {
			t.Fatalf("the token opens %v, %v", who, err)
		}
		if again := r.attempt(link); r.take(link) != "" || again.Stage != connect.StageDone {
			t.Errorf("a second look has %+v", again)
		}
		all := r.connections()
		if len(all) != 1 {
			t.Fatalf("%d connections", len(all))
		}
		c := all[0].Value
		if c.Label != "Plant 7" || c.Metadata["customer"] != "4711" || c.Settings["url"] != "https://erp.example.com" || c.Settings["port"] != 9000.0 || c.Settings["pin"] != nil ||
			c.Auth != "basic" || c.Status != host.StatusPending || c.ManagedBy != host.ManagedByAPI {
			t.Errorf("%+v", c)
		}
		login, err := r.box.Open(&c)
		if err != nil || login["password"] != " with a space " || login[host.SettingPrefix+"pin"] != "99" {
			t.Errorf("%v, %v", login, err)
		}
		if s := r.session(link); s.Status(time.Now()) != host.SessionCompleted || s.Made != "plant-7" {
			t.Errorf("%+v", s)
		}
		if err := r.Begin(context.Background(), link, right()); host.CodeOf(err) != host.CodeConflict {
			t.Errorf("a used link: %v", err)
		}
	})
}

func TestExchangedTokenIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{Deliver: host.DeliverExchange})
		if a := r.try(link, right()); a.Stage != connect.StageDone || r.take(link) != "" {
			t.Fatalf("%+v", a)
		}
		if ts, err := r.auth.List(context.Background(), r.connections()[0].Value.ID); err != nil || len(ts) != 0 {
			t.Errorf("%v, %v", ts, err)
		}
	})
}

// Each mistake is told beside its field; nothing is tried where the form is
// wrong, and nothing is kept.
func TestMistakesAreToldAtTheirFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name    string
			change  func(*connect.Given)
			answer  error
			path    string // "": a problem of no field
			words   string
			isTried bool
		}{
			{"no URL", func(g *connect.Given) { g.Settings["url"] = "" }, nil, "settings.url", "missing", false},
			{"half a URL", func(g *connect.Given) { g.Settings["url"] = "erp.example.com" }, nil, "settings.url", "whole URL", false},
			{"no number", func(g *connect.Given) { g.Settings["port"] = "many" }, nil, "settings.port", "number", false},
			{"no password", func(g *connect.Given) { g.Credentials["password"] = "" }, nil, "credentials.password", "missing", false},
			{"nothing at all", func(g *connect.Given) { g.Credentials = nil }, nil, "credentials.username", "missing", false},
			{"wrong password", nil, host.Errorf(host.CodeAuthRequired, "the password is wrong"), "credentials.password", "The password is wrong.", true},
			{"wrong database", nil, &host.Error{Code: host.CodeInvalid, Message: "there is no such port", Path: "settings.port"}, "settings.port", "There is no such port.", true},
			{"unreachable", nil, host.Errorf(host.CodeUnavailable, "nobody answers"), "settings.url", "Nobody answers.", true},
			{"no right", nil, host.Errorf(host.CodePermissionDenied, "it may not read"), "", "rights", true},
			{"locked", nil, host.Errorf(host.CodeRateLimited, "it is locked for 5 minutes"), "", "locked", true},
			{"another product", nil, host.Errorf(host.CodeInternal, "the answer is no JSON"), "settings.url", "not understood", true},
			{"our fault", nil, fmt.Errorf("boom at 10.0.0.7"), "", "our side", true},
		} {
			r := setup(t)
			link, g := r.link(host.ConnectSession{}), right()
			if c.change != nil {
				c.change(&g)
			}
			r.login = func(context.Context, *host.Connection) error { return c.answer }
			a := r.try(link, g)
			text := a.Problem
			if c.path != "" {
				i := slices.IndexFunc(a.Faults, func(f host.Fault) bool { return f.Path == c.path })
				if i < 0 {
					t.Errorf("%s: no fault at %s: %+v", c.name, c.path, a)
					continue
				}
				text = a.Faults[i].Message
			}
			if a.Stage != connect.StageFailed || !strings.Contains(text, c.words) || strings.Contains(text, "boom") {
				t.Errorf("%s: %+v", c.name, a)
			}
			if (len(r.tried) > 0) != c.isTried || len(r.connections()) != 0 {
				t.Errorf("%s: tried %d, kept %d", c.name, len(r.tried), len(r.connections()))
			}
			if shown := fmt.Sprintf("%+v", a); strings.Contains(shown, "with a space") || strings.Contains(shown, "99") {
				t.Errorf("%s: a secret is shown again: %s", c.name, shown)
			}
			if s := r.session(link); s.Status(time.Now()) != host.SessionOpen {
				t.Errorf("%s: the session is %s", c.name, s.Status(time.Now()))
			}
		}
	})
}

func TestRenewalKeepsTheConnectionAndEndsItsTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		ctx := context.Background()
		link := r.link(host.ConnectSession{New: &host.NewConnection{ID: "plant-7"}})
		r.try(link, right())
		first := r.take(link)
		before := r.connections()[0].Value
		before.ManagedBy, before.Source, before.Status = host.ManagedByFile, "a.hcl:1", host.StatusAuthRequired
		put, err := state.PutOf(state.KindConnection, "plant-7", state.Any, &before)
		if err == nil {
			_, err = r.store.Commit(ctx, time.Now(), []state.Put{put}, nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		link = r.link(host.ConnectSession{Connection: "plant-7", Systems: []host.SystemName{"erp"}})
		g := connect.Given{Settings: map[string]string{"url": "https://elsewhere.example.com"}, Credentials: map[string]string{"username": "plant", "password": "new"}}
		a := r.try(link, g)
		after := r.connections()[0].Value
		token := r.take(link)
		if a.Stage != connect.StageDone || token == "" || a.Connection != "plant-7" || len(r.connections()) != 1 {
			t.Fatalf("%+v", a)
		}
		if after.Settings["url"] != "https://erp.example.com" || after.Incarnation != before.Incarnation || after.CredentialsRevision != before.CredentialsRevision+1 || after.Status != host.StatusPending {
			t.Errorf("%+v", after)
		}
		if login, err := r.box.Open(&after); err != nil || login["password"] != "new" || login[host.SettingPrefix+"pin"] != "99" {
			t.Errorf("%v, %v", login, err)
		}
		if _, err := r.auth.Authenticate(ctx, first); err == nil {
			t.Error("the old token opens something")
		}
	})
}

// Two windows with one link: one connection, one token.
func TestLinkIsUsedUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{})
		r.login = func(ctx context.Context, _ *host.Connection) error { time.Sleep(time.Second); return nil }
		if err := r.Begin(context.Background(), link, right()); err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(context.Background(), link, right()); host.CodeOf(err) != host.CodeConflict {
			t.Errorf("a second attempt at the same time: %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if a := r.attempt(link); a.Stage != connect.StageDone || len(r.connections()) != 1 {
			t.Errorf("%+v, %d connections", a, len(r.connections()))
		}
	})
}

func TestEndedSessionsConnectNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		ctx := context.Background()
		expired := r.link(host.ConnectSession{ExpiresAt: time.Now().Add(time.Second)})
		time.Sleep(time.Second)
		canceled := r.link(host.ConnectSession{})
		if err := r.Cancel(ctx, canceled); err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{expired, canceled} {
			if err := r.Begin(ctx, link, right()); host.CodeOf(err) != host.CodeConflict {
				t.Errorf("%v", err)
			}
		}
		if _, err := r.Session(ctx, canceled[:len(canceled)-1]+"x"); host.CodeOf(err) != host.CodeNotFound {
			t.Errorf("a changed link: %v", err)
		}
		bound := r.link(host.ConnectSession{Systems: []host.SystemName{"cmms"}})
		if err := r.Begin(ctx, bound, right()); host.CodeOf(err) != host.CodeNotFound {
			t.Errorf("a system that the session is not for: %v", err)
		}
		if len(r.tried) != 0 {
			t.Errorf("%d logins were tried", len(r.tried))
		}
	})
}

func TestManyAttemptsInARowHaveToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{})
		r.login = func(context.Context, *host.Connection) error {
			return host.Errorf(host.CodeAuthRequired, "wrong")
		}
		for range 5 {
			r.try(link, right())
		}
		if err := r.Begin(context.Background(), link, right()); host.CodeOf(err) != host.CodeRateLimited {
			t.Errorf("the sixth within a minute: %v", err)
		}
		time.Sleep(time.Minute)
		if a := r.try(link, right()); a.Stage != connect.StageFailed || len(r.tried) != 6 {
			t.Errorf("%+v, %d tried", a, len(r.tried))
		}
	})
}

func TestSystemThatDoesNotAnswerIsToldAtItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{})
		r.login = func(ctx context.Context, _ *host.Connection) error { <-ctx.Done(); return ctx.Err() }
		r.try(link, right())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if a := r.attempt(link); a.Stage != connect.StageFailed || len(a.Faults) != 1 || a.Faults[0].Path != "settings.url" {
			t.Errorf("%+v", a)
		}
	})
}

func TestSessionsAreForgottenLongAfterTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		link := r.link(host.ConnectSession{})
		time.Sleep(30 * 24 * time.Hour)
		r.session(link)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if _, err := r.Session(context.Background(), link); host.CodeOf(err) != host.CodeNotFound {
			t.Errorf("%v", err)
		}
	})
}
