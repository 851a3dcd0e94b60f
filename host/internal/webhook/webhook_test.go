package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestScheduleIsThirteenAttemptsOverADay(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		id := r.owe("app")[0]
		later(25 * time.Hour)
		want := []time.Duration{
			0,
			30 * time.Second,
			90 * time.Second,
			210 * time.Second,
			7*time.Minute + 30*time.Second,
			15*time.Minute + 30*time.Second,
			31*time.Minute + 30*time.Second,
			63*time.Minute + 30*time.Second,
			2*time.Hour + 7*time.Minute + 30*time.Second,
			4*time.Hour + 15*time.Minute + 30*time.Second,
			8*time.Hour + 31*time.Minute + 30*time.Second,
			17*time.Hour + 3*time.Minute + 30*time.Second,
			24 * time.Hour,
		}
		all := r.requests()
		if len(all) != len(want) {
			t.Fatalf("%d attempts, want %d", len(all), len(want))
		}
		for i, g := range all {
			late := time.Duration(0)
			if i > 0 {
				late = min((want[i]-want[i-1])/10, 5*time.Minute)
			}
			if g.at < want[i] || g.at > want[i]+late+time.Second {
				t.Errorf("attempt %d came at %s, want %s and at most %s later", i+1, g.at, want[i], late)
			}
			if id := g.header.Get("Webhook-Id"); id != all[0].header.Get("Webhook-Id") {
				t.Errorf("attempt %d has another id: %s", i+1, id)
			}
		}
		d, attempts := r.delivery(id)
		if d.Status != host.DeliveryDead || d.Attempts != 13 || len(attempts) != 13 || !strings.Contains(d.Reason, "500") {
			t.Fatalf("%+v with %d attempts", d, len(attempts))
		}
		if a := attempts[12]; a.Number != 13 || a.Status != 500 || string(a.Response) != "answer 500" || a.StartedAt.IsZero() {
			t.Errorf("the last attempt is kept as %+v", a)
		}
	})
}

func TestDeliveryIsSignedAsTheOfficialLibraryVerifies(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		older := []byte("older-secret-older-secret-older!")
		r.endpoint("app", func(e *host.Endpoint) {
			e.Secrets = []host.SigningSecret{{Sealed: older, Until: time.Now().Add(24 * time.Hour)}, {Sealed: secret}}
		})
		put, err := state.PutOf(state.KindConnection, "plant-7", state.Any, &host.Connection{ID: "plant-7", Label: "Plant 7", System: "tryton", Metadata: map[string]string{"customer": "4711"}})
		if err == nil {
			_, err = r.store.Commit(t.Context(), time.Now(), []state.Put{put}, nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.owe("app")
		later(time.Second)
		later(25 * time.Hour)
		r.owe("app")
		later(time.Second)
		all := r.requests()
		if len(all) != 2 {
			t.Fatalf("%d requests", len(all))
		}
		for i, g := range all {
			for name, k := range map[string]struct {
				key   []byte
				valid bool
			}{"current": {secret, true}, "older": {older, i == 0}, "other": {bytes.Repeat([]byte{1}, 32), false}} {
				wh, err := standardwebhooks.NewWebhookRaw(k.key)
				if err != nil {
					t.Fatal(err)
				}
				if err := wh.VerifyIgnoringTimestamp([]byte(g.body), g.header); (err == nil) != k.valid {
					t.Errorf("request %d by the %s secret: %v", i+1, name, err)
				}
			}
			if ts := g.header.Get("Webhook-Timestamp"); ts != fmt.Sprint(r.begin.Add(g.at).Unix()) {
				t.Errorf("the time of request %d is %s", i+1, ts)
			}
			if g.header.Get("X-Plant") != "7" || g.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", g.header)
			}
		}
		var body struct {
			ID, Type, Timestamp string
			ConnectionID        string `json:"connection_id"`
			Connection          struct {
				Label, System string
				Metadata      map[string]string
			}
			Data struct{ N int }
		}
		d := json.NewDecoder(strings.NewReader(all[1].body))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil || body.ID != all[1].header.Get("Webhook-Id") || body.Type != "custom.test" || body.ConnectionID != "plant-7" ||
			body.Connection.Label != "Plant 7" || body.Connection.System != "tryton" || body.Connection.Metadata["customer"] != "4711" || body.Data.N != 2 {
			t.Errorf("%v: %s", err, all[1].body)
		}
		if _, err := time.Parse(host.TimeFormat, body.Timestamp); err != nil {
			t.Error(err)
		}
	})
}

func TestRetryAfterWins(t *testing.T) {
	for _, c := range []struct {
		name, header string
		code         int
		from, to     time.Duration // of the second attempt
	}{
		{"seconds", "600", 429, 10 * time.Minute, 11*time.Minute + time.Second},
		{"of 503", "600", 503, 10 * time.Minute, 11*time.Minute + time.Second},
		{"a date", "Sat, 01 Jan 2000 01:00:00 GMT", 429, time.Hour, 66*time.Minute + time.Second},
		{"not of 500", "600", 500, 30 * time.Second, 34 * time.Second},
		{"not an earlier one", "1", 429, 30 * time.Second, 34 * time.Second},
		{"not nonsense", "soon", 429, 30 * time.Second, 34 * time.Second},
		{"not past the end", "172800", 429, 24 * time.Hour, 24*time.Hour + 6*time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.answers(func(_ context.Context, _ host.EndpointID, n int) (*http.Response, error) {
					if n == 1 {
						return status(c.code, "Retry-After", c.header), nil
					}
					return status(200), nil
				})
				r.endpoint("app")
				id := r.owe("app")[0]
				later(25 * time.Hour)
				all := r.requests()
				if len(all) != 2 || all[1].at < c.from || all[1].at > c.to {
					t.Fatalf("%+v", all)
				}
				r.is(id, host.DeliveryDelivered)
			})
		})
	}
}

func TestFailuresTellWhy(t *testing.T) {
	for _, c := range []struct {
		name, want string
		answer     func(context.Context, host.EndpointID, int) (*http.Response, error)
	}{
		{"no answer in time", "no answer within 10s", hang},
		{"a redirect is not followed", "redirect", always(302, "Location", "https://elsewhere.example.com")},
		{"a status", "it answered 404 Not Found", always(404)},
		{"a broken line", "it could not be reached: line cut", func(context.Context, host.EndpointID, int) (*http.Response, error) {
			return nil, errors.New("line cut")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.answers(c.answer)
				r.endpoint("app")
				id := r.owe("app")[0]
				later(20 * time.Second)
				d := r.is(id, host.DeliveryPending)
				if !strings.Contains(d.Reason, c.want) || strings.Contains(d.Reason, "example.com") || d.Attempts != 1 || d.DueAt.IsZero() {
					t.Errorf("%+v", d)
				}
			})
		})
	}
}

// endless is an answer that never ends; slow, one of a byte a second.
type endless struct{ ctx context.Context }

func (e endless) Read(b []byte) (int, error) { return len(b), e.ctx.Err() }
func (e endless) Close() error               { return nil }

type slow struct{ ctx context.Context }

func (s slow) Read(b []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		b[0] = 'x'
		return 1, nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}
func (s slow) Close() error { return nil }

func TestAnswersThatDoNotEndAreCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(func(ctx context.Context, e host.EndpointID, _ int) (*http.Response, error) {
			res := status(200)
			res.Body = endless{ctx}
			if e == "slow" {
				res.Body = slow{ctx}
			}
			return res, nil
		})
		r.endpoint("endless")
		r.endpoint("slow")
		ids := r.owe("endless", "slow")
		later(time.Second)
		r.is(ids[0], host.DeliveryDelivered)
		if _, a := r.delivery(ids[0]); len(a[0].Response) != host.MaxResponseBytes {
			t.Errorf("%d bytes of an endless answer are kept", len(a[0].Response))
		}
		later(15 * time.Second)
		r.is(ids[1], host.DeliveryDelivered) // it said 200 in time
	})
}

func TestFirstAttemptsGoBeforeOldRetries(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app", func(e *host.Endpoint) { e.Rate = 1 })
		for range 3 {
			r.owe("app")
		}
		later(29 * time.Second)
		r.answers(always(200))
		r.stop() // retries become due while nobody sends
		later(time.Minute)
		r.owe("app")
		before := len(r.requests())
		r.start()
		later(10 * time.Second)
		all := r.requests()[before:]
		if len(all) != 4 || !strings.Contains(all[0].body, `"n":4`) {
			t.Fatalf("%d requests, the first %v", len(all), all)
		}
	})
}

func TestRateIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.endpoint("app", func(e *host.Endpoint) { e.Rate = 2 })
		for range 12 {
			r.owe("app")
		}
		later(5*time.Second + 100*time.Millisecond)
		if n := len(r.requests()); n < 11 || n > 12 { // two at once, then two a second
			t.Errorf("%d requests in five seconds at two a second", n)
		}
	})
}

func TestGoneDisablesAndTellsTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(410))
		r.endpoint("app")
		first := r.owe("app")[0]
		later(time.Second)
		e := r.stored("app")
		if e.Disabled == nil || !strings.Contains(e.Disabled.Reason, "410") {
			t.Fatalf("%+v", e.Disabled)
		}
		r.is(first, host.DeliveryHeld)
		told := r.eventsOf(host.EventEndpointDisabled)
		if len(told) != 1 || told[0].Endpoint != "app" || !strings.Contains(string(told[0].Data), `"endpoint":"app"`) {
			t.Fatalf("%+v", told)
		}
		// What it is owed from then on is held too.
		second := r.owe("app")[0]
		later(time.Hour)
		r.is(second, host.DeliveryHeld)
		if n := len(r.requests()); n != 1 {
			t.Fatalf("%d requests to a disabled endpoint", n)
		}
		// Enabled, it gets them in order of age.
		r.answers(always(200))
		r.endpoint("app", func(e *host.Endpoint) { e.Disabled, e.Recovering, e.Rate = nil, true, 1 })
		later(10 * time.Second)
		r.is(first, host.DeliveryDelivered)
		r.is(second, host.DeliveryDelivered)
		if all := r.requests(); len(all) != 3 {
			t.Fatalf("%d requests", len(all))
		}
		if e := r.stored("app"); e.Recovering || !e.FailingSince.IsZero() {
			t.Errorf("%+v", e)
		}
		if told := r.eventsOf(host.EventEndpointRecovered); len(told) != 1 {
			t.Errorf("%d events of its recovery", len(told))
		}
	})
}

func TestFiveDaysWithoutASuccessDisable(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		for range 6 * 24 {
			r.owe("app")
			later(time.Hour)
		}
		e := r.stored("app")
		if e.Disabled == nil {
			t.Fatal("it is still served")
		}
		if after := e.Disabled.At.Sub(r.begin); after < 5*24*time.Hour || after > 5*24*time.Hour+2*time.Hour {
			t.Errorf("disabled after %s", after)
		}
		owed, err := r.store.Owed(t.Context())
		if err != nil || owed["app"][host.DeliveryPending] != 0 || owed["app"][host.DeliveryHeld] == 0 || owed["app"][host.DeliveryDead] == 0 {
			t.Errorf("%v %v", owed, err)
		}
	})
}

func TestASuccessBeginsTheFiveDaysAnew(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(func(_ context.Context, _ host.EndpointID, n int) (*http.Response, error) {
			if n%40 == 0 {
				return status(200), nil
			}
			return status(500), nil
		})
		r.endpoint("app")
		for range 9 * 24 {
			r.owe("app")
			later(time.Hour)
		}
		if e := r.stored("app"); e.Disabled != nil {
			t.Fatalf("%+v", e.Disabled)
		}
	})
}

func TestDeadEndpointDelaysNoOther(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(func(ctx context.Context, e host.EndpointID, n int) (*http.Response, error) {
			if strings.HasPrefix(string(e), "dead") {
				return hang(ctx, e, n)
			}
			return status(200), nil
		})
		for i := range 20 {
			r.endpoint(host.EndpointID(fmt.Sprintf("dead%d", i)))
		}
		r.endpoint("well")
		for range 100 {
			for i := range 20 {
				r.owe(host.EndpointID(fmt.Sprintf("dead%d", i)))
			}
		}
		id := r.owe("well")[0]
		later(time.Millisecond)
		r.is(id, host.DeliveryDelivered)
	})
}

func TestFailedAtOnceComeBackSpread(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		for range 500 {
			r.owe("app")
		}
		later(29 * time.Second)
		if n := len(r.requests()); n != 500 {
			t.Fatalf("%d first attempts", n)
		}
		later(10 * time.Second)
		again := r.requests()[500:]
		if len(again) != 500 {
			t.Fatalf("%d second attempts", len(again))
		}
		first, last := again[0].at, again[len(again)-1].at
		if first < 30*time.Second || last-first < 2500*time.Millisecond {
			t.Errorf("they came back from %s to %s", first, last)
		}
	})
}

func TestWhatHappenedOutlivesARestart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		id := r.owe("app")[0]
		later(2 * time.Minute) // three attempts
		r.stop()
		later(3 * time.Hour)
		r.answers(always(200))
		r.start()
		later(time.Second)
		d := r.is(id, host.DeliveryDelivered)
		if d.Attempts != 4 {
			t.Errorf("%d attempts", d.Attempts)
		}
	})
}

func TestStoppingLetsAttemptsEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(func(ctx context.Context, _ host.EndpointID, _ int) (*http.Response, error) {
			select {
			case <-time.After(5 * time.Second):
				return status(200), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		r.endpoint("app")
		id := r.owe("app")[0]
		later(time.Second)
		r.stop()
		r.is(id, host.DeliveryDelivered)
	})
}

func TestRetriedByHand(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		r.endpoint("other")
		var ids []host.DeliveryID
		for range 1200 { // more than are moved at once
			ids = append(ids, r.owe("app")...)
		}
		other := r.owe("other")[0]
		later(26 * time.Hour)
		r.is(ids[0], host.DeliveryDead)
		r.is(other, host.DeliveryDead)
		r.answers(always(200))
		w := host.Wish{ID: "wish_1", Kind: host.WishRetry, MadeAt: time.Now(), Retry: &host.DeliveryFilter{Status: host.DeliveryDead, Endpoint: "app"}}
		put, err := state.PutOf(state.KindWish, "wish_1", state.Any, &w)
		if err == nil {
			_, err = r.store.Commit(t.Context(), time.Now(), []state.Put{put}, nil, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		first := slices.IndexFunc(r.requests(), func(g got) bool { return g.endpoint == "app" })
		id := r.requests()[first].header.Get("Webhook-Id")
		later(time.Minute)
		w, _, err = state.Get[host.Wish](t.Context(), r.store, state.KindWish, "wish_1")
		if err != nil || w.DoneAt.IsZero() || w.Done != 1200 {
			t.Fatalf("%+v %v", w, err)
		}
		for _, id := range ids {
			r.is(id, host.DeliveryDelivered)
		}
		d := r.is(other, host.DeliveryDead)
		if d.Attempts != 13 {
			t.Errorf("%+v", d)
		}
		again := 0
		for _, g := range r.requests() {
			if g.header.Get("Webhook-Id") == id {
				again++
			}
		}
		if again != 14 {
			t.Errorf("the first event came %d times under its id", again)
		}
	})
}

func TestDeadAndHeldAreKeptThirtyDays(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		r.endpoint("held", func(e *host.Endpoint) { e.Disabled = &host.Disabled{At: time.Now(), Reason: "by a person"} })
		dead, held := r.owe("app")[0], r.owe("held")[0]
		later(time.Second)
		r.answers(always(200))
		delivered := r.owe("app")[0]
		later(time.Second)
		r.answers(always(500))
		later(29 * 24 * time.Hour)
		r.is(dead, host.DeliveryDead)
		r.is(held, host.DeliveryHeld)
		if _, _, err := r.store.Delivery(t.Context(), delivered); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("a delivery that succeeded weeks ago: %v", err)
		}
		later(3 * 24 * time.Hour)
		if _, _, err := r.store.Delivery(t.Context(), dead); !errors.Is(err, state.ErrNotFound) {
			t.Errorf("a dead delivery of a month ago: %v", err)
		}
		if d := r.is(held, host.DeliveryDead); !strings.Contains(d.Reason, "30 days") {
			t.Errorf("%+v", d)
		}
	})
}

func TestRemovedEndpointIsOwedNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app")
		id := r.owe("app")[0]
		later(time.Second)
		if _, err := r.store.Commit(t.Context(), time.Now(), []state.Put{state.Delete(state.KindEndpoint, "app", state.Any)}, nil, nil); err != nil {
			t.Fatal(err)
		}
		later(time.Hour)
		if d := r.is(id, host.DeliveryDead); !strings.Contains(d.Reason, "removed") || len(r.requests()) != 1 {
			t.Errorf("%+v", d)
		}
	})
}

func TestShortSchedule(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.answers(always(500))
		r.endpoint("app", func(e *host.Endpoint) { e.Retry = host.Retry{Schedule: []time.Duration{time.Second, 2 * time.Second}} })
		id := r.owe("app")[0]
		later(10 * time.Second)
		if d := r.is(id, host.DeliveryDead); d.Attempts != 3 {
			t.Errorf("%+v", d)
		}
	})
}
