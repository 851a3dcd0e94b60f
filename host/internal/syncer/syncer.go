// Package syncer keeps every connection's entities current: it decides when a
// run is due, carries it from checkpoint to checkpoint into state, and checks
// that each connection's system still answers and still accepts the login.
//
// It promises that each entity succeeds or fails by itself, that a page is
// acknowledged to the connector only after it is durable, that deletions are
// concluded only from a full run that provably reached its end, and that a
// login which the system refused is tried exactly once more and then not again
// until there are new credentials or a person asks for a check.
//
// It refuses to parse records on their way, to know how connectors are run,
// and to be called: wishes (a queued run, a check) are read from state.
//
// One goroutine, the loop, owns all that is known of connections; checks and
// runs work in goroutines of their own and report back to it.
package syncer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Session is an open connection in a connector. Its methods may be called
// concurrently. Errors are *host.Error with a connector's codes.
type Session interface {
	// Check logs in and proves that the system answers.
	Check(ctx context.Context) error
	// Entities tells what the login sees.
	Entities(ctx context.Context) ([]host.Entity, error)
	// Read hands pages to commit, in order; a page is acknowledged when commit
	// returns nil. It returns nil only if the read provably reached its end.
	Read(ctx context.Context, r Read, commit func(host.Page) error) error
	// Close ends the session.
	Close() error
}

// Read names what a session is to read.
type Read struct {
	Entity     host.EntityName
	Mode       host.Mode
	Checkpoint []byte
	Since      time.Time
}

// Mapping returns the JSON object of a connection's own fields for a record as
// received.
type Mapping func(raw []byte) ([]byte, error)

// Params are what a Syncer needs. Store, Open, NewID and Log are required.
type Params struct {
	Store *state.Store
	// Open opens a connection in its connector.
	Open func(ctx context.Context, c *host.Connection) (Session, error)
	// NewID returns a fresh id with the prefix ("run_", "evt_").
	NewID func(prefix string) string
	// Mapping returns the mapping of a connection's entity, nil where there is none.
	Mapping func(c host.ConnectionID, e host.EntityName) Mapping
	// Cursor returns the cursor of the feed after a sequence, for events.
	Cursor func(c *host.Connection, after host.Sequence) string
	// Follows says whether the changes that a run makes to an entity are to be
	// kept for whoever follows them; first: no run of it has completed before.
	// Nil: never.
	Follows func(ctx context.Context, c *host.Connection, e host.EntityName, first bool) (bool, error)
	// Reconnect makes a link with which a person gives a connection new
	// credentials, and what is stored of it, for the event that asks for them.
	// Nil: there is no page to lead to.
	Reconnect func(c *host.Connection, at time.Time) (Link, error)
	// Parallel is how many runs go on at once; default 8.
	Parallel int
	Log      hclog.Logger
}

// Link leads a person to where a connection is renewed.
type Link struct {
	URL     string
	Session host.SessionID
	Puts    []state.Put // what makes it open, in the same step
}

// Limits of what goes on at once and of what is kept open.
const (
	defaultParallel   = 8
	parallelOneLogin  = 2               // runs of one connection
	parallelChecks    = 8               //
	idleSession       = 2 * time.Minute // a session unused for so long is closed
	entitiesFor       = time.Hour       // what a login sees is asked again after
	checkTimeout      = time.Minute
	entitiesTimeout   = 2 * time.Minute
	sweepEvery        = time.Minute
	wishKept          = 10 * time.Minute
	storageRetryAfter = 5 * time.Second
)

// Syncer runs the syncs of all connections.
type Syncer struct {
	Params
	holder string

	// Owned by the loop.
	links  map[host.ConnectionID]*link
	runs   int
	checks int
	done   chan func()
	work   sync.WaitGroup
}

// New returns a Syncer that does nothing until Run.
func New(p Params) (*Syncer, error) {
	if p.Store == nil || p.Open == nil || p.NewID == nil || p.Log == nil {
		return nil, errors.New("new syncer: Store, Open, NewID and Log are required")
	}
	if p.Parallel <= 0 {
		p.Parallel = defaultParallel
	}
	if p.Mapping == nil {
		p.Mapping = func(host.ConnectionID, host.EntityName) Mapping { return nil }
	}
	if p.Cursor == nil {
		p.Cursor = func(*host.Connection, host.Sequence) string { return "" }
	}
	if p.Follows == nil {
		p.Follows = func(context.Context, *host.Connection, host.EntityName, bool) (bool, error) { return false, nil }
	}
	return &Syncer{
		Params: p,
		holder: p.NewID("holder_"),
		links:  map[host.ConnectionID]*link{},
		done:   make(chan func(), 64),
	}, nil
}

// Run keeps connections current until the context ends, then waits for runs to
// stop at their last committed page and closes all sessions. It returns nil
// when the context ended it.
func (s *Syncer) Run(ctx context.Context) error {
	defer s.closeAll()
	changes := make(chan []state.Ref)
	s.work.Go(func() { s.watch(ctx, changes) })
	defer func() {
		// Whoever reports is read until all have ended.
		ended := make(chan struct{})
		go func() { s.work.Wait(); close(ended) }()
		for {
			select {
			case f := <-s.done:
				f()
			case <-changes:
			case <-ended:
				return
			}
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case refs := <-changes:
			s.take(ctx, refs)
		case f := <-s.done:
			f()
		case <-timer.C:
		}
		// What else came in the meantime is taken before anything is decided.
		for more := true; more; {
			select {
			case refs := <-changes:
				s.take(ctx, refs)
			case f := <-s.done:
				f()
			default:
				more = false
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		timer.Reset(s.dispatch(ctx, time.Now()))
	}
}

// watch hands on what changed in state; nil stands for everything.
func (s *Syncer) watch(ctx context.Context, out chan<- []state.Ref) {
	var after uint64
	for {
		refs, next, complete, err := s.Store.Changes(ctx, after)
		if err != nil {
			return
		}
		after = next
		if !complete {
			refs = nil
		} else if refs = concerning(refs); len(refs) == 0 {
			continue
		}
		select {
		case out <- refs:
		case <-ctx.Done():
			return
		}
	}
}

// concerning keeps the refs that the syncer acts upon.
func concerning(refs []state.Ref) []state.Ref {
	out := refs[:0]
	for _, r := range refs {
		if r.Kind == state.KindConnection || r.Kind == state.KindRun || r.Kind == state.KindWish {
			out = append(out, r)
		}
	}
	return out
}

// take brings what the loop knows in line with what changed.
func (s *Syncer) take(ctx context.Context, refs []state.Ref) {
	if refs == nil {
		s.takeAll(ctx)
		return
	}
	for _, r := range refs {
		var err error
		switch r.Kind {
		case state.KindWish:
			err = s.takeWish(ctx, r.ID)
		default:
			err = s.takeConnection(ctx, host.ConnectionID(r.ID))
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("read a change", "kind", r.Kind, "id", r.ID, "error", err)
		}
	}
}

func (s *Syncer) takeAll(ctx context.Context) {
	all, err := state.All[host.Connection](ctx, s.Store, state.KindConnection)
	if err != nil {
		s.Log.Error("list connections", "error", err)
		return
	}
	there := map[host.ConnectionID]bool{}
	for i := range all {
		there[all[i].Value.ID] = true
		if err := s.learn(ctx, &all[i].Value, all[i].Revision); err != nil {
			s.Log.Error("read syncs", "connection", all[i].ID, "error", err)
		}
	}
	for id := range s.links {
		if !there[id] {
			s.forget(id)
		}
	}
	wishes, err := state.All[host.Wish](ctx, s.Store, state.KindWish)
	if err != nil {
		s.Log.Error("list wishes", "error", err)
	}
	var old []state.Put
	for _, w := range wishes {
		if done := w.Value.DoneAt; !done.IsZero() && time.Since(done) > wishKept && len(old) < host.MaxStepItems {
			old = append(old, state.Delete(state.KindWish, w.ID, state.Any))
			continue
		}
		s.wish(w.Value)
	}
	if len(old) > 0 {
		if _, err := s.Store.Commit(ctx, time.Now(), old, nil, nil); err != nil {
			s.Log.Error("remove old wishes", "error", err)
		}
	}
}

func (s *Syncer) takeConnection(ctx context.Context, id host.ConnectionID) error {
	c, rev, err := state.Get[host.Connection](ctx, s.Store, state.KindConnection, string(id))
	if errors.Is(err, state.ErrNotFound) {
		s.forget(id)
		return nil
	}
	if err != nil {
		return err
	}
	return s.learn(ctx, &c, rev)
}

func (s *Syncer) takeWish(ctx context.Context, id string) error {
	w, _, err := state.Get[host.Wish](ctx, s.Store, state.KindWish, id)
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.wish(w)
	return nil
}

func (s *Syncer) wish(w host.Wish) {
	if l := s.links[w.Connection]; l != nil && w.DoneAt.IsZero() && w.Kind == host.WishCheck {
		for _, have := range l.wishes {
			if have.ID == w.ID {
				return
			}
		}
		l.wishes = append(l.wishes, w)
	}
}

// forget drops a connection that was removed; its runs and check are canceled.
func (s *Syncer) forget(id host.ConnectionID) {
	if l := s.links[id]; l != nil {
		l.cancelAll(errRemoved)
		l.closeSession()
		delete(s.links, id)
	}
}

func (s *Syncer) closeAll() {
	for _, l := range s.links {
		l.closeSession()
	}
}

// report hands a function to the loop. It is called from workers only.
func (s *Syncer) report(f func()) { s.done <- f }

// event makes an event with data.
func (s *Syncer) event(t host.EventType, c host.ConnectionID, at time.Time, data any) host.Event {
	return newEvent(host.EventID(s.NewID("evt_")), t, c, at, data)
}

// Causes with which a run or check is stopped from outside.
var (
	errRemoved = errors.New("the connection was removed")
	errStopped = errors.New("the connection was paused, detached or changed")
	errRefused = errors.New("another run's login was refused")
)
