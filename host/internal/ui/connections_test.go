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

func TestConnectionsAreFoundByStatusSystemAndWords(t *testing.T) {
	r := setup(t)
	for i := range 60 {
		r.connection(host.ConnectionID(fmt.Sprintf("c-%02d", i)), host.StatusOnline, "")
	}
	r.connection(plant, host.StatusOffline, "no route to it")
	b := r.as("viewer")
	_, text := b.get("/connections")
	r.must(shows(text, "c-00", "c-49", "!c-50", "Next page", "!First page"))
	next := text[strings.Index(text, `href="/connections?cursor=`)+6:]
	next = strings.ReplaceAll(next[:strings.Index(next, `"`)], "&amp;", "&")
	_, text = b.get(next)
	r.must(shows(text, "!c-49", "c-50", "plant-7", "!Next page", "First page"))
	for _, query := range []string{"status=offline", "q=ROUTE+plant", "q=plant-7&system=erp"} {
		_, text = b.get("/connections?" + query)
		r.must(shows(text, "The plant-7", "!c-00"))
	}
	_, text = b.get("/connections?q=nowhere")
	r.must(shows(text, "No connection is like that"))
	_, text = r.as("limited").get("/connections")
	r.must(shows(text, "The plant-7", "!c-00"))
	if status, _ := r.as("limited").get("/connections/c-00"); status != http.StatusNotFound {
		t.Errorf("one that the token does not cover: %d", status)
	}
}

func TestConnectionTellsHowItStands(t *testing.T) {
	r := setup(t)
	r.connection(plant, host.StatusOffline, "no route")
	r.run(3)
	event := host.Event{ID: "evt_1", Type: host.EventConnectionStatusChanged, Time: time.Now(), Connection: plant, Data: []byte(`{"previous":"online","status":"offline","reason":"the cable is out"}`)}
	if _, err := r.store.Commit(t.Context(), time.Now(), nil, []host.Event{event}, nil); err != nil {
		t.Fatal(err)
	}
	b := r.as("viewer")
	for path, words := range map[string][]string{
		"":                            {"The plant-7", "offline", "no route", "3 records of 1 entities", "!/check", "!Full sync"},
		"/runs":                       {"completed", "<svg", "3 changed"},
		"/runs?entity=items":          {"completed", "All entities"},
		"/history":                    {"the cable is out"},
		"/settings":                   {"https://erp.example.com", "••••••", "customer", "!hunter2", "!4711\"", "!Mint"},
		"/export":                     {`connection "plant-7"`, `system = "erp"`, "!hunter2"},
		"/records?entity=items":       {"r-1", "Item &lt;1&gt;"},
		"/record?entity=items&id=r-1": {"Item &lt;1&gt;", "Your role sees records as they are answered only", "!secret-in-raw"},
	} {
		status, text := b.get("/connections/plant-7" + path)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		r.must(shows(text, words...))
	}
	_, text := r.as("operator").get("/connections/plant-7/record?entity=items&id=r-1")
	r.must(shows(text, "secret-in-raw"))
	_, text = r.as("operator").get("/connections/plant-7")
	r.must(shows(text, "/check", "Full sync", "Pause"))
	_, text = b.get("/syncs")
	r.must(shows(text, "The plant-7", "items"))
	_, text = b.get("/syncs?status=failed")
	r.must(shows(text, "No sync is failed"))
}

// run has a run bring records of plant's items.
func (r *rig) run(records int) {
	r.Helper()
	ctx, now := r.Context(), time.Now()
	lease, err := r.store.BeginRun(ctx, state.Begin{Run: host.Run{ID: "run_1", Connection: plant, Entity: "items", Mode: host.Full, Trigger: "schedule"}, Holder: "test", At: now})
	if err != nil {
		r.Fatal(err)
	}
	page := state.PageStep{Connection: plant, Entity: "items", Run: "run_1", Fence: lease.Fence, Number: 1, At: now, Total: -1, Counts: host.Counts{Read: int64(records), Created: int64(records)}}
	for i := 1; i <= records; i++ {
		id := host.RecordID(fmt.Sprintf("r-%d", i))
		received := host.Received{ID: id, Body: fmt.Appendf(nil, `{"name":"Item <%d>"}`, i), Raw: []byte(`{"x":"secret-in-raw"}`)}
		sealed, err := r.store.SealRecord(plant, "items", &received)
		if err != nil {
			r.Fatal(err)
		}
		page.Records = append(page.Records, state.RecordPut{ID: id, Operation: host.Created, Hash: state.HashOf(&received), Sealed: sealed})
	}
	if _, err := r.store.CommitPage(ctx, page); err != nil {
		r.Fatal(err)
	}
	if err := r.store.EndRun(ctx, state.Outcome{Connection: plant, Entity: "items", Run: "run_1", Fence: lease.Fence, At: now, Status: host.RunCompleted}, nil); err != nil {
		r.Fatal(err)
	}
}

func TestActsOnAConnectionAreForWhoMay(t *testing.T) {
	r := setup(t)
	r.connection(plant, host.StatusOnline, "")
	admin, operator, viewer := r.as("admin"), r.as("operator"), r.as("viewer")
	for _, act := range []string{"pause", "resume", "sync", "check", "reconnect", "token", "revoke", "remove"} {
		if status, _ := viewer.post("/connections/plant-7/"+act, url.Values{"name": {"x"}, "id": {"plant-7"}}); status != http.StatusForbidden {
			t.Errorf("a viewer: %s: %d", act, status)
		}
	}
	_, text := operator.post("/connections/plant-7/pause", nil)
	r.must(shows(text, "is paused", "Resume"))
	_, text = operator.post("/connections/plant-7/resume", nil)
	r.must(shows(text, "is resumed", "Pause"))
	_, text = operator.post("/connections/plant-7/sync", url.Values{"entity": {"items"}, "mode": {"full"}})
	r.must(shows(text, "are queued", "queued"))
	if status, _ := operator.post("/connections/plant-7/token", url.Values{"name": {"app"}}); status != http.StatusForbidden {
		t.Errorf("an operator mints: %d", status)
	}
	_, text = admin.post("/connections/plant-7/token", url.Values{"name": {"app"}, "access": {"read"}})
	r.must(shows(text, "drc_", "this once"))
	_, text = admin.get("/connections/plant-7/settings")
	r.must(shows(text, "app", "!drc_"))
	_, text = admin.post("/connections/plant-7/revoke", url.Values{"name": {"app"}})
	r.must(shows(text, "is revoked", "No token"))
	operator.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if status, _ := operator.post("/connections/plant-7/reconnect", nil); status != http.StatusSeeOther {
		t.Errorf("reconnect: %d", status)
	}
	if status, _ := admin.post("/connections/plant-7/remove", url.Values{"id": {"plant-8"}}); status != http.StatusConflict {
		t.Errorf("remove with another id: %d", status)
	}
	if _, text = admin.post("/connections/plant-7/remove", url.Values{"id": {"plant-7"}}); strings.Contains(text, "The plant-7") {
		t.Error("it is still there")
	}
}
