package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// inBody tells mistakes in what a person gave as mistakes of a request's body.
func inBody(found []host.Fault) faults {
	var bad faults
	for _, f := range found {
		bad = append(bad, fault{"body." + f.Path, f.Message})
	}
	return bad
}

// orders reads the standing orders of a request into a connection. Of a change,
// an order that is null is taken away, and what it does not name stays.
func orders(conn *host.Connection, asked map[string]*orderView, change bool) faults {
	var bad faults
	for _, e := range slices.Sorted(maps.Keys(asked)) {
		o := asked[e]
		if o == nil && change {
			delete(conn.Syncs, host.EntityName(e))
			continue
		}
		order, stands := conn.Syncs[host.EntityName(e)]
		if !stands {
			order = host.Order{Every: host.DefaultEvery, Full: host.DefaultFull}
		}
		if o == nil {
			o = &orderView{}
		}
		for _, d := range []struct {
			name, text string
			into       *time.Duration
		}{{"every", o.Every, &order.Every}, {"full", o.Full, &order.Full}, {"history", o.History, &order.History}} {
			var ok bool
			if d.text == "" {
				continue
			}
			if *d.into, ok = durationOf(d.text); !ok {
				bad = append(bad, fault{"body.sync." + e + "." + d.name, "it must be a duration such as 15m or 90d"})
			}
		}
		if conn.Syncs == nil {
			conn.Syncs = map[host.EntityName]host.Order{}
		}
		conn.Syncs[host.EntityName(e)] = order
	}
	return bad
}

// hooks reads what a connection asks for at endpoints in the place of what they
// ask for themselves; null takes one away.
func (a *API) hooks(ctx context.Context, conn *host.Connection, asked map[host.EndpointID]*hookView) (bad faults, err error) {
	for _, id := range slices.Sorted(maps.Keys(asked)) {
		h, at := asked[id], "body.webhooks."+string(id)
		if h == nil {
			delete(conn.Webhooks, id)
			continue
		}
		if _, _, err := state.Get[host.Endpoint](ctx, a.Store, state.KindEndpoint, string(id)); errors.Is(err, state.ErrNotFound) {
			bad = append(bad, fault{at, fmt.Sprintf("there is no endpoint %q; /v1/admin/webhooks lists what there is", id)})
		} else if err != nil {
			return nil, err
		}
		if bad = append(bad, wrongEvents(at+".events", h.Events)...); len(bad) > 0 {
			continue
		}
		if conn.Webhooks == nil {
			conn.Webhooks = map[host.EndpointID][]string{}
		}
		conn.Webhooks[id] = append([]string{}, h.Events...)
	}
	return bad, nil
}

// wrongEvents are the mistakes in a list of event types.
func wrongEvents(at string, types []string) (bad faults) {
	for i, p := range types {
		if !host.ValidEventPattern(p) {
			bad = append(bad, fault{fmt.Sprintf("%s.%d", at, i), fmt.Sprintf("there is no event of type %q", p)})
		}
	}
	return bad
}
