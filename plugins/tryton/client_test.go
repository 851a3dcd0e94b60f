package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/dinrail/dinrail/sdk"
)

// server answers as Tryton does, for what cannot be brought about with a real
// one at will: sessions that end, locked users, odd answers.
type server struct {
	mu       sync.Mutex
	session  string // what a login answers; empty: it is refused
	logins   int
	products int               // how many there are, with ids from 1
	answers  map[string]string // method: what is answered instead
	dying    bool              // the session ends while the next call is answered
}

func newServer(t *testing.T) (*server, *connection) {
	t.Helper()
	s := &server{session: "one", products: 450, answers: map[string]string{}}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return s, open(t, web.URL+"/erp/", "reader", "p")
}

// set changes what the server does from now on.
func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var call struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if call.Method == "common.db.login" {
		s.logins++
		if s.session == "" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "<html>Unauthorized</html>")
			return
		}
	} else if call.Method != "common.server.version" && r.Header.Get("Authorization") != "Session "+encoded("reader:3:"+s.session) {
		w.WriteHeader(http.StatusUnauthorized) // with an empty body
		return
	}
	if s.dying && call.Method != "common.db.login" {
		s.dying, s.session = false, "another"
		_, _ = io.WriteString(w, `{"error":["UserError",["Sie versuchen, die Datensätze \"57\" von \"Sitzung\" zu lesen, die nicht mehr existieren.","",null]]}`)
		return
	}
	if a, ok := s.answers[call.Method]; ok {
		_, _ = io.WriteString(w, a)
		return
	}
	switch call.Method {
	case "common.db.login":
		_, _ = io.WriteString(w, `{"id":1,"result":[3,"`+s.session+`"]}`)
	case "model.product.product.search_read":
		_, _ = w.Write(s.page(call.Params))
	case "model.product.product.search_count":
		_ = json.NewEncoder(w).Encode(map[string]any{"result": s.products})
	case "model.product.template.search_read":
		_, _ = io.WriteString(w, `{"result":[]}`)
	default:
		_, _ = io.WriteString(w, `{"result":{}}`)
	}
}

func (s *server) page(params []json.RawMessage) []byte {
	var fields []string
	var limit int
	_ = json.Unmarshal(params[4], &fields)
	_ = json.Unmarshal(params[2], &limit)
	after := 0
	var domain [][]any
	if json.Unmarshal(params[0], &domain) == nil && domain[0][0] == "id" {
		after = int(domain[0][2].(float64))
	}
	rows := []any{}
	for id := after + 1; id <= s.products && len(rows) < limit; id++ {
		stamp := map[string]any{"__class__": "datetime", "year": 2026, "month": 1, "day": 2, "hour": 3, "minute": 4, "second": 5, "microsecond": 6}
		rows = append(rows, map[string]any{"id": id, "name": "part", "type": "goods", "create_date": stamp, "write_date": nil})
	}
	b, _ := json.Marshal(map[string]any{"result": rows})
	return b
}

func encoded(s string) string {
	return base64.StdEncoding.EncodeToString([]byte(s))
}

var items = sdk.ReadRequest{Entity: "items", Full: true}

func TestAReadGoesOnFromEachOfItsPages(t *testing.T) {
	s, c := newServer(t)
	for most := 1; most <= 2; most++ {
		first := book{most: most}
		if err := c.read(t.Context(), items, &first); !errors.Is(err, errFull) {
			t.Fatal(err)
		}
		rest := items
		rest.Checkpoint = first.checkpoint
		var b book
		if err := c.read(t.Context(), rest, &b); err != nil {
			t.Fatal(err)
		}
		if len(first.order)+len(b.order) != s.products || len(first.order) != most*pageSize {
			t.Errorf("interrupted after page %d: %d and %d records", most, len(first.order), len(b.order))
		}
	}
}

func TestWhatWasInterruptedIsNotTakenForAnotherRead(t *testing.T) {
	s, c := newServer(t)
	first := book{most: 1}
	if err := c.read(t.Context(), items, &first); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	for _, checkpoint := range []string{string(first.checkpoint), `no JSON`, `{"version":99,"id":300}`, `{"version":1,"id":300,"full":true}`} {
		var b book
		if err := c.read(t.Context(), sdk.ReadRequest{Entity: "items", Checkpoint: []byte(checkpoint)}, &b); err != nil || len(b.records) != s.products {
			t.Errorf("%s: %d records of %d, %v", checkpoint, len(b.records), s.products, err)
		}
	}
}

func TestADeadSessionIsMadeAnewOnce(t *testing.T) {
	s, c := newServer(t)
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.session = "two" })
	for _, err := range together(t, c, 8) {
		if err != nil {
			t.Error(err)
		}
	}
	if s.logins != 2 {
		t.Errorf("%d logins; want one more", s.logins)
	}
}

func TestASessionThatEndsWhileACallIsAnsweredIsMadeAnew(t *testing.T) {
	s, c := newServer(t)
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.dying = true })
	if err := c.read(t.Context(), items, &book{}); err != nil {
		t.Fatal(err)
	}
	if s.dying || s.logins != 2 {
		t.Errorf("the session ended: %t; %d logins, want one more", !s.dying, s.logins)
	}
}

func TestATrytonThatIsTooOldIsTold(t *testing.T) {
	s, c := newServer(t)
	s.set(func() { s.answers["common.server.version"] = `{"result":"4.8.12"}` })
	if _, err := c.Check(t.Context()); codeOf(err) != sdk.CodeInvalid || !strings.Contains(err.Error(), "Tryton 4.8.12, which is too old") || s.logins != 0 {
		t.Errorf("the check ends with %v after %d logins", err, s.logins)
	}
	s.set(func() { s.answers["common.server.version"] = `{"result":"6.0.29"}` })
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestARefusedLoginIsTriedAgainByACheckAlone(t *testing.T) {
	s, c := newServer(t)
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.set(func() { s.session = "" })
	for _, err := range together(t, c, 8) {
		if codeOf(err) != sdk.CodeAuthRequired {
			t.Errorf("a read ends with %v", err)
		}
	}
	if s.logins != 2 {
		t.Errorf("%d logins; want one that is refused", s.logins)
	}
	if _, err := c.Check(t.Context()); codeOf(err) != sdk.CodeAuthRequired || s.logins != 3 {
		t.Errorf("the check ends with %v after %d logins", err, s.logins)
	}
	s.set(func() { s.session = "three" })
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.read(t.Context(), items, &book{}); err != nil {
		t.Error(err)
	}
}

func together(t *testing.T, c *connection, n int) []error {
	t.Helper()
	ended := make(chan error)
	for range n {
		go func() { ended <- c.read(t.Context(), items, &book{}) }()
	}
	out := make([]error, n)
	for i := range out {
		out[i] = <-ended
	}
	return out
}

func TestErrorsInsideHTTP200HaveACode(t *testing.T) {
	const method = "model.product.product.search_read"
	for _, c := range []struct {
		name, method, answer string
		code                 sdk.Code
		says                 string
	}{
		{"no right", method, `{"error":["UserError",["You are not allowed to access \"Product\".","",null]]}`, sdk.CodePermissionDenied, "not allowed"},
		{"somebody was quicker", method, `{"error":["ConcurrencyException",["Record has changed"]]}`, sdk.CodeConflict, ""},
		{"a rule", method, `{"error":["UserError",["The value is too long.","",null]]}`, sdk.CodeInvalid, "too long"},
		{"a field that is none", method, `{"error":["'nope'",""]}`, sdk.CodeInternal, "nope"},
		{"another factor", "common.db.login", `{"error":["LoginException",["sms_code","Code for reader","char"]]}`, sdk.CodeAuthRequired, ""},
		{"another product", "common.db.login", `<html>`, sdk.CodeInvalid, "no Tryton"},
		{"no database", "common.db.login", `{"error":["Database '/data/another.sqlite' doesn't exist!",""]}`, sdk.CodeInvalid, "no database \"erp\""},
		{"a login without a session", "common.db.login", `{"result":null}`, sdk.CodeAuthRequired, ""},
		{"a page of HTML", method, `<html>`, sdk.CodeInternal, "URL"},
		{"nothing", method, ``, sdk.CodeInternal, ""},
		{"neither result nor error", method, `{"id":1}`, sdk.CodeInternal, ""},
		{"no list", method, `{"result":null}`, sdk.CodeInternal, "list"},
		{"an object", method, `{"result":{}}`, sdk.CodeInternal, ""},
		{"a record without id", method, `{"result":[{"name":"x"}]}`, sdk.CodeInternal, "list"},
		{"records in no order", method, `{"result":[{"id":2},{"id":1}]}`, sdk.CodeInternal, "order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, conn := newServer(t)
			s.set(func() {
				s.answers[c.method] = c.answer
				s.answers["model.ir.model.access.get_access"] = `{"result":{"product.product":{"read":1},"product.template":{"read":1}}}`
			})
			// The connector asks for the latest stamp first; here the page counts.
			at := `{"version":1,"id":1,"full":true}`
			if c.name == "records in no order" {
				at = `{"version":1,"id":-1,"full":true}`
			}
			var b book
			err := conn.read(t.Context(), sdk.ReadRequest{Entity: "items", Full: true, Checkpoint: []byte(at)}, &b)
			if codeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it ends with %v; want %s with %q", err, c.code, c.says)
			}
			if b.pages > 0 {
				t.Errorf("%d pages came", b.pages)
			}
		})
	}
}

func TestAMissingRightIsFoundInAnyLanguage(t *testing.T) {
	s, c := newServer(t)
	s.set(func() {
		s.answers["model.product.product.search_read"] = `{"error":["UserError",["Sie haben keine Berechtigung.","",null]]}`
		s.answers["model.ir.model.access.get_access"] = `{"result":{"product.product":{"read":0},"product.template":{"read":1}}}`
	})
	err := c.read(t.Context(), items, &book{})
	if codeOf(err) != sdk.CodePermissionDenied || !strings.Contains(err.Error(), "product.product") {
		t.Errorf("it ends with %v", err)
	}
}

func TestAModuleThatIsNotActivatedIsTold(t *testing.T) {
	s, c := newServer(t)
	s.set(func() { s.answers["model.ir.model.access.get_access"] = `{"error":["'purchase.purchase'",""]}` })
	es, err := c.Entities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if !strings.Contains(e.Denied, "not activated") {
			t.Errorf("%s: denied %q", e.Name, e.Denied)
		}
	}
}

func TestStatusesHaveACode(t *testing.T) {
	for _, c := range []struct {
		status int
		header string
		code   sdk.Code
		path   string
	}{
		{http.StatusUnauthorized, "", sdk.CodeAuthRequired, ""},
		{http.StatusForbidden, "", sdk.CodePermissionDenied, ""},
		{http.StatusNotFound, "", sdk.CodeInvalid, "settings.database"},
		{http.StatusTooManyRequests, "", sdk.CodeRateLimited, ""},
		{http.StatusTooManyRequests, "30", sdk.CodeRateLimited, ""},
		{http.StatusBadGateway, "", sdk.CodeUnavailable, ""},
		{http.StatusTeapot, "", sdk.CodeInternal, ""},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.header)
			w.WriteHeader(c.status)
		}))
		_, err := open(t, web.URL+"/erp", "reader", "p").Check(t.Context())
		web.Close()
		var f *sdk.Failure
		if !errors.As(err, &f) || f.Code != c.code || f.Path != c.path || f.RetryAt.IsZero() != (c.header == "") {
			t.Errorf("%d: %+v; want %s at %q", c.status, err, c.code, c.path)
		}
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	_, c := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.read(ctx, items, &book{}); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

func TestTheDatabaseIsTakenFromURLOrSetting(t *testing.T) {
	for _, c := range []struct{ url, database, want, fault string }{
		{"https://erp.example.com/plant7/", "", "https://erp.example.com/plant7/", ""},
		{"https://erp.example.com/plant7", "plant7", "https://erp.example.com/plant7/", ""},
		{"https://erp.example.com", "plant7", "https://erp.example.com/plant7/", ""},
		{"https://erp.example.com", "", "", "settings.database"},
		{"https://erp.example.com/plant7", "plant8", "", "settings.database"},
		{"erp.example.com", "plant7", "", "settings.url"},
		{"ftp://erp.example.com", "plant7", "", "settings.url"},
		{"", "", "", "settings.url"},
	} {
		conn, err := connector{}.Open(t.Context(), sdk.OpenRequest{Settings: sdk.Settings{"url": c.url, "database": c.database}})
		var f *sdk.Failure
		if errors.As(err, &f) {
			if f.Path != c.fault {
				t.Errorf("%+v: %v at %s", c, err, f.Path)
			}
			continue
		}
		if got := conn.(*connection).rpc.url; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
