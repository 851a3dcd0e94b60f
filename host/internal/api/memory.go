package api

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// memory keeps connections as they were last decoded. Every request still reads
// the document, so that what is kept is never older than the store; only the
// decoding, which can cost more than the list of records it stands before, is
// spared while the revision is the same.
type memory struct {
	mu   sync.RWMutex
	kept map[host.ConnectionID]remembered
}

type remembered struct {
	revision   host.Sequence
	connection host.Connection
}

// memorySize bounds what is kept.
const memorySize = 4096

// connection returns a connection whose maps and slices are shared with other
// requests: they are not to be changed.
func (m *memory) connection(ctx context.Context, s *state.Store, id host.ConnectionID) (host.Connection, error) {
	d, err := s.Engine().Document(ctx, s.Partition(""), state.KindConnection, string(id))
	if err != nil {
		return host.Connection{}, err
	}
	m.mu.RLock()
	k, ok := m.kept[id]
	m.mu.RUnlock()
	if ok && k.revision == d.Revision {
		return k.connection, nil
	}
	k = remembered{revision: d.Revision}
	if err := json.Unmarshal(d.Body, &k.connection); err != nil {
		return host.Connection{}, fmt.Errorf("decode connection %q: %w", id, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) >= memorySize {
		m.kept = map[host.ConnectionID]remembered{}
	}
	m.kept[id] = k
	return k.connection, nil
}
