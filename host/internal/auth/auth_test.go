package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// plain seals nothing; tokens are not sealed but hashed.
type plain struct{}

func (plain) Seal(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) Open(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) AppendOpen(dst []byte, _ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append(dst, b...), nil
}
func (plain) Forget(host.ConnectionID) {}

const configured = "dra_of-the-configuration-0123456789012345"

func setup(t *testing.T, now *time.Time) (*auth.Auth, *state.Store) {
	t.Helper()
	return setupLocked(t, now, nil)
}

func setupLocked(t *testing.T, now *time.Time, locked func(string, time.Time)) (*auth.Auth, *state.Store) {
	t.Helper()
	engine := memory.New()
	t.Cleanup(func() { _ = engine.Close() })
	store := state.NewStore(engine, plain{})
	a, err := auth.New(auth.Params{Store: store, Clock: func() time.Time { return *now }, Locked: locked, AdminTokens: []auth.AdminToken{
		{Name: "ops", Hash: sha256.Sum256([]byte(configured)), Role: host.RoleOperator, Connections: []string{"plant-7-*"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	put, err := state.PutOf(state.KindConnection, "a", state.Absent, host.Connection{ID: "a"})
	if err == nil {
		_, err = store.Commit(context.Background(), *now, []state.Put{put}, nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a, store
}

func TestTokenOpensItsConnectionUntilItEnds(t *testing.T) {
	now := time.Now()
	a, store := setup(t, &now)
	ctx := context.Background()
	token, err := a.MintConnection(ctx, "a", "app", host.AccessRead, now.Add(time.Hour), auth.Step{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.Authenticate(ctx, token)
	if err != nil || who.Connection != "a" || who.Access != host.AccessRead || who.Admin() {
		t.Fatalf("got %+v, %v", who, err)
	}
	documents, err := state.All[json.RawMessage](ctx, store, state.KindToken)
	if err != nil || len(documents) != 1 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	if secret := token[strings.LastIndex(token[:20], "_")+1:]; strings.Contains(string(documents[0].Value), secret) {
		t.Error("the token itself is stored")
	}
	for name, wrong := range map[string]string{
		"empty": "", "prefix alone": "drc_", "another prefix": "dra_" + token[4:], "cut": token[:len(token)-1],
		"longer": token + "A", "a changed letter": token[:30] + swap(token[30]) + token[31:],
	} {
		if _, err := a.Authenticate(ctx, wrong); host.CodeOf(err) != host.CodeUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(time.Hour)
	if _, err := a.Authenticate(ctx, token); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("expired: %v", err)
	}
}

func swap(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func TestMintingAnewEndsTheTokenOfThatNameAlone(t *testing.T) {
	now := time.Now()
	a, _ := setup(t, &now)
	ctx := context.Background()
	var mu sync.Mutex
	var tokens []string
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			token, err := a.MintConnection(ctx, "a", "app", host.AccessWrite, time.Time{}, auth.Step{})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			tokens = append(tokens, token)
		})
	}
	all.Wait()
	other, err := a.MintConnection(ctx, "a", "other", host.AccessWrite, time.Time{}, auth.Step{})
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, token := range tokens {
		if _, err := a.Authenticate(ctx, token); err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d tokens of one name open", good)
	}
	if _, err := a.Renew(ctx, "a", auth.Step{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(ctx, other); err == nil {
		t.Error("renewing left another token")
	}
}

func TestConfiguredTokenHasItsRoleAndPatterns(t *testing.T) {
	now := time.Now()
	a, _ := setup(t, &now)
	who, err := a.Authenticate(context.Background(), configured)
	if err != nil || who.Role != host.RoleOperator || !who.Limited() {
		t.Fatalf("got %+v, %v", who, err)
	}
	for id, want := range map[host.ConnectionID]bool{"plant-7-erp": true, "plant-70": false, "plant-8-erp": false, "": false} {
		if who.Covers(id) != want {
			t.Errorf("covers %q: %v", id, !want)
		}
	}
	a.SetAdminTokens(nil)
	if _, err := a.Authenticate(context.Background(), configured); err == nil {
		t.Error("a token that the configuration no longer names opens")
	}
}

// unread is a store that nobody may ask for a token.
type unread struct {
	*memory.Engine
	t *testing.T
}

func (u unread) Document(_ context.Context, _ host.Partition, kind state.Kind, id string) (state.Document, error) {
	u.t.Errorf("the %s %q was looked up", kind, id)
	return state.Document{}, state.ErrNotFound
}

func TestMistypedTokenIsRefusedBeforeAnyLookup(t *testing.T) {
	now := time.Now()
	a, _ := setup(t, &now)
	token, err := a.MintConnection(t.Context(), "a", "default", host.AccessRead, time.Time{}, auth.Step{})
	if err != nil {
		t.Fatal(err)
	}
	engine := memory.New()
	defer func() { _ = engine.Close() }()
	blind, err := auth.New(auth.Params{Store: state.NewStore(unread{engine, t}, plain{}), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for i := len(auth.ConnectionPrefix); i < len(token); i++ { // any one character
		for _, other := range []byte("aZ09-_") {
			mistyped := []byte(token)
			if mistyped[i] == other {
				continue
			}
			mistyped[i] = other
			if _, err := blind.Authenticate(t.Context(), string(mistyped)); host.CodeOf(err) != host.CodeUnauthorized {
				t.Errorf("%d: %v", i, err)
			}
		}
	}
	for _, wrong := range []string{"", "drc_", "dra_", token[:len(token)-1], token + "a", "x" + token, strings.ToUpper(token), strings.Replace(token, "drc_", "drx_", 1)} {
		if _, err := blind.Authenticate(t.Context(), wrong); host.CodeOf(err) != host.CodeUnauthorized {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
