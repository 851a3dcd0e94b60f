package event

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// follow makes events of followed changes, in the order of the log, and drops
// the changes with the same step.
func (d *Dispatcher) follow(ctx context.Context) error {
	from, err := d.Store.Pushed(ctx, changesPosition)
	if err != nil {
		return fmt.Errorf("read the position: %w", err)
	}
	looked := from
	limits := limits{}
	for {
		last, err := d.Store.Wait(ctx, "", looked)
		if err != nil {
			return err
		}
		for {
			if err := d.subscriptions.refresh(ctx); err != nil {
				return err
			}
			b := batch{to: from, connections: map[host.ConnectionID]any{}}
			err := d.Store.Followed(ctx, from, func(c *state.FollowedRecord) (bool, error) {
				if err := d.change(ctx, &b, c, limits); err != nil {
					return false, err
				}
				b.to = c.Sequence
				b.changes++
				return b.changes < readItems && len(b.events) < pushItems && b.size < pushBytes, nil
			})
			if err != nil {
				return fmt.Errorf("read changes: %w", err)
			}
			if b.changes == 0 {
				break
			}
			p := state.Push{Position: changesPosition, From: from, To: b.to, At: time.Now(), Drop: true}
			if err := d.Store.Push(ctx, p, b.events); err != nil {
				return fmt.Errorf("push the events of changes: %w", err)
			}
			from = b.to
		}
		looked = max(last, from)
	}
}

// batch is the events of some changes.
type batch struct {
	events  []host.Event
	size    int
	changes int
	to      host.Sequence

	connections map[host.ConnectionID]any // as triggers see them
}

func (b *batch) add(e host.Event) {
	b.events = append(b.events, e)
	b.size += len(e.Data)
}

// limits counts the events that a trigger made of a run's changes. Only the
// last run of each is remembered.
type limits map[limited]*used

type limited struct {
	trigger    string
	connection host.ConnectionID
}

type used struct {
	run host.RunID
	n   int
}

// take counts one more event; over says that it is the first one too many.
func (l limits) take(t *Trigger, c *state.FollowedRecord) (ok, over bool) {
	k := limited{t.Name, c.After.Connection}
	u := l[k]
	if u == nil || u.run != c.Run {
		u = &used{run: c.Run}
		l[k] = u
	}
	u.n++
	return t.Limit <= 0 || u.n <= t.Limit, u.n == t.Limit+1
}

// change adds the events of one change.
func (d *Dispatcher) change(ctx context.Context, b *batch, c *state.FollowedRecord, limits limits) error {
	if !c.First {
		if err := d.recordEvent(ctx, b, c); err != nil {
			return err
		}
	}
	if c.After.Deleted() {
		return nil // a condition is about what a record says
	}
	var s *subject
	now := time.Now()
	for _, t := range d.Triggers() {
		if t.Entity != c.After.Entity || !t.covers(c.After.Connection) || c.First && !t.Initial {
			continue
		}
		if s == nil {
			var err error
			connection := b.connections[c.After.Connection]
			if connection == nil {
				if connection, err = d.connection(ctx, c.After.Connection); err != nil {
					return err
				}
				b.connections[c.After.Connection] = connection
			}
			if s, err = d.subject(ctx, connection, &c.After, c.Before); err != nil {
				return err
			}
		}
		fires, err := t.fires(s, now)
		var e host.Event
		if err == nil && fires {
			ok, over := limits.take(&t, c)
			if over {
				d.Log.Warn("a trigger's further events of this run are left out: it has reached its limit", "trigger", t.Name, "connection", c.After.Connection, "run", c.Run, "limit", t.Limit)
			}
			if !ok {
				continue
			}
			e, err = t.event(host.EventID(d.NewID("evt_")), &c.After, s, now)
		}
		switch {
		case err != nil:
			if told, tell := d.failed(&t, &c.After, err, now); tell {
				b.add(told)
			}
		case fires:
			b.add(e)
		}
	}
	return nil
}

// subject decodes a change for triggers.
func (d *Dispatcher) subject(ctx context.Context, connection any, r, before *host.Record) (*subject, error) {
	now, err := d.Record(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("write %s %q: %w", r.Entity, r.ID, err)
	}
	s := &subject{connection: connection, record: decoded(now)}
	if before != nil && !before.Deleted() {
		old, err := d.Record(ctx, before)
		if err != nil {
			return nil, fmt.Errorf("write %s %q: %w", r.Entity, r.ID, err)
		}
		s.old = decoded(old)
	}
	return s, nil
}

// connection returns a connection as triggers see it.
func (d *Dispatcher) connection(ctx context.Context, id host.ConnectionID) (any, error) {
	c, _, err := state.Get[host.Connection](ctx, d.Store, state.KindConnection, string(id))
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		return nil, fmt.Errorf("read connection %s: %w", id, err)
	}
	return connectionValues(id, &c), nil
}

func connectionValues(id host.ConnectionID, c *host.Connection) any {
	metadata := make(map[string]any, len(c.Metadata))
	for k, v := range c.Metadata {
		metadata[k] = v
	}
	return map[string]any{"id": string(id), "label": c.Label, "system": string(c.System), "metadata": metadata}
}

// recordEvent adds the event that tells of the change itself, where somebody
// asks for it.
func (d *Dispatcher) recordEvent(ctx context.Context, b *batch, c *state.FollowedRecord) error {
	t := host.EventRecordUpdated
	switch {
	case c.After.Deleted():
		t = host.EventRecordDeleted
	case c.Before == nil || c.Before.Deleted():
		t = host.EventRecordCreated
	}
	wanted, err := d.subscriptions.wanted(ctx, t, c.After.Connection)
	if err != nil || !wanted {
		return err
	}
	record, err := d.Record(ctx, &c.After)
	if err != nil {
		return fmt.Errorf("write %s %q: %w", c.After.Entity, c.After.ID, err)
	}
	data := struct {
		Entity    host.EntityName `json:"entity"`
		ID        host.RecordID   `json:"id"`
		Record    json.RawMessage `json:"record"`
		Truncated bool            `json:"truncated,omitempty"`
		Changed   []string        `json:"changed"`
	}{Entity: c.After.Entity, ID: c.After.ID, Record: record, Changed: changed(c.Before, &c.After)}
	if len(data.Record) > host.MaxEventBytes-headroom {
		data.Record, data.Truncated = json.RawMessage("null"), true
	}
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s %q: %w", c.After.Entity, c.After.ID, err)
	}
	b.add(host.Event{ID: host.EventID(d.NewID("evt_")), Type: t, Time: time.Now().UTC(), Connection: c.After.Connection, Data: body})
	return nil
}

// changed returns the fields that differ between two versions, sorted; none
// where there are not two.
func changed(before, after *host.Record) []string {
	out := []string{}
	if before == nil || before.Deleted() || after.Deleted() {
		return out
	}
	var was, is map[string]json.RawMessage
	if json.Unmarshal(before.Body, &was) != nil || json.Unmarshal(after.Body, &is) != nil {
		return out
	}
	for name, v := range is {
		if old, ok := was[name]; !ok || !bytes.Equal(old, v) {
			out = append(out, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
