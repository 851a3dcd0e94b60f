package daemon

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
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
			if _, err := d.Reload(ctx); err != nil {
				d.log.Error("the configuration was not reloaded; the running one stays", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// detachedLooked is how often connections are looked for that have been
// detached for too long.
const detachedLooked = time.Hour

// onDetached removes what has been detached for too long, from time to time.
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
		case <-ctx.Done():
			return
		}
	}
}
