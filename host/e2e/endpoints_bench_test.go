package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	endpoints = 500
	hanging   = 50
	rounds    = 40 // events, each owed to all endpoints
)

// latencies has a host tell rounds of events to all endpoints, and returns how
// long each took to those that answer, in ms, ascending. Those of the first ten
// rounds, in which connections are made, are left out.
func latencies(b *testing.B, hang bool) []float64 {
	b.Helper()
	var mu sync.Mutex
	posted := make([]time.Time, rounds)
	var took []float64
	arrived := 0
	done := make(chan struct{})
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now()
		body, err := io.ReadAll(r.Body)
		n, errN := strconv.Atoi(r.URL.Path[1:])
		if err != nil || errN != nil {
			return
		}
		if n < hanging {
			if hang {
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
			return
		}
		_, after, _ := strings.Cut(string(body), `"n":`)
		round, err := strconv.Atoi(strings.TrimRight(after, "}"))
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if round >= 10 {
			took = append(took, float64(now.Sub(posted[round]).Microseconds())/1000)
		}
		if arrived++; arrived == rounds*(endpoints-hanging) {
			close(done)
		}
	}))
	defer server.Close()
	defer close(release)
	var config strings.Builder
	for n := range endpoints {
		fmt.Fprintf(&config, "webhook \"e%d\" {\n  url = \"%s/%d\"\n  secret = %q\n  events = [\"custom.*\"]\n  timeout = \"5s\"\n}\n", n, server.URL, n, hookSecret)
	}
	h := newHost(b, config.String())
	h.start()
	defer h.kill()
	for round := range rounds {
		mu.Lock()
		posted[round] = time.Now()
		mu.Unlock()
		if a := h.call("POST", "/v1/admin/events", adminToken, fmt.Sprintf(`{"type":"custom.bench","data":{"n":%d}}`, round)); a.status != http.StatusAccepted {
			b.Fatalf("%d %v", a.status, a.body)
		}
		time.Sleep(500 * time.Millisecond)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.Fatalf("%d of %d deliveries arrived", arrived, rounds*(endpoints-hanging))
	}
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(took)
	return took
}

// Five hundred endpoints of which fifty hang until the timeout: the others
// notice nothing.
func BenchmarkHangingEndpoints(b *testing.B) {
	var ratios, with, without []float64
	for range 3 {
		calm, hung := latencies(b, false), latencies(b, true)
		p99 := func(v []float64) float64 { return v[len(v)*99/100] }
		without, with, ratios = append(without, p99(calm)), append(with, p99(hung)), append(ratios, p99(hung)/p99(calm))
	}
	figure("500 endpoints, 50 of them hang: p99 of the others", fmt.Sprintf("%.1f ms", median(with)), fmt.Sprintf("none hangs: %.1f ms", median(without)), fmt.Sprintf("%.2f x", median(ratios)), "< 2 x", median(ratios) < 2)
}
