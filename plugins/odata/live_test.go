package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/sdktest"
)

// SAP's own server, where one runs: CAP_URL, CAP_USER, CAP_PASSWORD.
func TestAcceptanceAgainstSAPCAP(t *testing.T) {
	if os.Getenv("CAP_URL") == "" {
		t.Skip("CAP_URL names no service")
	}
	settings := map[string]any{"url": os.Getenv("CAP_URL"), "expand": "WorkOrders=operations,PurchaseOrders=items"}
	credentials := map[string]string{"username": os.Getenv("CAP_USER"), "password": os.Getenv("CAP_PASSWORD")}
	c, err := connector{}.Open(t.Context(), sdk.OpenRequest{Settings: settings, HTTP: http.DefaultClient, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	entities, err := c.Entities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"WorkOrders": 260, "PurchaseOrders": 90, "Materials": 130, "StockLevels": 130, "Equipment": 40, "Vendors": 6, "ProductionOrders": 60, "InspectionLots": 20}
	for _, e := range entities {
		n := want[e.Label]
		delete(want, e.Label)
		if e.Denied != "" {
			t.Logf("%s: %s", e.Name, e.Denied)
			continue
		}
		var all, again kept
		if err := c.(*connection).read(t.Context(), sdk.ReadRequest{Entity: e.Name, Full: true}, &all); err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		if n != 0 && len(all.records) != n || int64(len(all.records)) != all.total {
			t.Errorf("%s: %d records, want %d, the service counts %d", e.Name, len(all.records), n, all.total)
		}
		if !e.Incremental {
			continue
		}
		if err := c.(*connection).read(t.Context(), sdk.ReadRequest{Entity: e.Name, Checkpoint: all.last()}, &again); err != nil {
			t.Errorf("%s incrementally: %v", e.Name, err)
		}
		t.Logf("%s: %d, then %d", e.Name, len(all.records), len(again.records))
		for _, r := range all.records {
			if b := string(mustJSON(t, r.Fields)); e.Label == "WorkOrders" && !strings.Contains(b, `"operations":[{`) {
				t.Errorf("a work order without operations: %s", b)
				break
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}

	var before, after kept
	orders := sdk.ReadRequest{Entity: "native/WorkOrders", Full: true}
	if err := c.(*connection).read(t.Context(), orders, &before); err != nil {
		t.Fatal(err)
	}
	id, newest := "", time.Time{}
	for _, r := range before.records {
		if id = r.ID; r.UpdatedAt.After(newest) {
			newest = r.UpdatedAt
		}
	}
	describe(t, credentials, id, "seen "+time.Now().Format(time.RFC3339Nano))
	if err := c.(*connection).read(t.Context(), sdk.ReadRequest{Entity: orders.Entity, Checkpoint: before.last()}, &after); err != nil {
		t.Fatal(err)
	}
	if r, ok := after.records[id]; !ok || !r.UpdatedAt.After(newest) {
		t.Errorf("the work order that changed did not come: %+v", r)
	}
	if len(after.records) == len(before.records) {
		t.Skip("the service was filled a moment ago: each read brings all of it again, which the suite takes for a fault")
	}
	sdktest.Run(t, sdktest.Options{Binary: sdktest.Build(t, "."), Settings: settings, Credentials: credentials, Entities: []string{orders.Entity}})
}

// describe gives a work order another description.
func describe(t *testing.T, credentials map[string]string, id, words string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, os.Getenv("CAP_URL")+"/WorkOrders("+id+")", strings.NewReader(fmt.Sprintf(`{"description":%q}`, words)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-Match", "*")
	req.SetBasicAuth(credentials["username"], credentials["password"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the work order was not changed: %s", res.Status)
	}
}
