package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// person opens pages as a browser without JavaScript does.
type person struct {
	t      *testing.T
	client *http.Client
	at     string // the page that was opened last
	header http.Header
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (p *person) request(method, address string, form url.Values, origin string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.at, p.header = res.Request.URL.String(), res.Header
	return res.StatusCode, string(text)
}

func (p *person) open(address string) (int, string) {
	p.t.Helper()
	return p.request(http.MethodGet, address, nil, "")
}

// submit sends a form and follows to where the attempt has ended.
func (p *person) submit(address string, form url.Values) (int, string) {
	p.t.Helper()
	status, text := p.request(http.MethodPost, address, form, "")
	for deadline := time.Now().Add(time.Minute); p.header.Get("Refresh") != "" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		status, text = p.open(p.at)
	}
	return status, text
}

var tokenOnPage = regexp.MustCompile(`value="(drc_[^"]+)"`)

// From the link to a token that answers, against the real plant: what is wrong
// is told beside its field, nothing is kept of it, and the token is shown once.
func TestPersonConnectsASystem(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	h := newHost(t, "")
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`) // the plant is on this machine
	h.start()
	link := h.cli("connect", "--id", "plant-9", "--label", "Plant 9")
	link = link[strings.Index(link, "http"):]
	who := newPerson(t)
	status, text := who.open(link)
	if status != http.StatusOK || !strings.Contains(text, "Sandbox plant") || !strings.Contains(text, "Tryton") {
		t.Fatalf("%d %s", status, text)
	}
	policy := who.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || who.header.Get("Referrer-Policy") != "no-referrer" || who.header.Get("Cache-Control") != "no-store" || who.header.Get("X-Request-Id") == "" || who.header.Get("Dinrail-Version") == "" {
		t.Errorf("the page's headers: %v", who.header)
	}
	if strings.Contains(text, "<style") || strings.Contains(text, "onclick") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(text) {
		t.Error("the page has a script or a style in it")
	}
	if status, text := who.open(link + "?q=trYton"); status != http.StatusOK || !strings.Contains(text, "Tryton") || strings.Contains(text, "Sandbox plant") {
		t.Errorf("a search: %d %s", status, text)
	}
	status, text = who.open(link + "/to/sandbox")
	if status != http.StatusOK || !strings.Contains(text, "settings.url") || !strings.Contains(text, "credentials.password") {
		t.Fatalf("%d %s", status, text)
	}
	form := func(address, password string) url.Values {
		return url.Values{"auth": {""}, "settings.url": {address}, "credentials.username": {"operator"}, "credentials.password": {password}}
	}
	to := link + "/to/sandbox"
	for _, c := range []struct{ what, address, password, words, at string }{
		{"no URL", "", "plant-7", "is missing", "settings-url"},
		{"half a URL", "plant", "plant-7", "whole URL", "settings-url"},
		{"nobody there", "http://127.0.0.1:1", "plant-7", "", "settings-url"},
		{"wrong password", p.url, "wr0ng-one", "", "credentials-password"},
	} {
		status, text := who.submit(to, form(c.address, c.password))
		if status != http.StatusUnprocessableEntity || !strings.Contains(text, c.words) || !strings.Contains(text, `href="#`+c.at+`"`) || !strings.Contains(text, `aria-invalid="true"`) {
			t.Errorf("%s: %d %s", c.what, status, text)
		}
		if strings.Contains(text, "wr0ng-one") || strings.Contains(text, "plant-7") {
			t.Errorf("%s: the page holds the password that was typed", c.what)
		}
	}
	if n := len(h.all("/v1/admin/connections", adminToken)); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
	if status, _ := who.request(http.MethodPost, to, form(p.url, "plant-7"), "https://evil.example.com"); status != http.StatusForbidden {
		t.Errorf("a form sent from another site: %d", status)
	}
	status, text = who.submit(to, form(p.url, "plant-7"))
	found := tokenOnPage.FindStringSubmatch(text)
	if status != http.StatusOK || found == nil {
		t.Fatalf("%d %s", status, text)
	}
	if a := h.call("GET", "/v1/connection", found[1], ""); a.status != http.StatusOK || a.body["id"] != "plant-9" || a.body["label"] != "Plant 9" {
		t.Errorf("the token opens %d %v", a.status, a.body)
	}
	if _, again := who.open(link); strings.Contains(again, "drc_") || !strings.Contains(again, "cannot be shown again") {
		t.Errorf("opened again: %s", again)
	}
	h.eventually("its data is there", time.Minute, func() bool { return len(h.all("/v1/work_orders", found[1])) > 0 })
	if status, _ := who.open(link[:len(link)-2] + "xx"); status != http.StatusNotFound {
		t.Errorf("a changed link: %d", status)
	}
	if log := h.log.String(); strings.Contains(log, "dcs_") || strings.Contains(log, "plant-7\"") || strings.Contains(log, "wr0ng") {
		t.Errorf("the log holds a secret:\n%s", log)
	}
}

// An integrator's session: bound, preset, framed by the application, its token
// fetched by the back end.
func TestIntegratorsSessionHandsItsTokenToTheBackEnd(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	h := newHost(t, "")
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`) // the plant is on this machine
	h.start()
	a := h.call("POST", "/v1/admin/connect-sessions", adminToken, fmt.Sprintf(`{"systems":["sandbox"],"new":{"id":"c1","settings":{"url":%q},"locked":["url"]},`+
		`"end_user":{"id":"u1","name":"Anna"},"redirect_url":"https://app.example.com/done?x=1","state":"s 1","allowed_origins":["https://app.example.com"]}`, p.url))
	link, id := fmt.Sprint(a.body["url"]), fmt.Sprint(a.body["id"])
	who := newPerson(t)
	status, text := who.open(link)
	if status != http.StatusOK || !strings.Contains(who.at, "/to/sandbox") || strings.Contains(text, `name="settings.url"`) || !strings.Contains(text, p.url) {
		t.Fatalf("%d at %s: %s", status, who.at, text)
	}
	if policy := who.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors https://app.example.com") {
		t.Errorf("%s", policy)
	}
	status, text = who.submit(who.at, url.Values{"settings.url": {"http://127.0.0.1:1"}, "credentials.username": {"operator"}, "credentials.password": {"plant-7"}})
	if status != http.StatusOK || strings.Contains(text, "drc_") || !strings.Contains(text, "https://app.example.com/done?connection_id=c1&amp;session_id="+id+"&amp;state=s&#43;1&amp;status=success&amp;x=1") {
		t.Fatalf("%d %s", status, text)
	}
	got := h.call("POST", "/v1/admin/connect-sessions/"+id+"/exchange", adminToken, "")
	token := fmt.Sprint(got.body["token"])
	if a := h.call("GET", "/v1/connection", token, ""); a.status != http.StatusOK || a.body["id"] != "c1" {
		t.Errorf("%d %v", got.status, got.body)
	}

	// The password changes in the plant; the same person renews the login.
	p.control("POST", "", `{"password":"another-1"}`)
	p.control("POST", "/end-sessions", "")
	h.call("POST", "/v1/admin/connections/c1/check", adminToken, "")
	h.eventually("it needs a person", time.Minute, func() bool { return h.status("c1") == "auth_required" })
	out := h.cli("connect", "--renew", "c1")
	link = out[strings.Index(out, "http"):]
	if _, text := who.open(link); !strings.Contains(text, "Renew the login") {
		t.Fatalf("%s", text)
	}
	status, text = who.submit(who.at, url.Values{"settings.url": {p.url}, "credentials.username": {"operator"}, "credentials.password": {"another-1"}})
	found := tokenOnPage.FindStringSubmatch(text)
	if status != http.StatusOK || found == nil {
		t.Fatalf("%d %s", status, text)
	}
	h.eventually("it is online again", time.Minute, func() bool { return h.status("c1") == "online" })
	if a := h.call("GET", "/v1/connection", token, ""); a.status != http.StatusUnauthorized {
		t.Errorf("the token of before opens %d", a.status)
	}
	if a := h.call("GET", "/v1/connection", found[1], ""); a.status != http.StatusOK {
		t.Errorf("the new token opens %d", a.status)
	}
	if js, text := who.open("http://" + h.addr + "/connect.js"); js != http.StatusOK || !strings.Contains(text, "Dinrail") {
		t.Errorf("connect.js: %d", js)
	}
}

// The event of a refused login holds the link that renews it; the token of the
// renewed connection is for the back end that the event went to.
func TestEventOfARefusedLoginLeadsToItsRenewal(t *testing.T) {
	p := newPlant(t)
	h, _ := p.host("work_orders")
	p.control("POST", "", `{"password":"another-1"}`)
	p.control("POST", "/end-sessions", "")
	h.eventually("it needs a person", time.Minute, func() bool { return h.status("plant") == "auth_required" })
	told := h.all("/v1/admin/events?type=connection.auth_required", adminToken)
	if len(told) != 1 {
		t.Fatalf("%v", told)
	}
	data, _ := told[0]["data"].(map[string]any)
	link, session := fmt.Sprint(data["reconnect_url"]), fmt.Sprint(data["session_id"])
	viewer := fmt.Sprint(h.call("POST", "/v1/admin/tokens", adminToken, `{"name":"looks","role":"viewer"}`).body["token"])
	for _, e := range h.all("/v1/admin/events?type=connection.auth_required", viewer) {
		if shown, _ := e["data"].(map[string]any); shown["reconnect_url"] != nil || shown["reason"] == "" {
			t.Errorf("a viewer sees %v", shown)
		}
	}
	who := newPerson(t)
	if status, text := who.open(link); status != http.StatusOK || !strings.Contains(text, "Renew the login") {
		t.Fatalf("%d %s", status, text)
	}
	status, text := who.submit(who.at, url.Values{"settings.url": {p.url}, "credentials.username": {"operator"}, "credentials.password": {"another-1"}})
	if status != http.StatusOK || strings.Contains(text, "drc_") {
		t.Fatalf("%d %s", status, text)
	}
	h.eventually("it is online again", time.Minute, func() bool { return h.status("plant") == "online" })
	a := h.call("POST", "/v1/admin/connect-sessions/"+session+"/exchange", adminToken, "")
	if got := h.call("GET", "/v1/connection", fmt.Sprint(a.body["token"]), ""); got.status != http.StatusOK || got.body["status"] != "online" {
		t.Errorf("%d %v: %d %v", a.status, a.body, got.status, got.body)
	}
	if strings.Contains(h.log.String(), link[strings.LastIndex(link, "/"):]) {
		t.Error("the link is in the log")
	}
}
