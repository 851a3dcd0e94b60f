package statetest

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// walk takes random steps on the engine and on the reference alike: each must
// answer as the other does, and at the end all that can be read must be the
// same. A failing walk is printed with its seed, shortened.
func walk(t *testing.T, open func(t *testing.T) Harness) {
	rapid.Check(t, func(r *rapid.T) {
		h := open(t)
		w := &walker{rapid: r, walked: newWalked(t, h), reference: newWalked(t, reference())}
		defer w.close()
		r.Repeat(map[string]func(*rapid.T){
			"put":    w.put,
			"remove": w.remove,
			"queue":  w.queue,
			"begin":  w.begin,
			"page":   w.page,
			"end":    w.end,
			"push":   w.push,
			"settle": w.settle,
			"prune":  w.prune,
			"crash":  func(*rapid.T) { w.walked.crash() },
			"sweep":  func(*rapid.T) { w.both(func(f *fixture) string { f.sweepUp(); return "" }) },
			"":       func(*rapid.T) {},
		})
		w.both(portrait)
	})
}

func reference() Harness {
	e := memory.New()
	return Harness{Engine: e, Reopen: func() state.Engine { return e }}
}

// newWalked is a fixture that its walk closes.
func newWalked(t *testing.T, h Harness) *fixture {
	return &fixture{TB: t, Engine: h.Engine, harness: h, ctx: t.Context()}
}

// walker walks on two engines.
type walker struct {
	rapid             *rapid.T
	walked, reference *fixture
	steps             int
}

func (w *walker) close() {
	if err := errors.Join(w.walked.Close(), w.reference.Close()); err != nil {
		w.walked.Errorf("close: %v", err)
	}
}

// both does the same on both engines and compares the answers.
func (w *walker) both(do func(*fixture) string) {
	w.steps++
	want, got := do(w.reference), do(w.walked)
	if want != got {
		w.rapid.Fatalf("step %d: the reference answers\n%s\nthe engine answers\n%s", w.steps, want, got)
	}
}

// verdict tells an answer by its refusal.
func verdict(err error) string {
	for _, e := range []error{state.ErrChanged, state.ErrFenced, state.ErrPurged, state.ErrRunning, state.ErrNotFound} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	if err != nil {
		return string(host.CodeOf(err))
	}
	return "done"
}

var (
	connections = rapid.SampledFrom([]host.ConnectionID{plant, "plant-8"})
	entities    = rapid.SampledFrom([]host.EntityName{orders, items, "native/dbo.Items"})
	recordIDs   = rapid.SampledFrom([]host.RecordID{"a", "b", "c", "a\x00", "ä~1", "d", "e", "f"})
	runIDs      = rapid.SampledFrom([]host.RunID{"run_1", "run_2", "run_3", "run_4", "run_5"})
	holders     = rapid.SampledFrom([]string{"h1", "h2"})
	modes       = rapid.SampledFrom([]host.Mode{host.Full, host.Incremental})
	kinds       = rapid.SampledFrom([]state.Kind{state.KindConnection, state.KindEndpoint, state.KindToken, state.KindDataKey})
)

func (w *walker) put(r *rapid.T) {
	kind, id := kinds.Draw(r, "kind"), rapid.SampledFrom([]string{"plant-7", "plant-8", "x"}).Draw(r, "id")
	owner := rapid.SampledFrom([]host.ConnectionID{"", plant, "plant-8"}).Draw(r, "owner")
	if kind != state.KindToken {
		owner = ""
	}
	how := rapid.SampledFrom([]string{"absent", "any", "right", "wrong"}).Draw(r, "expect")
	body := []byte(fmt.Sprintf(`{"v":%d}`, rapid.IntRange(0, 2).Draw(r, "body")))
	events := rapid.IntRange(0, 2).Draw(r, "events")
	at := w.steps
	w.both(func(f *fixture) string {
		f.at = minuteOf(at)
		c := state.Change{Puts: []state.Put{{Kind: kind, ID: id, Body: body, Connection: owner, Expect: f.expectation(kind, id, how)}}}
		for i := range events {
			c.Events = append(c.Events, eventOf(host.EventID(fmt.Sprint("evt_", (at+i)%40))))
		}
		_, err := f.commit(c)
		return verdict(err)
	})
}

// expectation returns a revision for a document that is right, or not.
func (f *fixture) expectation(kind state.Kind, id, how string) host.Sequence {
	d, err := f.Document(f.ctx, 0, kind, id)
	if err != nil && !errors.Is(err, state.ErrNotFound) {
		f.Fatalf("read: %v", err)
	}
	switch how {
	case "any":
		return state.Any
	case "right":
		return d.Revision
	case "wrong":
		return d.Revision + 1
	}
	return state.Absent
}

func (w *walker) remove(r *rapid.T) {
	kind, id := kinds.Draw(r, "kind"), rapid.SampledFrom([]string{"plant-7", "plant-8", "x"}).Draw(r, "id")
	how := rapid.SampledFrom([]string{"any", "right", "wrong"}).Draw(r, "expect")
	w.both(func(f *fixture) string {
		_, err := f.commit(state.Change{Puts: []state.Put{state.Delete(kind, id, f.expectation(kind, id, how))}})
		return verdict(err)
	})
}

func (w *walker) queue(r *rapid.T) {
	run := host.Run{
		ID: runIDs.Draw(r, "run"), Connection: connections.Draw(r, "connection"), Entity: entities.Draw(r, "entity"),
		Mode: modes.Draw(r, "mode"), Trigger: "manual",
	}
	at := w.steps
	w.both(func(f *fixture) string {
		f.at = minuteOf(at)
		_, err := f.commit(state.Change{Queue: []host.Run{run}})
		return verdict(err)
	})
}

func (w *walker) begin(r *rapid.T) {
	b := state.Begin{
		Run: host.Run{
			ID: runIDs.Draw(r, "run"), Connection: connections.Draw(r, "connection"), Entity: entities.Draw(r, "entity"),
			Mode: modes.Draw(r, "mode"), Trigger: "schedule",
		},
		Holder: holders.Draw(r, "holder"), At: minuteOf(w.steps),
	}
	w.both(func(f *fixture) string {
		l, err := f.BeginRun(f.ctx, 0, b)
		if err == nil {
			f.leases = append(f.leases, l)
		}
		return fmt.Sprintf("%s %q page %d first %t resumed %d", verdict(err), l.Checkpoint, l.Page, l.Run.First, l.Run.Resumed)
	})
}

// lease draws one of the leases that were given, old ones too, as its number.
func (w *walker) lease(r *rapid.T) int {
	n := len(w.reference.leases)
	if n == 0 {
		r.Skip("no lease was given")
	}
	return n - 1 - rapid.IntRange(0, min(n-1, 5)).Draw(r, "lease")
}

func (w *walker) page(r *rapid.T) {
	n := w.lease(r)
	skip := rapid.SampledFrom([]int64{1, 1, 1, 1, 0, 2}).Draw(r, "number")
	ids := rapid.SliceOfNDistinct(recordIDs, 0, 5, rapid.ID).Draw(r, "records")
	wrong := rapid.IntRange(0, 9).Draw(r, "wrong") == 0
	looked := rapid.Bool().Draw(r, "looked")
	unchanged := rapid.SliceOfNDistinct(recordIDs, 0, 3, rapid.ID).Draw(r, "unchanged")
	gone := rapid.IntRange(0, 3).Draw(r, "deleted")
	follow := rapid.IntRange(0, 2).Draw(r, "follow") == 0
	at, body := w.steps, fmt.Sprint(w.steps)
	w.both(func(f *fixture) string {
		l := f.leases[n]
		f.at = minuteOf(at)
		s := f.pageOf(l, f.pageNumber(l)+skip)
		heads, readAt, err := f.Heads(f.ctx, 0, l.Run.Connection, l.Run.Entity, ids)
		f.must(err)
		if looked {
			s.ReadAt = readAt
		}
		for i, id := range ids {
			op := host.Updated
			switch {
			case heads[i].Sequence == 0 || heads[i].Operation == host.Deleted:
				op = host.Created
			case i == gone:
				op = host.Deleted
			}
			put := recordOf(id, heads[i].Sequence, op, body)
			if wrong && put.Expect > 1 && !looked {
				put.Expect--
			}
			s.Records = append(s.Records, put)
		}
		s.Unchanged, s.Follow = unchanged, follow
		s.Counts = host.Counts{Read: int64(len(ids) + len(unchanged))}
		_, err = f.CommitPage(f.ctx, 0, s)
		return verdict(err)
	})
}

// pageNumber returns the number of the last page of a lease's sync.
func (f *fixture) pageNumber(l state.Lease) int64 {
	all, err := f.Syncs(f.ctx, 0, l.Run.Connection)
	f.must(err)
	for _, s := range all {
		if s.Entity == l.Run.Entity {
			return s.Page
		}
	}
	return 0
}

func (w *walker) end(r *rapid.T) {
	n := w.lease(r)
	status := rapid.SampledFrom([]host.RunStatus{host.RunCompleted, host.RunFailed, host.RunCanceled}).Draw(r, "status")
	keep := rapid.Bool().Draw(r, "keep")
	at := w.steps
	w.both(func(f *fixture) string {
		o := outcomeOf(f.leases[n], status)
		o.KeepPass, o.At = keep, minuteOf(at)
		o.Events = []state.Event{eventOf(host.EventID("evt_end_" + o.Run))}
		return verdict(f.EndRun(f.ctx, 0, o))
	})
}

func (w *walker) push(r *rapid.T) {
	stale := rapid.IntRange(0, 5).Draw(r, "stale") == 0
	moves := host.Sequence(rapid.IntRange(1, 3).Draw(r, "moves")) //nolint:gosec // small
	var ds []host.Delivery
	for i := range rapid.IntRange(0, 3).Draw(r, "deliveries") {
		to := rapid.SampledFrom([]host.EndpointID{"e1", "e2"}).Draw(r, "endpoint")
		ds = append(ds, deliveryOf(host.DeliveryID(fmt.Sprintf("dlv_%03d", (w.steps*3+i)%60)), to, 0, w.steps))
	}
	var events []state.Event
	for i := range rapid.IntRange(0, 2).Draw(r, "events") {
		events = append(events, eventOf(host.EventID(fmt.Sprint("evt_pushed_", (w.steps+i)%20))))
	}
	// One that drops what was followed names the last of it by its number, which
	// each engine gives as it likes.
	n := len(w.reference.followedNumbers())
	drop, last := n > 0 && rapid.Bool().Draw(r, "drop"), 0
	if drop {
		last = rapid.IntRange(0, n-1).Draw(r, "last")
	}
	at := w.steps
	w.both(func(f *fixture) string {
		p := state.Push{Position: "dispatch", At: minuteOf(at), Deliveries: ds, Events: events, Drop: drop}
		if drop {
			p.Position = "follow"
		}
		var err error
		p.From, err = f.Pushed(f.ctx, 0, p.Position)
		f.must(err)
		p.To = p.From + moves
		if all := f.followedNumbers(); drop && last < len(all) {
			p.To = all[last]
		}
		if stale && p.From > 0 {
			p.From--
		}
		answer := verdict(f.Push(f.ctx, 0, p))
		now, err := f.Pushed(f.ctx, 0, p.Position)
		f.must(err)
		return fmt.Sprint(answer, now == p.To)
	})
}

// followedNumbers are the numbers of the changes that are followed.
func (f *fixture) followedNumbers() []host.Sequence {
	var all []host.Sequence
	f.must(f.Followed(f.ctx, 0, 0, func(c *state.Followed) (bool, error) {
		all = append(all, c.Sequence)
		return true, nil
	}))
	return all
}

func (w *walker) settle(r *rapid.T) {
	endpoint := rapid.SampledFrom([]host.EndpointID{"", "e1", "e2"}).Draw(r, "endpoint")
	status := rapid.SampledFrom([]host.DeliveryStatus{host.DeliveryPending, host.DeliveryDelivered, host.DeliveryDead}).Draw(r, "status")
	limit, keep := rapid.IntRange(1, 4).Draw(r, "limit"), rapid.Bool().Draw(r, "keep")
	now := w.steps
	w.both(func(f *fixture) string {
		ds, next, err := f.Claim(f.ctx, 0, state.Claim{Endpoint: endpoint, Now: minuteOf(now), Until: minuteOf(now), Limit: limit})
		f.must(err)
		told := idsOf(ds) + " " + host.FormatTime(next)
		if keep {
			return told
		}
		var all []state.Settlement
		for _, d := range ds {
			all = append(all, settled(d, status, now+2))
		}
		return told + verdict(f.Settle(f.ctx, 0, all))
	})
}

func (w *walker) prune(r *rapid.T) {
	from := rapid.IntRange(0, 50).Draw(r, "from")
	var p state.Prune
	for i := range rapid.IntRange(1, 10).Draw(r, "deliveries") {
		p.IDs = append(p.IDs, host.DeliveryID(fmt.Sprintf("dlv_%03d", from+i)))
	}
	w.both(func(f *fixture) string { return verdict(f.Prune(f.ctx, 0, p)) })
}
