package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// link makes a connect session and returns its link.
func (h *dinrail) link(args ...string) string {
	h.t.Helper()
	out := h.cli(append([]string{"connect"}, args...)...)
	return strings.TrimSpace(out[strings.Index(out, "http"):])
}

// fill fills in the form that a link opens, and sends it. What is filled in goes
// by the fields' names.
func (b *browser) fill(link string, fields map[string]string, then string) {
	b.t.Helper()
	b.do(chromedp.Navigate(link), chromedp.WaitVisible("form.card"))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := fmt.Sprintf(`[name=%q]`, name)
		b.do(chromedp.SetValue(at, fields[name], chromedp.ByQuery))
	}
	b.do(chromedp.Click("form.card button.primary"), chromedp.WaitVisible(then, chromedp.ByQuery))
}

// Whatever is wrong with a login is told in words for people, beside the field
// that it is about, by real systems and by what people take for them.
func TestConnectPageTellsEachKindOfMistake(t *testing.T) {
	b := newBrowser(t)
	p := newPlant(t)
	y := newTryton(t)
	h := newHost(t, "")
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`) // the systems are on this machine
	h.start()
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	defer strange.Close()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Welcome</title><h1>It works!</h1>")
	}))
	defer site.Close()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"id":1,"result":"4.8.12"}`)
	}))
	defer old.Close()
	nobody := "http://" + freeAddress(t)

	plant := func(url, password string) map[string]string {
		return map[string]string{"settings.url": url, "credentials.username": "operator", "credentials.password": password}
	}
	erp := func(url, database, user, password string) map[string]string {
		return map[string]string{"settings.url": url, "settings.database": database, "credentials.username": user, "credentials.password": password}
	}
	reader := y.facts["TRYTON_READER_PASSWORD"]
	server := strings.TrimSuffix(y.url, "erp/")
	collections := slices.Collect(maps.Keys(p.control("GET", "/stats", "")["records"].(map[string]any)))
	denied, err := json.Marshal(map[string]any{"deny": collections})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, system string
		fields       map[string]string
		before       func()
		at, says     string // the field, "" for none; words of the explanation
	}{
		{"wrong-host", "sandbox", plant("http://plant.invalid", "plant-7"), nil, "settings-url", "no host named plant.invalid"},
		{"unreachable", "sandbox", plant(nobody, "plant-7"), nil, "settings-url", "refuses connections"},
		{"certificate", "sandbox", plant(strange.URL, "plant-7"), nil, "settings-url", "certificate"},
		{"another-product", "tryton", erp(site.URL, "erp", "reader", reader), nil, "settings-url", "no Tryton server"},
		{"no-plant", "sandbox", plant(site.URL, "plant-7"), nil, "settings-url", "not understood"},
		{"wrong-password", "tryton", erp(server, "erp", "reader", "wr0ng-one"), nil, "credentials-password", "password"},
		{"wrong-database", "tryton", erp(server, "another", "reader", reader), nil, "settings-database", "another"},
		{"too-old", "tryton", erp(old.URL, "erp", "reader", reader), nil, "settings-url", "too old"},
		{"locked", "tryton", erp(server, "erp", "reader", reader), func() {
			for range 10 { // as after so many wrong passwords
				y.change("INSERT INTO res_user_login_attempt (login, create_date) VALUES ('reader', '2099-01-01 00:00:00.000000')")
			}
		}, "", "refuses logins for some minutes"},
		{"no-right", "sandbox", plant(p.url, "plant-7"), func() { p.control("POST", "", string(denied)) }, "", "may read nothing"},
	} {
		if c.before != nil {
			c.before()
		}
		b.fill(h.link(c.system), c.fields, "#summary")
		b.accessible(c.name)
		var text, target string
		b.do(chromedp.Text("#summary", &text, chromedp.ByQuery),
			chromedp.Evaluate(`(document.querySelector("#summary a")?.getAttribute("href") ?? "#").slice(1)`, &target))
		if target != c.at || !strings.Contains(text, c.says) {
			t.Errorf("%s: beside %q stands %q; want %q beside %q", c.name, target, text, c.says, c.at)
		}
		t.Logf("%s: %s", c.name, strings.Join(strings.Fields(text), " "))
		var source string
		if b.do(chromedp.OuterHTML("html", &source, chromedp.ByQuery)); strings.Contains(source, reader) || strings.Contains(source, "plant-7\"") || strings.Contains(source, "wr0ng-one") {
			t.Errorf("%s: the page holds the password that was typed", c.name)
		}
	}
	if n := len(h.all("/v1/admin/connections", adminToken)); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// script runs a script once there is an element. In a window that stands behind
// another nothing is painted, so that it cannot be clicked as a person does.
func (b *browser) script(script, once string) {
	b.t.Helper()
	b.do(chromedp.Poll(fmt.Sprintf("document.querySelector(%q) !== null", once), nil, chromedp.WithPollingInterval(100*time.Millisecond)), chromedp.Evaluate(script, nil))
}

// An application opens the page as a popup and hears how it ended; then the
// login is renewed, by a link, for the same connection.
func TestConnectPageAsPopupAndToRenew(t *testing.T) {
	b := newBrowser(t)
	p := newPlant(t)
	h := newHost(t, "")
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`) // the plant is on this machine
	h.start()
	var session string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>App</title><p id="out"></p><button>Connect</button><script src="http://%s/connect.js"></script><script>
const say = (text) => { document.getElementById("out").textContent = text; };
document.querySelector("button").addEventListener("click", () => Dinrail.connect({url: %q,
  onSuccess: (e) => say("connected " + e.connection_id), onCancel: () => say("canceled"), onError: (e) => say("error " + e.code)}));
</script>`, h.addr, session)
	}))
	defer app.Close()
	open := func(body string) (*browser, func(want string)) {
		a := h.call("POST", "/v1/admin/connect-sessions", adminToken, body)
		session = fmt.Sprint(a.body["url"])
		opened := chromedp.WaitNewTarget(b.ctx, func(i *target.Info) bool { return i.Type == "page" })
		b.do(chromedp.Navigate(app.URL), chromedp.Click("button", chromedp.ByQuery))
		var id target.ID
		select {
		case id = <-opened:
		case <-time.After(20 * time.Second):
			b.shot("no-popup")
			t.Fatal("no window was opened")
		}
		ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		t.Cleanup(cancel)
		popup := &browser{t: t, ctx: ctx, axe: b.axe, shots: b.shots, n: b.n + 10}
		return popup, func(want string) {
			t.Helper()
			b.do(chromedp.Poll(fmt.Sprintf(`document.getElementById("out").textContent === %q`, want), nil))
		}
	}
	popup, heard := open(fmt.Sprintf(`{"systems":["sandbox"],"new":{"id":"c1"},"allowed_origins":[%q]}`, app.URL))
	popup.script(fmt.Sprintf(`const set = (name, value) => { document.querySelector("[name='" + name + "']").value = value; };
set("settings.url", %q); set("credentials.username", "operator"); set("credentials.password", "plant-7");
document.querySelector("form.card button.primary").click();`, p.url), "form.card")
	heard("connected c1")
	h.eventually("it is online", time.Minute, func() bool { return h.status("c1") == "online" })

	popup, heard = open(fmt.Sprintf(`{"systems":["sandbox"],"allowed_origins":[%q]}`, app.URL))
	popup.script(`document.querySelector("form.quiet button").click();`, "form.quiet")
	heard("canceled")

	p.control("POST", "", `{"password":"another-1"}`)
	p.control("POST", "/end-sessions", "")
	h.call("POST", "/v1/admin/connections/c1/check", adminToken, "")
	h.eventually("it needs a person", time.Minute, func() bool { return h.status("c1") == "auth_required" })
	b.fill(h.link("--renew", "c1"), map[string]string{"credentials.username": "operator", "credentials.password": "another-1"}, "#token")
	b.accessible("renewed")
	h.eventually("it is online again", time.Minute, func() bool { return h.status("c1") == "online" })
}
