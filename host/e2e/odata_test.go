package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

var startCAP = sync.OnceValues(func() (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "systems/sap-cap/up").Output()
	if err != nil {
		return nil, fmt.Errorf("start SAP's OData server: %w\n%s", err, out)
	}
	facts := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), "="); ok {
			facts[k] = strings.Trim(v, "'")
		}
	}
	return facts, nil
})

// SAP's own OData server, without any file: every entity set whole, and one that
// changed with the next incremental run.
func TestODataServerIsReadWhole(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("npm"); err != nil {
		leaveOut(t, "SAP's OData server", "npm is not installed")
	}
	facts, err := startCAP()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, fmt.Sprintf(`
connection "erp" {
  system      = "odata"
  settings    = { url = %q, expand = "WorkOrders=operations" }
  credentials = { username = %q, password = %q }
}
`, facts["CAP_URL"], facts["CAP_USER"], facts["CAP_PASSWORD"]))
	h.start()
	token := h.token("erp")
	h.eventually("it is online", time.Minute, func() bool { return h.status("erp") == "online" })
	for set, n := range map[string]int{"WorkOrders": 260, "PurchaseOrders": 90, "Materials": 130, "StockLevels": 130, "Equipment": 40, "Vendors": 6, "ProductionOrders": 60, "InspectionLots": 20} {
		h.eventually(set+" is read whole", time.Minute, func() bool { return len(h.all("/v1/native/"+set, token)) == n })
	}
	orders := h.all("/v1/native/WorkOrders?include=raw", token)
	first := orders[0]
	if operations, _ := first["operations"].([]any); len(operations) == 0 {
		t.Errorf("a work order without operations: %v", first)
	}
	id, _ := first["ID"].(string)
	words := "seen at " + time.Now().Format(time.RFC3339Nano)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, facts["CAP_URL"]+"/WorkOrders("+id+")", strings.NewReader(fmt.Sprintf(`{"description":%q}`, words)))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(facts["CAP_USER"], facts["CAP_PASSWORD"])
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-Match", "*")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("change a work order: %s", res.Status)
	}
	h.syncNow(token, "incremental")
	for _, r := range h.all("/v1/native/WorkOrders", token) {
		if r["ID"] == id && r["description"] == words {
			return
		}
	}
	t.Error("the work order that changed did not come")
}
