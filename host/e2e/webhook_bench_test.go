package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sink receives events that are numbered and notes when each arrived first.
type sink struct {
	*httptest.Server
	arrived []atomic.Int64 // by number: nanoseconds since the Unix epoch
	count   atomic.Int64   // of those that arrived
	all     atomic.Int64   // again ones included
}

func newSink(tb testing.TB, events int) *sink {
	tb.Helper()
	s := &sink{arrived: make([]atomic.Int64, events)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		now := time.Now().UnixNano()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.all.Add(1)
		_, after, _ := bytes.Cut(body, []byte(`"n":`))
		n := 0
		for _, d := range after {
			if d < '0' || d > '9' {
				break
			}
			n = 10*n + int(d-'0')
		}
		if n < len(s.arrived) && s.arrived[n].CompareAndSwap(0, now) {
			s.count.Add(1)
		}
	}))
	tb.Cleanup(s.Close)
	return s
}

// sender is a program that takes events and delivers them: the host or the floor.
type sender struct {
	address string // where events are posted
	token   string
	pid     func() int
	restart func() // after kill -9, until it answers or, with a floor, listens
	kill    func()
}

var pad = strings.Repeat("x", 960)

// publish posts event n, and says whether it was acknowledged.
func (s *sender) publish(ctx context.Context, client *http.Client, n int) bool {
	body := `{"type":"custom.bench","data":{"n":` + strconv.Itoa(n) + `,"pad":"` + pad + `"}}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode == http.StatusAccepted
}

// deliveredResult is what one program did.
type deliveredResult struct {
	rate, cpu, p50, p99, memory, first float64 // events a second, µs an event, ms, ms, MB, ms
}

func startOurs(b *testing.B, to *sink) *sender {
	b.Helper()
	h := newHost(b, fmt.Sprintf("webhook \"app\" {\n  url = %q\n  secret = %q\n  events = [\"custom.*\"]\n}\n", to.URL, hookSecret))
	h.start()
	return &sender{
		address: "http://" + h.addr + "/v1/admin/events", token: adminToken,
		pid: func() int { return h.process.Process.Pid }, kill: h.kill,
		restart: func() {
			h.process = h.command("serve")
			if err := h.process.Start(); err != nil {
				b.Fatal(err)
			}
		},
	}
}

func startFloor(b *testing.B, to *sink) *sender {
	b.Helper()
	dir := b.TempDir()
	var cmd *exec.Cmd
	s := &sender{pid: func() int { return cmd.Process.Pid }}
	s.kill = func() {
		if cmd != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			cmd = nil
		}
	}
	s.restart = func() {
		cmd = exec.CommandContext(b.Context(), filepath.Join(bin, "floor"), "deliver", dir, to.URL)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			b.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		s.address = "http://" + strings.TrimSpace(line) + "/"
	}
	s.restart()
	b.Cleanup(s.kill)
	return s
}

const (
	publishers = 32
	burst      = 12_000 // events at full speed
	steady     = 1_000  // events at 200 a second
	backlog    = 2_000  // events in whose midst it is killed
)

// deliverAll has a program deliver, and kills it once.
func deliverAll(b *testing.B, start func(*testing.B, *sink) *sender) (r deliveredResult) {
	b.Helper()
	to := newSink(b, burst+steady+backlog)
	s := start(b, to)
	defer s.kill()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: publishers}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	arrive := func(n int64) {
		for deadline := time.Now().Add(time.Minute); to.count.Load() < n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				b.Fatalf("%d of %d events arrived", to.count.Load(), n)
			}
		}
	}
	memory := highest(s.pid())
	before, began := cpuOf(b, s.pid()), time.Now()
	var next atomic.Int64
	var work sync.WaitGroup
	for range publishers {
		work.Go(func() {
			for n := int(next.Add(1)) - 1; n < burst; n = int(next.Add(1)) - 1 {
				if !s.publish(b.Context(), client, n) {
					b.Errorf("event %d was not acknowledged", n)
					return
				}
			}
		})
	}
	work.Wait()
	arrive(burst)
	r.rate = burst / time.Since(began).Seconds()
	r.cpu = float64((cpuOf(b, s.pid()) - before).Microseconds()) / burst

	posted := make([]int64, steady)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range steady {
		<-tick.C
		posted[i] = time.Now().UnixNano()
		work.Go(func() {
			if !s.publish(b.Context(), client, burst+i) {
				b.Errorf("event %d was not acknowledged", burst+i)
			}
		})
	}
	work.Wait()
	arrive(burst + steady)
	took := make([]float64, steady)
	for i := range steady {
		took[i] = float64(to.arrived[burst+i].Load()-posted[i]) / 1e6
	}
	slices.Sort(took)
	r.p50, r.p99, r.memory = took[steady/2], took[steady*99/100], memory()

	ctx, cancel := context.WithCancel(b.Context())
	next.Store(burst + steady)
	for range publishers {
		work.Go(func() {
			for ctx.Err() == nil {
				if n := int(next.Add(1)) - 1; n >= burst+steady+backlog || !s.publish(ctx, client, n) {
					return
				}
			}
		})
	}
	arrive(burst + steady + backlog/2)
	s.kill()
	cancel()
	work.Wait()
	time.Sleep(50 * time.Millisecond) // what it sent last has been taken
	had := to.all.Load()
	began = time.Now()
	go func() {
		for to.all.Load() == had {
			time.Sleep(100 * time.Microsecond)
		}
		work.Done()
	}()
	work.Add(1)
	s.restart()
	work.Wait()
	r.first = float64(time.Since(began).Microseconds()) / 1000
	return r
}

// Custom events by the API to one endpoint on this machine, beside the least
// program that keeps the promise.
func BenchmarkEvents(b *testing.B) {
	var rates, cpus, p50s, p99s, memories, firsts []float64
	var ours, bare deliveredResult
	for i := range 3 {
		bare = deliverAll(b, startFloor)
		ours = deliverAll(b, startOurs)
		fmt.Printf("  pair %d: floor %+v\n          ours  %+v\n", i+1, bare, ours)
		rates, cpus, firsts = append(rates, ours.rate/bare.rate), append(cpus, ours.cpu/1000), append(firsts, ours.first/bare.first)
		p50s, p99s, memories = append(p50s, ours.p50), append(p99s, ours.p99), append(memories, ours.memory)
	}
	figure("events accepted and delivered, 32 publishers", fmt.Sprintf("%.0f/s", ours.rate), fmt.Sprintf("bare floor %.0f/s", bare.rate), fmt.Sprintf("%.0f %%", 100*median(rates)), ">= 80 %", median(rates) >= 0.8)
	figure("events: host's CPU an event", fmt.Sprintf("%.3f ms", median(cpus)), fmt.Sprintf("bare floor %.3f ms", bare.cpu/1000), "", "< 0.25 ms", median(cpus) < 0.25)
	figure("events at 200/s: median from POST to arrival", fmt.Sprintf("%.2f ms", median(p50s)), fmt.Sprintf("bare floor %.2f ms", bare.p50), "", "< 3 ms", median(p50s) < 3)
	figure("events at 200/s: p99", fmt.Sprintf("%.1f ms", median(p99s)), fmt.Sprintf("bare floor %.1f ms", bare.p99), "", "told", true)
	figure("events: host's anonymous memory", fmt.Sprintf("%.0f MB", slices.Max(memories)), fmt.Sprintf("bare floor %.0f MB", bare.memory), "", "< 150 MB", slices.Max(memories) < 150)
	figure("killed: from the start to the first delivery", fmt.Sprintf("%.0f ms", ours.first), fmt.Sprintf("bare floor %.0f ms", bare.first), fmt.Sprintf("%.2f x", median(firsts)), "<= 1.5 x", median(firsts) <= 1.5)
}
