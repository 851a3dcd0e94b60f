// Package event reads the log in order and makes of it what is owed to whom:
// deliveries of events to the endpoints that want them, and events of changed
// records where endpoints or triggers ask for them.
//
// It promises that every event is matched with the endpoints as they are when
// it is read, once, and that an event's deliveries are durable before the log's
// position moves past it; that a change which a trigger or an endpoint follows
// becomes its events once; and that a condition which cannot be evaluated on a
// record is told and harms no sync.
//
// It refuses to send anything: what it writes, others carry.
package event

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Params are what a Dispatcher needs. All are required.
type Params struct {
	Store *state.Store
	// NewID returns a fresh id with the prefix.
	NewID func(prefix string) string
	// Record returns a record as the API answers it.
	Record func(context.Context, *host.Record) ([]byte, error)
	// Triggers returns the triggers of the configuration as it is now.
	Triggers func() []Trigger
	Log      hclog.Logger
}

// Positions of the log under which this package keeps how far it came.
const (
	dispatchPosition = "dispatch" // events: their deliveries are pushed
	changesPosition  = "changes"  // followed changes: their events are pushed
)

// Bounds of one push, well below those of state.
const (
	pushItems = 1000
	pushBytes = 2 << 20
	readItems = 500
)

// Pauses: after the store failed, and until a position that nothing was owed
// for is written down.
const (
	restAfterTrouble = 5 * time.Second
	positionAfter    = time.Second
)

// Dispatcher makes deliveries and events.
type Dispatcher struct {
	Params
	subscriptions subscriptions
	troubles      troubles
}

// New returns a Dispatcher that does nothing until Run.
func New(p Params) (*Dispatcher, error) {
	if p.Store == nil || p.NewID == nil || p.Record == nil || p.Triggers == nil || p.Log == nil {
		return nil, errors.New("new event dispatcher: all params are required")
	}
	return &Dispatcher{
		Params:        p,
		subscriptions: subscriptions{store: p.Store},
		troubles:      troubles{kept: map[string]*trouble{}},
	}, nil
}

// Run reads the log until the context ends. It returns nil when the context
// ended it.
func (d *Dispatcher) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for what, stage := range map[string]func(context.Context) error{
		"dispatch events": d.dispatch, "follow changes": d.follow, "look at triggers": d.look,
	} {
		work.Go(func() { d.again(ctx, what, stage) })
	}
	work.Wait()
	return nil
}

// again runs a stage until the context ends, and starts it again after a pause
// where the store failed it.
func (d *Dispatcher) again(ctx context.Context, what string, stage func(context.Context) error) {
	for ctx.Err() == nil {
		err := stage(ctx)
		if ctx.Err() != nil || errors.Is(err, state.ErrClosed) {
			return
		}
		d.Log.Error(what, "error", err)
		select {
		case <-time.After(restAfterTrouble):
		case <-ctx.Done():
		}
	}
}

// Follows says whether the changes that a run makes to an entity are to be
// kept: an endpoint names record events, or a trigger the entity. The records
// of a first run concern only triggers that ask for them.
func (d *Dispatcher) Follows(ctx context.Context, c *host.Connection, e host.EntityName, first bool) (bool, error) {
	for _, t := range d.Triggers() {
		if t.Entity == e && t.covers(c.ID) && (!first || t.Initial) {
			return true, nil
		}
	}
	if first {
		return false, nil
	}
	if err := d.subscriptions.refresh(ctx); err != nil {
		return false, err
	}
	for _, t := range []host.EventType{host.EventRecordCreated, host.EventRecordUpdated, host.EventRecordDeleted} {
		wanted, err := d.subscriptions.wanted(ctx, t, c.ID)
		if wanted || err != nil {
			return wanted, err
		}
	}
	return false, nil
}
