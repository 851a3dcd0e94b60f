package daemon

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// settledFor is how long the configuration's files must have been left alone
// before they are read: an editor writes a file in several steps.
const settledFor = 300 * time.Millisecond

// onChange reloads the configuration when one of its files changes, as long as
// host.watch says so. Folders are watched, not files: editors put a new file in
// the place of the old one.
func (d *Daemon) onChange(ctx context.Context) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		d.log.Error("the configuration's files cannot be watched; host.watch has no effect", "error", err)
		return
	}
	defer w.Close() //nolint:errcheck // nothing is left to be told
	for _, path := range d.options.Config {
		folder := path
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			folder = filepath.Dir(path)
		}
		if err := w.Add(folder); err != nil {
			d.log.Error("a folder of the configuration cannot be watched", "folder", folder, "error", err)
		}
	}
	quiet := time.NewTimer(settledFor)
	quiet.Stop()
	for {
		select {
		case e := <-w.Events:
			if filepath.Ext(e.Name) == ".hcl" && !e.Has(fsnotify.Chmod) {
				quiet.Reset(settledFor)
			}
		case err := <-w.Errors:
			d.log.Error("watch the configuration's files", "error", err)
		case <-quiet.C:
			if !d.config.Load().Host.Watch {
				continue
			}
			d.log.Info("the configuration's files changed")
			d.reloadItself(ctx, "a file changed")
		case <-ctx.Done():
			return
		}
	}
}

// detachedLooked is how often connections are looked for that have been
// detached for too long.
const detachedLooked = time.Hour

// onDetached removes what has been kept for too long, from time to time:
// detached connections and old entries of the audit log.
func (d *Daemon) onDetached(ctx context.Context) {
	tick := time.NewTicker(detachedLooked)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.reload.Lock()
			err := d.purgeDetached(ctx)
			d.reload.Unlock()
			if err != nil && ctx.Err() == nil {
				d.log.Error("remove connections that were detached for long", "error", err)
			}
			if err := d.pruneAudit(ctx, time.Now()); err != nil && ctx.Err() == nil {
				d.log.Error("remove old entries of the audit log", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// reloadItself reads the configuration again where nobody asked by the API.
func (d *Daemon) reloadItself(ctx context.Context, why string) {
	e := &host.AuditEntry{Action: "configuration.reload", Target: why, Outcome: host.AuditDone}
	if _, err := d.Reload(ctx); err != nil {
		d.log.Error("the configuration was not reloaded; the running one stays", "error", err)
		e.Outcome = string(cmp.Or(host.CodeOf(err), host.CodeInternal))
	}
	d.audit(ctx, e)
}

// audit writes into the audit log what the host did by itself.
func (d *Daemon) audit(ctx context.Context, e *host.AuditEntry) {
	e.ID, e.At, e.Who, e.Via = newID("aud_"), time.Now().UTC(), "host", "host"
	put, err := state.PutOf(state.KindAudit, e.ID, state.Any, e)
	if err == nil {
		_, err = d.store.Commit(ctx, e.At, []state.Put{put}, nil, nil)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Error("write into the audit log", "action", e.Action, "error", err)
	}
}

// pruneAudit removes entries of the audit log that are older than
// host.AuditKeptFor, or more than host.AuditKept.
func (d *Daemon) pruneAudit(ctx context.Context, now time.Time) error {
	all, err := state.All[host.AuditEntry](ctx, d.store, state.KindAudit)
	if err != nil {
		return err
	}
	var puts []state.Put
	for i := range all {
		if now.Sub(all[i].Value.At) < host.AuditKeptFor && len(all)-i <= host.AuditKept {
			break
		}
		puts = append(puts, state.Delete(state.KindAudit, all[i].ID, state.Any))
		if len(puts) == host.MaxListLimit {
			if _, err := d.store.Commit(ctx, now, puts, nil, nil); err != nil {
				return err
			}
			puts = puts[:0]
		}
	}
	if len(puts) == 0 {
		return nil
	}
	_, err = d.store.Commit(ctx, now, puts, nil, nil)
	return err
}
