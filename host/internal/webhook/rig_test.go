package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
	"github.com/dinrail/dinrail/host/internal/webhook"
)

// plain is a Sealer that does not seal: what is under test is the sender.
type plain struct{}

func (plain) Seal(_ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append([]byte{}, b...), nil
}
func (plain) Open(_ host.ConnectionID, b, _ []byte) ([]byte, error) { return b, nil }
func (plain) AppendOpen(dst []byte, _ host.ConnectionID, b, _ []byte) ([]byte, error) {
	return append(dst, b...), nil
}
func (plain) Forget(host.ConnectionID) {}

var secret = []byte("0123456789abcdef0123456789abcdef")

// got is a request as a receiver got it.
type got struct {
	at       time.Duration // since the test began
	endpoint host.EndpointID
	header   http.Header
	body     string
}

// rig is a sender on a store, with receivers that answer by a function.
type rig struct {
	t      *testing.T
	store  *state.Store
	begin  time.Time
	stop   func()
	events int

	mu     sync.Mutex
	got    []got
	answer func(ctx context.Context, e host.EndpointID, n int) (*http.Response, error) // n: of this endpoint, from 1
	seen   map[host.EndpointID]int
}

func status(code int, header ...string) *http.Response {
	r := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("answer " + fmt.Sprint(code)))}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func setup(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, store: state.NewStore(memory.New(), plain{}), begin: time.Now(), seen: map[host.EndpointID]int{}}
	r.answer = func(context.Context, host.EndpointID, int) (*http.Response, error) { return status(204), nil }
	r.start()
	t.Cleanup(func() {
		r.stop()
		if err := r.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func newID(prefix string) string { return prefix + ulid.Make().String() }

// start runs a sender until stop.
func (r *rig) start() {
	r.t.Helper()
	s, err := webhook.New(webhook.Params{
		Store: r.store, NewID: newID, Version: "test", Drain: time.Minute, Log: hclog.NewNullLogger(),
		Secrets: func(e *host.Endpoint) ([][]byte, map[string]string, error) {
			var keys [][]byte
			for _, k := range e.Secrets {
				keys = append(keys, k.Sealed)
			}
			return keys, map[string]string{"X-Plant": "7"}, nil
		},
		Transport: func(e *host.Endpoint) (http.RoundTripper, error) { return receiver{r, e.ID}, nil },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
}

// receiver is one endpoint's other side.
type receiver struct {
	r  *rig
	id host.EndpointID
}

func (v receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	v.r.mu.Lock()
	v.r.seen[v.id]++
	n, answer := v.r.seen[v.id], v.r.answer
	v.r.got = append(v.r.got, got{time.Since(v.r.begin), v.id, req.Header, string(body)})
	v.r.mu.Unlock()
	return answer(req.Context(), v.id, n)
}

// hang answers nothing until the attempt's time is over.
func hang(ctx context.Context, _ host.EndpointID, _ int) (*http.Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (r *rig) answers(f func(ctx context.Context, e host.EndpointID, n int) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func always(code int, header ...string) func(context.Context, host.EndpointID, int) (*http.Response, error) {
	return func(context.Context, host.EndpointID, int) (*http.Response, error) {
		return status(code, header...), nil
	}
}

func (r *rig) requests() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]got(nil), r.got...)
}

// endpoint makes an endpoint, or changes it.
func (r *rig) endpoint(id host.EndpointID, edit ...func(*host.Endpoint)) {
	r.t.Helper()
	e, _, err := state.Get[host.Endpoint](r.t.Context(), r.store, state.KindEndpoint, string(id))
	if errors.Is(err, state.ErrNotFound) {
		e = host.Endpoint{
			ID: id, URL: "https://" + string(id) + ".example.com/hooks", Events: []string{"*"}, Timeout: host.DefaultTimeout,
			Retry: host.DefaultRetry(), Secrets: []host.SigningSecret{{Sealed: secret}},
		}
	} else if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range edit {
		f(&e)
	}
	put, err := state.PutOf(state.KindEndpoint, string(id), state.Any, &e)
	if err == nil {
		_, err = r.store.Commit(r.t.Context(), time.Now(), []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stored(id host.EndpointID) host.Endpoint {
	r.t.Helper()
	e, _, err := state.Get[host.Endpoint](r.t.Context(), r.store, state.KindEndpoint, string(id))
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// owe makes an event and owes it to the endpoints.
func (r *rig) owe(to ...host.EndpointID) []host.DeliveryID {
	r.t.Helper()
	ctx := r.t.Context()
	r.events++
	ev := host.Event{ID: host.EventID(newID("evt_")), Type: "custom.test", Time: time.Now(), Connection: "plant-7", Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, r.events))}
	n, err := r.store.Commit(ctx, time.Now(), nil, []host.Event{ev}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	from, err := r.store.Pushed(ctx, "dispatch")
	if err != nil {
		r.t.Fatal(err)
	}
	p := state.Push{Position: "dispatch", From: from, To: n, At: time.Now()}
	var ids []host.DeliveryID
	for _, e := range to {
		d := host.Delivery{
			ID: host.DeliveryID(newID(host.DeliveryPrefix)), Event: ev.ID, EventType: ev.Type, Sequence: n, Endpoint: e, Connection: ev.Connection,
			Status: host.DeliveryPending, CreatedAt: time.Now().UTC(), DueAt: time.Now().UTC(),
		}
		ids = append(ids, d.ID)
		p.Deliveries = append(p.Deliveries, d)
	}
	if err := r.store.Push(ctx, p, nil); err != nil {
		r.t.Fatal(err)
	}
	return ids
}

func (r *rig) delivery(id host.DeliveryID) (host.Delivery, []host.Attempt) {
	r.t.Helper()
	d, attempts, err := r.store.Delivery(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return d, attempts
}

func (r *rig) is(id host.DeliveryID, want host.DeliveryStatus) host.Delivery {
	r.t.Helper()
	d, _ := r.delivery(id)
	if d.Status != want {
		r.t.Fatalf("delivery is %s (%s), want %s", d.Status, d.Reason, want)
	}
	return d
}

// eventsOf returns the events of a type.
func (r *rig) eventsOf(t host.EventType) []host.Event {
	r.t.Helper()
	all, err := r.store.Events(r.t.Context(), 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []host.Event
	for _, e := range all {
		if e.Type == t {
			out = append(out, e)
		}
	}
	return out
}

// later lets the clock go on and all that follows happen.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// bubble runs a story in virtual time.
func bubble(t *testing.T, story func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { story(t, setup(t)) })
}
