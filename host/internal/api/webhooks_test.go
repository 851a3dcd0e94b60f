package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

const hook = `{"id":"app","url":"https://app.example.com/hooks","events":["sync.*"],"headers":{"X-Plant":"7"},"timeout":"3s"}`

func TestEndpointsAreMadeChangedAndRemoved(t *testing.T) {
	r := setup(t)
	made := r.ask("POST", "/v1/admin/webhooks", root, hook)
	secret, _ := made.body["secret"].(string)
	if _, err := host.ParseSigningSecret(secret); made.status != http.StatusCreated || err != nil || made.body["status"] != "enabled" {
		t.Fatalf("%d %s", made.status, made.text)
	}
	if again := r.ask("POST", "/v1/admin/webhooks", root, hook); again.code() != "conflict" {
		t.Errorf("%d %s", again.status, again.text)
	}
	shown := r.ask("GET", "/v1/admin/webhooks/app", root, "")
	if strings.Contains(shown.text, "whsec_") || strings.Contains(shown.text, "X-Plant") {
		t.Errorf("secrets are shown: %s", shown.text)
	}
	if got := r.ask("GET", "/v1/admin/webhooks/app/secret", root, "").body["secret"]; got != secret {
		t.Errorf("the secret is %v", got)
	}
	if a := r.ask("PATCH", "/v1/admin/webhooks/app", root, `{"events":["*"],"retry":{"schedule":["1s","2s"]}}`); a.status != http.StatusOK || fmt.Sprint(a.body["events"]) != "[*]" || a.body["timeout"] != "3s" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := r.ask("POST", "/v1/admin/webhooks/app/rotate-secret", root, ""); a.status != http.StatusOK || a.body["secret"] == secret {
		t.Errorf("%d %s", a.status, a.text)
	}
	e, _, err := state.Get[host.Endpoint](t.Context(), r.store, state.KindEndpoint, "app")
	if err != nil || len(e.Secrets) != 2 || e.Secrets[0].Until.IsZero() {
		t.Fatalf("%+v %v", e.Secrets, err)
	}
	if a := r.ask("POST", "/v1/admin/webhooks/app/disable", root, ""); a.body["status"] != "disabled" || a.body["reason"] == "" {
		t.Errorf("%s", a.text)
	}
	if a := r.ask("POST", "/v1/admin/webhooks/app/enable", root, ""); a.body["status"] != "enabled" {
		t.Errorf("%s", a.text)
	}
	if a := r.ask("POST", "/v1/admin/webhooks/app/test", root, ""); a.status != http.StatusAccepted {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := r.ask("DELETE", "/v1/admin/webhooks/app", root, ""); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := r.ask("GET", "/v1/admin/webhooks/app", root, ""); a.status != http.StatusNotFound {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestBadEndpointsAndEventsSayWhatIsWrong(t *testing.T) {
	r := setup(t)
	for _, c := range []struct{ name, path, body, location string }{
		{"no scheme", "webhooks", `{"url":"app.example.com"}`, "body.url"},
		{"a file", "webhooks", `{"url":"file:///etc/passwd"}`, "body.url"},
		{"no url", "webhooks", `{}`, "body.url"},
		{"a private address", "webhooks", `{"url":"http://10.1.2.3/hooks"}`, "body.url"},
		{"this machine", "webhooks", `{"url":"http://localhost:8080/hooks"}`, "body.url"},
		{"this machine in IPv6", "webhooks", `{"url":"http://[::ffff:127.0.0.1]/hooks"}`, "body.url"},
		{"a cloud's metadata", "webhooks", `{"url":"http://169.254.169.254/latest"}`, "body.url"},
		{"a password in the url", "webhooks", `{"url":"https://u:p@app.example.com"}`, "body.url"},
		{"an event type that does not exist", "webhooks", `{"url":"https://a.example.com","events":["sync.done"]}`, "body.events.0"},
		{"a secret of another form", "webhooks", `{"url":"https://a.example.com","secret":"s3cret"}`, "body.secret"},
		{"an id with a space", "webhooks", `{"id":"a b","url":"https://a.example.com"}`, "body.id"},
		{"a timeout", "webhooks", `{"url":"https://a.example.com","timeout":"soon"}`, "body.timeout"},
		{"a header of ours", "webhooks", `{"url":"https://a.example.com","headers":{"webhook-id":"1"}}`, "body.headers"},
		{"a header with a line break", "webhooks", `{"url":"https://a.example.com","headers":{"X-A":"1\r\nX-B: 2"}}`, "body.headers"},
		{"a schedule", "webhooks", `{"url":"https://a.example.com","retry":{"schedule":["x"]}}`, "body.retry.schedule"},
		{"an unknown field", "webhooks", `{"url":"https://a.example.com","evnets":[]}`, "body.evnets"},
		{"an event of ours", "events", `{"type":"sync.completed"}`, "body.type"},
		{"an event without a name", "events", `{"type":"custom."}`, "body.type"},
		{"an event of 300 KB", "events", `{"type":"custom.x","data":"` + strings.Repeat("x", 300<<10) + `"}`, "body.data"},
		{"an event's id", "events", `{"type":"custom.x","id":"a/b"}`, "body.id"},
		{"an event of nobody's connection", "events", `{"type":"custom.x","connection_id":"none"}`, "body.connection_id"},
		{"a retry of held ones", "deliveries/retry", `{"status":"held"}`, "body.status"},
		{"a retry of an unknown type", "deliveries/retry", `{"event_type":"sync.done"}`, "body.event_type"},
	} {
		a := r.ask("POST", "/v1/admin/"+c.path, root, c.body)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.text, `"location":"`+c.location+`"`) {
			t.Errorf("%s: %d %.300s", c.name, a.status, a.text)
		}
	}
	if a := r.ask("GET", "/v1/admin/deliveries?status=late", root, ""); !strings.Contains(a.text, `"location":"query.status"`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := r.ask("GET", "/v1/admin/deliveries/dlv_none", root, ""); a.status != http.StatusNotFound {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestSameEventTwiceIsOne(t *testing.T) {
	r := setup(t)
	for range 2 {
		if a := r.ask("POST", "/v1/admin/events", root, `{"id":"order-1","type":"custom.order","data":{"n":1}}`); a.status != http.StatusAccepted || a.body["id"] != "order-1" {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if a := r.ask("GET", "/v1/admin/events?type=custom.order", root, ""); strings.Count(a.text, `"order-1"`) != 1 {
		t.Errorf("%s", a.text)
	}
	if a := r.ask("GET", "/v1/admin/events?after=order-1", root, ""); a.status != http.StatusOK || strings.Contains(a.text, "order-1") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestDeliveriesAreListedByFilter(t *testing.T) {
	r := setup(t)
	now := r.now().UTC().Add(-time.Hour)
	var ds []host.Delivery
	for i := range 30 {
		d := host.Delivery{
			ID: host.DeliveryID(fmt.Sprintf("dlv_%02d", i)), Event: "evt_1", EventType: "custom.a", Endpoint: "e1", Connection: plant,
			Status: host.DeliveryPending, CreatedAt: now.Add(time.Duration(i) * time.Minute), DueAt: now,
		}
		if i%2 == 0 {
			d.EventType, d.Endpoint, d.Connection = "sync.failed", "e2", other
		}
		if i%3 == 0 {
			d.End(host.DeliveryDead, now, "refused")
		}
		ds = append(ds, d)
	}
	if err := r.store.Push(t.Context(), state.Push{Position: "test", To: 1, Deliveries: ds}, nil); err != nil {
		t.Fatal(err)
	}
	count := func(query string) int {
		t.Helper()
		n, cursor := 0, ""
		for {
			a := r.ask("GET", "/v1/admin/deliveries?limit=4&"+query+"&cursor="+cursor, root, "")
			if a.status != http.StatusOK {
				t.Fatalf("%s: %d %s", query, a.status, a.text)
			}
			data, _ := a.body["data"].([]any)
			n += len(data)
			cursor, _ = a.body["next_cursor"].(string)
			if a.body["has_more"] != true {
				return n
			}
		}
	}
	since := now.Add(10 * time.Minute).Truncate(time.Microsecond).Format(time.RFC3339Nano) // stored times are as fine
	for query, want := range map[string]int{
		"a=": 0, "status=dead": 10, "endpoint=e2": 15, "connection=plant-7": 15, "event_type=sync.*": 15,
		"status=dead&endpoint=e2": 5, "since=" + since: 20, "until=" + since: 10, "": 30,
	} {
		if query == "a=" {
			continue
		}
		if got := count(query); got != want {
			t.Errorf("%q: %d, want %d", query, got, want)
		}
	}
	if a := r.ask("POST", "/v1/admin/deliveries/dlv_03/retry", root, ""); a.status != http.StatusAccepted || a.body["status"] != "pending" {
		t.Errorf("%d %s", a.status, a.text)
	}
	a := r.ask("POST", "/v1/admin/deliveries/retry", root, `{"endpoint":"e2"}`)
	if a.status != http.StatusAccepted || fmt.Sprint(a.body["count"]) != "5" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if p := r.ask("GET", fmt.Sprintf("/v1/admin/retries/%v", a.body["id"]), root, ""); p.status != http.StatusOK || p.body["done_at"] != nil {
		t.Errorf("%d %s", p.status, p.text)
	}
}

func TestDescriptionAsYAMLIsTheSame(t *testing.T) {
	r := setup(t)
	asJSON, asYAML := r.ask("GET", "/openapi.json", "", ""), r.ask("GET", "/openapi.yaml", "", "")
	if got := asYAML.header.Get("Content-Type"); got != "application/yaml" || strings.HasPrefix(asYAML.text, "{") {
		t.Fatalf("content type %s: %.40s", got, asYAML.text)
	}
	var v any
	if err := yaml.Unmarshal([]byte(asYAML.text), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(asJSON.text), &want); err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil || string(b) != string(w) {
		t.Errorf("they differ (%v)", err)
	}
}

func TestEventsAreChosenByEndpointConnectionAndType(t *testing.T) {
	r := setup(t)
	r.connect(other)
	r.ask("POST", "/v1/admin/webhooks", root, `{"id":"app","url":"https://app.example.com/hooks","events":["custom.a"]}`)
	if a := r.ask("PATCH", "/v1/admin/connections/plant-8", root, `{"webhooks":{"app":{"events":["custom.b"]}}}`); a.status != http.StatusOK || !strings.Contains(a.text, `"webhooks":{"app":{"events":["custom.b"]}}`) {
		t.Fatal(a.text)
	}
	for _, e := range []string{"1 custom.a plant-7", "2 custom.b plant-7", "3 custom.a plant-8", "4 custom.b plant-8"} {
		f := strings.Fields(e)
		r.ask("POST", "/v1/admin/events", root, fmt.Sprintf(`{"id":%q,"type":%q,"connection_id":%q}`, f[0], f[1], f[2]))
	}
	limited, err := r.auth.MintAdmin(t.Context(), "limited", host.RoleViewer, []string{"plant-8"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"":                                  "1 2 3 4",
		"?endpoint=app":                     "1 4",
		"?connection=plant-7":               "1 2",
		"?type=custom.b":                    "2 4",
		"?type=custom.*&connection=plant-8": "3 4",
		"?after=2":                          "3 4",
		"?cursor=latest":                    "",
	} {
		a := r.ask("GET", "/v1/admin/events"+query, root, "")
		r.want(query, a.ids(), want)
	}
	r.want("limited", r.ask("GET", "/v1/admin/events", limited, "").ids(), "3 4")
	a := r.ask("GET", "/v1/admin/events?limit=3", root, "")
	r.want("next", r.ask("GET", "/v1/admin/events?cursor="+a.cursor(), root, "").ids(), "4")
	r.want("nothing more", r.ask("GET", "/v1/admin/events?limit=2&type=custom.b", root, "").body["has_more"], false)
	a = r.ask("GET", "/v1/admin/events?limit=1&type=custom.b", root, "")
	r.want("more", a.body["has_more"], true)
	r.want("the one more", r.ask("GET", "/v1/admin/events?limit=1&type=custom.b&cursor="+a.cursor(), root, "").ids(), "4")
	a = r.ask("PATCH", "/v1/admin/connections/plant-8", root, `{"webhooks":{"app":null},"sync":{"items":{"every":"5m"}}}`)
	r.want("taken away", a.body["webhooks"], nil)
	if !strings.Contains(a.text, `"sync":{"items":{"every":"5m0s"`) {
		t.Error(a.text)
	}
	a = r.ask("PATCH", "/v1/admin/connections/plant-8", root, `{"sync":{"items":null}}`)
	r.want("no order", a.body["sync"], nil)
}
