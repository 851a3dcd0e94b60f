package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// bodies makes what is sent: the event, and what its connection is called now.
type bodies struct {
	store *state.Store

	mu          sync.RWMutex
	connections map[host.ConnectionID]json.RawMessage // by what was asked for; nil: it is gone
}

func newBodies(store *state.Store) *bodies {
	return &bodies{store: store, connections: map[host.ConnectionID]json.RawMessage{}}
}

// forget drops what is remembered of a connection ("": of all).
func (b *bodies) forget(id host.ConnectionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id == "" {
		clear(b.connections)
	} else {
		delete(b.connections, id)
	}
}

// of returns the body of a delivery of the event.
func (b *bodies) of(ctx context.Context, e *host.Event) ([]byte, error) {
	connection, err := b.connection(ctx, e.Connection)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 256+len(connection)+len(e.Data))
	out = append(out, `{"id":`...)
	out = appendString(out, string(e.ID))
	out = append(out, `,"type":`...)
	out = appendString(out, string(e.Type))
	out = append(out, `,"timestamp":"`...)
	out = e.Time.UTC().AppendFormat(out, host.TimeFormat)
	out = append(out, '"')
	if e.Connection != "" {
		out = append(out, `,"connection_id":`...)
		out = appendString(out, string(e.Connection))
	}
	if connection != nil {
		out = append(out, `,"connection":`...)
		out = append(out, connection...)
	}
	out = append(out, `,"data":`...)
	out = append(out, e.Data...)
	return append(out, '}'), nil
}

func appendString(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...) // a string can always be marshalled
	}
	return append(b, j...)
}

// connectionView is a connection as events name it.
type connectionView struct {
	Label    string            `json:"label"`
	System   host.SystemName   `json:"system"`
	Metadata map[string]string `json:"metadata"`
}

func (b *bodies) connection(ctx context.Context, id host.ConnectionID) (json.RawMessage, error) {
	if id == "" {
		return nil, nil
	}
	b.mu.RLock()
	view, ok := b.connections[id]
	b.mu.RUnlock()
	if ok {
		return view, nil
	}
	c, _, err := state.Get[host.Connection](ctx, b.store, state.KindConnection, string(id))
	switch {
	case errors.Is(err, state.ErrNotFound): // removed: the event tells the rest
	case err != nil:
		return nil, fmt.Errorf("read connection %s: %w", id, err)
	default:
		v := connectionView{c.Label, c.System, c.Metadata}
		if v.Metadata == nil {
			v.Metadata = map[string]string{}
		}
		if view, err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("encode connection %s: %w", id, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connections[id] = view
	return view, nil
}
