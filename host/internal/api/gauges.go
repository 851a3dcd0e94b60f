package api

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// gauges are the metrics that are read from state when they are asked for.
type gauges struct {
	store *state.Store
	log   hclog.Logger
}

var (
	connectionsDesc = prometheus.NewDesc("dinrail_connections", "Connections by status.", []string{"status"}, nil)
	endpointsDesc   = prometheus.NewDesc("dinrail_webhook_endpoints", "Endpoints, enabled and disabled.", []string{"status"}, nil)
	deliveriesDesc  = prometheus.NewDesc("dinrail_webhook_deliveries", "Deliveries that are kept, by status.", []string{"status"}, nil)
	processesDesc   = prometheus.NewDesc("dinrail_plugin_processes", "Connectors' processes by status.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (*gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, processesDesc, endpointsDesc, deliveriesDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tell := func(d *prometheus.Desc, counts map[string]float64, err error) {
		if err != nil {
			g.log.Error("count for metrics", "of", d.String(), "error", err)
		}
		for status, n := range counts {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, status)
		}
	}
	counts, err := countOf(ctx, g.store, state.KindConnection, func(c *host.Connection) string { return string(c.Status) })
	tell(connectionsDesc, counts, err)
	counts, err = countOf(ctx, g.store, state.KindProcess, func(p *host.Process) string { return string(p.Status) })
	tell(processesDesc, counts, err)
	counts, err = countOf(ctx, g.store, state.KindEndpoint, func(e *host.Endpoint) string {
		if e.Disabled != nil {
			return "disabled"
		}
		return "enabled"
	})
	tell(endpointsDesc, counts, err)
	owed, err := g.store.Owed(ctx)
	counts = map[string]float64{}
	for _, byStatus := range owed {
		for status, n := range byStatus {
			counts[string(status)] += float64(n)
		}
	}
	tell(deliveriesDesc, counts, err)
}

// countOf counts documents of a kind by a word on each.
func countOf[T any](ctx context.Context, s *state.Store, kind state.Kind, word func(*T) string) (map[string]float64, error) {
	all, err := state.All[T](ctx, s, kind)
	counts := map[string]float64{}
	for i := range all {
		counts[word(&all[i].Value)]++
	}
	return counts, err
}
