package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host/internal/apply"
)

// rotated is what a rotation of the master key did, as the API tells it.
type rotated struct {
	Key         string `json:"key"`         // the number of the key that seals now
	File        string `json:"file"`        // that holds it
	OlderKeys   int    `json:"older_keys"`  // that are kept to open what they sealed
	DataKeys    int    `json:"data_keys"`   // sealed anew, each with a new key in it
	Connections int    `json:"connections"` // whose credentials were sealed anew
	Endpoints   int    `json:"endpoints"`   // whose secrets were sealed anew
}

// RotateKeys makes a new master key and seals anew, with it, all that the host
// keeps: it goes on when the caller is gone. Interrupted by the end of the
// process, it goes on at the next start.
func (d *Daemon) RotateKeys(ctx context.Context) (any, error) {
	d.reload.Lock() // a rename moves a data key
	defer d.reload.Unlock()
	if err := d.keys.Rotate(); err != nil {
		return nil, err
	}
	d.log.Info("the master key was rotated; keep a copy of its file", "key", d.keys.Key(), "file", d.keyFile)
	return d.reseal(context.WithoutCancel(ctx))
}

// reseal brings all that an older master key sealed under the present one.
func (d *Daemon) reseal(ctx context.Context) (rotated, error) {
	out := rotated{Key: d.keys.Key(), File: d.keyFile, OlderKeys: d.keys.Older()}
	did, err := apply.Reseal(ctx, d.store, d.keys, time.Now)
	out.Connections, out.Endpoints = did.Connections, did.Endpoints
	if err == nil {
		out.DataKeys, err = d.keys.RenewDataKeys(ctx)
	}
	if err != nil {
		return out, fmt.Errorf("seal anew what an older master key sealed: %w", err)
	}
	return out, nil
}

// resealAtStart ends what a rotation began: one that the end of the process
// interrupted, or one that an operator made by giving a new key before the old
// one. A failure is told and harms nothing: the older keys still open.
func (d *Daemon) resealAtStart(ctx context.Context) {
	if d.keys.Older() == 0 {
		return
	}
	d.reload.Lock()
	defer d.reload.Unlock()
	did, err := d.reseal(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		d.log.Error("what an older master key sealed is not all sealed anew; it is tried again at the next start", "error", err)
	case did.Connections+did.Endpoints+did.DataKeys > 0:
		d.log.Info("what an older master key sealed was sealed anew", "connections", did.Connections, "endpoints", did.Endpoints, "data_keys", did.DataKeys)
	}
}
