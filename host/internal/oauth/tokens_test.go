package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/oauth"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

type plain struct{}

func (plain) Seal(_ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append([]byte{}, b...), nil
}
func (plain) Open(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) AppendOpen(dst []byte, _ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append(dst, b...), nil
}
func (plain) Forget(host.ConnectionID) {}

// provider gives out tokens that live 20 s, and rotates refresh tokens: one that
// comes a second time ends the grant, as RFC 9700 (4.14) has it.
type provider struct {
	mu      sync.Mutex
	asked   []url.Values
	good    map[string]bool   // grants by their current refresh token
	used    map[string]string // refresh token to the grant's current one
	down    bool
	posts   bool // takes the client in the body alone
	refuses string
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	b, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(b))
	time.Sleep(100 * time.Millisecond)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, form)
	answer := func(status int, v any) (*http.Response, error) {
		b, _ := json.Marshal(v)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(b))), Request: r}, nil
	}
	if p.down {
		return nil, errors.New("dial tcp: connection refused")
	}
	_, secret, basic := r.BasicAuth()
	if secret == "" {
		secret = form.Get("client_secret")
	}
	if p.posts && basic || secret != "s3cret" {
		return answer(401, map[string]string{"error": "invalid_client"})
	}
	if p.refuses != "" {
		return answer(400, map[string]string{"error": p.refuses, "error_description": "it is over"})
	}
	n := len(p.asked)
	switch form.Get("grant_type") {
	case "refresh_token":
		given := form.Get("refresh_token")
		if !p.good[given] {
			if p.used[given] != "" {
				delete(p.good, p.used[given])
			}
			return answer(400, map[string]string{"error": "invalid_grant"})
		}
		next := fmt.Sprintf("refresh-%d", n)
		delete(p.good, given)
		p.good[next] = true
		p.used[given] = next
		return answer(200, map[string]any{"access_token": fmt.Sprintf("access-%d", n), "token_type": "Bearer", "expires_in": 20, "refresh_token": next})
	case "client_credentials", "password":
		return answer(200, map[string]any{"access_token": fmt.Sprintf("access-%d", n), "token_type": "Bearer", "expires_in": 20})
	}
	return answer(400, map[string]string{"error": "unsupported_grant_type"})
}

func (p *provider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func (p *provider) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

type rig struct {
	*testing.T
	*provider
	store  *state.Store
	engine *failing
	tokens *oauth.Tokens
}

// failing is an engine whose commits fail while it is full.
type failing struct {
	state.Engine
	mu   sync.Mutex
	full bool
}

func (f *failing) Commit(ctx context.Context, p host.Partition, c state.Change) (host.Sequence, error) {
	f.mu.Lock()
	full := f.full
	f.mu.Unlock()
	if full {
		return 0, errors.New("no space left")
	}
	return f.Engine.Commit(ctx, p, c)
}

func (f *failing) fill(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

func opened(c *host.Connection) (map[string]string, error) {
	return host.CredentialsFrom(c.Credentials)
}

func sealed(_ host.ConnectionID, credentials map[string]string) ([]byte, error) {
	return json.Marshal(credentials)
}

func setup(t *testing.T) *rig {
	r := &rig{T: t, provider: &provider{good: map[string]bool{"refresh-0": true}, used: map[string]string{}}, engine: &failing{Engine: memory.New()}}
	r.store = state.NewStore(r.engine, plain{})
	r.start()
	t.Cleanup(func() {
		r.tokens.Stop()
		_ = r.store.Close()
	})
	return r
}

// start is a host that has just started.
func (r *rig) start() {
	r.Helper()
	tokens, err := oauth.New(oauth.Params{
		Store: r.store, Open: opened, Seal: sealed, Clock: time.Now, Log: hclog.NewNullLogger(),
		System: func(host.SystemName) (host.System, bool) {
			return host.System{Name: "erp", Auth: []host.AuthMethod{{Name: "oauth2", OAuth: &host.OAuth{
				Grants: []string{host.GrantCode, host.GrantClient, host.GrantPassword}, TokenURL: "{url}/token", AuthorizeURL: "{url}/auth",
			}}}}, true
		},
		Client: func(host.SystemName) (host.OAuthClient, bool) {
			return host.OAuthClient{System: "erp", ID: "dinrail", Secret: host.NewSecret("s3cret")}, true
		},
		HTTP: func(*host.Connection) (*http.Client, error) { return &http.Client{Transport: r.provider}, nil },
	})
	if err != nil {
		r.Fatal(err)
	}
	r.tokens = tokens
}

// connection stores one that logs in so.
func (r *rig) connection(id host.ConnectionID, login map[string]string) *host.Connection {
	r.Helper()
	b, _ := sealed(id, login)
	c := &host.Connection{ID: id, System: "erp", Auth: "oauth2", Settings: map[string]any{"url": "https://erp.example.com/"}, Credentials: b, CredentialsRevision: 1}
	put, err := state.PutOf(state.KindConnection, string(id), state.Any, c)
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.store.Commit(r.Context(), time.Now(), []state.Put{put}, nil, nil); err != nil {
		r.Fatal(err)
	}
	return c
}

func (r *rig) login(id host.ConnectionID) map[string]string {
	r.Helper()
	c, _, err := state.Get[host.Connection](r.Context(), r.store, state.KindConnection, string(id))
	if err != nil {
		r.Fatal(err)
	}
	login, _ := opened(&c)
	return login
}

func byCode() map[string]string {
	return map[string]string{"grant": "authorization_code", "refresh_token": "refresh-0", "access_token": "access-0", "expires_at": host.FormatTime(time.Now().Add(20 * time.Second))}
}

func TestManyWhoNeedATokenMakeOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		c := r.connection("plant", byCode())
		first, err := r.tokens.Access(t.Context(), c, "")
		if err != nil || first != "access-0" || r.requests() != 0 {
			t.Fatalf("%q, %v after %d requests", first, err, r.requests())
		}
		time.Sleep(16 * time.Second)
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[string]int{}
		for i := range 50 {
			all.Go(func() {
				refused := ""
				if i%2 == 0 {
					refused = first // the system has said so already
				}
				k, err := r.tokens.Access(t.Context(), c, refused)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				got[k]++
				mu.Unlock()
			})
		}
		all.Wait()
		if r.requests() != 1 || len(got) != 1 || got["access-1"] != 50 {
			t.Fatalf("%d requests, tokens %v", r.requests(), got)
		}
		if login := r.login("plant"); login["refresh_token"] != "refresh-1" || login["access_token"] != "access-1" {
			t.Fatalf("kept: %v", login)
		}
	})
}

func TestOpenConnectionsAreBroughtTokensAheadOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		c := r.connection("plant", byCode())
		access, err := r.tokens.Access(t.Context(), c, "")
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var brought [2][]string
		var holds [2]*oauth.Hold
		for i := range holds {
			holds[i] = r.tokens.Hold(c, access, func(_ context.Context, k string) error {
				mu.Lock()
				defer mu.Unlock()
				brought[i] = append(brought[i], k)
				return nil
			})
		}
		time.Sleep(19 * time.Second) // before the first would have ended
		synctest.Wait()
		if fmt.Sprint(brought) != "[[access-1] [access-1]]" {
			t.Fatalf("brought %v", brought)
		}
		holds[1].Release()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := len(brought[0]); n < 15 || len(brought[1]) != 1 || n != r.requests() {
			t.Fatalf("brought %d and %d tokens of %d", n, len(brought[1]), r.requests())
		}
		holds[0].Release()
		before := r.requests()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if r.requests() != before {
			t.Fatal("a token was got that nobody needs")
		}
	})
}

func TestRefusedRefreshAsksForAPersonAndABrokenNetworkDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		c := r.connection("plant", byCode())
		other := r.connection("other", map[string]string{"client_id": "x", "client_secret": "s3cret"})
		if _, err := r.tokens.Access(t.Context(), c, ""); err != nil {
			t.Fatal(err)
		}
		r.set(func() { r.down = true })
		time.Sleep(17 * time.Second) // time for a new one, and the old one holds still
		if k, err := r.tokens.Access(t.Context(), c, ""); err != nil || k != "access-0" {
			t.Fatalf("%q, %v", k, err)
		}
		time.Sleep(4 * time.Second)
		_, err := r.tokens.Access(t.Context(), c, "")
		if host.CodeOf(err) != host.CodeUnavailable {
			t.Fatalf("got %v", err)
		}
		before := r.requests()
		for range 100 { // who asks again at once is told so, and the provider is left alone
			if _, err := r.tokens.Access(t.Context(), c, ""); host.CodeOf(err) != host.CodeUnavailable {
				t.Fatalf("got %v", err)
			}
		}
		if r.requests() > before+1 {
			t.Fatalf("%d requests after %d", r.requests(), before)
		}
		r.set(func() { r.down = false })
		if _, err := r.tokens.Access(t.Context(), other, ""); err != nil {
			t.Fatalf("another connection waits, too: %v", err)
		}
		time.Sleep(10 * time.Second)
		if _, err := r.tokens.Access(t.Context(), c, ""); err != nil {
			t.Fatalf("back: %v", err)
		}
		r.set(func() { r.refuses = "invalid_grant" })
		time.Sleep(21 * time.Second)
		if _, err := r.tokens.Access(t.Context(), c, ""); host.CodeOf(err) != host.CodeAuthRequired || !strings.Contains(err.Error(), "it is over") {
			t.Fatalf("got %v", err)
		}
		// A person logs in again.
		r.set(func() { r.refuses = ""; r.good["refresh-9"] = true })
		login := byCode()
		maps.Copy(login, map[string]string{"refresh_token": "refresh-9", "access_token": "access-9"})
		c = r.connection("plant", login)
		c.CredentialsRevision = 2
		put, _ := state.PutOf(state.KindConnection, "plant", state.Any, c)
		if _, err := r.store.Commit(t.Context(), time.Now(), []state.Put{put}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if k, err := r.tokens.Access(t.Context(), c, ""); err != nil || k != "access-9" {
			t.Fatalf("%q, %v", k, err)
		}
	})
}

// A token that could not be kept is kept at the next attempt: its refresh token
// is not lost, and the one before, which is used up, is not sent again.
func TestRefreshTokenIsDurableBeforeItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		c := r.connection("plant", byCode())
		time.Sleep(30 * time.Second)
		r.engine.fill(true)
		if k, err := r.tokens.Access(t.Context(), c, ""); host.CodeOf(err) != host.CodeUnavailable || k != "" {
			t.Fatalf("a token was handed out that is not kept: %q, %v", k, err)
		}
		if r.requests() != 1 {
			t.Fatalf("%d requests", r.requests())
		}
		time.Sleep(5 * time.Second)
		r.engine.fill(false)
		if k, err := r.tokens.Access(t.Context(), c, ""); err != nil || k != "access-1" || r.requests() != 1 {
			t.Fatalf("%q, %v after %d requests", k, err, r.requests())
		}
		// A host that starts now goes on with it.
		r.tokens.Stop()
		r.start()
		time.Sleep(20 * time.Second)
		if k, err := r.tokens.Access(t.Context(), c, ""); err != nil || k != "access-2" {
			t.Fatalf("%q, %v", k, err)
		}
	})
}

func TestClientAndPasswordGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		r.posts = true // this provider knows the client in the body alone
		c := r.connection("machine", map[string]string{"client_id": "own", "client_secret": "s3cret"})
		if k, err := r.tokens.Access(t.Context(), c, ""); err != nil || k != "access-2" {
			t.Fatalf("%q, %v", k, err)
		}
		if k, err := r.tokens.Access(t.Context(), c, "access-2"); err != nil || k != "access-3" { // the way is known now
			t.Fatalf("%q, %v", k, err)
		}
		p := r.connection("person", map[string]string{"username": "ann", "password": "pw"})
		if k, err := r.tokens.Access(t.Context(), p, ""); err != nil || k != "access-5" {
			t.Fatalf("%q, %v", k, err)
		}
		if last := r.asked[4]; last.Get("username") != "ann" || last.Get("password") != "pw" || last.Get("client_id") != "dinrail" {
			t.Fatalf("asked with %v", last)
		}
		bad := r.connection("bad", map[string]string{"client_id": "own", "client_secret": "wrong"})
		if _, err := r.tokens.Access(t.Context(), bad, ""); host.CodeOf(err) != host.CodeAuthRequired || strings.Contains(err.Error(), "wrong") {
			t.Fatalf("got %v", err)
		}
	})
}
