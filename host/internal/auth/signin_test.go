package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestSignInLivesNoLongerThanItsToken(t *testing.T) {
	now := time.Now()
	a, store := setup(t, &now)
	ctx := context.Background()
	token, err := a.MintAdmin(ctx, "night", host.RoleViewer, []string{"plant-7-*"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	minted, until, err := a.SignIn(ctx, token)
	if err != nil || !until.Equal(now.Add(host.SignInLife)) {
		t.Fatalf("until %s, %v", until, err)
	}
	named, _, err := a.SignIn(ctx, configured)
	if err != nil {
		t.Fatal(err)
	}
	for cookie, role := range map[string]host.Role{minted: host.RoleViewer, named: host.RoleOperator} {
		who, err := a.SignedIn(ctx, cookie)
		if err != nil || who.Role != role || !who.Limited() || who.Covers("plant-8") {
			t.Fatalf("got %+v, %v", who, err)
		}
	}
	documents, err := state.All[json.RawMessage](ctx, store, state.KindSignIn)
	if err != nil || len(documents) != 2 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	for _, d := range documents {
		if secret := minted[strings.LastIndex(minted[:21], "_")+1:]; strings.Contains(string(d.Value), secret) {
			t.Error("the cookie itself is stored")
		}
	}

	a.SetAdminTokens([]auth.AdminToken{{Name: "ops", Hash: sha256.Sum256([]byte(configured)), Role: host.RoleViewer}})
	if who, err := a.SignedIn(ctx, named); err != nil || who.Role != host.RoleViewer {
		t.Errorf("another role in the configuration: %+v, %v", who, err)
	}
	a.SetAdminTokens(nil)
	if _, err := a.Revoke(ctx, "", "night"); err != nil {
		t.Fatal(err)
	}
	for name, cookie := range map[string]string{"revoked": minted, "no longer named": named, "nothing": "", "a token": configured} {
		if _, err := a.SignedIn(ctx, cookie); host.CodeOf(err) != host.CodeUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignInEnds(t *testing.T) {
	now := time.Now()
	a, _ := setup(t, &now)
	ctx := context.Background()
	out, _, err := a.SignIn(ctx, configured)
	if err != nil {
		t.Fatal(err)
	}
	late, _, err := a.SignIn(ctx, configured)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SignOut(ctx, out); err != nil {
		t.Fatal(err)
	}
	if err := a.SignOut(ctx, out); err != nil {
		t.Errorf("once more: %v", err)
	}
	if _, err := a.SignedIn(ctx, out); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("signed out: %v", err)
	}
	if _, err := a.SignedIn(ctx, late); err != nil {
		t.Errorf("another browser: %v", err)
	}
	now = now.Add(host.SignInLife)
	if _, err := a.SignedIn(ctx, late); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("after its life: %v", err)
	}
}

func TestSignInLinkOpensOnceAndForFiveMinutes(t *testing.T) {
	now := time.Now()
	a, _ := setup(t, &now)
	ctx := context.Background()
	local := auth.Local()
	link, _, err := a.SignInLink(ctx, &local)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.SignedIn(ctx, link); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("a link as a cookie: %v", err)
	}
	cookie, _, err := a.Redeem(ctx, link)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := a.SignedIn(ctx, cookie); err != nil || who.Role != host.RoleAdmin {
		t.Errorf("got %+v, %v", who, err)
	}
	if _, _, err := a.Redeem(ctx, link); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("twice: %v", err)
	}
	old, _, err := a.SignInLink(ctx, &local)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(host.SignInLinkLife)
	if _, _, err := a.Redeem(ctx, old); host.CodeOf(err) != host.CodeUnauthorized {
		t.Errorf("after five minutes: %v", err)
	}
}
