package badger_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// anonymous returns the anonymous resident memory of this process in MB, 0
// where the system does not tell.
func anonymous() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return float64(kb) / 1024
}

// BenchmarkFeed lists parts of 100 records from 200,000, opened by nobody.
func BenchmarkFeed(b *testing.B) {
	e := open(b, b.TempDir())
	defer e.Close() //nolint:errcheck // of a benchmark
	l, err := e.BeginRun(b.Context(), 0, state.Begin{Run: host.Run{ID: "run_1", Connection: "plant", Entity: "work_orders", Mode: host.Full}, Holder: "h"})
	if err != nil {
		b.Fatal(err)
	}
	const pages = 200
	var ids []host.RecordID
	for n := range pages {
		step := state.PageStep{Connection: "plant", Entity: "work_orders", Run: "run_1", Fence: l.Fence, Number: int64(n + 1), Total: -1}
		for _, r := range received(n * host.MaxPageRecords) {
			step.Records = append(step.Records, state.RecordPut{ID: r.ID, Operation: host.Created, Sealed: r.Body})
			ids = append(ids, r.ID)
		}
		if _, err := e.CommitPage(b.Context(), 0, step); err != nil {
			b.Fatal(err)
		}
	}
	last, _, err := e.Position(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	list := func(b *testing.B, after host.Sequence, limit int) (end host.Sequence) {
		n := 0
		err := e.Feed(b.Context(), 0, state.Feed{Connection: "plant", Entities: []host.EntityName{"work_orders"}, After: after}, func(st *state.Stored) (bool, error) {
			n++
			end = st.Sequence
			return n < limit, nil
		})
		if err != nil {
			b.Fatal(err)
		}
		return end
	}
	b.Run("list-100", func(b *testing.B) {
		b.ReportAllocs()
		i := host.Sequence(0)
		for b.Loop() {
			list(b, (i*7919)%(last-100), 100)
			i++
		}
	})
	b.Run("list-100-parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			i := host.Sequence(0)
			for pb.Next() {
				list(b, (i*7919)%(last-100), 100)
				i++
			}
		})
	})
	b.Run("heads-1000", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			from := (i * 7919) % (len(ids) - 1000)
			if _, _, err := e.Heads(b.Context(), 0, "plant", "work_orders", ids[from:from+1000]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("record", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			id := ids[(i*7919)%len(ids)]
			if err := e.Record(b.Context(), 0, "plant", "work_orders", id, func(*state.Stored) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
