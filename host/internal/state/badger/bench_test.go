package badger_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bare "github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/seal"
	"github.com/dinrail/dinrail/host/internal/state"
)

// cpu returns the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perRecord reports rates of records, and processor time for each.
func perRecord(b *testing.B, records int, from time.Duration) {
	n := float64(records) * float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64((cpu()-from).Microseconds())/n, "cpu-µs/record")
	b.ReportMetric(anonymous(), "anon-MB")
	b.ReportMetric(0, "ns/op")
}

// received makes a page of records of 300 bytes that do not compress well.
func received(from int) []host.Received {
	rng := rand.New(rand.NewPCG(1, uint64(from)))
	page := make([]host.Received, host.MaxPageRecords)
	for i := range page {
		body := []byte(`{"name":"`)
		for len(body) < 290 {
			body = fmt.Appendf(body, "%016x", rng.Uint64())
		}
		page[i] = host.Received{
			ID:   host.RecordID(fmt.Sprintf("WO-%08d", from+i)),
			Body: append(body, `"}`...), UpdatedAt: time.Unix(1.7e9, 0),
		}
	}
	return page
}

// BenchmarkCommitPage compares pages of 1,000 records through the Store, hashed
// and sealed, with the same bytes put into a bare Badger, a transaction of
// 1,000 each, synced.
func BenchmarkCommitPage(b *testing.B) {
	pages := make([][]host.Received, 64)
	for i := range pages {
		pages[i] = received(i * host.MaxPageRecords)
	}
	id := func(n int, r *host.Received) host.RecordID {
		return host.RecordID(fmt.Sprintf("%d-%s", n/len(pages), r.ID))
	}
	b.Run("floor", func(b *testing.B) {
		o := bare.DefaultOptions(b.TempDir()).WithSyncWrites(true).WithDetectConflicts(false).WithLogger(nil)
		db, err := bare.Open(o)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close() //nolint:errcheck // of a benchmark
		n, from := 0, cpu()
		for b.Loop() {
			txn := db.NewTransaction(true)
			for i := range pages[n%len(pages)] {
				r := &pages[n%len(pages)][i]
				if err := txn.Set([]byte(id(n, r)), r.Body); err != nil {
					b.Fatal(err)
				}
			}
			if err := txn.Set([]byte("checkpoint"), binary.BigEndian.AppendUint64(nil, uint64(n))); err != nil {
				b.Fatal(err)
			}
			if err := txn.Commit(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		perRecord(b, host.MaxPageRecords, from)
	})
	for _, plain := range []bool{true, false} {
		b.Run(map[bool]string{true: "store-unencrypted", false: "store-sealed"}[plain], func(b *testing.B) {
			dir := b.TempDir()
			e := open(b, dir)
			defer e.Close() //nolint:errcheck // of a benchmark
			keys, err := seal.Open(b.Context(), seal.Params{File: filepath.Join(b.TempDir(), "k"), Shelf: state.NewShelf(e), Plain: plain})
			if err != nil {
				b.Fatal(err)
			}
			s := state.NewStore(e, keys)
			l, err := s.BeginRun(b.Context(), state.Begin{Run: host.Run{ID: "run_1", Connection: "plant", Entity: "work_orders", Mode: host.Full}, Holder: "h"})
			if err != nil {
				b.Fatal(err)
			}
			n, from := 0, cpu()
			for b.Loop() {
				step := state.PageStep{
					Connection: "plant", Entity: "work_orders", Run: "run_1", Fence: l.Fence, Number: int64(n + 1), At: time.Now(),
					Checkpoint: binary.BigEndian.AppendUint64(nil, uint64(n)), Total: -1,
				}
				step.ReadAt, _, err = s.Position(b.Context(), "plant")
				if err != nil {
					b.Fatal(err)
				}
				for i := range pages[n%len(pages)] {
					r := pages[n%len(pages)][i]
					r.ID = id(n, &r)
					sealed, err := s.SealRecord("plant", "work_orders", &r)
					if err != nil {
						b.Fatal(err)
					}
					step.Records = append(step.Records, state.RecordPut{
						ID: r.ID, Operation: host.Created, Hash: state.HashOf(&r), UpdatedAt: r.UpdatedAt, Sealed: sealed,
					})
				}
				if _, err := s.CommitPage(b.Context(), step); err != nil {
					b.Fatal(err)
				}
				n++
			}
			perRecord(b, host.MaxPageRecords, from)
		})
	}
}

// BenchmarkCommit writes documents of 1 KB from many writers, each waiting for
// its own, beside a bare Badger with a transaction for each.
func BenchmarkCommit(b *testing.B) {
	body := make([]byte, 1024)
	for _, writers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("floor-%d", writers), func(b *testing.B) {
			db, err := bare.Open(bare.DefaultOptions(b.TempDir()).WithSyncWrites(true).WithDetectConflicts(false).WithLogger(nil))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // of a benchmark
			inParallel(b, writers, func(i int64) error {
				return db.Update(func(txn *bare.Txn) error { return txn.Set(binary.BigEndian.AppendUint64(nil, uint64(i)), body) })
			})
		})
		b.Run(fmt.Sprintf("engine-%d", writers), func(b *testing.B) {
			e := open(b, b.TempDir())
			defer e.Close() //nolint:errcheck // of a benchmark
			inParallel(b, writers, func(i int64) error {
				_, err := e.Commit(b.Context(), 0, state.Change{Puts: []state.Put{{Kind: state.KindToken, ID: fmt.Sprint(i), Expect: state.Absent, Body: body}}})
				return err
			})
		})
	}
}

// inParallel calls write from many goroutines and reports the rate.
func inParallel(b *testing.B, writers int, write func(int64) error) {
	var n atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range writers {
		all.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				if err := write(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	b.ReportMetric(0, "ns/op")
}
