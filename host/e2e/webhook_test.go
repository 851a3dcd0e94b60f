package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

// receiver is an application that verifies what it is sent and remembers the
// ids.
type receiver struct {
	*httptest.Server
	t      testing.TB
	verify *standardwebhooks.Webhook
	status atomic.Int32

	mu   sync.Mutex
	seen map[string]int
	last map[string]any
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	verify, err := standardwebhooks.NewWebhook(strings.TrimPrefix(hookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, verify: verify, seen: map[string]int{}}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the host was killed while it sent
		}
		if err := verify.Verify(body, req.Header); err != nil {
			t.Errorf("a delivery is not verified: %v", err)
		}
		status := int(r.status.Load())
		if status < 300 {
			var v map[string]any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Errorf("no JSON: %s", body)
			}
			r.mu.Lock()
			r.seen[req.Header.Get("webhook-id")]++
			r.last = v
			r.mu.Unlock()
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[id]
}

func (r *receiver) hook(name, more string) string {
	return fmt.Sprintf("webhook %q {\n  url = %q\n  secret = %q\n%s\n}\n", name, r.URL, hookSecret, more)
}

// From a plant's data to a verified delivery: a run that completes, a trigger
// on a record, a test, and a custom event, each arrives.
func TestWebhooksArriveVerified(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	h := newHost(t, fmt.Sprintf(endless, 100)+r.hook("app", `  events = ["*"]`)+`
trigger "seventh" {
  entity  = "items"
  when    = record.number == "I-7"
  data    = { name = record.name }
  initial = true
}
`)
	h.start()
	token := h.token("plant-1")
	h.synced(token, 1)
	arrived := func(kind string) map[string]any {
		t.Helper()
		var got map[string]any
		h.eventually(kind+" arrives", 20*time.Second, func() bool {
			for _, e := range h.all("/v1/admin/events?type="+kind, adminToken) {
				id, _ := e["id"].(string)
				if r.count(id) > 0 {
					got = e
					return true
				}
			}
			return false
		})
		data, _ := got["data"].(map[string]any)
		return data
	}
	if data := arrived("sync.completed"); fmt.Sprint(data["created"]) != "100" || data["cursor"] == "" {
		t.Errorf("%v", data)
	}
	if data := arrived("trigger.seventh"); data["id"] != "7" || data["name"] != "Item 7" {
		t.Errorf("%v", data)
	}
	arrived("connection.online")
	if a := h.call("POST", "/v1/admin/webhooks/app/test", adminToken, ""); a.status != http.StatusAccepted {
		t.Fatalf("%d %v", a.status, a.body)
	}
	arrived("webhook.test")
	for range 2 { // the same id twice is one event
		if a := h.call("POST", "/v1/admin/events", adminToken, `{"id":"order-1","type":"custom.order","connection_id":"plant-1","data":{"n":1}}`); a.status != http.StatusAccepted || a.body["id"] != "order-1" {
			t.Fatalf("%d %v", a.status, a.body)
		}
	}
	arrived("custom.order")
	if n := r.count("order-1"); n != 1 {
		t.Errorf("the event came %d times", n)
	}
	connection, _ := r.last["connection"].(map[string]any)
	if r.last["type"] != "custom.order" || connection["system"] != "endless" {
		t.Errorf("%v", r.last)
	}

	// Failures are told, and dead deliveries are tried again by hand.
	r.status.Store(http.StatusInternalServerError)
	h.configure(fmt.Sprintf(endless, 100) + r.hook("app", "  retry {\n    schedule = [\"50ms\", \"100ms\"]\n  }"))
	h.cli("reload")
	if a := h.call("POST", "/v1/admin/events", adminToken, `{"id":"order-2","type":"custom.order"}`); a.status != http.StatusAccepted {
		t.Fatalf("%d %v", a.status, a.body)
	}
	var dead map[string]any
	h.eventually("the delivery is dead", 20*time.Second, func() bool {
		for _, d := range h.all("/v1/admin/deliveries?status=dead", adminToken) {
			if d["event_id"] == "order-2" {
				dead = d
			}
		}
		return dead != nil
	})
	id, _ := dead["id"].(string)
	attempts := h.all("/v1/admin/deliveries/"+id+"/attempts", adminToken)
	if len(attempts) != 3 || fmt.Sprint(attempts[2]["http_status"]) != "500" || !strings.Contains(fmt.Sprint(dead["reason"]), "500") {
		t.Errorf("%v: %v", dead, attempts)
	}
	r.status.Store(http.StatusOK)
	if a := h.call("POST", "/v1/admin/deliveries/retry", adminToken, `{"endpoint":"app"}`); a.status != http.StatusAccepted || fmt.Sprint(a.body["count"]) != "1" {
		t.Fatalf("%d %v", a.status, a.body)
	}
	h.eventually("it arrives after all, under its id", 20*time.Second, func() bool { return r.count("order-2") == 1 })
}

// The host is killed again and again while events come in, retries wait and a
// backlog drains: nothing that was acknowledged is lost, and no more comes
// twice than was on its way. DINRAIL_SOAK has it go on for as long as it says.
func TestKilledHostLosesNoEvent(t *testing.T) {
	t.Parallel()
	var pause time.Duration // between a sender's events
	soak, err := time.ParseDuration(or(os.Getenv("DINRAIL_SOAK"), "0s"))
	if err != nil {
		t.Fatal(err)
	}
	if soak > 0 {
		pause = 20 * time.Millisecond
	}
	r := newReceiver(t)
	h := newHost(t, r.hook("app", `  events = ["custom.*"]
  retry {
    schedule = ["100ms", "200ms", "400ms", "1s", "2s", "4s", "8s", "16s", "30s"]
  }`))
	h.start()
	for began := time.Now(); ; {
		losesNoEvent(t, h, r, pause)
		if time.Since(began) >= soak {
			return
		}
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// losesNoEvent kills a host twenty times and looks what became of its events.
func losesNoEvent(t *testing.T, h *dinrail, r *receiver, pause time.Duration) {
	t.Helper()
	const kills, senders, onItsWay = 20, 8, 64
	r.mu.Lock()
	clear(r.seen)
	r.mu.Unlock()
	var acknowledged sync.Map
	var n, count atomic.Int64
	done := make(chan struct{})
	var work sync.WaitGroup
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	run := time.Now().UnixNano()
	for range senders {
		work.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(pause):
				}
				id := fmt.Sprintf("e-%d-%06d", run, n.Add(1))
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+h.addr+"/v1/admin/events", strings.NewReader(`{"id":"`+id+`","type":"custom.n","data":{}}`))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+adminToken)
				res, err := client.Do(req)
				if err != nil {
					time.Sleep(10 * time.Millisecond)
					continue // the host is down: not acknowledged
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode == http.StatusAccepted {
					acknowledged.Store(id, true)
					count.Add(1)
				}
			}
		})
	}
	for i := range kills {
		switch i % 4 { // a receiver that fails for a while makes retries and a backlog
		case 1:
			r.status.Store(http.StatusServiceUnavailable)
		case 3:
			r.status.Store(http.StatusOK)
		}
		time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		h.kill()
		h.start()
	}
	r.status.Store(http.StatusOK)
	close(done)
	work.Wait()
	if count.Load() < kills*10 {
		t.Fatalf("only %d events were acknowledged", count.Load())
	}
	h.eventually("all that was acknowledged arrives", 2*time.Minute, func() bool {
		lost := 0
		acknowledged.Range(func(id, _ any) bool {
			if s, _ := id.(string); r.count(s) == 0 {
				lost++
			}
			return true
		})
		return lost == 0
	})
	twice := 0
	r.mu.Lock()
	for _, n := range r.seen {
		twice += n - 1
	}
	r.mu.Unlock()
	t.Logf("%d events, %d kills, %d came again", count.Load(), kills, twice)
	if twice > kills*onItsWay {
		t.Errorf("%d deliveries came again over %d kills", twice, kills)
	}
}
