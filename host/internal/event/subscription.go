package event

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// subscriptions is who wants what, as it stands in state. It may be used
// concurrently.
type subscriptions struct {
	store *state.Store

	mu        sync.Mutex
	after     uint64 // of the store's changes
	endpoints []*host.Endpoint
	// overrides are what connections ask for in the place of what an endpoint
	// does; nil: nothing.
	overrides map[host.ConnectionID]map[host.EndpointID][]string
}

// refresh takes in what was committed since the last time. An endpoint that was
// there before an event is there after refresh.
func (s *subscriptions) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	refs, next, complete := s.store.ChangesNow(s.after)
	if next == s.after {
		return nil
	}
	reload := !complete
	for _, r := range refs {
		switch r.Kind {
		case state.KindEndpoint:
			reload = true
		case state.KindConnection:
			delete(s.overrides, host.ConnectionID(r.ID))
		}
	}
	if !complete || s.overrides == nil {
		s.overrides = map[host.ConnectionID]map[host.EndpointID][]string{}
	}
	if reload {
		all, err := state.All[host.Endpoint](ctx, s.store, state.KindEndpoint)
		if err != nil {
			return fmt.Errorf("list endpoints: %w", err)
		}
		s.endpoints = make([]*host.Endpoint, len(all))
		for i := range all {
			s.endpoints[i] = &all[i].Value
		}
	}
	s.after = next
	return nil
}

// all returns the endpoints; they are shared and not to be changed.
func (s *subscriptions) all() []*host.Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoints
}

// wants says whether an endpoint is to have the event.
func (s *subscriptions) wants(ctx context.Context, e *host.Endpoint, ev *host.Event) (bool, error) {
	own, err := s.of(ctx, ev.Connection)
	return err == nil && e.Takes(ev, own), err
}

func (s *subscriptions) asks(ctx context.Context, e *host.Endpoint, t host.EventType, c host.ConnectionID) (bool, error) {
	own, err := s.of(ctx, c)
	if err != nil {
		return false, err
	}
	if types, ok := own[e.ID]; ok {
		return host.MatchesType(types, t), nil
	}
	return e.Wants(t, c), nil
}

// wanted says whether any endpoint asks for events of the type from the
// connection.
func (s *subscriptions) wanted(ctx context.Context, t host.EventType, c host.ConnectionID) (bool, error) {
	for _, e := range s.all() {
		if asks, err := s.asks(ctx, e, t, c); asks || err != nil {
			return asks, err
		}
	}
	return false, nil
}

// of returns what a connection asks for in the place of its endpoints.
func (s *subscriptions) of(ctx context.Context, c host.ConnectionID) (map[host.EndpointID][]string, error) {
	if c == "" {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own, ok := s.overrides[c]
	if ok {
		return own, nil
	}
	doc, _, err := state.Get[host.Connection](ctx, s.store, state.KindConnection, string(c))
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return nil, fmt.Errorf("read connection %s: %w", c, err)
	}
	s.overrides[c] = doc.Webhooks
	return doc.Webhooks, nil
}
