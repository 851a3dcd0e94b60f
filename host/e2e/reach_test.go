package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What somebody makes by the API may not reach inside until the operator says
// so; what the operator's file names may. Nothing reaches the addresses where
// clouds keep their machines' credentials.
func TestConnectionsMadeByTheAPIReachPrivateAddressesOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	config := fmt.Sprintf("connection \"inside\" {\n  system = \"sandbox\"\n  settings = { url = %q }\n  credentials = { username = \"operator\", password = \"plant-7\" }\n}\n", p.url) +
		fmt.Sprintf("connection \"outside\" {\n  system = \"sandbox\"\n  allow_private = false\n  settings = { url = %q }\n  credentials = { username = \"operator\", password = \"plant-7\" }\n}\n", p.url)
	h := newHost(t, config)
	h.start()
	add := func(id, url string) {
		t.Helper()
		body := fmt.Sprintf(`{"id":%q,"system":"sandbox","settings":{"url":%q},"credentials":{"username":"operator","password":"plant-7"}}`, id, url)
		if a := h.call("POST", "/v1/admin/connections", adminToken, body); a.status != http.StatusCreated {
			t.Fatalf("%d %v", a.status, a.body)
		}
	}
	add("made", p.url)
	add("metadata", "http://169.254.169.254")
	refused := func(id, words string) {
		t.Helper()
		var a answer
		h.eventually(id+" is refused", 60*time.Second, func() bool {
			a = h.call("GET", "/v1/admin/connections/"+id, adminToken, "")
			reason, _ := a.body["reason"].(string)
			return a.body["status"] == "offline" && strings.Contains(reason, words)
		})
	}
	refused("made", "host.private_targets")
	refused("outside", "host.private_targets")
	refused("metadata", "never called")
	h.eventually("inside is online", 10*time.Second, func() bool { return h.status("inside") == "online" })

	h.hostBlock(`private_targets = ["127.0.0.0/8", "169.254.0.0/16"]`)
	h.cli("reload")
	h.eventually("made is online", 30*time.Second, func() bool { return h.status("made") == "online" })
	h.call("POST", "/v1/admin/connections/metadata/check", adminToken, "")
	refused("metadata", "never called")
}
