package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/plugin"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Rules of what is told of connectors' processes.
const (
	lookEvery  = time.Minute
	quietFor   = 10 * time.Minute // without another end: recovered
	mostNamed  = 1000             // connections of a condition
	ofPlugin   = "plugin"
	pluginKeys = ofPlugin + "/" // followed by the process's id
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
	seen := host.Condition{Key: pluginKeys + p.ID, Severity: "error", Component: ofPlugin, Code: p.ReasonCode}
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

// watchConditions tells of connectors' processes that are well again, until the
// context ends.
func (d *Daemon) watchConditions(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := d.recover(ctx, time.Now()); err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrClosed) {
			d.log.Error("look at what has recovered", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// recover ends the conditions of processes that have not ended for a while and
// are not waiting for another start.
func (d *Daemon) recover(ctx context.Context, now time.Time) error {
	all, err := state.All[host.Condition](ctx, d.store, state.KindCondition)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Value.Component != ofPlugin || now.Sub(c.Value.LastSeen) < quietFor {
			continue
		}
		p, _, err := state.Get[host.Process](ctx, d.store, state.KindProcess, c.Value.Key[len(pluginKeys):])
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		if p.ReasonCode != "" {
			continue // it has not been started since
		}
		if err := d.store.Recover(ctx, c, now, newID); err != nil {
			return err
		}
	}
	return nil
}

// onReport takes what a connector reports of its work: into metrics, and into
// the log where it is asked to tell that much.
func (d *Daemon) onReport(of plugin.Reporter, what any) {
	log := d.log.Named("connector")
	switch r := what.(type) {
	case plugin.Call:
		d.metrics.Called(of.Connector, of.System, r.Status, r.Duration, r.Bytes)
		log.Debug("call", "connection", of.Connection, "method", r.Method, "path", r.Path, "status", r.Status, "took", r.Duration, "bytes", r.Bytes, "error", r.Error)
	case plugin.Budget:
		d.metrics.Allowed(of.Connector, of.System, r.Remaining)
		log.Debug("budget", "connection", of.Connection, "remaining", r.Remaining, "resets_at", r.ResetsAt, "blocked_until", r.BlockedUntil)
	case plugin.Progress:
		log.Debug("progress", "connection", of.Connection, "entity", r.Entity, "done", r.Done, "total", r.Total, "words", r.Words)
	}
}
