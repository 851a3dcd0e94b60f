package webhook

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// lane is what the loop knows of one endpoint.
type lane struct {
	e        *host.Endpoint
	revision host.Sequence
	target   *target // nil while the endpoint cannot be called
	limiter  *rate.Limiter

	owed     bool      // there may be more to claim
	next     time.Time // when there is more to claim; zero: not by itself
	ready    []host.Delivery
	until    time.Time // the claim of those ready ends
	inFlight int
	window   int // attempts at once

	moving bool // deliveries are being held or released
	noting bool // the endpoint's health is being written
}

// target is how an endpoint is called, as long as it stays as it is.
type target struct {
	endpoint *host.Endpoint
	keys     []key
	headers  map[string]string
	client   *http.Client
}

// key is an opened signing secret.
type key struct {
	bytes []byte
	until time.Time // zero: it does not end
}

// learn takes the endpoint as it is stored now.
func (l *lane) learn(e *host.Endpoint, rev host.Sequence, s *Sender) {
	before := l.e
	l.e, l.revision = e, rev
	if before != nil && sameTarget(before, e) {
		return
	}
	l.close()
	l.limiter = nil
	if e.Rate > 0 {
		l.limiter = rate.NewLimiter(rate.Limit(e.Rate), max(1, int(e.Rate)))
	}
	keys, headers, err := s.Secrets(e)
	if err == nil && len(keys) != len(e.Secrets) {
		err = host.Errorf(host.CodeInternal, "%d of %d signing secrets were opened", len(keys), len(e.Secrets))
	}
	var rt http.RoundTripper
	if err == nil {
		rt, err = s.Transport(e)
	}
	if err != nil {
		l.target = nil
		s.Log.Error("an endpoint cannot be called until it is given anew", "endpoint", e.ID, "error", err)
		return
	}
	l.target = &target{endpoint: e, headers: headers, client: &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for i, k := range keys {
		l.target.keys = append(l.target.keys, key{k, e.Secrets[i].Until})
	}
}

// sameTarget says whether two states of an endpoint are called alike.
func sameTarget(a, b *host.Endpoint) bool {
	return a.URL == b.URL && a.Timeout == b.Timeout && a.Rate == b.Rate && a.AllowPrivate == b.AllowPrivate &&
		equalJSON(a.Headers, b.Headers) && equalJSON(a.Secrets, b.Secrets) && equalJSON(a.Network, b.Network) && equalJSON(a.Retry, b.Retry)
}

func (l *lane) close() {
	if l.target != nil {
		l.target.client.CloseIdleConnections()
	}
}

// visit begins what is due at the endpoint, and returns when something else
// is; zero: not by itself.
func (s *Sender) visit(ctx context.Context, l *lane, now time.Time) time.Time {
	if l.e.Disabled != nil {
		if l.owed && !l.moving && l.inFlight == 0 {
			l.owed, l.ready = false, nil
			s.move(ctx, l, host.DeliveryPending, host.DeliveryHeld, "its endpoint is disabled: "+l.e.Disabled.Reason)
		}
		return time.Time{}
	}
	if l.target == nil {
		return time.Time{}
	}
	for l.inFlight < l.window {
		if !l.until.After(now) {
			l.ready = nil // whoever claims them next has them
		}
		if len(l.ready) == 0 {
			if !l.owed && (l.next.IsZero() || l.next.After(now)) {
				return l.next
			}
			s.claim(ctx, l, now)
			if len(l.ready) == 0 {
				return l.next
			}
		}
		if l.limiter != nil {
			r := l.limiter.ReserveN(now, 1)
			if wait := r.DelayFrom(now); wait > 0 {
				r.CancelAt(now)
				return now.Add(wait)
			}
		}
		d := l.ready[0]
		l.ready = l.ready[1:]
		s.begin(ctx, l, d)
	}
	return time.Time{} // an attempt that ends goes on
}

// claim fetches what is due, a little ahead of what may begin.
func (s *Sender) claim(ctx context.Context, l *lane, now time.Time) {
	// An attempt begins within claimedFor, and is settled well before this.
	until := now.Add(claimedFor + l.e.Timeout + settleTimeout)
	ready, next, err := s.Store.Claim(ctx, state.Claim{Endpoint: l.e.ID, Now: now, Until: until, Limit: 2 * l.window})
	if err != nil {
		s.trouble(ctx, "claim deliveries", l.e.ID, err)
		l.next = now.Add(restAfterTrouble)
		return
	}
	l.owed, l.next, l.ready, l.until = false, next, ready, now.Add(claimedFor)
	if len(ready) > 0 {
		// Claims that end unused are claimed anew.
		if l.next.IsZero() || until.Before(l.next) {
			l.next = until
		}
	}
}

// begin makes one attempt, in a goroutine that has made one before where one
// waits: a new one would have to grow its stack first.
func (s *Sender) begin(ctx context.Context, l *lane, d host.Delivery) {
	l.inFlight++
	t := l.target
	job := func() {
		o := s.attempt(s.sends, t, d)
		s.report(func() { s.ended(ctx, l, o) })
	}
	select {
	case s.jobs <- job:
		return
	default:
	}
	s.work.Go(func() {
		idle := time.NewTimer(idleFor)
		defer idle.Stop()
		for {
			job()
			idle.Reset(idleFor)
			select {
			case job = <-s.jobs:
			case <-idle.C:
				return
			case <-ctx.Done():
				return
			}
		}
	})
}

// ended takes an attempt's outcome.
func (s *Sender) ended(ctx context.Context, l *lane, o outcome) {
	l.inFlight--
	if s.lanes[l.e.ID] != l {
		return
	}
	switch {
	case o.lost:
		l.next = time.Now().Add(restAfterTrouble)
	case o.ok:
		l.window = min(l.window+1, mostAtOnce)
	default:
		l.window = max(l.window/2, fewAtOnce)
		if l.next.IsZero() || !o.due.IsZero() && o.due.Before(l.next) {
			l.next = o.due
		}
	}
	if l.e.Disabled != nil {
		l.owed = true // what was on its way may be pending again
	}
	if !o.lost {
		s.health(ctx, l, o)
	}
}
