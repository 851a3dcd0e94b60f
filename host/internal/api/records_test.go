package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

func TestRecordHasItsFormAndTheSystemsFields(t *testing.T) {
	r := setup(t)
	r.put(plant, "items", record{"10/42", `{"name":"Bolt \"M8\"","quantity":1.50,"custom":{"a":1}}`})
	a := r.ask("GET", "/v1/items/10%2F42", r.token, "")
	r.want("status", a.status, http.StatusOK)
	for _, part := range []string{`{"id":"10/42","entity":"items","sequence":`, `"created_at":null`, `"deleted":false`, `"quantity":1.50`, `"custom":{"a":1}`} {
		if !strings.Contains(a.text, part) {
			t.Errorf("%s is not in %s", part, a.text)
		}
	}
	if _, err := time.Parse(host.TimeFormat, fmt.Sprint(a.body["synced_at"])); err != nil {
		t.Error(err)
	}
	if strings.Contains(a.text, "secret_column") {
		t.Error("raw came without being asked for")
	}
	raw, _ := r.ask("GET", "/v1/items?include=raw", r.token, "").data()[0]["raw"].(map[string]any)
	r.want("raw", raw["secret_column"], 1.0)
}

func TestFieldsOfASystemNeverTakeTheRecordsOwnPlace(t *testing.T) {
	r := setup(t)
	body := ` { "id" : 7, "code":"A,}\"" ,"nested":{"id":1,"custom":{}},"deleted":true,"list":[1,{"version":2}], "sequence":"x" } `
	r.put(plant, "native/Bin", record{"7", body}, record{"8", `{}`}, record{"9", `{"id":9}`}, record{"10", `{"id":1,"entity":"x"}`})
	a := r.ask("GET", "/v1/native/Bin", r.token, "")
	r.want("ids", a.ids(), "7 8 9 10")
	got := a.data()[0]
	r.want("code", got["code"], `A,}"`)
	r.want("deleted", got["deleted"], false)
	nested, _ := got["nested"].(map[string]any)
	r.want("nested id", nested["id"], 1.0)
	if _, ok := got["sequence"].(float64); !ok {
		t.Errorf("sequence is %v", got["sequence"])
	}
	if c, ok := got["custom"].(map[string]any); !ok || len(c) != 0 {
		t.Errorf("custom is %v", got["custom"])
	}
	if strings.Contains(a.text, `"id" : 7`) {
		t.Error("id stands twice")
	}
}

func TestListIsPagedInOrderAndEachRecordComesOnce(t *testing.T) {
	r := setup(t)
	for i := range 7 {
		r.put(plant, "items", record{fmt.Sprint("i", i), `{}`})
		r.put(plant, "native/Bin", record{fmt.Sprint("b", i), `{}`})
	}
	r.put(plant, "items", record{"i2", `{"name":"again"}`})
	var ids []string
	path, last := "/v1/items?limit=2", 0.0
	for more := true; more; {
		a := r.ask("GET", path, r.token, "")
		for _, d := range a.data() {
			s, _ := d["sequence"].(float64)
			if s <= last {
				t.Errorf("sequence %v after %v", s, last)
			}
			last = s
			ids = append(ids, fmt.Sprint(d["id"]))
		}
		path = "/v1/items?limit=2&cursor=" + a.cursor()
		more = a.body["has_more"] == true
	}
	r.want("ids", strings.Join(ids, " "), "i0 i1 i3 i4 i5 i6 i2")
	r.want("nothing new", r.ask("GET", path, r.token, "").ids(), "")
	r.put(plant, "items", record{"i0", ""}, record{"i9", `{}`})
	r.want("what is new", r.ask("GET", path, r.token, "").ids(), "i9")
	if gone := r.ask("GET", "/v1/items/i0", r.token, "").body; gone["deleted"] != true || gone["deleted_at"] == nil || gone["custom"] == nil {
		t.Errorf("a tombstone is %v", gone)
	}
	r.want("with tombstones", r.ask("GET", path+"&include=deleted", r.token, "").ids(), "i0 i9")
	r.want("latest", r.ask("GET", "/v1/items?cursor=latest", r.token, "").ids(), "")
}

func TestChangesMissNothingWhateverComesInBetween(t *testing.T) {
	r := setup(t)
	seen, want := map[string]string{}, map[string]string{}
	cursor := ""
	read := func() {
		a := r.ask("GET", "/v1/changes?limit=3&cursor="+cursor, r.token, "")
		if a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		for _, d := range a.data() {
			rec, _ := d["record"].(map[string]any)
			seen[fmt.Sprint(d["entity"], rec["id"])] = fmt.Sprint(rec["name"], d["operation"])
		}
		cursor = a.cursor()
	}
	for round := range 20 {
		entity := []host.EntityName{"items", "native/Bin"}[round%2]
		key := fmt.Sprint(entity, round%5)
		operation := "created"
		if want[key] != "" {
			operation = "updated"
		}
		r.put(plant, entity, record{fmt.Sprint(round % 5), fmt.Sprintf(`{"name":"v%d"}`, round)})
		want[key] = fmt.Sprintf("v%d", round) + operation
		if round%3 == 0 {
			read()
		}
	}
	for range 10 {
		read()
	}
	r.want("records", fmt.Sprint(seen), fmt.Sprint(want))
}

func TestLongPollWakesForItsConnectionAndEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		r.connect(other)
		cursor := r.ask("GET", "/v1/changes?cursor=latest", r.token, "").cursor()
		answers := make(chan answer)
		poll := func() { answers <- r.ask("GET", "/v1/changes?wait=30s&cursor="+cursor, r.token, "") }
		started := time.Now()
		go poll()
		time.Sleep(5 * time.Second)
		r.put(other, "items", record{"theirs", `{}`})
		time.Sleep(5 * time.Second)
		r.put(plant, "items", record{"ours", `{}`})
		a := <-answers
		r.want("ids", a.ids(), "ours")
		if took := time.Since(started); took >= 11*time.Second { // the bubble's clock: exact
			t.Errorf("it took %s", took)
		}
		cursor = a.cursor()
		started = time.Now()
		go poll()
		r.want("nothing", (<-answers).ids(), "")
		r.want("wait", time.Since(started), 30*time.Second)
		go poll()
		synctest.Wait()
		started = time.Now()
		r.api.EndWaits()
		r.want("status", (<-answers).status, http.StatusOK)
		r.want("wait of a host that stops", time.Since(started), time.Duration(0))
	})
}

func TestFilters(t *testing.T) {
	r := setup(t)
	r.put(plant, "native/Bin",
		record{"a", `{"id":1,"code":"x"}`}, record{"b", `{"code":"y","custom":{"n":10}}`}, record{"c", `{"code":null,"custom":{"n":9.5}}`},
		record{"d", `{"custom":{"n":123456789012345678901234567890,"at":"2026-01-02T03:04:05+02:00","tags":["p","q"],"ok":true,"lines":[{"k":"1"},{"k":"2"}]}}`})
	for query, want := range map[string]string{
		"code=x":            "a",
		"code[ne]=x":        "b",
		"code[in]=x,y":      "a b",
		"code[null]=true":   "c d",
		"code[null]=false":  "a b",
		"id=c":              "c",
		"id[in]=a,d":        "a d",
		"custom.n[gt]=9.50": "b d",
		"custom.n[gte]=9.5": "b c d",
		"custom.n[lt]=1e1":  "c",
		"custom.n=123456789012345678901234567890":    "d",
		"custom.n=123456789012345678901234567891":    "",
		"custom.n[gt]=1e999999999":                   "",
		"custom.at=2026-01-02T01:04:05Z":             "d",
		"custom.at[lt]=2026-01-02T01:04:06Z":         "d",
		"custom.tags=q":                              "d",
		"custom.lines.k=2":                           "d",
		"custom.ok=true":                             "d",
		"custom.n[lte]=10&code=y":                    "b",
		"updated_after=2001-01-01T00:00:00Z&code=x":  "a",
		"created_after=2001-01-01T00:00:00Z":         "",
		"updated_before=2001-01-01T00:00:00Z":        "",
		"modified_before=2001-01-01T00:00:00Z":       "",
		"modified_after=2001-01-01T00:00:00Z&code=x": "a",
	} {
		if a := r.ask("GET", "/v1/native/Bin?"+query, r.token, ""); a.status != http.StatusOK || a.ids() != want {
			t.Errorf("%s: got %d %q, want %q", query, a.status, a.ids(), want)
		}
	}
}

func TestModifiedIsWhenAVersionArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t)
		r.put(plant, "items", record{"1", `{}`})
		time.Sleep(time.Minute)
		at := time.Now().UTC().Format(time.RFC3339Nano)
		r.put(plant, "items", record{"2", `{}`})
		time.Sleep(time.Minute)
		r.put(plant, "items", record{"3", `{}`})
		r.want("after", r.ask("GET", "/v1/items?modified_after="+at, r.token, "").ids(), "3")
		r.want("before", r.ask("GET", "/v1/items?modified_before="+at, r.token, "").ids(), "1")
	})
}

func TestLiveReadsThroughWhereTheConnectionIsFit(t *testing.T) {
	calls := 0
	r := setup(t, func(p *api.Params) {
		p.Live = func(_ context.Context, _ host.ConnectionID, _ host.EntityName, id host.RecordID) (host.Received, error) {
			calls++
			return host.Received{ID: id, Deleted: id == "gone", Body: json.RawMessage(`{"name":"fresh"}`)}, nil
		}
	})
	r.put(plant, "items", record{"1", `{"name":"old"}`})
	r.want("copy", r.ask("GET", "/v1/items/1", r.token, "").body["name"], "old")
	r.want("live", r.ask("GET", "/v1/items/1?live=true", r.token, "").body["name"], "fresh")
	r.want("gone", r.ask("GET", "/v1/items/gone?live=true", r.token, "").status, http.StatusNotFound)
	r.edit(plant, func(c *host.Connection) { c.Status, c.StaleSince = host.StatusOffline, r.now() })
	a := r.ask("GET", "/v1/items/1?live=true", r.token, "")
	r.want("offline", a.code(), "connection_offline")
	if a.header.Get("Retry-After") == "" {
		t.Error("offline without Retry-After")
	}
	r.edit(plant, func(c *host.Connection) { c.Status = host.StatusAuthRequired })
	r.want("refused login", r.ask("GET", "/v1/items/1?live=true", root, "", "Dinrail-Connection: plant-7").code(), "connection_auth_required")
	r.want("calls", calls, 2)
	r = setup(t)
	r.want("without", r.ask("GET", "/v1/items/1?live=true", r.token, "").status, http.StatusNotImplemented)
}

func TestFiltersOnWhatEveryRecordHas(t *testing.T) {
	r := setup(t)
	r.put(plant, "items", record{"1", `{"name":"a"}`}, record{"2", `{"name":"b"}`}, record{"3", `{"name":"c"}`})
	r.put(plant, "items", record{"2", ""})
	first := r.ask("GET", "/v1/items/1", r.token, "").body
	for query, want := range map[string]string{
		"deleted=true":                            "2",
		"deleted=false":                           "1 3",
		"deleted_at[null]=false":                  "2",
		"created_at[null]=true":                   "1 3",
		"updated_at[gte]=2001-01-01":              "1 3",
		"synced_at[lt]=2001-01-01":                "",
		"entity=items&id[in]=1,2":                 "1",
		"version=" + fmt.Sprint(first["version"]): "1",
		fmt.Sprintf("sequence[gt]=%.0f&deleted=false", first["sequence"]): "3",
	} {
		if a := r.ask("GET", "/v1/items?"+query, r.token, ""); a.status != http.StatusOK || a.ids() != want {
			t.Errorf("%s: got %d %q, want %q", query, a.status, a.ids(), want)
		}
	}
}

func TestMoreIsThereOnlyWhereSomethingFollows(t *testing.T) {
	r := setup(t)
	r.put(plant, "items", record{"1", `{"name":"a"}`}, record{"2", `{"name":"b"}`}, record{"3", `{"name":"a"}`}, record{"4", `{"name":"b"}`})
	a := r.ask("GET", "/v1/items?name=a&limit=2", r.token, "")
	r.want("ids", a.ids(), "1 3")
	r.want("more", a.body["has_more"], false)
	a = r.ask("GET", "/v1/items?name=b&limit=1", r.token, "")
	r.want("more", a.body["has_more"], true)
	r.want("next", r.ask("GET", "/v1/items?name=b&limit=1&cursor="+a.cursor(), r.token, "").ids(), "4")
}

func TestIDsOfAnyForm(t *testing.T) {
	r := setup(t)
	for _, id := range []string{"10~20~x", "a/b", "a b", "ä€", "100%", "a?b#c", "..", "[1]", "a+b", "x\"y"} {
		r.put(plant, "items", record{id, `{"name":"n"}`})
		for _, path := range []string{url.PathEscape(id), strings.ReplaceAll(url.PathEscape(id), ".", "%2E")} {
			if path == ".." {
				continue // a client takes it for the folder above
			}
			if a := r.ask("GET", "/v1/items/"+path, r.token, ""); a.status != http.StatusOK || a.body["id"] != id {
				t.Errorf("%q: %d %s", id, a.status, a.text)
			}
		}
	}
}
