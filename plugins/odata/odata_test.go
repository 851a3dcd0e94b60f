package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// kept is a PageWriter that keeps what it takes.
type kept struct {
	records map[string]sdk.Record
	total   int64
	marks   [][]byte
	stop    int // flushes after which the read is interrupted; 0: none
}

func (k *kept) Upsert(r sdk.Record) error {
	if k.records == nil {
		k.records = map[string]sdk.Record{}
	}
	k.records[r.ID] = r
	return nil
}

func (k *kept) Total(n int64) { k.total = n }

func (k *kept) Flush(mark []byte) error {
	k.marks = append(k.marks, mark)
	if k.stop > 0 && len(k.marks) >= k.stop {
		return fmt.Errorf("interrupted")
	}
	return nil
}

func (k *kept) last() []byte { return k.marks[len(k.marks)-1] }

func open(t *testing.T, client *http.Client, settings sdk.Settings) *connection {
	t.Helper()
	c, err := connector{}.Open(t.Context(), sdk.OpenRequest{Settings: settings, HTTP: client, Credentials: map[string]string{"username": "u", "password": "p"}})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*connection) //nolint:forcetypeassert // it is what Open makes
}

const metadataV4 = `<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="p.S" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityContainer Name="C"><EntitySet Name="Orders" EntityType="p.S.Order"/><EntitySet Name="Shapes" EntityType="p.S.Shape"/><EntitySet Name="Keyless" EntityType="p.S.Keyless"/></EntityContainer>
<EntityType Name="Base"><Key><PropertyRef Name="ID"/></Key><Property Name="ID" Type="Edm.Int32"/></EntityType>
<EntityType Name="Order" BaseType="p.S.Base"><Property Name="ModifiedAt" Type="Edm.DateTimeOffset"/><Property Name="total" Type="Edm.Decimal"/><NavigationProperty Name="lines" Type="Collection(p.S.Line)"/></EntityType>
<EntityType Name="Shape"><Key><PropertyRef Name="g"/></Key><Property Name="g" Type="Edm.GeographyPoint"/></EntityType>
<EntityType Name="Keyless"><Property Name="a" Type="Edm.String"/></EntityType></Schema></edmx:DataServices></edmx:Edmx>`

// A server that cuts its pages at two, obeys filters by key and time, and takes
// no plus sign for a space.
func cutting(t *testing.T, orders map[int]string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "+") || r.URL.Query().Get("sap-client") != "100" {
			http.Error(w, "query "+r.URL.RawQuery, http.StatusBadRequest)
			return
		}
		q := r.URL.Query()
		switch r.URL.Path {
		case "/s/$metadata":
			_, _ = w.Write([]byte(metadataV4))
		case "/s/Orders/$count":
			_, _ = fmt.Fprintf(w, "\ufeff%d", len(orders))
		case "/s/Orders":
			if strings.HasSuffix(q.Get("$orderby"), " desc") {
				newest := ""
				for _, at := range orders {
					newest = max(newest, at)
				}
				_, _ = fmt.Fprintf(w, `{"value":[{"ModifiedAt":%q}]}`, newest)
				return
			}
			after, since := -1, ""
			for part := range strings.SplitSeq(q.Get("$filter"), " and ") {
				_, _ = fmt.Sscanf(part, "ID gt %d", &after)
				_, _ = fmt.Sscanf(part, "ModifiedAt ge %s", &since)
			}
			var rows []string
			for id := after + 1; id < 100 && len(rows) < 2; id++ {
				if at, ok := orders[id]; ok && at >= since {
					rows = append(rows, fmt.Sprintf(`{"@odata.etag":"W/1","ID":%d,"ModifiedAt":%q,"total":12.3400}`, id, at))
				}
			}
			_, _ = fmt.Fprintf(w, `{"value":[%s]}`, strings.Join(rows, ","))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestPagesGoByKeyThroughCutsTiesAndInterruptions(t *testing.T) {
	t.Parallel()
	orders := map[int]string{}
	for id := range 7 {
		orders[id] = "2026-01-01T00:00:00.000Z" // all at once
	}
	server := cutting(t, orders)
	c := open(t, server.Client(), sdk.Settings{"url": server.URL + "/s?sap-client=100"})

	var first kept
	first.stop = 2
	ask := sdk.ReadRequest{Entity: "native/Orders"}
	if err := c.read(t.Context(), ask, &first); err == nil {
		t.Fatal("the interruption was lost")
	}
	if len(first.records) != 4 || first.total != 7 {
		t.Fatalf("%d records of %d before the interruption", len(first.records), first.total)
	}
	delete(orders, 0)                      // shifts every offset
	orders[1] = "2026-01-01T00:30:00.000Z" // changes behind the page
	ask.Checkpoint = first.last()
	var rest kept
	if err := c.read(t.Context(), ask, &rest); err != nil {
		t.Fatal(err)
	}
	if len(rest.records) != 3 || rest.records["4"].ID == "" {
		t.Errorf("after the interruption %v", rest.records)
	}
	if got := string(mustJSON(t, rest.records["4"].Fields)); got != `{"ID":4,"ModifiedAt":"2026-01-01T00:00:00.000Z","total":12.3400}` {
		t.Errorf("%s", got)
	}
	ask.Checkpoint = rest.last()
	var next kept
	if err := c.read(t.Context(), ask, &next); err != nil {
		t.Fatal(err)
	}
	if next.records["1"].UpdatedAt != time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC) {
		t.Errorf("what changed behind the page is not in the next read: %v", next.records)
	}
	ask.Checkpoint = next.last()
	var quiet kept
	if err := c.read(t.Context(), ask, &quiet); err != nil || len(quiet.records) != 1 { // within the overlap
		t.Errorf("%v, %v", quiet.records, err)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestServiceThatIgnoresFiltersIsAFailure(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "$metadata") {
			_, _ = w.Write([]byte(metadataV4))
			return
		}
		_, _ = w.Write([]byte(`{"value":[{"ID":1,"ModifiedAt":null}]}`))
	}))
	defer server.Close()
	c := open(t, server.Client(), sdk.Settings{"url": server.URL})
	if err := c.read(t.Context(), sdk.ReadRequest{Entity: "native/Orders", Full: true}, &kept{}); err == nil || !strings.Contains(err.Error(), "does not obey") {
		t.Errorf("%v", err)
	}
}

func TestMetadataIsRead(t *testing.T) {
	t.Parallel()
	o := options{expand: map[string][]string{"Orders": {"lines"}}}
	sets, err := o.setsOf([]byte(metadataV4))
	if err != nil || len(sets) != 3 {
		t.Fatalf("%v, %v", sets, err)
	}
	e := sets[0].describe()
	if e.Name != "native/Orders" || !e.Incremental || e.Denied != "" || fmt.Sprint(e.Key) != "[ID]" || len(e.Fields) != 4 || e.Fields[1].Type != "timestamp" {
		t.Errorf("%+v", e)
	}
	if sets[1].denied == "" || sets[2].denied == "" {
		t.Errorf("sets that cannot be paged: %+v", sets[1:])
	}
	for _, o := range []options{{expand: map[string][]string{"Orders": {"line"}}}, {changes: map[string][]string{"Orders": {"total"}}}} {
		if sets, _ := o.setsOf([]byte(metadataV4)); sets[0].denied == "" {
			t.Errorf("%+v was accepted", o)
		}
	}
	if _, err := o.setsOf([]byte("<html><body>Log in</body></html>")); err == nil {
		t.Error("a page of HTML is no description")
	}
}

func TestOldProtocolIsWrittenAndRead(t *testing.T) {
	t.Parallel()
	s := set{name: "O", old: true, key: []field{{"A", "Edm.String"}, {"B", "Edm.Guid"}}, change: &field{"At", "Edm.DateTime"}}
	q, err := url.QueryUnescape(s.query(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), []string{"O'Hara", "9b"}))
	want := "$filter=At ge datetime'2026-01-02T03:04:05.000' and ((A gt 'O''Hara') or (A eq 'O''Hara' and B gt guid'9b'))&$orderby=A,B&$top=500"
	if err != nil || q != want {
		t.Errorf("\n got %s\nwant %s", q, want)
	}
	var k kept
	key, err := s.upsert(&k, json.RawMessage(`{"__metadata":{"uri":"x"},"A":"a~b","B":"9b","At":"\/Date(1767323045000+0060)\/","Parts":{"results":[1]},"Far":{"__deferred":{"uri":"y"}}}`))
	r := k.records["a%7Eb~9b"]
	if err != nil || fmt.Sprint(key) != "[a~b 9b]" || !r.UpdatedAt.Equal(time.UnixMilli(1767323045000)) {
		t.Errorf("%v, %v, %+v", key, err, r)
	}
	if got := string(mustJSON(t, r.Fields)); got != `{"A":"a~b","At":"2026-01-02T03:04:05Z","B":"9b","Parts":[1]}` {
		t.Errorf("%s", got)
	}
}

func TestRefusedLoginIsTriedAgainByChecksAlone(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	c := open(t, server.Client(), sdk.Settings{"url": server.URL})
	for range 3 {
		err := c.read(t.Context(), sdk.ReadRequest{Entity: "native/O"}, &kept{})
		if f, ok := err.(*sdk.Failure); !ok || f.Code != sdk.CodeAuthRequired { //nolint:errorlint // it is never wrapped
			t.Fatalf("%v", err)
		}
	}
	if _, err := c.Check(t.Context()); err == nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	for setting, s := range map[string]sdk.Settings{
		"url": {"url": "ftp://a/b"}, "url ": {"url": "https://u:p@a/b"}, "sets": {"url": "https://a", "sets": "[a"},
		"expand": {"url": "https://a", "expand": "Orders"}, "changes": {"url": "https://a", "changes": "A=b+c"},
	} {
		_, err := read(s)
		f, ok := err.(*sdk.Failure) //nolint:errorlint // it is never wrapped
		if !ok || f.Path != "settings."+strings.TrimSpace(setting) || strings.Contains(f.Message, "u:p") {
			t.Errorf("%v: %+v", s, err)
		}
	}
}
