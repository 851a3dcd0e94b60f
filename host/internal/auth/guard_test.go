package auth_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
)

// Who shows one wrong token after another is locked out, for a while and with
// their address; what opened something before from there still does.
func TestWhoGuessesTokensIsLockedOut(t *testing.T) {
	now := time.Now()
	var told []string
	a, _ := setupLocked(t, &now, func(source string, _ time.Time) { told = append(told, source) })
	mint := func(name string) string {
		token, err := a.MintConnection(context.Background(), "a", name, host.AccessRead, time.Time{}, auth.Step{})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	known, fresh := mint("known"), mint("fresh")
	here, there := auth.From(context.Background(), "192.0.2.1:5000"), auth.From(context.Background(), "192.0.2.2:5000")
	code := func(ctx context.Context, token string) host.Code {
		_, err := a.Authenticate(ctx, token)
		return host.CodeOf(err)
	}
	if c := code(here, known); c != "" {
		t.Fatal(c)
	}
	// A client that goes on with one old token, however often, guesses nothing.
	for range 100 {
		if c := code(here, "drc_old"); c != host.CodeUnauthorized {
			t.Fatalf("an old token: %s", c)
		}
	}
	for i := range 19 {
		if c := code(here, fmt.Sprintf("dra_guess-%d", i)); c != host.CodeUnauthorized {
			t.Fatalf("guess %d: %s", i, c)
		}
	}
	if _, err := a.Authenticate(here, "dra_another"); host.CodeOf(err) != host.CodeRateLimited || !host.RetryAtOf(err).After(now) {
		t.Fatalf("after 20 wrong ones: %v", err)
	}
	for _, c := range []struct {
		name  string
		ctx   context.Context //nolint:containedctx // a case of the test
		token string
		want  host.Code
	}{
		{"the right token, found by guessing", here, configured, host.CodeRateLimited},
		{"a token that never was used from there", here, fresh, host.CodeRateLimited},
		{"a token that was used from there", here, known, ""},
		{"from another address", there, fresh, ""},
		{"from another port of the same", auth.From(context.Background(), "192.0.2.1:5001"), configured, host.CodeRateLimited},
		{"on the control socket", context.Background(), configured, ""},
	} {
		if got := code(c.ctx, c.token); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, _, err := a.SignIn(here, configured); host.CodeOf(err) != host.CodeRateLimited {
		t.Errorf("to sign in: %v", err)
	}
	if _, _, err := a.Session(here, "dcs_x"); host.CodeOf(err) != host.CodeRateLimited {
		t.Errorf("a link: %v", err)
	}
	if len(told) != 1 || told[0] != "192.0.2.1" {
		t.Errorf("told of %v", told)
	}
	now = now.Add(5*time.Minute + time.Second)
	if c := code(here, configured); c != "" {
		t.Errorf("after the while: %s", c)
	}
}

// One who has many addresses of one network is one; the memory of guessing is
// bounded, and whoever is locked stays so.
func TestGuessersWithManyAddressesAreOne(t *testing.T) {
	now := time.Now()
	a, _ := setupLocked(t, &now, nil)
	guess := func(remote string, i int) host.Code {
		_, err := a.Authenticate(auth.From(context.Background(), remote), fmt.Sprintf("dra_guess-%d", i))
		return host.CodeOf(err)
	}
	for i := range 20 {
		guess(fmt.Sprintf("[2001:db8:1:2::%x]:99", i+1), i)
	}
	if c := guess("[2001:db8:1:2::ffff]:99", 99); c != host.CodeRateLimited {
		t.Errorf("of the same network: %s", c)
	}
	for i := range 20_000 {
		guess(fmt.Sprintf("10.%d.%d.%d:99", i>>16, i>>8&255, i&255), i)
	}
	if c := guess("[2001:db8:1:2::ffff]:99", 99); c != host.CodeRateLimited {
		t.Errorf("after many others: %s", c)
	}
}
