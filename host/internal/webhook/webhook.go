// Package webhook carries deliveries to their endpoints: it claims what is due,
// signs it as Standard Webhooks 1.0 has it, sends it, and settles the outcome.
//
// It promises that a delivery is attempted until it succeeds or its schedule
// has ended, and that whatever becomes of it is written down: every attempt
// with its time and answer, a delivery that has failed for good as dead, an
// endpoint that was given up as disabled. Endpoints do not wait for each other:
// each has its own few attempts at once. A delivery that was on its way when
// the host ended is sent again; its webhook-id tells.
//
//	pending ──► delivered
//	   │ ▲ └──► dead ──► pruned after 30 days
//	   ▼ │        ▲
//	  held ───────┘   (its endpoint is disabled; released when it is enabled)
//
// It refuses to choose what is sent to whom: that is decided where deliveries
// are made.
//
// One goroutine, the loop, owns the lanes; attempts work in goroutines of their
// own and report back to it.
package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Params are what a Sender needs. Store, Secrets, NewID and Log are required.
type Params struct {
	Store *state.Store
	// Secrets opens an endpoint's signing secrets, the current one last, and its
	// headers.
	Secrets func(e *host.Endpoint) (keys [][]byte, headers map[string]string, err error)
	// NewID returns a fresh id with the prefix.
	NewID func(prefix string) string
	// PrivateTargets are private networks that endpoints may be in that are not
	// allowed all of them; nil: none.
	PrivateTargets func() []netip.Prefix
	// Transport returns how an endpoint is called; nil: over guarded connections.
	Transport func(e *host.Endpoint) (http.RoundTripper, error)
	// Attempted is told of each attempt, for metrics; nil: nobody counts.
	Attempted func(e host.EndpointID, outcome string, took time.Duration)
	Version   string        // of the program, for the user agent
	Drain     time.Duration // how long attempts may go on when the host stops
	Log       hclog.Logger
}

// How many attempts to one endpoint go on at once: fewer while they fail, more
// while they succeed.
const (
	fewAtOnce  = 16
	mostAtOnce = 64
)

const (
	// claimedFor bounds how long a claimed delivery waits for its attempt before
	// it may be claimed again.
	claimedFor = 2 * time.Minute
	// restAfterTrouble is how long nothing is tried after the store failed.
	restAfterTrouble = 5 * time.Second
	settleTimeout    = 30 * time.Second
	// idleFor is how long a goroutine waits for another attempt to make.
	idleFor   = time.Second
	lookEvery = time.Minute
)

// Sender carries deliveries.
type Sender struct {
	Params
	bodies *bodies
	sends  context.Context // of attempts; ends when draining is over

	// Owned by the loop.
	lanes  map[host.EndpointID]*lane
	wishes map[string]bool // being fulfilled
	done   chan func()
	jobs   chan func() // attempts, for goroutines that wait for another
	work   sync.WaitGroup
}

// New returns a Sender that does nothing until Run.
func New(p Params) (*Sender, error) {
	if p.Store == nil || p.Secrets == nil || p.NewID == nil || p.Log == nil {
		return nil, errors.New("new webhook sender: Store, Secrets, NewID and Log are required")
	}
	if p.PrivateTargets == nil {
		p.PrivateTargets = func() []netip.Prefix { return nil }
	}
	if p.Transport == nil {
		p.Transport = func(e *host.Endpoint) (http.RoundTripper, error) { return transport(e, p.PrivateTargets()) }
	}
	if p.Attempted == nil {
		p.Attempted = func(host.EndpointID, string, time.Duration) {}
	}
	return &Sender{
		Params: p, bodies: newBodies(p.Store), lanes: map[host.EndpointID]*lane{}, wishes: map[string]bool{}, done: make(chan func(), 256), jobs: make(chan func()),
	}, nil
}

// Run delivers until the context ends, then lets attempts that are under way
// go on for as long as Drain allows. It returns nil when the context ended it.
func (s *Sender) Run(ctx context.Context) error {
	var cut context.CancelFunc
	s.sends, cut = context.WithCancel(context.WithoutCancel(ctx)) // attempts outlive the stop for a while
	defer cut()
	changes := make(chan []state.Ref)
	s.work.Go(func() { s.watch(ctx, changes) })
	s.work.Go(func() { s.keepHouse(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case refs := <-changes:
			s.take(ctx, refs)
		case f := <-s.done:
			f()
		case <-timer.C:
		}
		// What else came in the meantime is taken before anything is begun.
		for more := true; more && ctx.Err() == nil; {
			select {
			case refs := <-changes:
				s.take(ctx, refs)
			case f := <-s.done:
				f()
			default:
				more = false
			}
		}
		if ctx.Err() == nil {
			timer.Reset(s.visitAll(ctx, time.Now()))
		}
	}
	s.drain(changes, cut)
	return nil
}

// drain waits for what is under way.
func (s *Sender) drain(changes <-chan []state.Ref, cut context.CancelFunc) {
	ended := make(chan struct{})
	go func() { s.work.Wait(); close(ended) }()
	deadline := time.NewTimer(s.Drain)
	defer deadline.Stop()
	for {
		select {
		case f := <-s.done:
			f()
		case <-changes:
		case <-deadline.C:
			cut()
		case <-ended:
			for _, l := range s.lanes {
				l.close()
			}
			return
		}
	}
}

// watch hands on what changed in state; nil stands for everything.
func (s *Sender) watch(ctx context.Context, out chan<- []state.Ref) {
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

// concerning keeps the refs that the sender acts upon.
func concerning(refs []state.Ref) []state.Ref {
	out := refs[:0]
	for _, r := range refs {
		switch r.Kind {
		case state.KindConnection, state.KindEndpoint, state.KindDelivery, state.KindWish:
			out = append(out, r)
		}
	}
	return out
}

// take brings what the loop knows in line with what changed.
func (s *Sender) take(ctx context.Context, refs []state.Ref) {
	if refs == nil {
		s.takeAll(ctx)
		return
	}
	for _, r := range refs {
		switch r.Kind {
		case state.KindConnection:
			s.bodies.forget(host.ConnectionID(r.ID))
		case state.KindWish:
			s.fulfil(ctx, r.ID)
		case state.KindDelivery:
			if l := s.lanes[host.EndpointID(r.ID)]; l != nil {
				l.owed = true
			}
		default:
			e, rev, err := state.Get[host.Endpoint](ctx, s.Store, state.KindEndpoint, r.ID)
			switch {
			case errors.Is(err, state.ErrNotFound):
				s.forget(ctx, host.EndpointID(r.ID))
			case err != nil:
				s.trouble(ctx, "read an endpoint", host.EndpointID(r.ID), err)
			default:
				s.learn(ctx, &e, rev)
			}
		}
	}
}

func (s *Sender) takeAll(ctx context.Context) {
	s.bodies.forget("")
	all, err := state.All[host.Endpoint](ctx, s.Store, state.KindEndpoint)
	if err != nil {
		s.trouble(ctx, "list endpoints", "", err)
		return
	}
	there := map[host.EndpointID]bool{}
	for i := range all {
		there[all[i].Value.ID] = true
		s.learn(ctx, &all[i].Value, all[i].Revision)
	}
	for id := range s.lanes {
		if !there[id] {
			s.forget(ctx, id)
		}
	}
	wishes, err := state.All[host.Wish](ctx, s.Store, state.KindWish)
	if err != nil {
		s.trouble(ctx, "list wishes", "", err)
		return
	}
	for _, w := range wishes {
		if w.Value.Kind == host.WishRetry && w.Value.DoneAt.IsZero() {
			s.fulfil(ctx, w.ID)
		}
	}
}

// fulfil carries out a wish in a goroutine of its own, once.
func (s *Sender) fulfil(ctx context.Context, id string) {
	if s.wishes[id] {
		return
	}
	s.wishes[id] = true
	s.work.Go(func() {
		if err := s.retry(ctx, id); err != nil {
			s.trouble(ctx, "try deliveries again", "", err)
		}
		s.report(func() { delete(s.wishes, id) })
	})
}

// learn takes an endpoint as it is stored now.
func (s *Sender) learn(ctx context.Context, e *host.Endpoint, rev host.Sequence) {
	l := s.lanes[e.ID]
	if l == nil {
		l = &lane{window: fewAtOnce}
		s.lanes[e.ID] = l
	} else if rev <= l.revision {
		return
	}
	enabled := l.e != nil && l.e.Disabled != nil && e.Disabled == nil
	l.learn(e, rev, s)
	l.owed = true
	if enabled {
		s.work.Go(func() {
			if err := s.release(ctx, e.ID); err != nil {
				s.trouble(ctx, "release held deliveries", e.ID, err)
			}
		})
	}
}

// forget drops an endpoint that was removed, and ends what it was owed.
func (s *Sender) forget(ctx context.Context, id host.EndpointID) {
	l := s.lanes[id]
	if l == nil {
		return
	}
	l.close()
	delete(s.lanes, id)
	s.work.Go(func() {
		if err := s.endAll(ctx, id); err != nil {
			s.trouble(ctx, "end what a removed endpoint was owed", id, err)
		}
	})
}

// visitAll begins what is due and returns how long until something else is.
func (s *Sender) visitAll(ctx context.Context, now time.Time) time.Duration {
	next := now.Add(lookEvery)
	for _, l := range s.lanes {
		if at := s.visit(ctx, l, now); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return max(next.Sub(now), 0)
}

// report hands a function to the loop. It is called from workers only.
func (s *Sender) report(f func()) { s.done <- f }

// trouble logs that the store failed, unless the host stops.
func (s *Sender) trouble(ctx context.Context, what string, e host.EndpointID, err error) {
	if ctx.Err() == nil && !errors.Is(err, state.ErrClosed) {
		s.Log.Error(what, "endpoint", e, "error", err)
	}
}

// spread chooses how late, between not at all and as late as may be, an attempt
// is made.
func spread() float64 { return rand.Float64() }
