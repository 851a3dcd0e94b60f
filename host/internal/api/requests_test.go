package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

func TestRequestLogIsFoundByConnectionIDAndTime(t *testing.T) {
	var served *api.API
	r := setup(t, func(p *api.Params) {})
	served = r.api
	r.ask("GET", "/v1/connection", r.token, "")
	r.ask("GET", "/v1/nothing?name=secret-query", r.token, "")
	served.Called(api.Request{At: time.Now(), Connection: other, Method: "GET", Path: "/orders/{id}", Status: 503, Error: "down"})
	read := func(query string) []string {
		t.Helper()
		var out []string
		a := r.ask("GET", "/v1/admin/requests?"+query, root, "")
		data, _ := a.body["data"].([]any)
		for _, d := range data {
			e, _ := d.(map[string]any)
			out = append(out, fmt.Sprintf("%v %v %v %v", e["kind"], e["connection_id"], e["path"], e["status"]))
		}
		return out
	}
	if got := fmt.Sprint(read("limit=3")); got != "[system plant-8 /orders/{id} 503 api plant-7 /v1/nothing 404 api plant-7 /v1/connection 200]" {
		t.Errorf("got %s", got)
	}
	for query, n := range map[string]int{"kind=system": 1, "connection=plant-7": 2, "status=503": 1, "until=2001-01-01T00:00:00Z": 0, "request_id=nope": 0, "kind=api&status=404": 1} {
		if got := read(query); len(got) != n {
			t.Errorf("%s: %v", query, got)
		}
	}
	if a := r.ask("GET", "/v1/admin/requests?kind=x", root, ""); a.status != 422 {
		t.Errorf("%d %s", a.status, a.text)
	}
	limited, err := r.auth.MintAdmin(t.Context(), "limited", host.RoleViewer, []string{"plant-8"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if a := r.ask("GET", "/v1/admin/requests", limited, ""); len(a.body["data"].([]any)) != 1 { //nolint:forcetypeassert // of every list
		t.Errorf("a limited token sees %s", a.text)
	}
	first := r.ask("GET", "/v1/admin/requests?limit=1&kind=api&connection=plant-7", root, "")
	next, _ := first.body["next_cursor"].(string)
	if got := read("kind=api&connection=plant-7&cursor=" + next); first.body["has_more"] != true || len(got) != 1 {
		t.Errorf("pages: %s, then %v", first.text, got)
	}
	for range 25_000 { // bounded
		served.Called(api.Request{At: time.Now(), Path: "/x"})
	}
	if got := read("kind=api&connection=plant-7"); len(got) != 0 {
		t.Errorf("old calls stay: %v", got)
	}
}
