package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/event"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// plain is a Sealer that does not seal: what is under test is the dispatcher.
type plain struct{}

func (plain) Seal(_ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append([]byte{}, b...), nil
}
func (plain) Open(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) AppendOpen(dst []byte, _ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append(dst, b...), nil
}
func (plain) Forget(host.ConnectionID) {}

const plant = host.ConnectionID("plant-7")

// rig is a dispatcher on a store with one connection.
type rig struct {
	t          *testing.T
	store      *state.Store
	dispatcher *event.Dispatcher
	triggers   atomic.Pointer[[]event.Trigger]
	stop       func()
	lease      state.Lease
	page       int64
	runs       int
}

func newID(prefix string) string { return prefix + ulid.Make().String() }

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, store: state.NewStore(memory.New(), plain{})}
	r.commit([]state.Put{r.put(state.KindConnection, string(plant), &host.Connection{ID: plant, Label: "Plant 7", System: "tryton", Metadata: map[string]string{"customer": "4711"}})})
	r.triggers.Store(&[]event.Trigger{})
	r.start()
	t.Cleanup(func() {
		r.stop()
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) start() {
	r.t.Helper()
	d, err := event.New(event.Params{
		Store: r.store, NewID: newID, Log: hclog.NewNullLogger(), Triggers: func() []event.Trigger { return *r.triggers.Load() },
		Record: func(_ context.Context, rec *host.Record) ([]byte, error) {
			if rec.Deleted() {
				return fmt.Appendf(nil, `{"id":%q,"entity":%q}`, rec.ID, rec.Entity), nil
			}
			return fmt.Appendf(nil, `{"id":%q,"entity":%q,%s`, rec.ID, rec.Entity, rec.Body[1:]), nil
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.dispatcher = d
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
}

func (r *rig) put(kind state.Kind, id string, v any) state.Put {
	r.t.Helper()
	p, err := state.PutOf(kind, id, state.Any, v)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) commit(puts []state.Put, events ...host.Event) {
	r.t.Helper()
	if _, err := r.store.Commit(r.t.Context(), time.Now(), puts, events, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) endpoint(id host.EndpointID, events []string, edit ...func(*host.Endpoint)) {
	r.t.Helper()
	e := host.Endpoint{ID: id, Events: events, EmptySyncs: true}
	for _, f := range edit {
		f(&e)
	}
	r.commit([]state.Put{r.put(state.KindEndpoint, string(id), &e)})
}

func (r *rig) event(t host.EventType, edit ...func(*host.Event)) host.EventID {
	r.t.Helper()
	ev := host.Event{ID: host.EventID(newID("evt_")), Type: t, Time: time.Now(), Connection: plant, Data: json.RawMessage(`{}`)}
	for _, f := range edit {
		f(&ev)
	}
	r.commit(nil, ev)
	return ev.ID
}

// owed tells what endpoints are owed, oldest first, as "type > endpoint".
func (r *rig) owed() []string {
	r.t.Helper()
	synctest.Wait()
	ds, _, err := r.store.Deliveries(r.t.Context(), "", "", "", 5000)
	if err != nil {
		r.t.Fatal(err)
	}
	out := []string{}
	for _, d := range ds {
		s := fmt.Sprintf("%s > %s", d.EventType, d.Endpoint)
		if d.Status != host.DeliveryPending {
			s += " " + string(d.Status)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (r *rig) wantOwed(want ...string) {
	r.t.Helper()
	if got := r.owed(); !slices.Equal(got, want) {
		r.t.Fatalf("owed are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// events returns the data of events of a type, oldest first.
func (r *rig) events(t host.EventType) []string {
	r.t.Helper()
	synctest.Wait()
	all, err := r.store.Events(r.t.Context(), 0, 5000)
	if err != nil {
		r.t.Fatal(err)
	}
	out := []string{}
	for _, e := range all {
		if e.Type == t {
			out = append(out, string(e.Data))
		}
	}
	return out
}

// run begins a run of items.
func (r *rig) run() {
	r.t.Helper()
	r.runs++
	var err error
	r.lease, err = r.store.BeginRun(r.t.Context(), state.Begin{Run: host.Run{ID: host.RunID(fmt.Sprintf("run_%02d", r.runs)), Connection: plant, Entity: "items", Mode: host.Incremental}, Holder: "h", At: time.Now()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.page = 0
}

// records commits records by id, "" to delete, as a syncer would.
func (r *rig) records(bodies ...string) {
	r.t.Helper()
	ctx := r.t.Context()
	c, _, err := state.Get[host.Connection](ctx, r.store, state.KindConnection, string(plant))
	if err != nil {
		r.t.Fatal(err)
	}
	follow, err := r.dispatcher.Follows(ctx, &c, "items", r.lease.Sync.LastSuccessAt.IsZero())
	if err != nil {
		r.t.Fatal(err)
	}
	r.page++
	step := state.PageStep{Connection: plant, Entity: "items", Run: r.lease.Run.ID, Fence: r.lease.Fence, Number: r.page, At: time.Now(), Total: -1, Follow: follow}
	for i := 0; i < len(bodies); i += 2 {
		rec := host.Received{ID: host.RecordID(bodies[i]), Body: json.RawMessage(bodies[i+1]), Deleted: bodies[i+1] == ""}
		heads, _, err := r.store.Heads(ctx, plant, "items", []host.RecordID{rec.ID})
		if err != nil {
			r.t.Fatal(err)
		}
		put := state.RecordPut{ID: rec.ID, Expect: heads[0].Sequence, Hash: state.HashOf(&rec), Operation: host.Updated}
		switch {
		case rec.Deleted:
			put.Operation = host.Deleted
		case heads[0].Sequence == 0 || heads[0].Operation == host.Deleted:
			put.Operation = host.Created
		}
		if put.Sealed, err = r.store.SealRecord(plant, "items", &rec); err != nil {
			r.t.Fatal(err)
		}
		step.Records = append(step.Records, put)
	}
	if _, err := r.store.CommitPage(ctx, step); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) end() {
	r.t.Helper()
	if err := r.store.EndRun(r.t.Context(), state.Outcome{Connection: plant, Entity: "items", Run: r.lease.Run.ID, Fence: r.lease.Fence, At: time.Now(), Status: host.RunCompleted}, nil); err != nil {
		r.t.Fatal(err)
	}
}

// bubble runs a story in virtual time.
func bubble(t *testing.T, story func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { story(t, setup(t)) })
}

func TestEventsAreOwedToWhoWantsThem(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("all", []string{"*"})
		r.endpoint("syncs", []string{"sync.*"})
		r.endpoint("elsewhere", []string{"*"}, func(e *host.Endpoint) { e.Connections = []string{"office-*"} })
		r.endpoint("disabled", []string{"sync.failed"}, func(e *host.Endpoint) { e.Disabled = &host.Disabled{Reason: "by a person"} })
		r.event("sync.failed")
		r.event("custom.x")
		r.wantOwed("custom.x > all", "sync.failed > all", "sync.failed > disabled held", "sync.failed > syncs")
	})
}

func TestConnectionsOwnChoiceReplacesTheEndpoints(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("app", []string{"sync.*"})
		r.event("sync.completed")
		synctest.Wait()
		r.commit([]state.Put{r.put(state.KindConnection, string(plant), &host.Connection{ID: plant, Webhooks: map[host.EndpointID][]string{"app": {"connection.*"}}})})
		r.event("sync.failed")
		r.event("connection.online")
		r.event("sync.failed", func(e *host.Event) { e.Connection = "other" })
		r.wantOwed("connection.online > app", "sync.completed > app", "sync.failed > app")
	})
}

func TestEventAboutAnEndpointIsForTheOthersAndATestForItAlone(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("a", []string{"*"})
		r.endpoint("b", []string{"endpoint.*"})
		about := func(e *host.Event) { e.Endpoint, e.Connection = "a", "" }
		r.event(host.EventEndpointDisabled, about)
		r.event(host.EventWebhookTest, about)
		r.event(host.EventWebhookTest, func(e *host.Event) { e.Endpoint = "b" })
		r.wantOwed("endpoint.disabled > b", "webhook.test > a", "webhook.test > b")
	})
}

func TestQuietRunsAreToldOnlyToThoseWhoWantThem(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("all", []string{"*"})
		r.endpoint("changes", []string{"*"}, func(e *host.Endpoint) { e.EmptySyncs = false })
		r.event("sync.completed", func(e *host.Event) { e.Quiet = true })
		r.event("sync.completed")
		r.wantOwed("sync.completed > all", "sync.completed > all", "sync.completed > changes")
	})
}

func TestNewEndpointIsOwedNothingOfBefore(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.event("custom.early")
		time.Sleep(3 * time.Second)
		r.endpoint("late", []string{"*"})
		r.event("custom.late")
		r.wantOwed("custom.late > late")
		r.stop()
		r.endpoint("later", []string{"*"})
		r.start()
		r.wantOwed("custom.late > late")
	})
}

func TestEveryEventIsOwedOnceOverRestarts(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for i := range 30 {
			r.endpoint(host.EndpointID(fmt.Sprintf("e%02d", i)), []string{"*"})
		}
		for n := range 100 {
			r.event("custom.x")
			if n%20 == 10 {
				r.stop()
			}
			if n%20 == 15 {
				r.start()
			}
		}
		if got := r.owed(); len(got) != 3000 {
			t.Fatalf("%d deliveries, want 3000", len(got))
		}
	})
}

func TestRecordEventsWhereSomebodyAsks(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("app", []string{"record.updated", "record.deleted"})
		r.run()
		r.records("a", `{"status":"open"}`, "b", `{"status":"open"}`) // a first run tells nothing
		r.end()
		r.run()
		r.records("a", `{"status":"done","note":"x"}`, "c", `{"status":"open"}`)
		r.records("b", "")
		r.end()
		r.wantOwed("record.deleted > app", "record.updated > app")
		got := r.events(host.EventRecordUpdated)
		if len(got) != 1 || got[0] != `{"entity":"items","id":"a","record":{"id":"a","entity":"items","status":"done","note":"x"},"changed":["note","status"]}` {
			t.Errorf("%s", got)
		}
		if len(r.events(host.EventRecordCreated)) != 0 {
			t.Error("nobody asked for record.created")
		}
		left := 0
		if err := r.store.Followed(t.Context(), 0, func(*state.FollowedRecord) (bool, error) { left++; return true, nil }); err != nil || left != 0 {
			t.Errorf("%d changes are kept, %v", left, err)
		}
	})
}

func TestLargeRecordIsNamedNotCarried(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("app", []string{"record.*"})
		r.run()
		r.end()
		r.run()
		r.records("a", `{"status":"open"}`)
		r.records("a", `{"note":"`+strings.Repeat("x", 300<<10)+`"}`)
		r.end()
		got := r.events(host.EventRecordUpdated)
		if len(got) != 1 || !strings.Contains(got[0], `"record":null,"truncated":true`) {
			t.Errorf("%.200s", got)
		}
	})
}

// low is a trigger on on_hand < 5, told by the status where that is "bad".
func low(edit ...func(*event.Trigger)) event.Trigger {
	number := func(v any, name string) (float64, bool) {
		m, _ := v.(map[string]any)
		n, ok := m[name].(json.Number)
		f, _ := n.Float64()
		return f, ok
	}
	t := event.Trigger{
		Name: "low", Entity: "items", Source: "a.hcl:1", Limit: 1000,
		When: func(values map[string]any, _ time.Time) (bool, error) {
			if m, _ := values["record"].(map[string]any); m["status"] == "bad" {
				return false, errors.New("a.hcl:3: a wrong type")
			}
			n, ok := number(values["record"], "on_hand")
			return ok && n < 5, nil
		},
		Data: func(values map[string]any, _ time.Time) ([]byte, error) {
			n, _ := number(values["record"], "on_hand")
			c, _ := values["connection"].(map[string]any)
			return fmt.Appendf(nil, `{"short_by":%v,"label":%q}`, 5-n, c["label"]), nil
		},
	}
	for _, f := range edit {
		f(&t)
	}
	return t
}

func TestTriggerFiresWhenItsConditionBeginsToHold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("app", []string{"trigger.low"})
		r.triggers.Store(&[]event.Trigger{low()})
		r.run()
		r.records("a", `{"on_hand":3}`, "b", `{"on_hand":9}`)
		r.end()
		r.run()
		r.records("a", `{"on_hand":2}`) // it held before
		r.records("b", `{"on_hand":4}`) // now it does
		r.records("b", `{"on_hand":3}`)
		r.records("b", `{"on_hand":9}`)
		r.records("b", `{"on_hand":1}`, "c", `{"on_hand":0}`, "d", `{"x":1}`)
		r.records("c", "")
		r.end()
		want := []string{
			`{"entity":"items","id":"b","label":"Plant 7","short_by":1}`,
			`{"entity":"items","id":"b","label":"Plant 7","short_by":4}`,
			`{"entity":"items","id":"c","label":"Plant 7","short_by":5}`,
		}
		if got := r.events("trigger.low"); !slices.Equal(got, want) {
			t.Errorf("%s", strings.Join(got, "\n"))
		}
		r.wantOwed("trigger.low > app", "trigger.low > app", "trigger.low > app")
	})
}

func TestTriggerOfLevelFiresForEachChange(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.triggers.Store(&[]event.Trigger{low(func(t *event.Trigger) { t.Level = true })})
		r.run()
		r.end()
		r.run()
		r.records("a", `{"on_hand":3}`)
		r.records("a", `{"on_hand":2}`)
		r.end()
		if got := r.events("trigger.low"); len(got) != 2 {
			t.Errorf("%s", got)
		}
	})
}

func TestTriggerInitialAndLimit(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.triggers.Store(&[]event.Trigger{low(func(t *event.Trigger) { t.Initial, t.Limit = true, 3 })})
		fill := func(from int) {
			r.run()
			for i := range 10 {
				r.records(fmt.Sprint("i", from+i), `{"on_hand":1}`)
			}
			r.end()
		}
		fill(0)
		if got := r.events("trigger.low"); len(got) != 3 {
			t.Fatalf("%d events of a first run", len(got))
		}
		fill(10)
		if got := r.events("trigger.low"); len(got) != 6 {
			t.Fatalf("%d events after the second run", len(got))
		}
	})
}

func TestTriggerThatFailsIsToldOnceAnHourAndHarmsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.triggers.Store(&[]event.Trigger{low()})
		r.run()
		r.end()
		r.run()
		r.records("a", `{"status":"bad"}`, "b", `{"on_hand":1}`, "c", `{"status":"bad"}`)
		r.end()
		got := r.events(host.EventSystemError)
		if len(got) != 1 || !strings.Contains(got[0], `"key":"trigger/low"`) || !strings.Contains(got[0], "a.hcl:3") || !strings.Contains(got[0], "items") {
			t.Fatalf("%s", got)
		}
		if len(r.events("trigger.low")) != 1 {
			t.Error("the records that are fine fire")
		}
		r.stop()
		r.start()
		r.run()
		r.records("a", `{"status":"bad","n":0}`)
		r.end()
		if got := r.events(host.EventSystemError); len(got) != 1 {
			t.Errorf("%d events after a restart", len(got))
		}
		time.Sleep(2 * time.Hour)
		r.run()
		r.records("a", `{"status":"bad","n":1}`)
		r.end()
		if got := r.events(host.EventSystemError); len(got) != 2 {
			t.Errorf("%d events after two hours", len(got))
		}
	})
}

func TestTriggerByTimeFiresOnceWhenItsTimeHasCome(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		begin := time.Now()
		overdue := event.Trigger{
			Name: "overdue", Entity: "items", Every: time.Hour, Limit: 1000,
			When: func(values map[string]any, now time.Time) (bool, error) {
				m, _ := values["record"].(map[string]any)
				due, err := time.Parse(time.RFC3339, fmt.Sprint(m["due_at"]))
				return err == nil && due.Before(now), nil
			},
		}
		r.triggers.Store(&[]event.Trigger{overdue})
		at := func(d time.Duration) string {
			return fmt.Sprintf(`{"due_at":%q}`, begin.Add(d).UTC().Format(time.RFC3339))
		}
		time.Sleep(2 * time.Minute)
		r.run()
		r.records("past", at(-time.Hour), "soon", at(90*time.Minute), "later", at(5*time.Hour))
		r.end()
		r.run()
		r.records("new", at(-time.Minute)) // fires as it comes, and not again
		r.end()
		ids := func() string {
			out := ""
			for _, e := range r.events("trigger.overdue") {
				var d struct{ ID string }
				_ = json.Unmarshal([]byte(e), &d)
				out += d.ID + " "
			}
			return out
		}
		if got := ids(); got != "new " {
			t.Fatalf("at once: %s", got)
		}
		time.Sleep(3 * time.Hour)
		if got := ids(); got != "new soon " {
			t.Fatalf("after three hours: %s", got)
		}
		r.stop()
		time.Sleep(4 * time.Hour)
		r.start()
		if got := ids(); got != "new soon later " {
			t.Fatalf("after a stop over its time: %s", got)
		}
		time.Sleep(10 * time.Hour)
		if got := ids(); got != "new soon later " {
			t.Fatalf("again: %s", got)
		}
	})
}
