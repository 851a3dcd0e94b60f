package ui_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
	"github.com/dinrail/dinrail/host/internal/ui"
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

const plant = host.ConnectionID("plant-7")

// tokens are one of each role, and one that is limited to a connection.
var tokens = map[string]auth.AdminToken{
	"viewer":    {Role: host.RoleViewer},
	"operator":  {Role: host.RoleOperator},
	"connector": {Role: host.RoleConnector},
	"admin":     {Role: host.RoleAdmin},
	"limited":   {Role: host.RoleOperator, Connections: []string{"plant-7"}},
}

func tokenOf(name string) string { return "dra_of_" + name + strings.Repeat("0", 30) }

var erp = host.System{
	Name: "erp", Label: "ERP <one>", Vendor: "Acme", Category: "erp", Connector: "erp", Guide: "Ask **them**.",
	Settings: []host.Setting{{Name: "url", Type: "url", Label: "Instance URL", Required: true}, {Name: "pin", Type: "string", Secret: true}},
	Auth:     []host.AuthMethod{{Name: "basic", Fields: []host.Setting{{Name: "password", Type: "string", Required: true, Secret: true}}}},
}

// desk lets people in as the daemon does.
type desk struct {
	*auth.Auth
	api *api.API
}

func (d desk) SignedIn(ctx context.Context, cookie string) (ui.Person, error) {
	who, err := d.Auth.SignedIn(ctx, cookie)
	return ui.Person{Name: who.Name, Role: who.Role, Limited: who.Limited(), API: d.api.As(who)}, err
}

// nobody stands for the connect page, which is tried elsewhere.
type nobody struct {
	ui.Sessions
	ui.Attempts
}

// rig is the dashboard before an API on the memory engine.
type rig struct {
	testing.TB
	store *state.Store
	auth  *auth.Auth
	url   string
}

func setup(t testing.TB) *rig {
	t.Helper()
	engine := memory.New()
	t.Cleanup(func() { _ = engine.Close() })
	r := &rig{TB: t, store: state.NewStore(engine, clear{})}
	var admins []auth.AdminToken
	for name, a := range tokens {
		a.Name, a.Hash = name, sha256.Sum256([]byte(tokenOf(name)))
		admins = append(admins, a)
	}
	var err error
	if r.auth, err = auth.New(auth.Params{Store: r.store, Clock: time.Now, AdminTokens: admins}); err != nil {
		t.Fatal(err)
	}
	log := hclog.New(&hclog.LoggerOptions{Output: t.Output(), Level: hclog.Trace})
	handlers, err := api.New(api.Params{
		Store: r.store, Auth: r.auth, Credentials: credential.New(clear{}), Systems: func() []host.System { return []host.System{erp} },
		PageURL: func() string { return r.url }, Room: func() (int64, int64, error) { return 64 << 30, 1 << 30, nil },
		Version: "1.2.3", Clock: time.Now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := ui.New(ui.Params{AtVendor: func(*host.System, string) bool { return false }, Sessions: nobody{}, Attempts: nobody{}, Desk: desk{r.auth, handlers}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if pages.Serves(q) {
			pages.ServeHTTP(w, q)
			return
		}
		handlers.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// put stores a document.
func (r *rig) put(kind state.Kind, id string, v any) {
	r.Helper()
	put, err := state.PutOf(kind, id, state.Any, v)
	if err == nil {
		_, err = r.store.Commit(r.Context(), time.Now(), []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// connection stores a connection with a status.
func (r *rig) connection(id host.ConnectionID, status host.ConnectionStatus, reason string) {
	r.Helper()
	r.put(state.KindConnection, string(id), &host.Connection{
		ID: id, System: "erp", Label: "The " + string(id), ManagedBy: host.ManagedByAPI, Auth: "basic", Credentials: []byte(`{"password":"hunter2","setting.pin":"4711"}`),
		Settings: map[string]any{"url": "https://erp.example.com"}, CheckEvery: time.Minute, CreatedAt: time.Now(), Status: status, Reason: reason, Since: time.Now(), Incarnation: string(id),
		Entities: []host.Entity{{Name: "items", Unified: true, Incremental: true}}, Metadata: map[string]string{"customer": "4711"},
	})
}

// browser is somebody with cookies.
type browser struct {
	*rig
	http.Client
}

func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.Fatal(err)
	}
	return &browser{r, http.Client{Jar: jar}}
}

// as is a browser that is signed in.
func (r *rig) as(name string) *browser {
	r.Helper()
	b := r.browser()
	if status, text := b.post("/sign-in", url.Values{"token": {tokenOf(name)}}); status != http.StatusOK {
		r.Fatalf("sign in as %s: %d %s", name, status, text)
	}
	return b
}

func (b *browser) do(method, path string, form url.Values, headers ...string) (int, string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func (b *browser) get(path string) (int, string) { return b.do("GET", path, nil) }

func (b *browser) post(path string, form url.Values) (int, string) {
	if form == nil {
		form = url.Values{}
	}
	return b.do("POST", path, form, "Origin", b.url, "Sec-Fetch-Site", "same-origin")
}

// shows says which of the words are not where they should be: a word that
// begins with ! should not be there.
func shows(text string, words ...string) error {
	for _, w := range words {
		unwanted, not := strings.CutPrefix(w, "!")
		if not && strings.Contains(text, unwanted) {
			return fmt.Errorf("%q is there:\n%s", unwanted, text)
		}
		if !not && !strings.Contains(text, w) {
			return fmt.Errorf("%q is not there:\n%s", w, text)
		}
	}
	return nil
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Error(err)
	}
}
