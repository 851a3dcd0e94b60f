// Package memory is the reference engine of the state contract: maps behind one
// lock. It is what other engines are compared with, and what tests of stages
// run on.
//
// It promises everything the contract does but durability: it forgets with its
// process. It refuses to be clever; where it is slow, it is because the
// obvious way is.
package memory

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Engine keeps everything in maps.
type Engine struct {
	mu         sync.RWMutex
	partitions map[host.Partition]*partition
	closed     chan struct{}
	close      sync.Once
}

var _ state.Engine = (*Engine)(nil)

// New returns an empty engine.
func New() *Engine {
	return &Engine{partitions: map[host.Partition]*partition{}, closed: make(chan struct{})}
}

// Close ends the engine.
func (e *Engine) Close() error {
	e.close.Do(func() { close(e.closed) })
	return nil
}

// partition is all that lives together.
type partition struct {
	last       host.Sequence
	lastAt     time.Time
	changed    chan struct{} // closed and replaced with every step
	documents  map[state.Kind]map[string]document
	lives      map[host.ConnectionID]*life
	removed    map[host.ConnectionID]bool
	events     []state.Event
	eventIDs   map[host.EventID]bool
	times      []mark
	positions  map[string]host.Sequence
	deliveries map[host.DeliveryID]*delivery
	followed   []state.Followed
}

// document is a document and the connection that it goes with.
type document struct {
	state.Document
	connection host.ConnectionID
}

// mark is when a sequence was given.
type mark struct {
	at       time.Time
	sequence host.Sequence
}

// life is what a connection has until it is removed.
type life struct {
	streams map[host.EntityName]*stream
	runs    map[host.RunID]*state.RunState
}

// stream is an entity of a connection.
type stream struct {
	state.Standing
	records map[host.RecordID]state.Stored
	marks   map[state.Mark]bool
}

// delivery is a delivery, its attempts, and until when it is claimed.
type delivery struct {
	host.Delivery
	attempts []host.Attempt
	claimed  time.Time
}

// partition returns a partition, empty where nothing was written yet. The
// caller holds the lock for writing.
func (e *Engine) partition(p host.Partition) *partition {
	pt := e.partitions[p]
	if pt == nil {
		pt = &partition{
			changed:    make(chan struct{}),
			documents:  map[state.Kind]map[string]document{},
			lives:      map[host.ConnectionID]*life{},
			removed:    map[host.ConnectionID]bool{},
			eventIDs:   map[host.EventID]bool{},
			positions:  map[string]host.Sequence{},
			deliveries: map[host.DeliveryID]*delivery{},
		}
		e.partitions[p] = pt
	}
	return pt
}

// lock takes the lock and returns the partition and the function that gives
// the lock back.
func (e *Engine) lock(ctx context.Context, p host.Partition) (*partition, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	select {
	case <-e.closed:
		return nil, nil, state.ErrClosed
	default:
	}
	e.mu.Lock()
	return e.partition(p), e.mu.Unlock, nil
}

// stream returns an entity of a connection, or nil.
func (pt *partition) stream(c host.ConnectionID, e host.EntityName) *stream {
	if l := pt.lives[c]; l != nil {
		return l.streams[e]
	}
	return nil
}

// Wait returns the last sequence as soon as it is larger than after.
func (e *Engine) Wait(ctx context.Context, p host.Partition, after host.Sequence) (host.Sequence, error) {
	for {
		pt, unlock, err := e.lock(ctx, p)
		if err != nil {
			return 0, err
		}
		last, changed := pt.last, pt.changed
		unlock()
		if last > after {
			return last, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-e.closed:
			return 0, state.ErrClosed
		}
	}
}

// copyOf returns a copy that shares nothing with v.
func copyOf[T any](v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // v was decoded from JSON
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}
