package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ownTryton is a Tryton with the same data as the shared one, which a test may
// change, stop and start.
type ownTryton struct {
	t       *testing.T
	dir     string
	port    string
	url     string
	facts   map[string]string
	process *exec.Cmd
}

func newTryton(t *testing.T) *ownTryton {
	t.Helper()
	facts := tryton(t)
	_, port, _ := net.SplitHostPort(freeAddress(t))
	y := &ownTryton{t: t, dir: t.TempDir(), port: port, facts: facts, url: "http://127.0.0.1:" + port + "/erp/"}
	systems := os.Getenv("SYSTEMS_DIR")
	if systems == "" {
		systems = "/tmp/systems"
	}
	y.sql("import sqlite3; sqlite3.connect(sys.argv[2]).backup(sqlite3.connect(sys.argv[1]))", filepath.Join(systems, "tryton", "db", "erp.sqlite"))
	config := fmt.Sprintf("[database]\nuri = sqlite://\npath = %s\n[web]\nlisten = 127.0.0.1:%s\n[session]\ntimeout = 300\nmax_age = 2592000\n[queue]\nworker = False\n", y.dir, port)
	if err := os.WriteFile(filepath.Join(y.dir, "trytond.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	y.start()
	t.Cleanup(y.stop)
	return y
}

// sql runs Python with the database's path in sys.argv[1].
func (y *ownTryton) sql(program string, args ...string) {
	y.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(y.t.Context()), "python3", append([]string{"-c", "import sys\n" + program, filepath.Join(y.dir, "erp.sqlite")}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		y.t.Fatalf("%v\n%s", err, out)
	}
}

// endSessions has every session be older than they may be.
func (y *ownTryton) endSessions() {
	y.t.Helper()
	y.change("UPDATE ir_session SET create_date = '2000-01-01 00:00:00'")
}

// change runs a statement on the database, beside Tryton.
func (y *ownTryton) change(statement string) {
	y.t.Helper()
	y.sql("import sqlite3\nc = sqlite3.connect(sys.argv[1], timeout=30)\nc.execute(sys.argv[2])\nc.commit()", statement)
}

func (y *ownTryton) start() {
	y.t.Helper()
	y.process = exec.CommandContext(context.WithoutCancel(y.t.Context()), "/usr/bin/trytond", "-c", filepath.Join(y.dir, "trytond.conf"), "-d", "erp")
	if err := y.process.Start(); err != nil {
		y.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Post("http://127.0.0.1:"+y.port+"/", "application/json", strings.NewReader(`{"id":1,"method":"common.server.version","params":[]}`))
		if err == nil {
			_ = res.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			y.t.Fatal("Tryton does not start")
		}
	}
}

func (y *ownTryton) stop() {
	if y.process != nil {
		_ = y.process.Process.Kill()
		_ = y.process.Wait()
		y.process = nil
	}
}

// rpc is Tryton's own interface, as its administrator.
func (y *ownTryton) rpc() *rpc {
	y.t.Helper()
	r := &rpc{t: y.t, url: y.url}
	login, _ := r.call("common.db.login", y.facts["TRYTON_USER"], map[string]string{"password": y.facts["TRYTON_PASSWORD"]}).([]any)
	r.session = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v:%v", y.facts["TRYTON_USER"], login[0], login[1]))
	return r
}

// read asks Tryton for records.
func (r *rpc) read(model string, fields []string, context map[string]any, ids ...any) []map[string]any {
	r.t.Helper()
	all := map[string]any{"active_test": false, "company": 1}
	maps.Copy(all, context)
	list, _ := r.call("model."+model+".read", ids, fields, all).([]any)
	out := make([]map[string]any, len(list))
	for i := range list {
		out[i], _ = list[i].(map[string]any)
	}
	return out
}

func (y *ownTryton) connection(more string) string {
	return fmt.Sprintf(`
connection "erp" {
  system      = "tryton"
  settings    = { url = %q }
  credentials = { username = "reader", password = %q }
%s
}
`, y.url, y.facts["TRYTON_READER_PASSWORD"], more)
}

// trytonEntities are what is read of Tryton, with the fact that tells how many
// there are.
var trytonEntities = map[string]string{
	"vendors": "VENDORS", "items": "PARTS", "purchase_orders": "PURCHASE_ORDERS", "goods_receipts": "GOODS_RECEIPTS", "lots": "LOTS",
	"locations": "LOCATIONS", "boms": "BOMS", "production_orders": "PRODUCTION_ORDERS", "production_operations": "PRODUCTION_WORKS", "inventory_levels": "",
}

// counts holds the records of each entity against the facts.
func (y *ownTryton) counts(h *dinrail, token string) {
	y.t.Helper()
	got := h.records(token)
	for entity, fact := range trytonEntities {
		if want := y.facts["TRYTON_COUNT_"+fact]; fact != "" && got[entity] != want {
			y.t.Errorf("%s: %s records, want %s", entity, got[entity], want)
		}
	}
}

// within reads a dotted path of decoded JSON; a number stands for a list's entry.
func within(v any, path string) any {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// plainOf is a value as Tryton answers it, in the words that ours has it in.
func plainOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		switch v["__class__"] {
		case "Decimal":
			return number(v["decimal"])
		case "date":
			return fmt.Sprintf("%04.0f-%02.0f-%02.0f", v["year"], v["month"], v["day"])
		default:
			return plainOf(v["id"]) // a reference that was read
		}
	case float64:
		return number(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return number(v)
}

// number writes a number without what makes no difference.
func number(v any) string {
	switch v {
	case true:
		return "1"
	case false:
		return "0"
	}
	s := fmt.Sprint(v)
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// The facts that Tryton's own script prints, and ten records of each entity
// field by field against what Tryton itself answers.
func TestTrytonRecordsAreWhatItAnswers(t *testing.T) {
	y := newTryton(t)
	r := y.rpc()
	h := newHost(t, y.connection(""))
	h.start()
	token := h.token("erp")
	h.synced(token, len(trytonEntities))
	y.counts(h, token)
	now := time.Now().UTC()
	stock := map[string]any{"stock_date_end": map[string]any{"__class__": "date", "year": now.Year(), "month": int(now.Month()), "day": now.Day()}, "with_childs": true, "locations": []any{5}}
	for entity, c := range map[string]struct {
		model  string
		fields map[string]string // ours → Tryton's; a dotted one is read through its reference
		words  map[string]string // native word → ours, of status or kind
		word   string
	}{
		"vendors": {"party.party", map[string]string{"number": "code", "name": "name", "email": "email", "phone": "phone", "website": "website", "addresses.0.line1": "addresses.0.street", "addresses.0.city": "addresses.0.city", "addresses.0.postal_code": "addresses.0.postal_code"}, map[string]string{"1": "active"}, "active/status"},
		"items": {"product.product", map[string]string{"number": "code", "name": "name", "active": "active", "unit_cost.amount": "cost_price", "unit_price.amount": "list_price", "uom": "default_uom.symbol", "description": "description", "kind_native": "type"},
			map[string]string{"goods": "stock", "service": "service"}, "type/kind"},
		"purchase_orders": {"purchase.purchase", map[string]string{"number": "number", "vendor.id": "party", "vendor.name": "party.name", "vendor_reference": "reference", "currency": "currency.code", "subtotal.amount": "untaxed_amount", "tax.amount": "tax_amount", "total.amount": "total_amount", "ordered_at": "purchase_date", "status_native": "state", "note": "comment",
			"lines.0.quantity": "lines.0.quantity", "lines.1.unit_price.amount": "lines.1.unit_price", "lines.2.item.id": "lines.2.product"},
			map[string]string{"draft": "draft", "quotation": "pending_approval", "cancelled": "cancelled"}, "state/status"},
		"goods_receipts": {"stock.shipment.in", map[string]string{"number": "number", "name": "reference", "received_at": "effective_date", "location.id": "warehouse", "location.name": "warehouse.name"}, nil, ""},
		"lots":           {"stock.lot", map[string]string{"number": "number", "item.id": "product", "item.number": "product.code", "quantity": "quantity", "uom": "default_uom.symbol"}, nil, ""},
		"locations":      {"stock.location", map[string]string{"code": "code", "name": "name", "active": "active", "kind_native": "type", "parent.id": "parent", "parent.name": "parent.name"}, map[string]string{"warehouse": "building", "storage": "storage", "production": "area"}, "type/kind"},
		"boms":           {"production.bom", map[string]string{"name": "name", "active": "active", "lines.0.quantity": "inputs.0.quantity", "lines.0.item.id": "inputs.0.product", "lines.4.uom": "inputs.4.uom.symbol", "item.id": "outputs.0.product", "quantity": "outputs.0.quantity"}, nil, ""},
		"production_orders": {"production", map[string]string{"number": "number", "name": "reference", "item.id": "product", "planned_quantity": "quantity", "uom": "uom.symbol", "bom.id": "bom", "routing.id": "routing", "planned_start_at": "planned_start_date", "due_at": "planned_date", "started_at": "effective_start_date", "completed_at": "effective_date", "status_native": "state"},
			map[string]string{"draft": "planned", "request": "planned", "waiting": "released", "assigned": "released", "running": "in_progress", "done": "completed", "cancelled": "cancelled"}, "state/status"},
		"production_operations": {"production.work", map[string]string{"name": "operation.name", "production_order.id": "production", "production_order.number": "production.number", "position": "sequence", "work_center.id": "work_center", "status_native": "state"},
			map[string]string{"request": "pending", "draft": "pending", "waiting": "ready", "running": "running", "finished": "completed", "done": "completed"}, "state/status"},
	} {
		ours := h.all("/v1/"+entity, token)
		step := max(1, len(ours)/10)
		compared := 0
		for i := 0; i < len(ours) && compared < 10; i += step {
			o := ours[i]
			compared++
			id, _ := strconv.Atoi(fmt.Sprint(o["id"]))
			theirs := r.whole(c.model, id, slices.Collect(maps.Values(c.fields)), stock)
			for mine, his := range c.fields {
				got, want := number(within(o, mine)), plainOf(within(theirs, his))
				if got == "<nil>" {
					got = ""
				}
				if strings.HasSuffix(mine, "_at") {
					got, _, _ = strings.Cut(got, "T")
				}
				if got != want {
					t.Errorf("%s %d: %s is %q, Tryton's %s is %q", entity, id, mine, got, his, want)
				}
			}
			if native, ours, ok := strings.Cut(c.word, "/"); ok {
				if want, known := c.words[plainOf(within(r.whole(c.model, id, []string{native}, nil), native))]; known && o[ours] != want {
					t.Errorf("%s %d: %s is %v, want %s", entity, id, ours, o[ours], want)
				}
			}
		}
		if compared < min(10, len(ours)) || compared == 0 {
			t.Errorf("%s: %d records compared", entity, compared)
		}
	}
	// Stock is computed: each level against what Tryton computes for its location.
	for i, l := range h.all("/v1/inventory_levels", token) {
		if i == 10 {
			break
		}
		place, _ := strconv.Atoi(fmt.Sprint(within(l, "location.id")))
		item, _ := strconv.Atoi(fmt.Sprint(within(l, "item.id")))
		in := maps.Clone(stock)
		in["locations"], in["with_childs"] = []any{place}, false
		if got, want := number(l["on_hand"]), plainOf(r.read("product.product", []string{"quantity"}, in, item)[0]["quantity"]); got != want {
			t.Errorf("level %v: %s on hand, Tryton computes %s", l["id"], got, want)
		}
	}
}

// whole reads a record, and what it refers to as deep as the paths go.
func (r *rpc) whole(model string, id any, paths []string, context map[string]any) map[string]any {
	r.t.Helper()
	relations := map[string]string{
		"party": "party.party", "addresses": "party.address", "default_uom": "product.uom", "uom": "product.uom", "currency": "currency.currency", "lines": "purchase.line",
		"warehouse": "stock.location", "product": "product.product", "parent": "stock.location", "inputs": "production.bom.input", "outputs": "production.bom.output",
		"operation": "production.routing.operation", "production": "production",
	}
	first := map[string][]string{}
	for _, p := range paths {
		head, rest, deep := strings.Cut(p, ".")
		if deep {
			first[head] = append(first[head], strings.TrimLeft(rest, "0123456789."))
		} else if first[head] == nil {
			first[head] = []string{}
		}
	}
	row := r.read(model, slices.Collect(maps.Keys(first)), context, id)[0]
	for head, rest := range first {
		if len(rest) == 0 {
			continue
		}
		switch v := row[head].(type) {
		case []any:
			list := make([]any, len(v))
			for i := range v {
				list[i] = r.whole(relations[head], v[i], rest, context)
			}
			row[head] = list
		case float64:
			row[head] = r.whole(relations[head], v, rest, context)
		}
	}
	return row
}

// run asks for a run of an entity, waits for it, and returns its counts.
func (h *dinrail) run(token, entity, mode string) map[string]any {
	h.t.Helper()
	a := h.call("POST", "/v1/sync", token, fmt.Sprintf(`{"entities":[%q],"mode":%q}`, entity, mode))
	if a.status != http.StatusAccepted {
		h.t.Fatalf("%d %v", a.status, a.body)
	}
	id := fmt.Sprint(within(a.body, "data.0.id"))
	var run map[string]any
	h.eventually("the run ends", 90*time.Second, func() bool {
		run = h.call("GET", "/v1/sync-runs/"+id, token, "").body
		return run["ended_at"] != nil
	})
	if run["status"] != "completed" {
		h.t.Fatalf("%v", run)
	}
	counts, _ := run["counts"].(map[string]any)
	return counts
}

// A changed line brings its order and nothing else; what stands beside a record
// brings it; an archived record stays, inactive; a deleted one becomes a
// tombstone after the next full run, not before.
func TestTrytonChangesDeletionsAndArchivedRecords(t *testing.T) {
	y := newTryton(t)
	r := y.rpc()
	h := newHost(t, y.connection(""))
	h.start()
	token := h.token("erp")
	h.synced(token, len(trytonEntities))
	none := map[string]any{}
	changed := func(entity string, updated, created int) {
		t.Helper()
		if c := h.run(token, entity, "incremental"); fmt.Sprint(c["updated"]) != strconv.Itoa(updated) || fmt.Sprint(c["created"]) != strconv.Itoa(created) || fmt.Sprint(c["deleted"]) != "0" {
			t.Errorf("%s: %v, want %d updated and %d created", entity, c, updated, created)
		}
	}
	draft, _ := r.call("model.purchase.line.search", []any{[]any{"purchase.state", "=", "draft"}, []any{"type", "=", "line"}}, 0, 1, nil, none).([]any)
	r.call("model.purchase.line.write", draft, map[string]any{"quantity": 77}, none)
	changed("purchase_orders", 1, 0)
	changed("purchase_orders", 0, 0)
	input, _ := r.call("model.production.bom.input.search", []any{[]any{"bom", "=", 1}}, 0, 1, nil, none).([]any)
	r.call("model.production.bom.input.write", input, map[string]any{"quantity": 13}, none)
	changed("boms", 1, 0)
	template := r.read("product.product", []string{"template"}, nil, 3)[0]["template"]
	r.call("model.product.template.write", []any{template}, map[string]any{"name": "V-belt, renamed"}, none)
	changed("items", 1, 0)
	r.call("model.product.product.write", []any{5}, map[string]any{"active": false}, none)
	changed("items", 1, 0)
	if i := h.call("GET", "/v1/items/5", token, "").body; i["active"] != false || i["deleted"] != false {
		t.Errorf("an archived item: %v", i)
	}
	made, _ := r.call("model.stock.location.create", []any{map[string]any{"name": "Rack C-01", "code": "C-01", "type": "storage", "parent": 3}}, none).([]any)
	changed("locations", 0, 1)
	changed("goods_receipts", 0, 0)
	y.change("UPDATE stock_move SET write_date = strftime('%Y-%m-%d %H:%M:%f', 'now'), quantity = 61 WHERE id = 80")
	changed("goods_receipts", 1, 0) // one of its moves was changed
	id := plainOf(made[0])
	r.call("model.stock.location.delete", made, none)
	h.run(token, "locations", "incremental")
	if l := h.call("GET", "/v1/locations/"+id, token, ""); l.body["deleted"] != false {
		t.Errorf("after an incremental run, what was deleted is %v", l.body)
	}
	if c := h.run(token, "locations", "full"); fmt.Sprint(c["deleted"]) != "1" {
		t.Errorf("a full run after a deletion: %v", c)
	}
	if n := len(h.all("/v1/locations", token)); n != 13 {
		t.Errorf("%d locations", n)
	}
}

// Tryton is stopped and started in mid-run, and its sessions end in mid-run:
// the runs complete, and nothing is missing.
func TestTrytonGoesAwayAndEndsSessionsInMidRun(t *testing.T) {
	y := newTryton(t)
	h := newHost(t, y.connection(""))
	h.start()
	token := h.token("erp")
	time.Sleep(700 * time.Millisecond) // its first syncs have begun
	y.stop()
	time.Sleep(2 * time.Second)
	y.start()
	h.eventually("all is synced after a restart", 2*time.Minute, func() bool {
		n := 0
		for _, e := range h.all("/v1/sync-status", token) {
			if e["status"] == "idle" && e["last_success_at"] != nil {
				n++
			}
		}
		return n == len(trytonEntities)
	})
	y.counts(h, token)
	for round := range 3 {
		a := h.call("POST", "/v1/sync", token, `{"mode":"full"}`)
		if a.status != http.StatusAccepted {
			t.Fatalf("%d %v", a.status, a.body)
		}
		time.Sleep(time.Duration(100+200*round) * time.Millisecond)
		y.endSessions()
		list, _ := a.body["data"].([]any)
		for _, one := range list {
			id := fmt.Sprint(within(one, "id"))
			h.eventually("the run ends", 90*time.Second, func() bool {
				run := h.call("GET", "/v1/sync-runs/"+id, token, "").body
				if run["status"] == "failed" {
					t.Fatalf("%v", run)
				}
				return run["ended_at"] != nil
			})
		}
	}
	y.counts(h, token)
	if s := h.status("erp"); s != "online" {
		t.Errorf("the connection is %s", s)
	}
}

// New credentials bring a connection back with its data and its cursors.
func TestTrytonNewCredentialsKeepDataAndCursors(t *testing.T) {
	y := newTryton(t)
	r := y.rpc()
	h := newHost(t, y.connection(""))
	h.start()
	token := h.token("erp")
	h.synced(token, len(trytonEntities))
	cursor, _ := h.call("GET", "/v1/changes?cursor=latest", token, "").body["next_cursor"].(string)
	reader, _ := r.call("model.res.user.search", []any{[]any{"login", "=", "reader"}}, 0, 1, nil, map[string]any{}).([]any)
	r.call("model.res.user.write", reader, map[string]any{"password": "N3w-Reader-Tryton-Lab"}, map[string]any{})
	y.endSessions()
	h.call("POST", "/v1/sync", token, `{"mode":"incremental"}`)
	h.eventually("the login is refused", time.Minute, func() bool { return h.status("erp") == "auth_required" })
	a := h.call("POST", "/v1/admin/connections/erp/reconnect", adminToken, `{"credentials":{"username":"reader","password":"N3w-Reader-Tryton-Lab"}}`)
	fresh, _ := a.body["token"].(string)
	h.eventually("it is online again", time.Minute, func() bool { return h.status("erp") == "online" })
	if a := h.call("GET", "/v1/items", token, ""); a.status != http.StatusUnauthorized {
		t.Errorf("the old token opens %d", a.status)
	}
	r = y.rpc() // the administrator's session has ended, too
	template := r.read("product.product", []string{"template"}, nil, 3)[0]["template"]
	r.call("model.product.template.write", []any{template}, map[string]any{"name": "V-belt, renamed again"}, map[string]any{})
	h.run(fresh, "items", "incremental")
	feed := h.call("GET", "/v1/changes?entities=items&cursor="+cursor, fresh, "")
	if data, _ := feed.body["data"].([]any); len(data) != 1 || within(data[0], "record.name") != "V-belt, renamed again" {
		t.Errorf("from the cursor of before: %v", feed.body)
	}
	y.counts(h, fresh)
}

// The example in configs runs as it stands.
func TestTrytonExampleRuns(t *testing.T) {
	y := newTryton(t)
	h := newHost(t, "", "DINRAIL_ADMIN_TOKEN="+adminToken, "TRYTON_URL=http://127.0.0.1:"+y.port, "TRYTON_DATABASE=erp", "TRYTON_USER=reader", "TRYTON_PASSWORD="+y.facts["TRYTON_READER_PASSWORD"])
	h.example("tryton.hcl")
	h.start()
	token := h.token("tryton")
	h.synced(token, len(trytonEntities))
	y.counts(h, token)
}
