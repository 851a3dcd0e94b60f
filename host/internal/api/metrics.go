package api

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/dinrail/dinrail/host"
)

// Metrics is what the host counts of its own work. Labels are names that the
// configuration and the program's own code hold, so that their number is
// bounded. It may be used concurrently.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.HistogramVec
	attempted *prometheus.HistogramVec
	calls     *prometheus.HistogramVec
	received  *prometheus.CounterVec
	allowed   *prometheus.GaugeVec
	lockedOut prometheus.Counter
}

// LockedOut counts that an address was locked out for guessing tokens.
func (m *Metrics) LockedOut() { m.lockedOut.Inc() }

// NewMetrics returns Metrics that have counted nothing.
func NewMetrics() *Metrics {
	buckets := []float64{.001, .005, .025, .1, .5, 2.5, 10, 60}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dinrail_api_request_duration_seconds", Help: "How long API requests took, by route and status.", Buckets: buckets,
		}, []string{"route", "status"}),
		attempted: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dinrail_webhook_attempt_duration_seconds", Help: "How long attempts to deliver took, by outcome.", Buckets: buckets,
		}, []string{"outcome"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dinrail_system_call_duration_seconds", Help: "How long connectors' calls to their systems took, by class of status; none: no answer came.", Buckets: buckets,
		}, []string{"connector", "system", "status"}),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dinrail_system_received_bytes_total", Help: "Bytes that systems answered connectors' calls with.",
		}, []string{"connector", "system"}),
		allowed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dinrail_system_allowed_calls", Help: "Calls that a system still allows, as last told to any of its connections.",
		}, []string{"connector", "system"}),
		lockedOut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dinrail_lockouts_total", Help: "How often an address was locked out for guessing tokens.",
		}),
	}
	m.registry.MustRegister(m.lockedOut, m.requests, m.attempted, m.calls, m.received, m.allowed, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Attempted counts an attempt to deliver an event.
func (m *Metrics) Attempted(_ host.EndpointID, outcome string, took time.Duration) {
	m.attempted.WithLabelValues(outcome).Observe(took.Seconds())
}

// Called counts a call of a connector to its system: the HTTP status, 0 where
// no answer came, and the bytes of the answer.
func (m *Metrics) Called(c host.ConnectorName, s host.SystemName, status int, took time.Duration, bytes int64) {
	class := "none"
	if status >= 100 && status < 600 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.calls.WithLabelValues(string(c), string(s), class).Observe(took.Seconds())
	m.received.WithLabelValues(string(c), string(s)).Add(float64(max(bytes, 0)))
}

// Allowed takes how many calls a system still allows.
func (m *Metrics) Allowed(c host.ConnectorName, s host.SystemName, calls int64) {
	m.allowed.WithLabelValues(string(c), string(s)).Set(float64(calls))
}
