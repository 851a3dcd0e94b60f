// Package auth makes and checks the tokens of our API.
//
// A token is "drc_" (a connection's) or "dra_" (administration), a short
// reference that tells where it is stored, and a secret of 256 bits with a
// checksum. It promises that only a hash of a token is kept, that the token is
// shown once, that comparing takes as long for a wrong one as for the right
// one, and that a revoked token opens nothing from that moment on.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"path"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Prefixes of tokens.
const (
	ConnectionPrefix = "drc_"
	AdminPrefix      = "dra_"
)

// AdminToken is a token for administration that the configuration names.
type AdminToken struct {
	Name        string
	Hash        [sha256.Size]byte // of the token
	Role        host.Role
	Connections []string // patterns it is limited to; empty: all
}

// Params are what an Auth needs.
type Params struct {
	Store       *state.Store
	AdminTokens []AdminToken
	Clock       func() time.Time
	// Locked is told of each source that is locked out for guessing; nil: nobody
	// is.
	Locked func(source string, until time.Time)
}

// Auth makes and checks tokens. It may be used concurrently.
type Auth struct {
	store *state.Store
	now   func() time.Time
	admin atomic.Pointer[[]AdminToken]
	guard guard
	// minting makes looking for tokens of a name and ending them one step, so
	// that two mints at once do not leave two of them.
	minting sync.Mutex
}

// Step is what goes into the same step as a new token: both or neither.
type Step struct {
	Puts   []state.Put
	Events []host.Event
}

// New returns an Auth.
func New(p Params) (*Auth, error) {
	if p.Store == nil || p.Clock == nil {
		return nil, errors.New("new auth: Store and Clock are required")
	}
	a := &Auth{store: p.Store, now: p.Clock, guard: guard{now: p.Clock, locked: p.Locked, by: map[netip.Prefix]*source{}}}
	a.SetAdminTokens(p.AdminTokens)
	return a, nil
}

// SetAdminTokens takes what the configuration names now.
func (a *Auth) SetAdminTokens(tokens []AdminToken) { a.admin.Store(&tokens) }

// Principal is whom a request is from.
type Principal struct {
	Token      host.TokenID
	Name       string
	Connection host.ConnectionID // of a connection token
	Access     host.Access       // of a connection token
	Role       host.Role         // of an admin token
	scope      []string
	hash       []byte // of a token of the configuration
}

// principal is whom a token of the configuration stands for.
func (t *AdminToken) principal() Principal {
	return Principal{Name: t.Name, Role: t.Role, scope: t.Connections, hash: t.Hash[:]}
}

// principalOf is whom a stored token stands for.
func principalOf(t *host.Token) Principal {
	return Principal{Token: t.ID, Name: t.Name, Connection: t.Connection, Access: t.Access, Role: t.Role, scope: t.Scope}
}

// Local is the principal of the control socket: its peer is the host's user.
func Local() Principal { return Principal{Name: "local", Role: host.RoleAdmin} }

// Admin says whether it is an admin token.
func (p *Principal) Admin() bool { return p.Role != "" }

// Limited says whether an admin token is limited to some connections: it then
// opens nothing that is about the whole host.
func (p *Principal) Limited() bool { return len(p.scope) > 0 }

// Patterns returns what an admin token is limited to; none: it is not.
func (p *Principal) Patterns() []string { return p.scope }

// Covers says whether an admin token's patterns cover the connection.
func (p *Principal) Covers(id host.ConnectionID) bool {
	if len(p.scope) == 0 {
		return true
	}
	for _, pattern := range p.scope {
		if ok, err := path.Match(pattern, string(id)); ok && err == nil {
			return true
		}
	}
	return false
}

var errUnknown = &host.Error{Code: host.CodeUnauthorized, Message: "this token opens nothing; it may have been revoked, or have expired"}

// Authenticate returns whom a bearer token stands for. The error has
// host.CodeUnauthorized, and does not tell why, or host.CodeRateLimited where
// its source is locked out.
func (a *Auth) Authenticate(ctx context.Context, bearer string) (who Principal, err error) {
	err = a.guard.check(ctx, bearer, func() error {
		who, err = a.authenticate(ctx, bearer)
		return err
	})
	return who, err
}

func (a *Auth) authenticate(ctx context.Context, bearer string) (Principal, error) {
	if len(bearer) > 256 {
		return Principal{}, errUnknown
	}
	hash := sha256.Sum256([]byte(bearer))
	if strings.HasPrefix(bearer, AdminPrefix) {
		for _, t := range *a.admin.Load() {
			if subtle.ConstantTimeCompare(t.Hash[:], hash[:]) == 1 {
				return t.principal(), nil
			}
		}
	}
	id, ok := reference(bearer)
	if !ok {
		return Principal{}, errUnknown
	}
	t, _, err := state.Get[host.Token](ctx, a.store, state.KindToken, string(id))
	if errors.Is(err, state.ErrNotFound) {
		return Principal{}, errUnknown
	}
	if err != nil {
		return Principal{}, fmt.Errorf("read token %s: %w", id, err)
	}
	if subtle.ConstantTimeCompare(t.Hash, hash[:]) != 1 || t.Expired(a.now()) {
		return Principal{}, errUnknown
	}
	return principalOf(&t), nil
}

// reference returns the id under which a token is stored, if it has the form
// and checksum of one.
func reference(token string) (host.TokenID, bool) {
	for _, prefix := range []string{ConnectionPrefix, AdminPrefix} {
		if rest, ok := strings.CutPrefix(token, prefix); ok {
			ref, ok := checked(rest)
			return host.TokenID(ref), ok
		}
	}
	return "", false
}

// checked returns the reference in what follows a prefix, if the rest is a
// secret with its checksum.
func checked(rest string) (string, bool) {
	ref, secret, ok := strings.Cut(rest, "_")
	if !ok || !host.ValidID(ref) {
		return "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(b) != 36 {
		return "", false
	}
	return ref, binary.BigEndian.Uint32(b[32:]) == checksum(ref, b[:32])
}

// checksum is over reference and secret, so that one mistyped letter of either
// is seen before anything is looked up.
func checksum(ref string, secret []byte) uint32 {
	return crc32.ChecksumIEEE(append([]byte(ref), secret...))
}

// make returns a new token and what is stored of it.
func (a *Auth) make(prefix string, t host.Token) (string, host.Token) {
	token, id, hash := secret(prefix)
	t.ID, t.Hash, t.CreatedAt = host.TokenID(id), hash, a.now()
	return token, t
}

// secret returns a new secret text: prefix, reference, 256 bits and the checksum
// of both; and with it the reference and the hash of the whole.
func secret(prefix string) (text, id string, hash []byte) {
	ref := make([]byte, 10)
	secret := make([]byte, 32, 36)
	_, _ = rand.Read(ref)    // never fails: crypto/rand
	_, _ = rand.Read(secret) // the same
	id = strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(ref))
	secret = binary.BigEndian.AppendUint32(secret, checksum(id, secret))
	text = prefix + id + "_" + base64.RawURLEncoding.EncodeToString(secret)
	sum256 := sha256.Sum256([]byte(text))
	return text, id, sum256[:]
}

// MintConnection makes a connection's token and ends the one of the same name.
// expires zero: never. What it goes with should hold the connection itself, so
// that no token outlives a connection that is removed meanwhile;
// state.ErrChanged tells that it was changed in between.
func (a *Auth) MintConnection(ctx context.Context, c host.ConnectionID, name string, access host.Access, expires time.Time, with Step) (string, error) {
	return a.mint(ctx, ConnectionPrefix, host.Token{Name: name, Connection: c, Access: access, ExpiresAt: expires}, false, with)
}

// Renew makes a connection's token and ends every other of it.
func (a *Auth) Renew(ctx context.Context, c host.ConnectionID, with Step) (string, error) {
	return a.mint(ctx, ConnectionPrefix, host.Token{Name: "default", Connection: c, Access: host.AccessWrite}, true, with)
}

// EndAll ends every token of a connection, in one step with what it goes with.
func (a *Auth) EndAll(ctx context.Context, c host.ConnectionID, with Step) error {
	a.minting.Lock()
	defer a.minting.Unlock()
	old, err := a.List(ctx, c)
	if err != nil {
		return err
	}
	puts := with.Puts
	for _, o := range old {
		puts = append(puts, state.Delete(state.KindToken, string(o.ID), state.Any))
	}
	if _, err := a.store.Commit(ctx, a.now(), puts, with.Events, nil); err != nil {
		return fmt.Errorf("end the tokens of %s: %w", c, err)
	}
	return nil
}

// MintAdmin makes an admin token and ends the one of the same name.
func (a *Auth) MintAdmin(ctx context.Context, name string, role host.Role, scope []string, expires time.Time) (string, error) {
	return a.mint(ctx, AdminPrefix, host.Token{Name: name, Role: role, Scope: scope, ExpiresAt: expires}, false, Step{})
}

func (a *Auth) mint(ctx context.Context, prefix string, t host.Token, endAll bool, with Step) (string, error) {
	a.minting.Lock()
	defer a.minting.Unlock()
	old, err := a.List(ctx, t.Connection)
	if err != nil {
		return "", err
	}
	token, t := a.make(prefix, t)
	put, err := state.PutOf(state.KindToken, string(t.ID), state.Absent, t)
	if err != nil {
		return "", err
	}
	puts := append([]state.Put{put}, with.Puts...)
	for _, o := range old {
		if endAll || o.Name == t.Name {
			puts = append(puts, state.Delete(state.KindToken, string(o.ID), state.Any))
		}
	}
	if _, err := a.store.Commit(ctx, a.now(), puts, with.Events, nil); err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	return token, nil
}

// List returns the tokens of a connection ("": of administration), by name.
func (a *Auth) List(ctx context.Context, c host.ConnectionID) ([]host.Token, error) {
	all, err := state.All[host.Token](ctx, a.store, state.KindToken)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	var out []host.Token
	for _, t := range all {
		if t.Value.Connection == c {
			out = append(out, t.Value)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Revoke ends the tokens of a connection ("": of administration) that have the
// name, or all of them where it is empty. It says how many there were.
func (a *Auth) Revoke(ctx context.Context, c host.ConnectionID, name string) (int, error) {
	a.minting.Lock()
	defer a.minting.Unlock()
	all, err := a.List(ctx, c)
	if err != nil {
		return 0, err
	}
	var puts []state.Put
	for _, t := range all {
		if name == "" || t.Name == name || string(t.ID) == name {
			puts = append(puts, state.Delete(state.KindToken, string(t.ID), state.Any))
		}
	}
	if len(puts) == 0 {
		return 0, nil
	}
	if _, err := a.store.Commit(ctx, a.now(), puts, nil, nil); err != nil {
		return 0, fmt.Errorf("end tokens: %w", err)
	}
	return len(puts), nil
}
