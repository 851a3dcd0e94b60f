package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
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

// The figures of the whole program, each beside a baseline that is measured in
// the same run. Every line tells its aim and whether it was reached; nothing
// here is a test, since machines differ.

// figure prints one line of the table.
func figure(what, ours, baseline, ratio, aim string, reached bool) {
	word := "reached"
	if !reached {
		word = "MISSED"
	}
	fmt.Printf("%-58s %16s | %-34s | %-10s | aim %-22s %s\n", what, ours, baseline, ratio, aim, word)
}

// cpuOf returns the processor time that a process has used, by its own stat:
// the same accounts as getrusage, for a process that is still running.
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond // fields after the name; USER_HZ is 100 on Linux
	u, err1 := strconv.ParseInt(f[user], 10, 64)
	s, err2 := strconv.ParseInt(f[system], 10, 64)
	if err1 != nil || err2 != nil {
		tb.Fatalf("%v %v", err1, err2)
	}
	return time.Duration(u+s) * tick
}

// anonymous returns a process's anonymous resident memory in MB.
func anonymous(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// highest samples a process's memory until stop is called, which returns the
// most that it had.
func highest(pid int) (stop func() float64) {
	done, out := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, anonymous(pid))
			select {
			case <-done:
				out <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(done); return <-out }
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

type floorResult struct {
	Seconds, CPU float64
	Records      int64
	PluginCPU    float64 `json:"plugin_cpu"`
}

func floor(tb testing.TB, args ...string) floorResult {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), filepath.Join(bin, "floor"), args...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			out = exit.Stderr
		}
		tb.Fatalf("floor: %v\n%s", err, out)
	}
	var r floorResult
	if err := json.Unmarshal(out, &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

const million = 1_000_000

// oursResult is one first sync of a million records by a host of its own.
type oursResult struct {
	rate, cpu, plugin, memory float64 // records a second, µs a record, µs a record, MB
	host                      *dinrail
	token                     string
}

func syncMillion(tb testing.TB, encrypt bool) oursResult {
	tb.Helper()
	h := newHost(tb, fmt.Sprintf(`
connection "plant-1" {
  system      = "endless"
  settings    = { records = %d, page = 1000 }
  credentials = { username = "u", password = "p" }
}
`, million))
	h.hostBlock(fmt.Sprintf("encrypt_data = %t", encrypt))
	h.start()
	memory := highest(h.process.Process.Pid)
	token := h.token("plant-1")
	h.synced(token, 1)
	r := oursResult{memory: memory(), host: h, token: token}
	r.cpu = float64(cpuOf(tb, h.process.Process.Pid).Microseconds()) / million
	for _, p := range processes(tb, "dinrail-plugin-endless") {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
		r.plugin = float64(cpuOf(tb, pid).Microseconds()) / million
	}
	run := h.all("/v1/sync-runs", token)[0]
	r.rate = million / at(tb, run["ended_at"]).Sub(at(tb, run["started_at"])).Seconds()
	if counts, _ := run["counts"].(map[string]any); fmt.Sprint(counts["created"]) != strconv.Itoa(million) {
		tb.Fatalf("the run made %v", counts)
	}
	return r
}

func at(tb testing.TB, v any) time.Time {
	tb.Helper()
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// A million records from a connector into the store, beside the least program
// that does the same; then lists from that million, beside a bare handler.
func BenchmarkMillionRecords(b *testing.B) {
	const pairs = 3
	var rates, cpus, shares, memories []float64
	var sealed, plain, bare []float64
	var last oursResult
	for i := range pairs {
		f := floor(b, "read", filepath.Join(bin, "plugins", "dinrail-plugin-endless"), b.TempDir(), strconv.Itoa(million))
		floorRate, floorCPU := float64(f.Records)/f.Seconds, f.CPU*1e6/float64(f.Records)
		if last.host != nil {
			last.host.kill()
		}
		p := syncMillion(b, false)
		p.host.kill()
		last = syncMillion(b, true)
		fmt.Printf("  pair %d: floor %.0f/s %.2f µs (its connector %.2f µs); sealed %.0f/s %.2f µs (connector %.2f µs), %.0f MB; not sealed %.0f/s %.2f µs, %.0f MB\n",
			i+1, floorRate, floorCPU, f.PluginCPU*1e6/million, last.rate, last.cpu, last.plugin, last.memory, p.rate, p.cpu, p.memory)
		rates = append(rates, last.rate/floorRate)
		cpus = append(cpus, last.cpu/floorCPU)
		shares = append(shares, (last.cpu-p.cpu)/last.cpu)
		memories = append(memories, last.memory)
		sealed, plain, bare = append(sealed, last.rate), append(plain, p.rate), append(bare, floorRate)
	}
	figure("a million records: rate", fmt.Sprintf("%.0f/s", median(sealed)), fmt.Sprintf("bare floor %.0f/s", median(bare)), fmt.Sprintf("%.0f %%", 100*median(rates)), ">= 45 %", median(rates) >= 0.45)
	figure("a million records: host's CPU a record", fmt.Sprintf("%.2f µs", last.cpu), "bare floor", fmt.Sprintf("%.2f x", median(cpus)), "<= 2.2 x", median(cpus) <= 2.2)
	figure("a million records: share of sealing in the CPU", fmt.Sprintf("%.0f %%", 100*median(shares)), fmt.Sprintf("not sealed %.0f/s", median(plain)), "", "told", true)
	figure("a million records: host's anonymous memory", fmt.Sprintf("%.0f MB", slices.Max(memories)), "", "", "< 300 MB", slices.Max(memories) < 300)
	benchmarkLists(b, last)
	last.host.kill()
}

// benchmarkLists asks for lists of 100 from all over a million records, 64 at
// once, beside a bare handler that is a process of its own too.
func benchmarkLists(b *testing.B, r oursResult) {
	var cursors []string
	cursor := ""
	for len(cursors) < 900 {
		a := r.host.call("GET", "/v1/items?limit=1000&cursor="+url.QueryEscape(cursor), r.token, "")
		cursor, _ = a.body["next_cursor"].(string)
		cursors = append(cursors, cursor)
	}
	var body []byte
	ask := func(client *http.Client, address string, n int) error {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address+"/v1/items?limit=100&cursor="+url.QueryEscape(cursors[n%len(cursors)]), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+r.token)
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if n, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK || n < 30_000 {
			return fmt.Errorf("%d, %d bytes, %w", res.StatusCode, n, err)
		}
		return nil
	}
	req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+r.host.addr+"/v1/items?limit=100", nil)
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	if body, err = io.ReadAll(res.Body); err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close()
	same := filepath.Join(b.TempDir(), "answer")
	if err := os.WriteFile(same, body, 0o600); err != nil {
		b.Fatal(err)
	}
	bare := exec.CommandContext(b.Context(), filepath.Join(bin, "floor"), "serve", same)
	out, err := bare.StdoutPipe()
	if err == nil {
		err = bare.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = bare.Process.Kill(); _ = bare.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	address := "http://" + strings.TrimSpace(line)
	rate := func(address string) float64 {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		var done atomic.Int64
		ctx, cancel := context.WithTimeout(b.Context(), 4*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		began := time.Now()
		for w := range 64 {
			wg.Go(func() {
				for n := w * 13; ctx.Err() == nil; n += 7 {
					if err := ask(client, address, n); err != nil {
						b.Error(err)
						return
					}
					done.Add(1)
				}
			})
		}
		wg.Wait()
		return float64(done.Load()) / time.Since(began).Seconds()
	}
	var ratios, ours, theirs []float64
	for range 3 {
		o, t := rate("http://"+r.host.addr), rate(address)
		ours, theirs, ratios = append(ours, o), append(theirs, t), append(ratios, o/t)
	}
	figure("lists of 100 from a million, 64 at once", fmt.Sprintf("%.0f/s", median(ours)), fmt.Sprintf("bare handler %.0f/s", median(theirs)), fmt.Sprintf("%.0f %%", 100*median(ratios)), ">= 20 %", median(ratios) >= 0.2)
}

// From the death of a connector in mid-run to the first page that its new
// process has read and the host has committed.
func BenchmarkPluginCrash(b *testing.B) {
	h := newHost(b, `
connection "plant-1" {
  system      = "endless"
  settings    = { records = 100000000, page = 10, delay = "1ms" }
  credentials = { username = "u", password = "p" }
}
`)
	h.start()
	token := h.token("plant-1")
	pages := func() int {
		runs, _ := h.call("GET", "/v1/sync-runs?limit=1", token, "").body["data"].([]any)
		if len(runs) == 0 {
			return 0
		}
		run, _ := runs[0].(map[string]any)
		n, _ := strconv.Atoi(fmt.Sprint(run["pages"]))
		return n
	}
	h.eventually("pages come", 20*time.Second, func() bool { return pages() > 10 })
	var took, launch []float64
	for range 20 {
		launch = append(launch, 1000*floor(b, "launch", filepath.Join(bin, "plugins", "dinrail-plugin-endless")).Seconds)
		old := processes(b, "dinrail-plugin-endless")
		if len(old) != 1 {
			b.Fatalf("%d connectors", len(old))
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(old[0])))
		p, err := os.FindProcess(pid)
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		// What the dead one had sent is committed within milliseconds; a page
		// after the new process stands is the new one's.
		for len(processes(b, "dinrail-plugin-endless")) == 0 || processes(b, "dinrail-plugin-endless")[0] == old[0] {
			time.Sleep(time.Millisecond)
		}
		for before := pages(); pages() == before; {
			time.Sleep(time.Millisecond)
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		time.Sleep(200 * time.Millisecond) // it gets on before it dies again
	}
	figure("connector killed to first page of the new one, median", fmt.Sprintf("%.0f ms", median(took)), fmt.Sprintf("bare launch %.0f ms", median(launch)), fmt.Sprintf("%.1f x", median(took)/median(launch)), "< 150 ms", median(took) < 150)
	h.kill()
}

// Two thousand connections: how soon the host is ready, what it holds and does
// when idle, and how fast it answers while all of them sync for the first time.
func BenchmarkTwoThousandConnections(b *testing.B) {
	var config strings.Builder
	config.WriteString("locals {\n  plants = toset([for n in concat(range(1000), range(1000, 2000)) : tostring(n)])\n}\n")
	config.WriteString(`
connection "plant" {
  for_each    = local.plants
  system      = "endless"
  settings    = { records = 20, page = 10 }
  credentials = { username = "u", password = "p" }
  check_every = "24h"

  sync "items" {
    every = "24h"
  }
}
`)
	h := newHost(b, config.String())
	h.start()
	token := h.token("plant-7")
	synced := make(chan time.Duration, 1)
	began := time.Now()
	h.eventually("what the connection has is known", time.Minute, func() bool { return h.call("GET", "/v1/items?limit=1", token, "").status == http.StatusOK })
	go func() {
		n, cursor := 0, ""
		for n < 2000 && time.Since(began) < 5*time.Minute {
			a := h.call("GET", "/v1/admin/events?type=sync.completed&wait=2s&limit=1000&cursor="+url.QueryEscape(cursor), adminToken, "")
			cursor, _ = a.body["next_cursor"].(string)
			data, _ := a.body["data"].([]any)
			n += len(data)
		}
		synced <- time.Since(began)
	}()
	// One caller that asks again and again is what the answers are measured by.
	var took []float64
	for over := false; !over; {
		select {
		case d := <-synced:
			fmt.Printf("  2,000 first checks and syncs took %s\n", d.Round(time.Millisecond))
			over = true
		default:
		}
		t := time.Now()
		if a := h.call("GET", "/v1/items?limit=100", token, ""); a.status != http.StatusOK {
			b.Fatalf("%d %v", a.status, a.body)
		}
		took = append(took, float64(time.Since(t).Microseconds())/1000)
		time.Sleep(2 * time.Millisecond)
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	figure("2,000 first syncs at once: the API's p99", fmt.Sprintf("%.1f ms", p99), fmt.Sprintf("its median %.1f ms", median(took)), "", "< 100 ms", p99 < 100)

	var ready, memory, idle []float64
	for range 3 {
		h.stop()
		t := time.Now()
		h.start()
		ready = append(ready, time.Since(t).Seconds())
		time.Sleep(5 * time.Second)
		pid := h.process.Process.Pid
		before := cpuOf(b, pid)
		time.Sleep(10 * time.Second)
		idle = append(idle, 100*(cpuOf(b, pid)-before).Seconds()/10)
		memory = append(memory, anonymous(pid))
	}
	figure("2,000 connections: ready after a start", fmt.Sprintf("%.2f s", median(ready)), "", "", "< 2 s", median(ready) < 2)
	figure("2,000 connections: host's anonymous memory", fmt.Sprintf("%.0f MB", slices.Max(memory)), "", "", "< 150 MB", slices.Max(memory) < 150)
	figure("2,000 connections: idle", fmt.Sprintf("%.2f %% CPU", median(idle)), "", "", "< 1 %", median(idle) < 1)
	h.kill()
}
