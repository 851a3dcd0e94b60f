package auth

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Who shows this many different secrets that open nothing, within guessesIn, is
// guessing, and is not listened to for lockedFor.
const (
	guesses   = 20
	guessesIn = time.Minute
	lockedFor = 5 * time.Minute
)

// Bounds of what is remembered.
const (
	maxSources = 10_000
	maxKnown   = 64 // secrets of a source that opened something
)

type sourceKey struct{}

// From returns a context whose requests come from an address. Without one (on
// the control socket, within the host) nobody is locked out.
func From(ctx context.Context, remote string) context.Context {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ctx
	}
	a, bits := at.Addr().Unmap().WithZone(""), 32
	if a.Is6() {
		bits = 64 // what one subscriber has
	}
	p, _ := a.Prefix(bits)
	return context.WithValue(ctx, sourceKey{}, p)
}

// guard locks out sources that guess. Only different secrets count: a client
// that goes on with a token that was revoked locks nobody out. What opened
// something from a source before still does while the source is locked, so that
// one that guesses behind a proxy does not lock out all others behind it.
type guard struct {
	now    func() time.Time
	locked func(source string, until time.Time)

	mu sync.Mutex
	by map[netip.Prefix]*source
}

type digest [16]byte

func digestOf(secret string) digest {
	h := sha256.Sum256([]byte(secret))
	return digest(h[:16])
}

type source struct {
	wrong map[digest]struct{} // since began
	began time.Time
	known map[digest]struct{}
	until time.Time // locked
	last  time.Time
}

// check lets what is done with a secret be done, unless its source is locked,
// and learns from how it ended.
func (g *guard) check(ctx context.Context, secret string, do func() error) error {
	at, ok := ctx.Value(sourceKey{}).(netip.Prefix)
	if !ok {
		return do()
	}
	d := digestOf(secret)
	if until := g.lockedUntil(at, d); !until.IsZero() {
		return &host.Error{Code: host.CodeRateLimited, RetryAt: until, Message: "too many wrong tokens came from this address; wait until it is listened to again"}
	}
	err := do()
	switch host.CodeOf(err) {
	case "":
		g.opened(at, d)
	case host.CodeUnauthorized, host.CodeNotFound:
		g.failed(at, d)
	}
	return err
}

func (g *guard) lockedUntil(at netip.Prefix, d digest) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.by[at]
	if s == nil || !g.now().Before(s.until) {
		return time.Time{}
	}
	if _, ok := s.known[d]; ok {
		return time.Time{}
	}
	return s.until
}

func (g *guard) opened(at netip.Prefix, d digest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(at)
	if _, ok := s.known[d]; ok {
		return
	}
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[d] = struct{}{}
}

func (g *guard) failed(at netip.Prefix, d digest) {
	g.mu.Lock()
	s, now := g.source(at), g.now()
	delete(s.known, d) // it was revoked
	if now.Sub(s.began) > guessesIn {
		s.began = now
		clear(s.wrong)
	}
	s.wrong[d] = struct{}{}
	tell := len(s.wrong) >= guesses && !now.Before(s.until)
	if tell {
		s.until = now.Add(lockedFor)
		clear(s.wrong)
	}
	until := s.until
	g.mu.Unlock()
	if tell && g.locked != nil {
		g.locked(at.Addr().String(), until)
	}
}

// source returns what is known of an address. Where there are too many, those
// that were not heard of for longest are forgotten: they are not locked.
func (g *guard) source(at netip.Prefix) *source {
	now := g.now()
	s := g.by[at]
	if s == nil {
		if len(g.by) >= maxSources {
			g.forget(now)
		}
		s = &source{wrong: map[digest]struct{}{}, known: map[digest]struct{}{}}
		g.by[at] = s
	}
	s.last = now
	return s
}

func (g *guard) forget(now time.Time) {
	for _, age := range []time.Duration{time.Hour, lockedFor, guessesIn, 0} {
		for at, s := range g.by {
			if !now.Before(s.until) && now.Sub(s.last) >= age {
				delete(g.by, at)
			}
		}
		if len(g.by) < maxSources/2 {
			return
		}
	}
	if len(g.by) >= maxSources { // all of them guess
		clear(g.by)
	}
}
