package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// tryton starts a real Tryton and returns the facts that it prints.
func tryton(t *testing.T) map[string]string {
	t.Helper()
	needDebian(t, "a real Tryton")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "systems/tryton/up").Output()
	if err != nil {
		t.Fatalf("start Tryton: %v\n%s", err, out)
	}
	facts := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), "="); ok {
			facts[k] = v
		}
	}
	return facts
}

// rpc calls Tryton itself, as its administrator.
type rpc struct {
	t       *testing.T
	url     string
	session string
}

func (r *rpc) call(method string, params ...any) any {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.session != "" {
		req.Header.Set("Authorization", "Session "+r.session)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var a struct {
		Result any `json:"result"`
		Error  any `json:"error"`
	}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || a.Error != nil {
		r.t.Fatalf("%s: %v %v", method, err, a.Error)
	}
	return a.Result
}

func TestTrytonFromConfigurationToToken(t *testing.T) {
	facts := tryton(t)
	h := newHost(t, `
connection "erp" {
  system      = "tryton"
  settings    = { url = plain(env("TRYTON_URL")) }
  credentials = { username = "reader", password = env("TRYTON_READER_PASSWORD") }
}
`, "TRYTON_URL="+facts["TRYTON_URL"], "TRYTON_READER_PASSWORD="+facts["TRYTON_READER_PASSWORD"])
	h.start()
	token := h.token("erp")
	h.synced(token, len(trytonEntities))
	check := func() {
		t.Helper()
		orders := h.all("/v1/purchase_orders", token)
		lines, comments := 0, 0
		for _, o := range orders {
			all, _ := o["lines"].([]any)
			lines += len(all)
			for _, l := range all {
				m, _ := l.(map[string]any)
				if m["kind"] == "text" {
					comments++
					if m["item"] != nil || m["quantity"] != nil {
						t.Errorf("a comment line has an item or quantity: %v", m)
					}
				}
			}
		}
		vendors, items := len(h.all("/v1/vendors", token)), len(h.all("/v1/items", token))
		if vendors != 8 || items != 48 || len(orders) != 24 || lines != 77 || comments != 5 {
			t.Fatalf("%d vendors, %d items, %d orders with %d lines, %d of them comments", vendors, items, len(orders), lines, comments)
		}
	}
	check()

	// A price changed on a line, which leaves its header untouched, arrives.
	r := &rpc{t: t, url: facts["TRYTON_URL"]}
	login, _ := r.call("common.db.login", facts["TRYTON_USER"], map[string]string{"password": facts["TRYTON_PASSWORD"]}).([]any)
	r.session = base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%s:%v:%v", facts["TRYTON_USER"], login[0], login[1])))
	cursor, _ := h.call("GET", "/v1/changes?cursor=latest", token, "").body["next_cursor"].(string)
	line := []any{1}
	old, _ := r.call("model.purchase.line.read", line, []string{"unit_price"}, map[string]any{}).([]any)
	was, _ := old[0].(map[string]any)
	set := func(price any) {
		r.call("model.purchase.line.write", line, map[string]any{"unit_price": price}, map[string]any{})
	}
	price := fmt.Sprintf("%d.5000", 100+time.Now().Unix()%800)
	set(map[string]any{"__class__": "Decimal", "decimal": price})
	defer set(was["unit_price"])
	if a := h.call("POST", "/v1/sync", token, `{"entities":["purchase_orders"],"mode":"incremental"}`); a.status != http.StatusAccepted {
		t.Fatalf("%d %v", a.status, a.body)
	}
	feed := h.call("GET", "/v1/changes?wait=30s&cursor="+cursor, token, "")
	if text, err := json.Marshal(feed.body); err != nil || !strings.Contains(string(text), price) {
		t.Fatalf("the new price %s is not in the feed: %s", price, text)
	}

	h.kill()
	h.start()
	check()
	if got, _ := h.all("/v1/purchase_orders?id=1", token)[0]["lines"].([]any)[0].(map[string]any); !strings.Contains(fmt.Sprint(got["unit_price"]), price) {
		t.Fatalf("after a kill the line is %v", got)
	}
}

// A wrong password is tried twice in all, and leaves the user able to log in.
func TestTrytonWrongPasswordLocksNobodyOut(t *testing.T) {
	facts := tryton(t)
	h := newHost(t, `
connection "erp" {
  system      = "tryton"
  settings    = { url = plain(env("TRYTON_URL")) }
  credentials = { username = "planner", password = "wrong-on-purpose" }
}
`, "TRYTON_URL="+facts["TRYTON_URL"])
	h.start()
	h.eventually("the login is refused", time.Minute, func() bool { return h.status("erp") == "auth_required" })
	r := &rpc{t: t, url: facts["TRYTON_URL"]}
	r.call("common.db.login", "planner", map[string]string{"password": facts["TRYTON_PLANNER_PASSWORD"]})
	// The planner has no right on purchases: told as such, the others sync.
	a := h.call("POST", "/v1/admin/connections/erp/reconnect", adminToken, fmt.Sprintf(`{"credentials":{"username":"planner","password":%q}}`, facts["TRYTON_PLANNER_PASSWORD"]))
	token, _ := a.body["token"].(string)
	h.eventually("items are synced", time.Minute, func() bool {
		return h.status("erp") == "online" && len(h.all("/v1/items", token)) == 48
	})
	denied := map[any]bool{}
	for _, e := range h.all("/v1/entities", token) {
		why, _ := e["denied"].(string)
		denied[e["name"]] = strings.Contains(why, "has no right to read")
	}
	if !denied["purchase_orders"] || denied["items"] || denied["production_orders"] || denied["boms"] {
		t.Errorf("denied: %v", denied)
	}
}
