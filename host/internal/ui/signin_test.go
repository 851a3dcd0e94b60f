package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/auth"
)

func TestNobodySeesThePagesWithoutSigningIn(t *testing.T) {
	r := setup(t)
	r.connection(plant, host.StatusOnline, "")
	b := r.browser()
	for _, path := range []string{"/", "/?note=checked"} {
		status, text := b.get(path)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		r.must(shows(text, `name="token"`, "!plant-7"))
	}
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for cookie, want := range map[string]int{"": http.StatusSeeOther, "dsi_nonsense": http.StatusSeeOther} {
		if status, _ := b.do("GET", "/", nil, "Cookie", "dinrail_dashboard="+cookie); status != want {
			t.Errorf("cookie %q: %d", cookie, status)
		}
	}
	if status, _ := b.do("GET", "/", nil, "HX-Request", "true"); status != http.StatusUnauthorized {
		t.Errorf("a part of a page: %d", status)
	}
}

func TestSignInByToken(t *testing.T) {
	r := setup(t)
	b := r.browser()
	if status, text := b.post("/sign-in", url.Values{"token": {"dra_wrong"}}); status != http.StatusForbidden || strings.Contains(text, "dra_wrong") {
		t.Errorf("a wrong token: %d %s", status, text)
	}
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for to, want := range map[string]string{"": "/", "/connections?status=online": "/connections?status=online", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/sign-in", strings.NewReader(url.Values{"token": {" " + tokenOf("viewer") + " "}, "to": {to}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		cookie := res.Header.Get("Set-Cookie")
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || strings.Contains(cookie, tokenOf("viewer")) {
			t.Errorf("to %q: %d %q %s", to, res.StatusCode, res.Header.Get("Location"), cookie)
		}
	}
	if _, text := b.get("/"); !strings.Contains(text, "viewer") {
		t.Errorf("signed in: %s", text)
	}
	if status, _ := b.post("/sign-out", nil); status != http.StatusSeeOther {
		t.Errorf("sign out: %d", status)
	}
	if status, _ := b.get("/"); status != http.StatusSeeOther {
		t.Errorf("signed out: %d", status)
	}
}

func TestSignInByLink(t *testing.T) {
	r := setup(t)
	who := auth.Local()
	link, _, err := r.auth.SignInLink(t.Context(), &who)
	if err != nil {
		t.Fatal(err)
	}
	b := r.browser()
	for range 2 { // what looks at a link does not use it up
		_, text := b.get("/sign-in/" + link)
		r.must(shows(text, "Open the dashboard"))
	}
	if status, text := b.post("/sign-in/"+link, nil); status != http.StatusOK || !strings.Contains(text, "local · admin") {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := r.browser().post("/sign-in/"+link, nil); status != http.StatusForbidden {
		t.Errorf("once more: %d", status)
	}
}

func TestAnotherSiteCannotActForWhoIsSignedIn(t *testing.T) {
	r := setup(t)
	b := r.as("admin")
	for _, path := range []string{"/sign-out", "/sign-in"} {
		if status, _ := b.do("POST", path, url.Values{}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, text := b.get("/"); !strings.Contains(text, "Overview") {
		t.Error("signed out by another site")
	}
}

func TestOverviewTellsWhatNeedsAPerson(t *testing.T) {
	r := setup(t)
	_, text := r.as("admin").get("/")
	r.must(shows(text, "Nothing is connected yet", "Connect a system"))
	r.connection(plant, host.StatusAuthRequired, "the password <is> wrong")
	r.connection("plant-8", host.StatusOffline, "no route")
	_, text = r.as("operator").get("/")
	r.must(shows(text, "The plant-7", "the password &lt;is&gt; wrong", "!<is>", `action="/connections/plant-7/reconnect"`, `action="/connections/plant-8/check"`, "64 GB"))
	_, text = r.as("viewer").get("/")
	r.must(shows(text, "The plant-7", "!/reconnect", "!/check"))
	_, text = r.as("limited").get("/")
	r.must(shows(text, "The plant-7", "!plant-8", "!64 GB"))
}
