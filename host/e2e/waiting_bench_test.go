package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/seal"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
)

// wait puts deliveries that are due much later into a stopped host's store:
// through the API a million would take minutes.
func wait(b *testing.B, h *dinrail, deliveries int) {
	b.Helper()
	ctx := b.Context()
	data := filepath.Join(h.dir, "data")
	engine, err := badger.Open(badger.Params{Dir: filepath.Join(data, "store"), Logger: hclog.NewNullLogger()})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := seal.Open(ctx, seal.Params{File: filepath.Join(data, "keys"), Shelf: state.NewShelf(engine)})
	if err != nil {
		b.Fatal(err)
	}
	store := state.NewStore(engine, keys)
	now := time.Now()
	if _, err := store.Commit(ctx, now, nil, []host.Event{{ID: "waiting", Type: "custom.bench", Time: now, Data: []byte(`{"n":0}`)}}, nil); err != nil {
		b.Fatal(err)
	}
	event, err := store.FindEvent(ctx, "waiting")
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < deliveries; n += 1000 {
		part := make([]host.Delivery, min(1000, deliveries-n))
		for i := range part {
			part[i] = host.Delivery{
				ID: host.DeliveryID(fmt.Sprintf("dlv_00000000000000000%08d", n+i)), Event: "waiting", EventType: "custom.bench", Sequence: event, Endpoint: "app",
				Status: host.DeliveryPending, Attempts: 1, CreatedAt: now, FirstAt: now, DueAt: now.Add(10*time.Hour + time.Duration(n+i)*time.Millisecond),
			}
		}
		if err := store.Push(ctx, state.Push{Position: "bench", From: host.Sequence(n), To: host.Sequence(n + 1000), At: now, Deliveries: part}, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

// waitingResult is what a host does with deliveries that wait.
type waitingResult struct{ ready, memory, cpu, rate float64 }

func withWaiting(b *testing.B, deliveries int) (r waitingResult) {
	b.Helper()
	const events = 6000
	to := newSink(b, events)
	h := newHost(b, fmt.Sprintf("webhook \"app\" {\n  url = %q\n  secret = %q\n  events = [\"custom.*\"]\n}\n", to.URL, hookSecret))
	h.start()
	h.stop()
	wait(b, h, deliveries)
	began := time.Now()
	h.start()
	r.ready = time.Since(began).Seconds()
	defer h.kill()
	a := h.call("GET", "/v1/admin/deliveries?status=pending&limit=1", adminToken, "")
	if data, _ := a.body["data"].([]any); len(data) != 1 {
		b.Fatalf("nothing waits: %v", a.body)
	}
	s := &sender{address: "http://" + h.addr + "/v1/admin/events", token: adminToken}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: publishers}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	pid := h.process.Process.Pid
	before := cpuOf(b, pid)
	began = time.Now()
	var next atomic.Int64
	var work sync.WaitGroup
	for range publishers {
		work.Go(func() {
			for n := int(next.Add(1)) - 1; n < events; n = int(next.Add(1)) - 1 {
				if !s.publish(context.WithoutCancel(b.Context()), client, n) {
					b.Errorf("event %d was not acknowledged", n)
					return
				}
			}
		})
	}
	work.Wait()
	for deadline := time.Now().Add(time.Minute); to.count.Load() < events; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d events arrived", to.count.Load(), events)
		}
	}
	r.rate = events / time.Since(began).Seconds()
	r.cpu = float64((cpuOf(b, pid) - before).Microseconds()) / events
	r.memory = anonymous(pid)
	return r
}

// A million deliveries that wait for later, beside a thousand: an event is
// taken and delivered at the same cost, the host is as soon ready, and its
// memory is the same.
func BenchmarkWaitingDeliveries(b *testing.B) {
	var few, many []waitingResult
	for i := range 3 {
		few, many = append(few, withWaiting(b, 1000)), append(many, withWaiting(b, million))
		fmt.Printf("  pair %d: a thousand %+v\n          a million  %+v\n", i+1, few[i], many[i])
	}
	of := func(all []waitingResult, f func(waitingResult) float64) float64 {
		v := make([]float64, len(all))
		for i := range all {
			v[i] = f(all[i])
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	cpu := func(r waitingResult) float64 { return r.cpu }
	ready := func(r waitingResult) float64 { return r.ready }
	memory := func(r waitingResult) float64 { return r.memory }
	figure("an event taken and delivered while a million wait: CPU", fmt.Sprintf("%.0f µs", of(many, cpu)), fmt.Sprintf("while a thousand wait %.0f µs", of(few, cpu)), fmt.Sprintf("%.2f x", of(many, cpu)/of(few, cpu)), "<= 1.2 x", of(many, cpu)/of(few, cpu) <= 1.2)
	figure("ready with a million that wait", fmt.Sprintf("%.2f s", of(many, ready)), fmt.Sprintf("with a thousand %.2f s", of(few, ready)), "", "< 2 s", of(many, ready) < 2)
	figure("memory with a million that wait", fmt.Sprintf("%.0f MB", of(many, memory)), fmt.Sprintf("with a thousand %.0f MB", of(few, memory)), "", "< 1.5 x + 16 MB", of(many, memory) < 1.5*of(few, memory)+16)
}
