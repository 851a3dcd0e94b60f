package api_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

// What nobody in their right mind sends.
var (
	nastyNames  = []string{"plant-7", "items", "native/Bin", "1", "..", ".", "a/b", "", " ", "%", "\x00", "ä", strings.Repeat("x", 5000), "{}", "'; drop", "~", "batch", "actions", "latest", "*", "app", "Bin"}
	nastyTexts  = []string{"", "0", "-1", "1", "1000", "1001", "9999999999999999999999", "NaN", "true", "null", "latest", "AAAA", "2026-01-01T00:00:00Z", "30s", "9999h", "-5s", "a,b", ",", "\x00", "%zz", "[]", "raw,deleted", "sync.*", "custom.a", "*", strings.Repeat("9", 4000)}
	nastyBodies = []string{
		``, `{}`, `[]`, `null`, `"x"`, `0`, `{`, `{"a"`, "\xff", `{"id":null}`, `{"id":{}}`, `{"id":"","system":"erp"}`, `{"system":"erp","settings":null,"credentials":null,"sync":{"items":null},"webhooks":{"app":null,"x":{"events":null}}}`,
		`{"settings":{"url":null,"pin":null},"metadata":{"a":null}}`, `{"entities":[null]}`, `{"entities":["items",""],"mode":""}`, `{"name":"","access":"","expires_in":"0s"}`, `{"expires_in":"-1d"}`, `{"expires_in":"99999999d"}`, `{"name":"` + strings.Repeat("n", 65) + `"}`,
		`{"url":"","events":[],"connections":["["],"headers":{"":""},"timeout":"-1s","rate":-1,"retry":{"factor":-1,"schedule":["x"]}}`, `{"url":"http://[::1","secret":"whsec_"}`, `{"type":"custom.","data":null}`, `{"type":"custom.a","data":[1,2],"connection_id":""}`,
		`{"credentials":{}}`, `{"credentials":{"username":""}}`, `{"status":"dead","since":"x"}`, `{"since":"0001-01-01T00:00:00Z","until":"9999-12-31T23:59:59Z"}`, `{"systems":[""],"end_user":{"id":""},"new":{"id":"..","settings":{"url":[]},"locked":["x"]},"redirect_url":"javascript:1","allowed_origins":["*"],"expires_in":"1ns"}`,
		`{"connections":["[a-"],"role":"admin"}`, strings.Repeat(`[`, 20_000), strings.Repeat(`{"a":`, 11_000),
	}
	parameter = regexp.MustCompile(`\{[a-z]+\}`)
)

// Whatever is sent, the answer is one that the description knows: never an
// internal error, and every problem has its form.
func TestNothingThatIsSentIsAnInternalError(t *testing.T) {
	r := setup(t, func(p *api.Params) {
		p.PageURL = func() string { return "https://connect.example.com" }
		p.Live = func(_ context.Context, _ host.ConnectionID, _ host.EntityName, id host.RecordID) (host.Received, error) {
			return host.Received{ID: id, Body: json.RawMessage(`{}`)}, nil
		}
	})
	r.put(plant, "items", record{"1", `{"name":"a","vendor":{"entity":"items","id":"1","name":null}}`}, record{"..", `{}`})
	r.put(plant, "native/Bin", record{"1", `{"code":"a"}`})
	r.ask("POST", "/v1/admin/webhooks", root, hook)
	paths, _ := r.ask("GET", "/openapi.json", "", "").body["paths"].(map[string]any)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	queries := []string{"limit", "cursor", "include", "entities", "live", "modified_after", "created_before", "name", "name[in]", "custom.x[gt]", "lead_time_days[lt]", "status", "type", "after", "endpoint", "connection", "since", "event_type", "entity", "name[null]", "sequence", "x[y]", "[", "a.b.c"}
	for range 12 {
		for path, v := range paths {
			operations, _ := v.(map[string]any)
			for method := range operations {
				if strings.HasSuffix(path, "/check") || path == "/metrics" {
					continue // it waits for who checks
				}
				filled := parameter.ReplaceAllStringFunc(path, func(string) string { return url.PathEscape(pick(nastyNames)) })
				if strings.Contains(filled, "//") || strings.Contains(filled, "/.") || strings.HasSuffix(filled, "/") {
					continue // clients and servers clean those
				}
				if random.IntN(2) == 0 {
					filled += "?" + url.QueryEscape(pick(queries)) + "=" + url.QueryEscape(pick(nastyTexts))
				}
				token := []string{root, r.token}[random.IntN(2)]
				body := ""
				if method != "get" {
					body = pick(nastyBodies)
				}
				headers := []string{"X-Request-Id: " + pick([]string{"a", "b c", strings.Repeat("z", 500)})}
				if token == root {
					headers = append(headers, "Dinrail-Connection: plant-7")
				}
				if random.IntN(3) == 0 {
					headers = append(headers, "Idempotency-Key: "+pick([]string{"k", strings.Repeat("k", 256), "ä"}))
				}
				a := r.ask(strings.ToUpper(method), filled, token, body, headers...)
				if a.status >= http.StatusInternalServerError && a.status != http.StatusNotImplemented {
					t.Errorf("%s %.200s with %.100q: %d %s\n%s", method, filled, body, a.status, a.text, r.log.String())
					return
				}
				if a.status >= http.StatusBadRequest && (a.header.Get("Content-Type") != "application/problem+json" || a.code() == "" || a.body["request_id"] != a.header.Get("X-Request-Id")) {
					t.Errorf("%s %.200s with %.100q: %d is no problem: %s", method, filled, body, a.status, a.text)
				}
			}
		}
	}
}
