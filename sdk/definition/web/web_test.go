package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/sdk"
)

// read is what one Read sent.
type read struct {
	records []sdk.Record
	bad     []string
	total   int64
	marks   []string // a checkpoint each page
	stop    int      // after so many pages the host is gone; 0: never
}

func (r *read) Upsert(rec sdk.Record) error { r.records = append(r.records, rec); return nil }

func (r *read) Bad(id, field, reason string) error {
	r.bad = append(r.bad, id+" "+field+" "+reason)
	return nil
}

func (r *read) Total(n int64) { r.total = n }

func (r *read) Flush(mark []byte) error {
	r.marks = append(r.marks, string(mark))
	if r.stop > 0 && len(r.marks) >= r.stop {
		return context.Canceled
	}
	return nil
}

func (r *read) ids() string {
	ids := make([]string, len(r.records))
	for i, rec := range r.records {
		ids[i] = rec.ID
		if rec.Deleted {
			ids[i] = "-" + rec.ID
		}
	}
	return strings.Join(ids, " ")
}

// file is a system's file with what a test says between the braces of its
// block.
func file(body string) *sdk.Definition {
	return &sdk.Definition{Name: "test.hcl", Content: []byte(`system "test" {
  label     = "Test"
  vendor    = "Nobody"
  category  = "cmms"
  connector = "rest"
  setting "url" {}
` + body + "\n}\n")}
}

// plain is the common part of a file whose one entity is read in one page.
const plain = `
  auth "none" {}
  request {
    base = setting.url
  }
`

func entity(list string) string {
	return `
  entity "items" {
    id = raw.id
    list {
      path    = "/items"
      records = body.items
` + list + `
    }
    map {
      name      = raw.name
      unit_cost = { amount = raw.cost, currency = "EUR" }
    }
  }
`
}

func open(t *testing.T, d *sdk.Definition, handler http.HandlerFunc, credentials map[string]string) *Connection {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return openAt(t, d, server.URL, credentials)
}

func openAt(t *testing.T, d *sdk.Definition, url string, credentials map[string]string) *Connection {
	t.Helper()
	c, err := New("rest", Protocol{}).Open(t.Context(), sdk.OpenRequest{
		System: "test", Settings: sdk.Settings{"url": url}, Credentials: credentials, Definition: d, HTTP: http.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*Connection)
}

func (c *Connection) all(t *testing.T, name string, full bool, mark string) *read {
	t.Helper()
	r := &read{}
	if err := c.readTo(t.Context(), sdk.ReadRequest{Entity: name, Full: full, Checkpoint: []byte(mark)}, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func answers(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// Deletions are concluded from a read that ended well, so an answer in which the
// records are not is no empty page.
func TestAnswersThatAreNoPageAreFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status      int
		kind, body  string
		code        sdk.Code
		words       string
		declaration string
	}{
		"empty object":     {200, "application/json", `{}`, sdk.CodeInternal, "the answer is no page, it has no body.items", plain},
		"nothing":          {200, "application/json", "", sdk.CodeInternal, "it has no body.items", plain},
		"an object":        {200, "application/json", `{"items":{"id":1}}`, sdk.CodeInternal, "body.items is an object", plain},
		"HTML":             {200, "text/html", "<html><head><title>Sign\n in</title></head></html>", sdk.CodeInternal, `a page of HTML where JSON was expected ("Sign in"); is the URL right?`, plain},
		"broken":           {200, "application/json", `{"items":[`, sdk.CodeInternal, "is not JSON", plain},
		"two":              {200, "application/json", `{"items":[]} {}`, sdk.CodeInternal, "something follows", plain},
		"wrong charset":    {200, "application/json", "{\"items\":[{\"id\":1,\"name\":\"K\xfcbel\"}]}", sdk.CodeInternal, "is not UTF-8; say its charset", plain},
		"unknown charset":  {200, "application/json; charset=klingon", `{}`, sdk.CodeInternal, `the charset "klingon"`, plain},
		"refused":          {401, "application/json", `{"message":"bad token"}`, sdk.CodeAuthRequired, "401 Unauthorized: bad token", plain},
		"no right":         {403, "application/json", `{"error":{"message":"no"}}`, sdk.CodePermissionDenied, "403 Forbidden: no", plain},
		"HTML and 502":     {502, "text/html", "<html>down</html>", sdk.CodeUnavailable, "502 Bad Gateway", plain},
		"too many":         {429, "application/json", `{}`, sdk.CodeRateLimited, "429", plain},
		"inside 200":       {200, "application/json", `{"ok":false,"why":"E17","items":[]}`, sdk.CodePermissionDenied, "200 OK: E17", plain + "error {\n when = body.ok == false\n code = \"permission_denied\"\n message = body.why\n}\n"},
		"its own words":    {500, "application/json", `{"oops":{"text":"duplicate\n key"}}`, sdk.CodeConflict, "duplicate key", plain + "error {\n when = status == 500 && strcontains(body.oops.text, \"duplicate\")\n code = \"conflict\"\n}\nerror {\n message = body.oops.text\n}\n"},
		"refused in words": {400, "application/json", `{"code":"BAD_KEY"}`, sdk.CodeAuthRequired, "BAD_KEY", plain + "error {\n when = body.code == \"BAD_KEY\"\n code = \"auth_required\"\n message = body.code\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := open(t, file(c.declaration+"retry {\n attempts = 1\n}\n"+entity("")), answers(c.status, c.kind, c.body), nil)
			err := conn.readTo(t.Context(), sdk.ReadRequest{Entity: "items", Full: true}, &read{})
			if err == nil || code(err) != c.code || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "Test") {
				t.Errorf("%s: %v, want %s with %q", code(err), err, c.code, c.words)
			}
		})
	}
}

func TestBadRecordsAreToldAndPassedBy(t *testing.T) {
	t.Parallel()
	body := `{"items":[{"id":1,"name":"good"},{"name":"no id"},{"id":2,"name":{"de":"Eimer"}},{"id":3,"cost":[1]},null,"x",{"id":4,"name":"` + strings.Repeat("x", 5<<20) + `"}]}`
	r := open(t, file(plain+entity("")), answers(200, "application/json", body), nil).all(t, "items", true, "")
	if r.ids() != "1 4" || len(r.bad) != 5 { // the SDK itself refuses the large one
		t.Fatalf("records %s, bad %q", r.ids(), r.bad)
	}
	if want := "2 name it is text, and an object came"; r.bad[1] != want || !strings.HasPrefix(r.bad[2], "3 unit_cost.amount ") {
		t.Errorf("bad %q", r.bad)
	}
}

func TestRecordsAreKeptAsTheyWereReceived(t *testing.T) {
	t.Parallel()
	body := "{\"meta\":{\"items\":[0]},\"items\":[ {\"id\" : 1.0e0, \"name\":\"\\u00fc \\\"x\\\" ]}\", \"n\":[{}]} ,\n{\"id\":\"b\"}]}"
	r := open(t, file(plain+entity("")), answers(200, "application/json", body), nil).all(t, "items", true, "")
	if len(r.records) != 2 || string(r.records[0].Raw) != `{"id" : 1.0e0, "name":"\u00fc \"x\" ]}", "n":[{}]}` || string(r.records[1].Raw) != `{"id":"b"}` || r.records[0].ID != "1.0e0" {
		t.Errorf("%+v, bad %q", r.records, r.bad)
	}
}

// pagesOf answers a list of so many items by whatever parameter it is asked for.
func pagesOf(n, size int, write func(w http.ResponseWriter, r *http.Request, from int, items string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		from := 0
		for name, per := range map[string]int{"offset": 1, "cursor": 1, "page": size, "after": 1} {
			if v := q.Get(name); v != "" {
				_, _ = fmt.Sscan(v, &from)
				from *= per
			}
		}
		var items []string
		for i := from; i < min(n, from+size); i++ {
			items = append(items, fmt.Sprintf(`{"id":%d,"name":"n%d"}`, i+1, i+1))
		}
		write(w, r, from+len(items), "["+strings.Join(items, ",")+"]")
	}
}

func TestEveryWayOfPagingReadsAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page  string
		write func(w http.ResponseWriter, r *http.Request, next int, items string)
	}{
		"cursor": {"page \"cursor\" {\n send = { cursor = page.next, limit = 3 }\n next = body.next\n total = body.total\n}", func(w http.ResponseWriter, _ *http.Request, next int, items string) {
			cursor := fmt.Sprint(next)
			if next >= 10 {
				cursor = "null"
			}
			_, _ = fmt.Fprintf(w, `{"items":%s,"next":%s,"total":10}`, items, cursor)
		}},
		"offset": {"page \"offset\" {\n send = { offset = page.offset, limit = page.size }\n size = 100\n}", func(w http.ResponseWriter, _ *http.Request, _ int, items string) {
			_, _ = fmt.Fprintf(w, `{"items":%s}`, items)
		}},
		"page": {"page \"page\" {\n send = { page = page.number }\n first = 0\n total = body.total\n}", func(w http.ResponseWriter, _ *http.Request, _ int, items string) {
			_, _ = fmt.Fprintf(w, `{"items":%s,"total":"10"}`, items)
		}},
		"keyset": {"page \"keyset\" {\n send = { after = page.last.id }\n more = body.more\n}", func(w http.ResponseWriter, _ *http.Request, next int, items string) {
			_, _ = fmt.Fprintf(w, `{"items":%s,"more":%t}`, items, next < 10)
		}},
		"url": {"page \"url\" {\n next = body.next\n}", func(w http.ResponseWriter, r *http.Request, next int, items string) {
			link := fmt.Sprintf(`"/items?offset=%d&x=a%%2Fb"`, next)
			if next >= 10 {
				link = "null"
			}
			_, _ = fmt.Fprintf(w, `{"items":%s,"next":%s}`, items, link)
		}},
		"link": {"page \"link\" {}", func(w http.ResponseWriter, r *http.Request, next int, items string) {
			if next < 10 {
				w.Header().Add("Link", fmt.Sprintf(`<http://%s/items?offset=0>; rel="first", <http://%s/items?offset=%d>; title="a, b"; rel=next`, r.Host, r.Host, next))
			}
			_, _ = fmt.Fprintf(w, `{"items":%s}`, items)
		}},
		"odata": {"page \"odata\" {}", func(w http.ResponseWriter, _ *http.Request, next int, items string) {
			link := ""
			if next < 10 {
				link = fmt.Sprintf(`,"@odata.nextLink":"items?offset=%d"`, next)
			}
			_, _ = fmt.Fprintf(w, `{"items":%s%s}`, items, link)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := open(t, file(plain+entity(c.page)), pagesOf(10, 3, c.write), nil)
			want := "1 2 3 4 5 6 7 8 9 10"
			whole := conn.all(t, "items", true, "")
			if whole.ids() != want || len(whole.bad) > 0 {
				t.Fatalf("records %s, bad %q", whole.ids(), whole.bad)
			}
			for i, mark := range whole.marks { // and each checkpoint leads to the rest
				rest := conn.all(t, "items", true, mark)
				if all := strings.Fields(want); strings.Join(all[len(all)-len(rest.records):], " ") != rest.ids() || i == 0 && len(rest.records) != 7 {
					t.Errorf("after checkpoint %d %s: %s", i, mark, rest.ids())
				}
			}
		})
	}
}

func TestPagesInCirclesAreFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ page, body, words string }{
		"cursor":    {"page \"cursor\" {\n send = { cursor = page.next }\n next = body.next\n}", `{"items":[{"id":1}],"next":"a"}`, "cursor a came twice"},
		"offset":    {"page \"offset\" {\n send = { offset = page.offset }\n}", `{"items":[{"id":1}]}`, "the same records came twice"},
		"page":      {"page \"page\" {\n send = { p = page.number }\n}", `{"items":[{"id":1}]}`, "the same records came twice"},
		"url":       {"page \"url\" {\n next = body.next\n}", `{"items":[],"next":"/items?x=1"}`, "came twice"},
		"elsewhere": {"page \"url\" {\n next = body.next\n}", `{"items":[],"next":"https://evil.example.com/items"}`, "another host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := open(t, file(plain+entity(c.page)), answers(200, "application/json", c.body), nil).readTo(t.Context(), sdk.ReadRequest{Entity: "items", Full: true}, &read{})
			if err == nil || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v, want %q", err, c.words)
			}
		})
	}
}

func TestAnswersInOtherCharsetsAndXMLAreRead(t *testing.T) {
	t.Parallel()
	latin := open(t, file(plain+entity("")), answers(200, "application/json; charset=iso-8859-1", "{\"items\":[{\"id\":1,\"name\":\"K\xfcbel\"}]}"), nil).all(t, "items", true, "")
	if string(latin.records[0].Raw) != `{"id":1,"name":"Kübel"}` {
		t.Errorf("%s", latin.records[0].Raw)
	}
	xmlFile := file(strings.Replace(plain, "base = setting.url", "base = setting.url\n answer = \"xml\"", 1) + strings.Replace(entity(""), "body.items", "body.list.item", 1))
	for body, want := range map[string]string{
		`<list/>`: "", `<list><item><id>1</id><name>a</name></item></list>`: "1",
		"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><s:list xmlns:s=\"urn:x\"><item><id>1</id></item><item id2=\"x\"><id>2</id><name>K\xfcbel</name></item></s:list>": "1 2",
	} {
		if r := open(t, xmlFile, answers(200, "application/xml", body), nil).all(t, "items", true, ""); r.ids() != want || len(r.bad) > 0 {
			t.Errorf("%s: %s %q", body, r.ids(), r.bad)
		} else if len(r.records) == 2 && string(r.records[1].Raw) != `{"@id2":"x","id":"2","name":"Kübel"}` {
			t.Errorf("%s", r.records[1].Raw)
		}
	}
}

func TestFieldsAreEncodedOnce(t *testing.T) {
	t.Parallel()
	r := open(t, file(plain+entity("")), answers(200, "application/json", `{"items":[{"id":1,"name":"x","cost":2.50}]}`), nil).all(t, "items", true, "")
	var got struct {
		Name string
		Cost struct{ Amount, Currency string } `json:"unit_cost"`
	}
	b, err := json.Marshal(r.records[0].Fields)
	if err == nil {
		err = json.Unmarshal(b, &got)
	}
	if err != nil || got.Name != "x" || got.Cost.Amount != "2.50" {
		t.Errorf("%s %v", b, err)
	}
}
