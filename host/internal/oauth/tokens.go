package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/oauth2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Params are what Tokens need. All are required.
type Params struct {
	Store  *state.Store
	System func(host.SystemName) (host.System, bool)
	// Client is the host's registration for a system.
	Client func(host.SystemName) (host.OAuthClient, bool)
	// Open and Seal are those of credentials.
	Open func(c *host.Connection) (map[string]string, error)
	Seal func(c host.ConnectionID, credentials map[string]string) ([]byte, error)
	// HTTP is how a connection's provider is reached.
	HTTP  func(c *host.Connection) (*http.Client, error)
	Clock func() time.Time
	Log   hclog.Logger
}

const (
	getTimeout   = 30 * time.Second // of one request for a token
	firstBackoff = time.Second
	longestWait  = 5 * time.Minute
	// aheadAtMost is how long before its end a token is replaced; one that lives
	// short, at a quarter of its life.
	aheadAtMost = time.Minute
	storedFor   = 10 * time.Second // a stored token must hold so long, to be taken up
)

// Tokens are the access tokens of connections. They may be used concurrently;
// Stop ends what goes on for them.
type Tokens struct {
	Params
	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu    sync.Mutex
	all   map[host.ConnectionID]*entry
	style map[string]oauth2.AuthStyle // how a client is shown to a token endpoint
}

// entry is what is known of one connection's token. It is guarded by Tokens.mu.
type entry struct {
	revision uint64 // of the credentials that it was got by
	token    Token
	got      time.Time
	unsaved  *Token // got, and not durable yet
	flight   *flight
	fails    int
	notUntil time.Time
	failure  error
	holders  map[*Hold]struct{}
	timer    *time.Timer
}

// flight is a token that is being got.
type flight struct {
	done  chan struct{}
	token Token
	err   error
}

// New returns Tokens that know none.
func New(p Params) (*Tokens, error) {
	if p.Store == nil || p.System == nil || p.Client == nil || p.Open == nil || p.Seal == nil || p.HTTP == nil || p.Clock == nil || p.Log == nil {
		return nil, errors.New("new tokens: every parameter is required")
	}
	t := &Tokens{Params: p, all: map[host.ConnectionID]*entry{}, style: map[string]oauth2.AuthStyle{}}
	t.ctx, t.stop = context.WithCancel(context.Background())
	return t, nil
}

// Stop ends the timers, and waits for a token that is being got, so that none is
// lost between the provider and the store.
func (t *Tokens) Stop() {
	t.stop()
	t.mu.Lock()
	for _, e := range t.all {
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	t.mu.Unlock()
	t.work.Wait()
}

// Access returns an access token for a stored connection, other than the one
// that was refused ("": none was). Its errors are *host.Error: CodeAuthRequired
// asks for a person, CodeUnavailable for time.
func (t *Tokens) Access(ctx context.Context, c *host.Connection, refused string) (string, error) {
	for {
		t.mu.Lock()
		e := t.entry(c)
		now := t.Clock()
		fresh := e.token.Access != "" && e.token.Access != refused
		if fresh && (e.token.Expires.IsZero() || now.Before(e.renewAt())) {
			t.mu.Unlock()
			return e.token.Access, nil
		}
		if e.flight == nil && now.Before(e.notUntil) {
			access, err := e.token.Access, e.failure
			stillGood := fresh && now.Before(e.token.Expires)
			t.mu.Unlock()
			if stillGood {
				return access, nil
			}
			return "", err
		}
		f := t.begin(e, c, refused)
		t.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		switch {
		case f.err != nil && fresh && host.CodeOf(f.err) != host.CodeAuthRequired && t.Clock().Before(e.token.Expires):
			continue // the one that there is still holds
		case f.err != nil:
			return "", f.err
		case f.token.Access != refused:
			return f.token.Access, nil
		}
		// Somebody else's flight brought the one that was refused: get another.
	}
}

// Once returns an access token for a connection that is not stored: the one that
// its login holds, or one that nothing but this caller knows of.
func (t *Tokens) Once(ctx context.Context, c *host.Connection, _ string) (string, error) {
	g, err := t.grant(c)
	if err != nil {
		return "", err
	}
	if g.Kind == host.GrantCode {
		return stored(g.login).Access, nil
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	k, err := t.next(ctx, g)
	return k.Access, err
}

// entry is called with mu held.
func (t *Tokens) entry(c *host.Connection) *entry {
	e := t.all[c.ID]
	if e == nil {
		e = &entry{revision: c.CredentialsRevision, holders: map[*Hold]struct{}{}}
		t.all[c.ID] = e
	}
	if e.revision != c.CredentialsRevision { // somebody logged in anew
		e.revision, e.token, e.unsaved, e.fails, e.notUntil, e.failure = c.CredentialsRevision, Token{}, nil, 0, time.Time{}, nil
	}
	return e
}

// renewAt is when the token is to be replaced.
func (e *entry) renewAt() time.Time {
	ahead := min(aheadAtMost, e.token.Expires.Sub(e.got)/4)
	return e.token.Expires.Add(-ahead)
}

// begin gets a token, or joins who gets it. It is called with mu held.
func (t *Tokens) begin(e *entry, c *host.Connection, refused string) *flight {
	if e.flight != nil {
		return e.flight
	}
	f := &flight{done: make(chan struct{})}
	e.flight = f
	conn, revision, last, unsaved := *c, e.revision, e.token.Access, e.unsaved
	t.work.Go(func() {
		// It is not the caller's: who waits may go, and the token is kept.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), getTimeout)
		defer cancel()
		f.token, unsaved, f.err = t.renew(ctx, &conn, refused, last, unsaved)
		t.mu.Lock()
		defer t.mu.Unlock()
		defer close(f.done)
		e.flight = nil
		if e.revision != revision {
			if f.err == nil {
				f.err = host.Errorf(host.CodeUnavailable, "the login of connection %s was renewed in the meantime", conn.ID)
			}
			return
		}
		now := t.Clock()
		if e.unsaved = unsaved; f.err != nil {
			e.fails++
			e.failure, e.notUntil = f.err, now.Add(min(firstBackoff<<min(e.fails-1, 10), longestWait))
		} else {
			e.token, e.got, e.fails, e.notUntil, e.failure = f.token, now, 0, time.Time{}, nil
			for h := range e.holders {
				t.work.Go(func() { h.bring(f.token.Access) })
			}
		}
		t.schedule(e, &conn)
	})
	return f
}

// schedule has the token replaced ahead of time while somebody holds it. It is
// called with mu held.
func (t *Tokens) schedule(e *entry, c *host.Connection) {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if len(e.holders) == 0 || t.ctx.Err() != nil || e.failure != nil && host.CodeOf(e.failure) == host.CodeAuthRequired {
		return
	}
	at := e.notUntil
	if at.IsZero() {
		if e.token.Expires.IsZero() {
			return
		}
		at = e.renewAt()
	}
	conn := *c
	e.timer = time.AfterFunc(max(at.Sub(t.Clock()), 10*time.Millisecond), func() {
		// Its outcome is in the entry, for the next who asks.
		_, _ = t.Access(t.ctx, &conn, "")
	})
}

// Forget drops what is known of a connection's token.
func (t *Tokens) Forget(c host.ConnectionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.all[c]; e != nil && e.flight == nil && len(e.holders) == 0 {
		if e.timer != nil {
			e.timer.Stop()
		}
		delete(t.all, c)
	}
}

// renew gets a token: the stored one where that still holds, and is not the
// last one that was handed out, or else a new one, which is durable when it is
// returned. Unsaved is one that was got before and could not be kept; what is
// returned as such is to be given again.
func (t *Tokens) renew(ctx context.Context, c *host.Connection, refused, last string, unsaved *Token) (Token, *Token, error) {
	for {
		conn, revision, err := state.Get[host.Connection](ctx, t.Store, state.KindConnection, string(c.ID))
		if err != nil {
			return Token{}, unsaved, fmt.Errorf("read connection %s: %w", c.ID, err)
		}
		if conn.CredentialsRevision != c.CredentialsRevision {
			return Token{}, nil, host.Errorf(host.CodeUnavailable, "the login of connection %s was renewed in the meantime", c.ID)
		}
		g, err := t.grant(&conn)
		if err != nil {
			return Token{}, unsaved, err
		}
		if g.Kind != host.GrantCode {
			k, err := t.next(ctx, g)
			return k, nil, err
		}
		if unsaved == nil {
			k := stored(g.login)
			if k.Access != "" && k.Access != refused && k.Access != last && (k.Expires.IsZero() || t.Clock().Add(storedFor).Before(k.Expires)) {
				return k, nil, nil // got before the host was started again, or by a person just now
			}
			if k.Refresh == "" {
				return Token{}, nil, host.Errorf(host.CodeAuthRequired, "the vendor gave no refresh token, so the login ended with its access token: connect again")
			}
			if k, err = t.next(ctx, g); err != nil {
				return Token{}, nil, err
			}
			unsaved = &k
		}
		done, err := t.save(ctx, &conn, revision, unsaved)
		if err != nil {
			// The refresh token before has been used: the next attempt begins by keeping
			// this one.
			return Token{}, unsaved, &host.Error{Code: host.CodeUnavailable, Message: "the new token of connection " + string(c.ID) + " could not be kept", Err: err}
		}
		if done {
			return *unsaved, nil, nil
		}
	}
}

// save makes a token durable; false: the connection changed in between.
func (t *Tokens) save(ctx context.Context, c *host.Connection, revision host.Sequence, k *Token) (bool, error) {
	before, err := t.Open(c)
	if err != nil {
		return false, err
	}
	sealed, err := t.Seal(c.ID, k.credentials(before))
	if err != nil {
		return false, err
	}
	c.Credentials = sealed
	put, err := state.PutOf(state.KindConnection, string(c.ID), revision, c)
	if err != nil {
		return false, err
	}
	for wait := 10 * time.Millisecond; ; wait *= 4 {
		_, err = t.Store.Commit(ctx, t.Clock(), []state.Put{put}, nil, nil)
		switch {
		case errors.Is(err, state.ErrChanged):
			return false, nil
		case err == nil || wait > time.Second:
			return err == nil, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false, err
		}
	}
}
