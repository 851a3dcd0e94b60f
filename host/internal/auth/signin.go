package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Prefixes of what opens the dashboard: a browser's cookie, and a link that is
// good once.
const (
	CookiePrefix     = "dsi_"
	SignInLinkPrefix = "dsl_"
)

// SignIn signs in who shows an admin token, and returns the secret for the
// browser's cookie and when it ends.
func (a *Auth) SignIn(ctx context.Context, bearer string) (cookie string, until time.Time, err error) {
	who, err := a.Authenticate(ctx, bearer)
	if err != nil {
		return "", time.Time{}, err
	}
	if !who.Admin() {
		return "", time.Time{}, host.Errorf(host.CodeForbidden, "this is the token of a connection; the dashboard needs an admin token (dra_…)")
	}
	return a.signIn(ctx, &who, false)
}

// SignInLink returns the secret of a link that signs in once as the principal,
// and when it ends.
func (a *Auth) SignInLink(ctx context.Context, who *Principal) (link string, until time.Time, err error) {
	return a.signIn(ctx, who, true)
}

// signIn writes a sign-in, or a link to one, in one step with what it goes with.
// Those that have ended go.
func (a *Auth) signIn(ctx context.Context, who *Principal, link bool, with ...state.Put) (string, time.Time, error) {
	now := a.now()
	prefix, life := CookiePrefix, host.SignInLife
	if link {
		prefix, life = SignInLinkPrefix, host.SignInLinkLife
	}
	text, id, hash := secret(prefix)
	s := host.SignIn{
		ID: host.SignInID(id), Hash: hash, Link: link, Name: who.Name, Token: who.Token, TokenHash: who.hash,
		CreatedAt: now.UTC(), ExpiresAt: now.Add(life).UTC(),
	}
	put, err := state.PutOf(state.KindSignIn, id, state.Absent, &s)
	if err != nil {
		return "", time.Time{}, err
	}
	all, err := state.All[host.SignIn](ctx, a.store, state.KindSignIn)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("list sign-ins: %w", err)
	}
	puts := append(with, put)
	if !link {
		entry, err := state.PutOf(state.KindAudit, "aud_"+ulid.Make().String(), state.Any, signedIn(ctx, who, now))
		if err != nil {
			return "", time.Time{}, err
		}
		puts = append(puts, entry)
	}
	for _, old := range all {
		if !now.Before(old.Value.ExpiresAt) && len(puts) < 100 {
			puts = append(puts, state.Delete(state.KindSignIn, old.ID, state.Any))
		}
	}
	if _, err := a.store.Commit(ctx, now, puts, nil, nil); err != nil {
		return "", time.Time{}, fmt.Errorf("write a sign-in: %w", err)
	}
	return text, s.ExpiresAt, nil
}

// signedIn is what the audit log says of a sign-in.
func signedIn(ctx context.Context, who *Principal, now time.Time) *host.AuditEntry {
	e := &host.AuditEntry{At: now.UTC(), Who: who.Name, Via: "dashboard", Role: who.Role, Action: "sign_in", Outcome: host.AuditDone}
	if from, ok := ctx.Value(sourceKey{}).(netip.Prefix); ok {
		e.Address = from.Addr().String()
	}
	return e
}

var (
	errNoSignIn = &host.Error{Code: host.CodeUnauthorized, Message: "nobody is signed in here, or not any more"}
	errNoLink   = &host.Error{Code: host.CodeUnauthorized, Message: "this link was used already, or is older than five minutes; ask for another with: dinrail ui"}
)

// Redeem signs in by a link, which then opens nothing any more.
func (a *Auth) Redeem(ctx context.Context, link string) (cookie string, until time.Time, err error) {
	err = a.guard.check(ctx, link, func() error {
		cookie, until, err = a.redeem(ctx, link)
		return err
	})
	return cookie, until, err
}

func (a *Auth) redeem(ctx context.Context, link string) (cookie string, until time.Time, err error) {
	s, rev, err := a.findSignIn(ctx, SignInLinkPrefix, link)
	if err != nil || !s.Link {
		return "", time.Time{}, orUnknown(err, errNoLink)
	}
	who, err := a.principalOf(ctx, &s)
	if err != nil {
		return "", time.Time{}, orUnknown(err, errNoLink)
	}
	cookie, until, err = a.signIn(ctx, &who, false, state.Delete(state.KindSignIn, string(s.ID), rev))
	if errors.Is(err, state.ErrChanged) {
		return "", time.Time{}, errNoLink
	}
	return cookie, until, err
}

// SignedIn returns whom a cookie stands for, as their token is now. The error
// has host.CodeUnauthorized where it stands for nobody.
func (a *Auth) SignedIn(ctx context.Context, cookie string) (Principal, error) {
	s, _, err := a.findSignIn(ctx, CookiePrefix, cookie)
	if err != nil || s.Link {
		return Principal{}, orUnknown(err, errNoSignIn)
	}
	who, err := a.principalOf(ctx, &s)
	if err != nil {
		return Principal{}, orUnknown(err, errNoSignIn)
	}
	return who, nil
}

// SignOut ends a sign-in. One that has ended is no error.
func (a *Auth) SignOut(ctx context.Context, cookie string) error {
	s, _, err := a.findSignIn(ctx, CookiePrefix, cookie)
	if host.CodeOf(err) == host.CodeUnauthorized {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = a.store.Commit(ctx, a.now(), []state.Put{state.Delete(state.KindSignIn, string(s.ID), state.Any)}, nil, nil)
	return err
}

// orUnknown is why nobody is let in: the store's trouble, or that nobody is
// known.
func orUnknown(err error, unknown *host.Error) error {
	if err == nil || host.CodeOf(err) == host.CodeUnauthorized {
		return unknown
	}
	return err
}

// findSignIn reads what a secret opens.
func (a *Auth) findSignIn(ctx context.Context, prefix, text string) (host.SignIn, host.Sequence, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) > 256 {
		return host.SignIn{}, 0, errNoSignIn
	}
	id, ok := checked(rest)
	if !ok {
		return host.SignIn{}, 0, errNoSignIn
	}
	s, rev, err := state.Get[host.SignIn](ctx, a.store, state.KindSignIn, id)
	if errors.Is(err, state.ErrNotFound) {
		return host.SignIn{}, 0, errNoSignIn
	}
	if err != nil {
		return host.SignIn{}, 0, fmt.Errorf("read sign-in %s: %w", id, err)
	}
	hash := sha256.Sum256([]byte(text))
	if subtle.ConstantTimeCompare(s.Hash, hash[:]) != 1 || !a.now().Before(s.ExpiresAt) {
		return host.SignIn{}, 0, errNoSignIn
	}
	return s, rev, nil
}

// principalOf returns whom a sign-in stands for, if its token still opens.
func (a *Auth) principalOf(ctx context.Context, s *host.SignIn) (Principal, error) {
	switch {
	case s.TokenHash != nil:
		for _, t := range *a.admin.Load() {
			if bytes.Equal(t.Hash[:], s.TokenHash) {
				return t.principal(), nil
			}
		}
		return Principal{}, errNoSignIn
	case s.Token != "":
		t, _, err := state.Get[host.Token](ctx, a.store, state.KindToken, string(s.Token))
		if errors.Is(err, state.ErrNotFound) || err == nil && (t.Role == "" || t.Expired(a.now())) {
			return Principal{}, errNoSignIn
		}
		if err != nil {
			return Principal{}, fmt.Errorf("read token %s: %w", s.Token, err)
		}
		return principalOf(&t), nil
	}
	return Local(), nil
}
