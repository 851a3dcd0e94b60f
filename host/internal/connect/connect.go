// Package connect lets a person make or renew one connection, without knowing
// anything but how they log in to their system.
//
// It promises that nothing is kept before the login has been tried against the
// system itself, that a session's link is used up by success alone, that two
// who use it at once make one connection, and that the token is handed to one
// of the person and the integrator, once. What a person typed stays in memory
// until it is known to work, and secret values are never handed back to a page.
//
// It refuses to know pages and addresses: those are the ui's.
package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Step is what goes into the store in one step.
type Step struct {
	Puts   []state.Put
	Events []host.Event
}

// Params are what a Connect needs. All are required.
type Params struct {
	Store   *state.Store
	Systems func() []host.System
	// Session finds the session that a link's secret opens. The error has
	// host.CodeNotFound where there is none.
	Session func(ctx context.Context, link string) (host.ConnectSession, host.Sequence, error)
	// Try logs in to a connection's system and tells what the login sees. The
	// connection is not stored.
	Try    func(ctx context.Context, c *host.Connection) ([]host.Entity, error)
	Vendor Vendor
	// Seal and Open are those of credentials.
	Seal func(c host.ConnectionID, credentials map[string]string) ([]byte, error)
	Open func(c *host.Connection) (map[string]string, error)
	// Mint commits a step, ends every token of the connection in it, and makes
	// one in it where asked to.
	Mint func(ctx context.Context, c host.ConnectionID, with Step, one bool) (string, error)
	// NewID returns a fresh id with the prefix.
	NewID func(prefix string) string
	Log   hclog.Logger
}

const (
	tryTimeout = time.Minute
	// triesAtOnce bounds the logins that are being tried; more wait.
	triesAtOnce = 16
	// A session's logins are not for guessing passwords, nor for locking the
	// login that they belong to.
	triesInARow  = 5
	triesPer     = time.Minute
	tokenShownIn = 10 * time.Minute // of success, or it is forgotten
)

// Connect carries sessions. It may be used concurrently.
type Connect struct {
	Params
	slots chan struct{}
	ctx   context.Context // of logins being tried
	stop  context.CancelFunc
	work  sync.WaitGroup

	mu       sync.Mutex
	tries    map[host.SessionID]*try
	journeys map[string]*journey // by state
}

// New returns a Connect; Run ends what it began.
func New(p Params) (*Connect, error) {
	if p.Store == nil || p.Systems == nil || p.Session == nil || p.Try == nil || p.Vendor.Asks == nil || p.Vendor.Depart == nil || p.Seal == nil || p.Open == nil || p.Mint == nil || p.NewID == nil || p.Log == nil {
		return nil, errors.New("new connect: every parameter is required")
	}
	c := &Connect{Params: p, slots: make(chan struct{}, triesAtOnce), tries: map[host.SessionID]*try{}, journeys: map[string]*journey{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Run forgets sessions that ended long ago, until the context ends; then it ends
// the logins that are being tried. It returns nil.
func (c *Connect) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := c.clean(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.Log.Error("forget old connect sessions", "error", err)
		}
		select {
		case <-ctx.Done():
			c.stop()
			c.work.Wait()
			return nil
		case <-tick.C:
		}
	}
}

// clean deletes the sessions that are kept no longer.
func (c *Connect) clean(ctx context.Context, now time.Time) error {
	all, err := state.All[host.ConnectSession](ctx, c.Store, state.KindSession)
	if err != nil {
		return err
	}
	for _, s := range all {
		if now.Sub(s.Value.ExpiresAt) < host.SessionKeptFor {
			continue
		}
		if _, err := c.Store.Commit(ctx, now, []state.Put{state.Delete(state.KindSession, s.ID, s.Revision)}, nil, nil); err != nil && !errors.Is(err, state.ErrChanged) {
			return err
		}
	}
	return nil
}

// Session returns the session that a link opens, whatever its status. The error
// has host.CodeNotFound where the link opens none.
func (c *Connect) Session(ctx context.Context, link string) (host.ConnectSession, error) {
	s, _, err := c.Params.Session(ctx, link)
	return s, err
}

// Systems returns the systems that a session may connect, by label.
func (c *Connect) Systems(s *host.ConnectSession) []host.System {
	var out []host.System
	for _, system := range c.Params.Systems() {
		if len(s.Systems) == 0 || slices.Contains(s.Systems, system.Name) {
			out = append(out, system)
		}
	}
	slices.SortStableFunc(out, func(a, b host.System) int {
		return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
	})
	return out
}

// Preset returns what a session's form begins with: the settings that are
// known, as text, and those of them that the person may not change.
func (c *Connect) Preset(ctx context.Context, s *host.ConnectSession) (g Given, locked []string, err error) {
	g.Settings, g.Credentials = map[string]string{}, map[string]string{}
	if s.Connection != "" {
		conn, _, err := state.Get[host.Connection](ctx, c.Store, state.KindConnection, string(s.Connection))
		if err != nil {
			return g, nil, fmt.Errorf("read connection %s: %w", s.Connection, err)
		}
		g.System, g.Label, g.Auth = conn.System, conn.Label, conn.Auth
		for name, v := range conn.Settings {
			g.Settings[name] = text(v)
			if conn.ManagedBy == host.ManagedByFile {
				locked = append(locked, name)
			}
		}
		return g, locked, nil
	}
	if s.New != nil {
		g.Label, locked = s.New.Label, s.New.Locked
		for name, v := range s.New.Settings {
			g.Settings[name] = text(v)
		}
	}
	return g, locked, nil
}

// text is a setting's value as a person types it.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Cancel ends a session without a connection. One that has ended stays as it
// is.
func (c *Connect) Cancel(ctx context.Context, link string) error {
	for {
		s, rev, err := c.Params.Session(ctx, link)
		if err != nil || s.Status(time.Now()) != host.SessionOpen {
			return err
		}
		s.CanceledAt = time.Now().UTC()
		put, err := state.PutOf(state.KindSession, string(s.ID), rev, &s)
		if err != nil {
			return err
		}
		if _, err = c.Store.Commit(ctx, time.Now(), []state.Put{put}, nil, nil); !errors.Is(err, state.ErrChanged) {
			c.forget(s.ID)
			return err
		}
	}
}

// forget drops what is known of a session's attempt.
func (c *Connect) forget(id host.SessionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tries[id]; t != nil {
		t.cancel()
		delete(c.tries, id)
	}
	maps.DeleteFunc(c.journeys, func(_ string, j *journey) bool { return j.session == id })
}
