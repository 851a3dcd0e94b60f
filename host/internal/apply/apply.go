// Package apply brings what state knows of connections and endpoints in line
// with the configuration.
//
// It promises that what did not change is not touched; that data, tokens and
// what syncs have read stay with a connection whatever else changes in its
// block; that a connection whose block is gone is kept, detached, for
// host.DetachedFor; that a block with a mistake is never taken for one that is
// gone; and that credentials which a person renewed win until the file's own
// change. It can be repeated at any time, also after it was interrupted.
//
// It refuses connections made by the API: those are not configuration's.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Sealer seals and opens credentials with the host's own key, which is that of
// the connection "".
type Sealer interface {
	Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error)
	Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error)
}

// Params are what bringing state in line needs.
type Params struct {
	Store  *state.Store
	Sealer Sealer
	// Moved returns a connection's data key sealed for another id; nil: it has
	// none.
	Moved func(ctx context.Context, from, to host.ConnectionID) ([]byte, error)
	Now   func() time.Time
	NewID func(prefix string) string // of events (evt_) and incarnations
}

// Place binds sealed credentials to their connection: the additional data that
// they are sealed and opened with.
func Place(id host.ConnectionID) []byte { return []byte("credentials/" + id) }

// MakePlan tells what Apply would do, and changes nothing.
func MakePlan(ctx context.Context, p Params, cfg *config.Config) (Plan, error) {
	d, err := compare(ctx, p, cfg)
	if err != nil {
		return Plan{}, err
	}
	return d.plan, nil
}

// Bounds of one step, well below those of state.
const (
	stepPuts  = 500
	stepBytes = 2 << 20
)

// Apply brings state in line with the configuration.
func Apply(ctx context.Context, p Params, cfg *config.Config) error {
	if err := move(ctx, p, cfg); err != nil {
		return err
	}
	for {
		d, err := compare(ctx, p, cfg)
		if err != nil {
			return err
		}
		for _, id := range d.purge {
			if err := p.Store.Purge(ctx, id); err != nil {
				return fmt.Errorf("purge connection %s: %w", id, err)
			}
		}
		err = d.commit(ctx, p)
		if !errors.Is(err, state.ErrChanged) {
			return err
		}
		// Somebody wrote to one of the connections in between: compare again.
	}
}

// PurgeDetached removes the connections that have been detached for longer than
// host.DetachedFor, and returns their ids.
func PurgeDetached(ctx context.Context, p Params) ([]host.ConnectionID, error) {
	stored, err := state.All[host.Connection](ctx, p.Store, state.KindConnection)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	var purged []host.ConnectionID
	for i := range stored {
		c := &stored[i].Value
		if c.DetachedAt.IsZero() || p.Now().Sub(c.DetachedAt) < host.DetachedFor {
			continue
		}
		if err := p.Store.Purge(ctx, c.ID); err != nil {
			return purged, fmt.Errorf("purge connection %s: %w", c.ID, err)
		}
		purged = append(purged, c.ID)
	}
	return purged, nil
}

// difference is what has to be done.
type difference struct {
	plan  Plan
	at    time.Time
	purge []host.ConnectionID // before anything is put
	steps []step
}

// step is a connection's new document with its events.
type step struct {
	put    state.Put
	events []host.Event
}

// commit writes the steps, many together. What was written stays written if a
// later part is refused; the next comparison finds it done.
func (d *difference) commit(ctx context.Context, p Params) error {
	var puts []state.Put
	var events []host.Event
	size := 0
	flush := func() error {
		if len(puts) == 0 {
			return nil
		}
		_, err := p.Store.Commit(ctx, d.at, puts, events, nil)
		if err != nil {
			return fmt.Errorf("write connections: %w", err)
		}
		puts, events, size = nil, nil, 0
		return nil
	}
	for _, s := range d.steps {
		n := len(s.put.Body)
		for _, e := range s.events {
			n += len(e.Data)
		}
		if len(puts) == stepPuts || size+n > stepBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		puts, events, size = append(puts, s.put), append(events, s.events...), size+n
	}
	return flush()
}

// compare finds what differs between state and configuration.
func compare(ctx context.Context, p Params, cfg *config.Config) (*difference, error) {
	stored, err := state.All[host.Connection](ctx, p.Store, state.KindConnection)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	c := &comparison{Params: p, difference: difference{at: p.Now().UTC()}}
	todo, refused := moves(stored, cfg)
	c.plan.Refused = refused
	for _, m := range todo { // Apply has made them before it compares
		c.plan.Moved = append(c.plan.Moved, fmt.Sprintf("%s -> %s", m.From, m.To))
		for i := range stored {
			if stored[i].Value.ID == m.From {
				if err := c.renamed(&stored[i].Value, m.To); err != nil {
					return nil, err
				}
			}
		}
	}
	blocks := make(map[host.ConnectionID]*config.Connection, len(cfg.Connections))
	for i := range cfg.Connections {
		blocks[cfg.Connections[i].ID] = &cfg.Connections[i]
	}
	for i := range stored {
		old := &stored[i]
		block := blocks[old.Value.ID]
		delete(blocks, old.Value.ID)
		switch {
		case block != nil:
			err = c.present(old, block)
		case old.Value.ManagedBy != host.ManagedByFile:
		default:
			err = c.absent(old, cfg)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range cfg.Connections {
		if block := &cfg.Connections[i]; blocks[block.ID] == block {
			if err := c.add(block, false); err != nil {
				return nil, err
			}
		}
	}
	if err := c.endpoints(ctx, cfg); err != nil {
		return nil, err
	}
	for _, list := range []*[]string{&c.plan.Added, &c.plan.Changed, &c.plan.Removed, &c.plan.Purged, &c.plan.Restarted, &c.plan.Moved, &c.plan.Restart, &c.plan.Webhooks, &c.plan.Refused} {
		slices.Sort(*list)
		if *list == nil {
			*list = []string{} // an empty list in JSON, not null
		}
	}
	return &c.difference, nil
}
