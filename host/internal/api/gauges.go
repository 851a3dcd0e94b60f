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
	processesDesc   = prometheus.NewDesc("dinrail_plugin_processes", "Connectors' processes by status.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (*gauges) Describe(out chan<- *prometheus.Desc) { out <- connectionsDesc; out <- processesDesc }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conns, err := state.All[host.Connection](ctx, g.store, state.KindConnection)
	if err != nil {
		g.log.Error("read connections for metrics", "error", err)
		return
	}
	byStatus := map[string]float64{}
	for i := range conns {
		byStatus[string(conns[i].Value.Status)]++
	}
	for s, n := range byStatus {
		out <- prometheus.MustNewConstMetric(connectionsDesc, prometheus.GaugeValue, n, s)
	}
	procs, err := state.All[host.Process](ctx, g.store, state.KindProcess)
	if err != nil {
		g.log.Error("read processes for metrics", "error", err)
		return
	}
	byStatus = map[string]float64{}
	for i := range procs {
		byStatus[string(procs[i].Value.Status)]++
	}
	for s, n := range byStatus {
		out <- prometheus.MustNewConstMetric(processesDesc, prometheus.GaugeValue, n, s)
	}
}
