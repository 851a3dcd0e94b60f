package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
	"github.com/dinrail/dinrail/host/internal/syncer"
)

// plain is a Sealer that does not seal: what is under test is the syncer.
type plain struct{}

func (plain) Seal(_ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append([]byte{}, b...), nil
}
func (plain) Open(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) AppendOpen(dst []byte, _ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append(dst, b...), nil
}
func (plain) Forget(host.ConnectionID) {}

// plant is a system in memory: things with a number that grows with each
// change, read 10 a page.
type plant struct {
	mu       sync.Mutex
	things   map[string]int // id → change
	change   int
	logins   int
	opened   int
	read     map[host.Mode]int
	check    error        // what a login answers
	fail     func() error // before each page
	entities []host.Entity
	nameless int // records without an id in the next page
}

func newPlant(n int) *plant {
	p := &plant{things: map[string]int{}, read: map[host.Mode]int{}, entities: []host.Entity{{Name: "items", Unified: true, Incremental: true}}}
	for i := range n {
		p.set(fmt.Sprintf("i%04d", i))
	}
	return p
}

func (p *plant) set(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change++
	p.things[id] = p.change
}

func (p *plant) do(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *plant) open(context.Context, *host.Connection) (syncer.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	return &session{p}, nil
}

type session struct{ p *plant }

func (s *session) Check(context.Context) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.logins++
	return s.p.check
}

func (s *session) Entities(context.Context) ([]host.Entity, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.entities, nil
}

func (s *session) Close() error { return nil }

// Read reads in order of change; the checkpoint is the last change read.
func (s *session) Read(ctx context.Context, r syncer.Read, commit func(host.Page) error) error {
	s.p.do(func() { s.p.read[r.Mode]++ })
	after, _ := strconv.Atoi(string(r.Checkpoint))
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var page host.Page
		var fail func() error
		s.p.do(func() {
			fail = s.p.fail
			ids := make([]string, 0, len(s.p.things))
			for id, c := range s.p.things {
				if c > after {
					ids = append(ids, id)
				}
			}
			sort.Slice(ids, func(i, j int) bool { return s.p.things[ids[i]] < s.p.things[ids[j]] })
			for _, id := range ids[:min(10, len(ids))] {
				after = s.p.things[id]
				body := json.RawMessage(fmt.Sprintf(`{"name":"thing %d"}`, after))
				page.Records = append(page.Records, host.Received{ID: host.RecordID(id), Body: body, Raw: body})
			}
			for ; s.p.nameless > 0; s.p.nameless-- {
				page.Bad = append(page.Bad, host.BadRecord{Reason: "it has no id"})
			}
		})
		if fail != nil {
			if err := fail(); err != nil {
				return err
			}
		}
		if len(page.Records) == 0 {
			return nil
		}
		page.Checkpoint, page.Total = []byte(strconv.Itoa(after)), -1
		if err := commit(page); err != nil {
			return err
		}
	}
}

// rig is a syncer on a store with one connection.
type rig struct {
	t     *testing.T
	store *state.Store
	plant *plant
	stop  func()
}

const plantID = host.ConnectionID("plant-1")

func setup(t *testing.T, p *plant, order host.Order) *rig {
	t.Helper()
	r := &rig{t: t, store: state.NewStore(memory.New(), plain{}), plant: p}
	r.put(func(c *host.Connection) {
		*c = host.Connection{
			ID: plantID, System: "plant", Status: host.StatusPending, Credentials: []byte("x"), CredentialsRevision: 1,
			CheckEvery: 5 * time.Minute, Syncs: map[host.EntityName]host.Order{"items": order}, Incarnation: "a",
		}
	})
	r.start()
	return r
}

func (r *rig) start() {
	n := 0
	var mu sync.Mutex
	s, err := syncer.New(syncer.Params{
		Store: r.store, Open: r.plant.open, Log: hclog.NewNullLogger(),
		NewID: func(prefix string) string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("%s%d_%06d", prefix, time.Now().UnixNano(), n)
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	r.stop = func() { cancel(); <-done }
}

// put changes the stored connection as configuration or the API would.
func (r *rig) put(edit func(*host.Connection)) {
	r.t.Helper()
	c, rev, _ := state.Get[host.Connection](context.Background(), r.store, state.KindConnection, string(plantID))
	edit(&c)
	put, err := state.PutOf(state.KindConnection, string(plantID), rev, &c)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.store.Commit(context.Background(), time.Now(), []state.Put{put}, nil, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) connection() host.Connection {
	r.t.Helper()
	c, _, err := state.Get[host.Connection](context.Background(), r.store, state.KindConnection, string(plantID))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *rig) sync() host.Sync {
	r.t.Helper()
	syncs, err := r.store.Syncs(context.Background(), plantID)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(syncs) == 0 {
		return host.Sync{}
	}
	return syncs[0]
}

func (r *rig) lastRun() host.Run {
	r.t.Helper()
	runs, err := r.store.Runs(context.Background(), plantID, "items", "", 1)
	if err != nil || len(runs) == 0 {
		r.t.Fatalf("no run: %v", err)
	}
	return runs[0]
}

// living counts living records and tombstones by reading them all.
func (r *rig) living() (alive, dead int) {
	r.t.Helper()
	err := r.store.Feed(context.Background(), state.Feed{Connection: plantID}, func(rec *host.Record) (bool, error) {
		if rec.Deleted() {
			dead++
		} else {
			alive++
		}
		return true, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return alive, dead
}

func (r *rig) queue(mode host.Mode) {
	r.t.Helper()
	run := host.Run{ID: host.RunID(fmt.Sprintf("run_%d_q", time.Now().UnixNano())), Connection: plantID, Entity: "items", Mode: mode, Status: host.RunQueued, Trigger: "manual", QueuedAt: time.Now(), Total: -1}
	if _, err := r.store.Commit(context.Background(), time.Now(), nil, nil, []host.Run{run}); err != nil {
		r.t.Fatal(err)
	}
}

// after lets virtual time pass until everything has settled.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var hourly = host.Order{Every: time.Hour, Full: 24 * time.Hour}

func TestNewConnectionIsCheckedThenSyncedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(35), hourly)
		defer r.stop()
		after(time.Second)
		if c := r.connection(); c.Status != host.StatusOnline || len(c.Entities) != 1 {
			t.Fatalf("connection is %s (%s) with %d entities", c.Status, c.Reason, len(c.Entities))
		}
		if alive, _ := r.living(); alive != 35 {
			t.Fatalf("%d records, want 35", alive)
		}
		run := r.lastRun()
		if run.Status != host.RunCompleted || run.Mode != host.Full || run.Counts.Created != 35 {
			t.Fatalf("run %+v", run)
		}
	})
}

func TestIncrementalRunBringsOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(35), hourly)
		defer r.stop()
		after(time.Second)
		r.plant.set("i0003")
		r.plant.set("new")
		after(2 * time.Hour)
		runs, _ := r.store.Runs(context.Background(), plantID, "items", "", 10)
		var updated, created int64
		for _, run := range runs[:len(runs)-1] {
			if run.Mode != host.Incremental {
				t.Fatalf("run %+v", run)
			}
			updated, created = updated+run.Counts.Updated, created+run.Counts.Created
		}
		if updated != 1 || created != 1 {
			t.Fatalf("%d updated and %d created, want one each", updated, created)
		}
	})
}

func TestDeletionIsConcludedFromAFullRunOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(35), hourly)
		defer r.stop()
		after(time.Second)
		r.plant.do(func() { delete(r.plant.things, "i0005") })
		r.queue(host.Incremental)
		after(time.Second)
		if alive, dead := r.living(); alive != 35 || dead != 0 {
			t.Fatalf("%d living and %d tombstones after an incremental run", alive, dead)
		}
		r.queue(host.Full)
		after(time.Second)
		if alive, dead := r.living(); alive != 34 || dead != 1 {
			t.Fatalf("%d living and %d tombstones after a full run", alive, dead)
		}
		run := r.lastRun()
		if run.Counts.Deleted != 1 || run.Counts.Unchanged != 34 || run.Counts.Updated != 0 {
			t.Fatalf("counts %+v", run.Counts)
		}
	})
}

func TestInterruptedFullRunDeletesNothingAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(35), hourly)
		defer r.stop()
		after(time.Second)
		pages := 0
		r.plant.do(func() {
			delete(r.plant.things, "i0001")
			r.plant.fail = func() error {
				if pages++; pages == 3 {
					return host.Errorf(host.CodeInternal, "the plant answers nonsense")
				}
				return nil
			}
		})
		r.queue(host.Full)
		after(time.Second)
		if run := r.lastRun(); run.Status != host.RunFailed || run.Error.Code != host.CodeInternal {
			t.Fatalf("run %+v", run)
		}
		if alive, dead := r.living(); alive != 35 || dead != 0 {
			t.Fatalf("%d living and %d tombstones after a failed run", alive, dead)
		}
		after(time.Minute)
		run := r.lastRun()
		if run.Status != host.RunCompleted || run.Mode != host.Full {
			t.Fatalf("run %+v", run)
		}
		if alive, dead := r.living(); alive != 34 || dead != 1 {
			t.Fatalf("%d living and %d tombstones", alive, dead)
		}
	})
}

func TestRefusedLoginIsTriedExactlyOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(5)
		p.check = host.Errorf(host.CodeAuthRequired, "wrong password")
		r := setup(t, p, hourly)
		defer r.stop()
		after(24 * time.Hour)
		if c := r.connection(); c.Status != host.StatusAuthRequired {
			t.Fatalf("connection is %s", c.Status)
		}
		if p.logins != 2 {
			t.Fatalf("%d logins, want 2", p.logins)
		}
		// New credentials bring it back.
		p.do(func() { p.check = nil })
		r.put(func(c *host.Connection) {
			c.CredentialsRevision++
			c.Status = host.StatusPending
		})
		after(time.Second)
		if c := r.connection(); c.Status != host.StatusOnline {
			t.Fatalf("connection is %s (%s)", c.Status, c.Reason)
		}
	})
}

func TestLoginRefusedInARunIsConfirmedByOneCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(5)
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Second)
		before := p.logins
		p.do(func() {
			p.check = host.Errorf(host.CodeAuthRequired, "wrong password")
			p.fail = func() error { return p.check }
		})
		r.queue(host.Incremental)
		after(24 * time.Hour)
		if c := r.connection(); c.Status != host.StatusAuthRequired {
			t.Fatalf("connection is %s (%s)", c.Status, c.Reason)
		}
		if got := p.logins - before; got != 1 {
			t.Fatalf("%d checks after the run's failure, want the one that confirms", got)
		}
	})
}

func TestThreeFailedChecksMakeOfflineAndTheFirstSuccessOnline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(5)
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Second)
		p.do(func() { p.check = host.Errorf(host.CodeUnavailable, "connection refused") })
		after(5*time.Minute + 5*time.Second) // the scheduled check fails
		if c := r.connection(); c.Status != host.StatusOnline {
			t.Fatalf("connection is %s after one failure", c.Status)
		}
		after(30 * time.Second)
		if c := r.connection(); c.Status != host.StatusOffline || c.Reason != "connection refused" {
			t.Fatalf("connection is %s (%s)", c.Status, c.Reason)
		}
		p.do(func() { p.check = nil })
		after(15 * time.Second)
		if c := r.connection(); c.Status != host.StatusOnline {
			t.Fatalf("connection is %s", c.Status)
		}
	})
}

func TestRunResumesAfterTheProcessDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(500)
		n := 0
		p.fail = func() error {
			if n++; n%2 == 0 {
				return host.Errorf(host.CodePluginCrashed, "killed")
			}
			return nil
		}
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Minute)
		run := r.lastRun()
		if run.Status != host.RunCompleted || run.Counts.Created != 500 || run.Counts.Unchanged != 0 {
			t.Fatalf("run %+v", run)
		}
		if p.opened < 50 {
			t.Fatalf("opened %d times: it did not die", p.opened)
		}
	})
}

func TestRateLimitIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(30)
		asked := 0
		p.fail = func() error {
			if asked++; asked == 2 {
				err := host.Errorf(host.CodeRateLimited, "too many calls")
				err.RetryAt = time.Now().Add(40 * time.Second)
				return err
			}
			return nil
		}
		r := setup(t, p, hourly)
		defer r.stop()
		after(30 * time.Second)
		if s := r.sync(); s.Run == "" {
			t.Fatalf("the run has ended: %+v", r.lastRun())
		}
		after(15 * time.Second)
		if run := r.lastRun(); run.Status != host.RunCompleted || run.Counts.Created != 30 {
			t.Fatalf("run %+v", run)
		}
	})
}

func TestPauseStopsEverythingAndResumeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(5)
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Second)
		r.put(func(c *host.Connection) { c.Paused = true })
		after(time.Second)
		if c := r.connection(); c.Status != host.StatusPaused {
			t.Fatalf("connection is %s", c.Status)
		}
		logins, reads := p.logins, p.read[host.Incremental]
		after(12 * time.Hour)
		if p.logins != logins || p.read[host.Incremental] != reads {
			t.Fatal("the system was called while paused")
		}
		r.put(func(c *host.Connection) { c.Paused = false })
		after(time.Minute)
		if c := r.connection(); c.Status != host.StatusOnline {
			t.Fatalf("connection is %s (%s)", c.Status, c.Reason)
		}
		if p.read[host.Incremental] == reads {
			t.Fatal("no run after resume")
		}
	})
}

func TestStoppedHostGoesOnWhereItStood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(100)
		hold := make(chan struct{})
		pages := 0
		p.fail = func() error {
			if pages++; pages == 4 {
				<-hold
				return host.Errorf(host.CodeCanceled, "stopped")
			}
			return nil
		}
		r := setup(t, p, hourly)
		after(time.Second)
		stopped := make(chan struct{})
		go func() { r.stop(); close(stopped) }()
		synctest.Wait()
		close(hold)
		<-stopped
		if s := r.sync(); s.Run == "" || s.Page != 3 {
			t.Fatalf("sync %+v", s)
		}
		r.start()
		defer func() { r.stop() }()
		after(time.Second)
		run := r.lastRun()
		if run.Status != host.RunCompleted || run.Counts.Created != 100 || run.Resumed != 1 {
			t.Fatalf("run %+v", run)
		}
	})
}

func TestTooManyBadRecordsFailTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(0)
		for i := range 400 {
			p.set(fmt.Sprintf("%0*d", 1+i%10*80, i+1)) // some ids are over their bound
		}
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Second)
		run := r.lastRun()
		if run.Status != host.RunFailed || run.Error.Code != host.CodeBadRecords || run.Counts.Bad == 0 {
			t.Fatalf("run %+v", run)
		}
	})
}

func TestWishForACheckIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(1)
		p.check = host.Errorf(host.CodeAuthRequired, "wrong password")
		r := setup(t, p, hourly)
		defer r.stop()
		after(time.Hour)
		put, _ := state.PutOf(state.KindWish, "w1", state.Absent, host.Wish{ID: "w1", Kind: host.WishCheck, Connection: plantID, MadeAt: time.Now()})
		if _, err := r.store.Commit(context.Background(), time.Now(), []state.Put{put}, nil, nil); err != nil {
			t.Fatal(err)
		}
		after(time.Second)
		w, _, err := state.Get[host.Wish](context.Background(), r.store, state.KindWish, "w1")
		if err != nil || w.DoneAt.IsZero() || w.Error == nil || w.Error.Code != host.CodeAuthRequired {
			t.Fatalf("wish %+v, %v", w, err)
		}
		if p.logins != 3 {
			t.Fatalf("%d logins, want two and the one asked for", p.logins)
		}
	})
}
