package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/plugin"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Rules of what is told of connectors' processes, endpoints and the disk.
const (
	lookEvery = time.Minute
	quietFor  = 10 * time.Minute // without another end: recovered
	mostNamed = 1000             // connections of a condition

	ofPlugin   = "plugin"
	ofEndpoint = "webhook endpoint"
	ofState    = "state"
)

// reportProcess writes a plugin's process into state, for API and dashboard, and
// tells of its end where nobody wanted it. The plugin host calls it one at a
// time.
func (d *Daemon) reportProcess(p host.Process) {
	put, err := state.PutOf(state.KindProcess, p.ID, state.Any, p)
	if err == nil {
		_, err = d.store.Commit(context.Background(), time.Now(), []state.Put{put}, nil, nil)
	}
	if err == nil && p.ReasonCode != "" && d.fell[p.ID] != p.Since {
		d.fell[p.ID] = p.Since // it is reported more than once
		err = d.raise(p)
	}
	if err != nil && !errors.Is(err, state.ErrClosed) {
		d.log.Error("write a process's state", "process", p.ID, "error", err)
	}
}

// raise tells of a process that ended, once an hour.
func (d *Daemon) raise(p host.Process) error {
	seen := host.Condition{Key: host.PluginCondition + p.ID, Severity: "error", Component: ofPlugin, Code: p.ReasonCode}
	seen.Message = "the process of connector " + string(p.Connector) + " ended (" + string(p.Status) + "): " + p.Reason
	_, err := d.store.Raise(context.Background(), seen, time.Now(), newID, func(c *host.Condition) (err error) {
		c.Connections, err = d.servedBy(p)
		return err
	})
	return err
}

// servedBy returns the connections that a process serves.
func (d *Daemon) servedBy(p host.Process) ([]host.ConnectionID, error) {
	if p.Connection != "" {
		return []host.ConnectionID{p.Connection}, nil
	}
	catalog := d.catalog.Load()
	all, err := state.All[host.Connection](context.Background(), d.store, state.KindConnection)
	if err != nil || catalog == nil {
		return nil, err
	}
	var out []host.ConnectionID
	for i := range all {
		c := &all[i].Value
		system, ok := catalog.Lookup(c.System)
		if ok && system.Connector == p.Connector && (p.System == "" || p.System == c.System) && len(out) < mostNamed {
			out = append(out, c.ID)
		}
	}
	return out, nil
}

// watchConditions looks after what was told until the context ends: what is
// there, what is over.
func (d *Daemon) watchConditions(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		err := d.raiseDisk(ctx)
		if err == nil {
			err = d.raiseEndpoints(ctx)
		}
		if err == nil {
			err = d.lookOver(ctx, time.Now())
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrClosed) {
			d.log.Error("look at what has recovered", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// raiseDisk tells that the disk is nearly full, while there is still room to
// write that down.
func (d *Daemon) raiseDisk(ctx context.Context) error {
	free, low, err := d.room()
	if err != nil || free >= low {
		d.lowRoom = false
		return err
	}
	if d.lowRoom {
		return nil // it was seen
	}
	_, err = d.store.Raise(ctx, host.Condition{
		Key: host.DiskCondition, Severity: "error", Component: ofState, Code: host.CodeStorage,
		Message: fmt.Sprintf("the disk of the data folder is nearly full (%d MB free): syncs wait until there is space", free>>20),
	}, time.Now(), newID, func(*host.Condition) error { return nil })
	d.lowRoom = err == nil
	return err
}

// raiseEndpoints tells of endpoints that were given up.
func (d *Daemon) raiseEndpoints(ctx context.Context) error {
	all, err := state.All[host.Endpoint](ctx, d.store, state.KindEndpoint)
	if err != nil {
		return err
	}
	for i := range all {
		e := &all[i].Value
		if e.Disabled == nil || e.Disabled.Asked {
			continue
		}
		seen := host.Condition{
			Key: host.EndpointCondition + string(e.ID), Severity: "error", Component: ofEndpoint, Code: host.CodeUnavailable,
			Message: "the webhook endpoint " + string(e.ID) + " is disabled: " + e.Disabled.Reason + "; what it is owed is held until it is enabled",
		}
		before, _, err := state.Get[host.Condition](ctx, d.store, state.KindCondition, seen.Key)
		if err == nil && !before.LastSeen.Before(e.Disabled.At) {
			continue // it was seen
		}
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		if _, err := d.store.Raise(ctx, seen, time.Now(), newID, func(*host.Condition) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// lookOver tells of conditions that are over, or there again.
func (d *Daemon) lookOver(ctx context.Context, now time.Time) error {
	all, err := state.All[host.Condition](ctx, d.store, state.KindCondition)
	if err != nil {
		return err
	}
	for _, c := range all {
		over, err := d.over(ctx, &c.Value, now)
		if err == nil {
			err = d.store.Look(ctx, c, over, now, newID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// over says whether a condition is no longer there: a process that has not ended
// for a while and is not waiting for another start; an endpoint that succeeds
// again, or is gone; a disk with room.
func (d *Daemon) over(ctx context.Context, c *host.Condition, now time.Time) (bool, error) {
	switch c.Component {
	case ofPlugin:
		p, _, err := state.Get[host.Process](ctx, d.store, state.KindProcess, strings.TrimPrefix(c.Key, host.PluginCondition))
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return false, err
		}
		return p.ReasonCode == "" && now.Sub(c.LastSeen) >= quietFor, nil
	case ofEndpoint:
		e, _, err := state.Get[host.Endpoint](ctx, d.store, state.KindEndpoint, strings.TrimPrefix(c.Key, host.EndpointCondition))
		if errors.Is(err, state.ErrNotFound) {
			return true, nil
		}
		return e.Disabled == nil && !e.Recovering, err
	case ofState:
		free, low, err := d.room()
		return err == nil && free >= low, err
	}
	return false, nil
}

// onReport takes what a connector reports of its work: into metrics, and into
// the log where it is asked to tell that much.
func (d *Daemon) onReport(of plugin.Reporter, what any) {
	log := d.log.Named("connector")
	switch r := what.(type) {
	case plugin.Call:
		d.metrics.Called(of.Connector, of.System, r.Status, r.Duration, r.Bytes)
		if handlers := d.handlers.Load(); handlers != nil {
			handlers.Called(api.Request{
				At: r.At.UTC(), Connection: of.Connection, Method: r.Method, Path: r.Path, Status: r.Status,
				Milliseconds: float64(r.Duration.Microseconds()) / 1000, Bytes: r.Bytes, Error: r.Error,
			})
		}
		log.Debug("call", "connection", of.Connection, "method", r.Method, "path", r.Path, "status", r.Status, "took", r.Duration, "bytes", r.Bytes, "error", r.Error)
	case plugin.Budget:
		d.metrics.Allowed(of.Connector, of.System, r.Remaining)
		log.Debug("budget", "connection", of.Connection, "remaining", r.Remaining, "resets_at", r.ResetsAt, "blocked_until", r.BlockedUntil)
	case plugin.Progress:
		log.Debug("progress", "connection", of.Connection, "entity", r.Entity, "done", r.Done, "total", r.Total, "words", r.Words)
	}
}
