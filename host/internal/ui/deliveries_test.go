package ui_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// owed stores deliveries; the first of them failed once and is dead.
func (r *rig) owed(n int) {
	r.Helper()
	now := time.Now().UTC()
	ds := make([]host.Delivery, n)
	for i := range ds {
		ds[i] = host.Delivery{ID: host.DeliveryID(fmt.Sprintf("dlv_%03d", i)), Event: host.EventID(fmt.Sprintf("evt_%03d", i)), EventType: "sync.failed", Endpoint: "app", Connection: plant, Status: host.DeliveryPending, CreatedAt: now, DueAt: now}
	}
	if err := r.store.Push(r.Context(), state.Push{Position: "test", To: 1, At: now, Deliveries: ds}, nil); err != nil {
		r.Fatal(err)
	}
	d := ds[0]
	d.Attempts, d.LastStatus = 1, 500
	d.End(host.DeliveryDead, now, "the receiver answers 500")
	try := host.Attempt{Delivery: d.ID, Number: 1, StartedAt: now, Took: 42 * time.Millisecond, Status: 500, Error: "answered 500", Response: []byte("<out of order>")}
	if err := r.store.Settle(r.Context(), []state.Settlement{{Delivery: d, Attempt: try}}); err != nil {
		r.Fatal(err)
	}
}

func TestDeliveriesAreFoundAndPaged(t *testing.T) {
	r := setup(t)
	b := r.as("viewer")
	_, text := b.get("/deliveries")
	r.must(shows(text, "Nothing was delivered yet"))
	r.owed(60)
	_, text = b.get("/deliveries?within=24h")
	r.must(shows(text, "evt_059", "!evt_009", "Next page", "!First page"))
	next := text[strings.Index(text, `href="/deliveries?cursor=`)+6:]
	next = strings.ReplaceAll(next[:strings.Index(next, `"`)], "&amp;", "&")
	_, text = b.get(next)
	r.must(shows(text, "evt_009", "!evt_059", "First page", "!Next page", "!Retry all"))
	_, text = b.get("/deliveries?status=dead&endpoint=app&connection=plant-7&event_type=sync.*")
	r.must(shows(text, "evt_000", "the receiver answers 500", "!evt_001"))
	_, text = b.get("/deliveries?endpoint=other")
	r.must(shows(text, "No delivery is like that"))
	if status, _ := b.get("/deliveries?within=soon"); status != http.StatusConflict {
		t.Errorf("a wrong time: %d", status)
	}
}

func TestDeliveryTellsItsAttemptsAndIsRetried(t *testing.T) {
	r := setup(t)
	r.owed(2)
	b := r.as("viewer")
	_, text := b.get("/deliveries/dlv_000")
	r.must(shows(text, "answered 500", "HTTP 500", "42 ms", "!out of order", "!Retry now"))
	if status, _ := b.post("/deliveries/dlv_000/retry", nil); status != http.StatusForbidden {
		t.Errorf("a viewer retries: %d", status)
	}
	_, text = b.get("/deliveries/dlv_001")
	r.must(shows(text, "It was not tried yet"))
	o := r.as("operator")
	_, text = o.get("/deliveries/dlv_000")
	r.must(shows(text, "&lt;out of order&gt;", "Retry now"))
	_, text = o.get("/deliveries?status=dead")
	r.must(shows(text, "Retry all dead of this filter"))
	_, text = o.post("/deliveries/dlv_000/retry", nil)
	r.must(shows(text, "The delivery is due now", "pending", "answered 500"))
	_, text = o.post("/deliveries/retry", url.Values{"status": {"dead"}})
	r.must(shows(text, "Retrying deliveries"))
	if status, _ := b.get("/deliveries/nothing"); status != http.StatusNotFound {
		t.Errorf("one that is not there: %d", status)
	}
}
