package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestAuditLogTellsWhoDidWhat(t *testing.T) {
	r := setup(t)
	operator, err := r.auth.MintAdmin(t.Context(), "night-shift", host.RoleOperator, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	r.ask("POST", "/v1/admin/webhooks", root, hook)
	r.ask("POST", "/v1/admin/webhooks", root, hook) // there is one already
	r.ask("GET", "/v1/admin/webhooks/app/secret", root, "")
	r.ask("GET", "/v1/admin/webhooks", root, "") // looking is not told
	r.ask("POST", "/v1/admin/connections/plant-7/pause", operator, "")
	minted := r.ask("POST", "/v1/admin/connections/plant-7/token", root, `{"name":"line-3"}`)
	r.ask("POST", "/v1/admin/events", root, `{"type":"custom.x","data":{}}`) // data, not administration
	all := r.ask("GET", "/v1/admin/audit", root, "")
	if all.status != http.StatusOK {
		t.Fatalf("%d %s", all.status, all.text)
	}
	var got []string
	data, _ := all.body["data"].([]any)
	for _, d := range data {
		e, _ := d.(map[string]any)
		got = append(got, fmt.Sprintf("%v %v %v %v %v", e["who"], e["action"], e["connection"], e["target"], e["outcome"]))
		if e["id"] == "" || e["at"] == "" || e["via"] != "token" || e["address"] == "" || e["request_id"] == "" {
			t.Errorf("an entry lacks something: %v", e)
		}
	}
	want := `root token.mint plant-7 line-3 done
night-shift connection.pause plant-7 <nil> done
root endpoint.show_secret <nil> app done
root endpoint.create <nil> <nil> conflict
root endpoint.create <nil> app done`
	if strings.Join(got, "\n") != want {
		t.Errorf("the audit log says\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if token, _ := minted.body["token"].(string); token == "" || strings.Contains(all.text, token) || strings.Contains(all.text, "whsec_") {
		t.Error("the audit log holds a secret")
	}
	for query, n := range map[string]int{"action=token.mint": 1, "action=endpoint.*": 3, "who=night-shift": 1, "connection=plant-7": 2, "since=2999-01-01T00:00:00Z": 0, "until=2001-01-01T00:00:00Z": 0} {
		if a := r.ask("GET", "/v1/admin/audit?"+query, root, ""); len(a.body["data"].([]any)) != n { //nolint:forcetypeassert // of every list
			t.Errorf("%s: %s", query, a.text)
		}
	}
	first := r.ask("GET", "/v1/admin/audit?limit=2", root, "")
	next, _ := first.body["next_cursor"].(string)
	rest := r.ask("GET", "/v1/admin/audit?cursor="+next, root, "")
	if first.body["has_more"] != true || rest.body["has_more"] != false || len(rest.body["data"].([]any)) != 3 { //nolint:forcetypeassert // of every list
		t.Errorf("pages: %s %s", first.text, rest.text)
	}
}

// Whatever changes something by an admin token is written into the audit log.
func TestEveryChangeIsAudited(t *testing.T) {
	r := setup(t)
	notAdministration := map[string]bool{"POST /v1/admin/events": true}
	for route := range opens {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodGet || !strings.HasPrefix(path, "/v1/admin/") || notAdministration[route] {
			continue
		}
		before := r.audited()
		r.ask(method, strings.NewReplacer("{connection}", "nope", "{endpoint}", "nope", "{delivery}", "dlv_nope", "{session}", "cs_nope").Replace(path), root, "{}")
		if r.audited() != before+1 {
			t.Errorf("%s is not written into the audit log", route)
		}
	}
}

func (r *rig) audited() int {
	r.Helper()
	all, err := state.All[host.AuditEntry](r.Context(), r.store, state.KindAudit)
	if err != nil {
		r.Fatal(err)
	}
	return len(all)
}
