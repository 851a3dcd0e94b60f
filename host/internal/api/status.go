package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// syncTally counts syncs: by what they are at, and those that are late.
type syncTally struct {
	Running int `json:"running"`
	Queued  int `json:"queued"`
	Failed  int `json:"failed"`
	Idle    int `json:"idle"`
	Paused  int `json:"paused"`
	Late    int `json:"late"` // should have run already
}

// hostSyncView is a sync among those of all connections.
type hostSyncView struct {
	Connection host.ConnectionID `json:"connection_id"`
	Label      string            `json:"label"`
	Late       bool              `json:"late"`
	syncView
}

// tally is how all syncs stand. To find it out reads the syncs of every
// connection; it is kept for so long that this takes a twentieth of one core at
// most, however often it is asked for.
type tally struct {
	mu    sync.Mutex
	until time.Time
	all   []hostSyncView
}

func (t *tally) syncs(ctx context.Context, a *API) ([]hostSyncView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	started := time.Now()
	if started.Before(t.until) {
		return t.all, nil
	}
	conns, err := state.All[host.Connection](ctx, a.Store, state.KindConnection)
	if err != nil {
		return nil, err
	}
	var all []hostSyncView
	for i := range conns {
		c := &conns[i].Value
		views, err := a.syncsOf(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			all = append(all, hostSyncView{c.ID, c.Label, a.late(c, &v), v})
		}
	}
	t.all, t.until = all, time.Now().Add(20*time.Since(started))
	return all, nil
}

// lateAfter is how long after its time a sync that waits is late.
const lateAfter = 5 * time.Minute

// late says whether a sync of a connection that may run has not run when it
// should have.
func (a *API) late(c *host.Connection, v *syncView) bool {
	next := time.Time(v.NextRunAt)
	return c.Runnable() && v.Status != host.SyncRunning && !next.IsZero() && a.Clock().Sub(next) > lateAfter
}

// syncs answers the syncs of all connections.
func (a *API) syncs(c *call) error {
	all, err := a.tally.syncs(c.Context(), a)
	if err != nil {
		return err
	}
	status := c.q.values.Get("status")
	if !slices.Contains([]string{"", "late", "idle", "queued", "running", "failed", "paused"}, status) {
		c.q.fault("status", "it must be idle, queued, running, failed, paused or late")
	}
	out := []hostSyncView{}
	for i := range all {
		v := &all[i]
		if c.who.Covers(v.Connection) && (status == "" || status == string(v.Status) || status == "late" && v.Late) {
			out = append(out, *v)
		}
	}
	return pageOf(a, c, out, func(v hostSyncView) string { return string(v.Connection) + "\x00" + string(v.Entity) })
}

// status answers what runs, and what needs a person.
func (a *API) status(c *call) error {
	v := statusView{Version: a.Version, Connections: map[host.ConnectionStatus]int{}, Needs: []need{}}
	conns, err := state.All[host.Connection](c.Context(), a.Store, state.KindConnection)
	if err != nil {
		return err
	}
	for i := range conns {
		if x := &conns[i].Value; c.who.Covers(x.ID) {
			v.Connections[x.Status]++
			if n, ok := needOf(x); ok {
				v.Needs = append(v.Needs, n)
			}
		}
	}
	procs, err := state.All[host.Process](c.Context(), a.Store, state.KindProcess)
	if err != nil {
		return err
	}
	for _, p := range procs {
		if p.Value.Status == host.ProcessCrashed && (p.Value.Connection == "" || c.who.Covers(p.Value.Connection)) {
			v.Needs = append(v.Needs, need{
				Code: "crashed", Connector: p.Value.ID, Since: stamp(p.Value.Since), What: "crashed: " + p.Value.Reason,
				Do: "dinrail connector show " + p.Value.ID + " shows its last log lines",
			})
		}
	}
	syncs, err := a.tally.syncs(c.Context(), a)
	if err != nil {
		return err
	}
	for i := range syncs {
		if c.who.Covers(syncs[i].Connection) {
			v.Syncs.add(&syncs[i])
		}
	}
	if err := a.ofHost(c, &v); err != nil {
		return err
	}
	a.write(c, http.StatusOK, v)
	return nil
}

func (t *syncTally) add(v *hostSyncView) {
	switch v.Status {
	case host.SyncRunning:
		t.Running++
	case host.SyncQueued:
		t.Queued++
	case host.SyncFailed:
		t.Failed++
	case host.SyncPaused:
		t.Paused++
	case host.SyncIdle:
		t.Idle++
	}
	if v.Late {
		t.Late++
	}
}

// needOf says what a connection needs of a person, if anything.
func needOf(x *host.Connection) (need, bool) {
	n := need{Code: string(x.Status), Connection: x.ID, Label: x.Label, Since: stamp(x.Since), What: string(x.Status) + ": " + x.Reason}
	switch x.Status {
	case host.StatusAuthRequired:
		n.Do = fmt.Sprintf("dinrail connection reconnect %s", x.ID)
	case host.StatusInvalid:
		n.What, n.Do = "invalid: "+x.Invalid, "mend the block, then dinrail reload"
	case host.StatusOffline:
		n.Do = "see whether the system is up and reachable from here; it comes back by itself"
	case host.StatusPending:
		switch {
		case x.Credentials == nil:
			n.Code, n.What, n.Do = "credentials", "pending: nobody has given credentials", fmt.Sprintf("dinrail connection reconnect %s", x.ID)
		case x.Reason == "":
			return n, false
		default:
			n.Do = "it is tried again by itself"
		}
	default:
		return n, false
	}
	return n, true
}

// ofHost adds what is about the whole host, for who may see it. Conditions of
// connectors and connections show by themselves.
func (a *API) ofHost(c *call, v *statusView) error {
	if c.who.Limited() {
		return nil
	}
	owed, err := a.Store.Owed(c.Context())
	if err != nil {
		return err
	}
	v.Deliveries = map[host.DeliveryStatus]int64{}
	for _, of := range owed {
		for status, n := range of {
			v.Deliveries[status] += n
		}
	}
	if a.Room != nil {
		free, low, err := a.Room()
		if err != nil && !errors.Is(err, state.ErrClosed) {
			return err
		}
		v.Disk = &diskView{free, low}
	}
	all, err := state.All[host.Condition](c.Context(), a.Store, state.KindCondition)
	for i := range all {
		x := &all[i].Value
		if !x.RecoveredAt.IsZero() {
			continue
		}
		if id, ok := strings.CutPrefix(x.Key, host.EndpointCondition); ok {
			v.Needs = append(v.Needs, need{Code: "endpoint_disabled", Endpoint: host.EndpointID(id), Since: stamp(x.FirstSeen), What: x.Message, Do: "see to its receiver, then dinrail webhook enable " + id})
		}
		if x.Key == host.DiskCondition {
			v.Needs = append(v.Needs, need{Code: "disk", Since: stamp(x.FirstSeen), What: x.Message, Do: "free some space there; syncs go on by themselves"})
		}
	}
	return err
}
