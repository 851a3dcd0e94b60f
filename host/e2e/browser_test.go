package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is a headless Chromium.
type browser struct {
	t     *testing.T
	ctx   context.Context //nolint:containedctx // chromedp's own
	axe   string
	shots string // folder of the screenshots
	n     int
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	const suite = "the connect page in a real browser"
	if _, err := exec.LookPath("chromium"); err != nil {
		needDebian(t, suite)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
		defer cancel()
		for _, args := range [][]string{{"-qq", "update"}, {"-qq", "-o", "DPkg::Lock::Timeout=600", "install", "-y", "--no-install-recommends", "chromium"}} {
			if out, err := exec.CommandContext(ctx, "apt-get", args...).CombinedOutput(); err != nil {
				leaveOut(t, suite, "Chromium cannot be installed: "+strings.Join(strings.Fields(string(out)), " "))
			}
		}
	}
	source, err := os.ReadFile(filepath.Join(npmFolder(t, suite, "axe-core@4.10.3"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	shots := os.Getenv("DINRAIL_SCREENSHOTS")
	if shots == "" {
		shots = t.ArtifactDir()
	}
	if err := os.MkdirAll(shots, 0o750); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WindowSize(1100, 900))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); cancelAllocator() })
	if err := chromedp.Run(ctx); err != nil { // it lives as long as this context
		t.Fatalf("start Chromium: %v", err)
	}
	return &browser{t: t, ctx: ctx, axe: string(source), shots: shots}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.shot("failed")
		b.t.Fatalf("in the browser: %v", err)
	}
}

// shot takes a picture of the page.
func (b *browser) shot(name string) {
	b.t.Helper()
	var png []byte
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
		return
	}
	b.n++
	if err := os.WriteFile(filepath.Join(b.shots, fmt.Sprintf("%02d-%s.png", b.n, name)), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// accessible has axe look at the page, and takes a picture of it.
func (b *browser) accessible(name string) {
	b.t.Helper()
	b.shot(name)
	var found string
	b.do(chromedp.Evaluate(b.axe, nil), chromedp.Evaluate(
		`axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + " " + (n.failureSummary || "")).join(" | "))))`,
		&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var violations []string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("%s: %s", name, v)
	}
	var wide bool
	b.do(chromedp.Evaluate(`document.documentElement.scrollWidth > window.innerWidth`, &wide))
	if wide {
		b.t.Errorf("%s: the page is wider than its window", name)
	}
}

// A person without IT knowledge: from the link to the token in four clicks and
// three fields, past a mistake; on a phone, in the dark, by keyboard.
func TestConnectPageInABrowser(t *testing.T) {
	b := newBrowser(t)
	p := newPlant(t)
	h := newHost(t, "")
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`) // the plant is on this machine
	h.start()
	link := func(args ...string) string {
		out := h.cli(append([]string{"connect"}, args...)...)
		return out[strings.Index(out, "http"):]
	}
	clicks, fields := 0, 0
	click := func(selector string) chromedp.Action {
		clicks++
		return chromedp.Click(selector, chromedp.ByQuery)
	}
	fill := func(selector, text string) chromedp.Action {
		fields++
		return chromedp.SendKeys(selector, text, chromedp.ByQuery)
	}
	b.do(chromedp.Navigate(link("--id", "plant-9")), chromedp.WaitVisible("ul.systems"))
	b.accessible("catalog")
	b.do(click(`ul.systems a[href$="/to/sandbox"]`), chromedp.WaitVisible("form.card"))
	b.accessible("form")
	b.do(fill("#settings-url", p.url), fill("#credentials-username", "operator"), fill("#credentials-password", "plant-7"), click("form.card button.primary"),
		chromedp.WaitVisible("#token", chromedp.ByQuery))
	b.accessible("done")
	var token string
	b.do(click("[data-copy]"), chromedp.WaitVisible(`//*[@id="copied" and contains(., "Copied")]`), chromedp.Value("#token", &token, chromedp.ByQuery))
	if clicks > 4 || fields > 3 {
		t.Errorf("%d clicks and %d fields from the link to the token", clicks, fields)
	}
	if a := h.call("GET", "/v1/connection", token, ""); a.status != http.StatusOK {
		t.Errorf("the token opens %d", a.status)
	}

	// A mistake: on a phone, in the dark; then the right password by keyboard alone.
	var focused string
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		chromedp.Navigate(link()), chromedp.WaitVisible("ul.systems"))
	b.accessible("catalog-phone-dark")
	b.do(chromedp.Click(`ul.systems a[href$="/to/sandbox"]`), chromedp.WaitVisible("form.card"),
		chromedp.SendKeys("#settings-url", p.url), chromedp.SendKeys("#credentials-username", "operator"), chromedp.SendKeys("#credentials-password", "wr0ng"), chromedp.Click("form.card button.primary"),
		chromedp.WaitVisible("#summary"), chromedp.Evaluate(`document.activeElement.id`, &focused))
	b.accessible("wrong-password-phone-dark")
	if focused != "summary" {
		t.Errorf("after a mistake, what has the focus is %q", focused)
	}
	// To the summary's link, and along it. Only the key's going down: its
	// character could reach the field, which has the focus by then, and send the
	// form.
	enter := input.DispatchKeyEvent(input.KeyRawDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13)
	b.do(chromedp.EmulateReset(), chromedp.Focus("#summary"), chromedp.KeyEvent(kb.Tab), enter,
		chromedp.Poll(`document.activeElement.id === "credentials-password"`, nil, chromedp.WithPollingTimeout(10*time.Second)))
	b.do(chromedp.SendKeys("#credentials-password", "plant-7"+kb.Enter), chromedp.WaitVisible("#token", chromedp.ByQuery))
	b.accessible("done-dark")
	b.do(chromedp.Navigate(link()), chromedp.WaitVisible("form.quiet"), chromedp.Click("form.quiet button"), chromedp.WaitVisible("section.center"))
	b.accessible("canceled")
	b.do(chromedp.Navigate("http://"+h.addr+"/connect/dcs_nothing"), chromedp.WaitVisible("section.center"))
	b.accessible("unknown-link")

	// In an application of another origin, as a frame: it hears of success.
	var session string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>App</title><p id="out"></p><div id="here"></div><script src="http://%s/connect.js"></script><script>
Dinrail.connect({url: %q, mode: "iframe", container: document.getElementById("here"), onSuccess: (e) => { document.getElementById("out").textContent = "connected " + e.connection_id; }});
</script>`, h.addr, session)
	}))
	defer app.Close()
	a := h.call("POST", "/v1/admin/connect-sessions", adminToken, fmt.Sprintf(`{"systems":["sandbox"],"new":{"id":"framed"},"allowed_origins":[%q]}`, app.URL))
	session = fmt.Sprint(a.body["url"])
	b.do(chromedp.EmulateReset(), chromedp.Navigate(app.URL), chromedp.Poll(`document.querySelector("iframe") !== null`, nil), chromedp.Sleep(time.Second))
	b.shot("framed")
	who := newPerson(t) // what the frame does is done for it: the session is one
	if status, _ := who.submit(session+"/to/sandbox", map[string][]string{"settings.url": {p.url}, "credentials.username": {"operator"}, "credentials.password": {"plant-7"}}); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	b.do(chromedp.Evaluate(`document.querySelector("iframe").src = document.querySelector("iframe").src`, nil),
		chromedp.Poll(`document.getElementById("out").textContent === "connected framed"`, nil))
}
