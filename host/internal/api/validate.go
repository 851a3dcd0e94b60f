package api

import (
	"maps"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
)

// inBody tells mistakes in what a person gave as mistakes of a request's body.
func inBody(found []host.Fault) faults {
	var bad faults
	for _, f := range found {
		bad = append(bad, fault{"body." + f.Path, f.Message})
	}
	return bad
}

// orders reads the standing orders of a request into a connection.
func orders(conn *host.Connection, asked map[string]*orderView) faults {
	var bad faults
	for _, e := range slices.Sorted(maps.Keys(asked)) {
		order := host.Order{Every: host.DefaultEvery, Full: host.DefaultFull}
		o := asked[e]
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
