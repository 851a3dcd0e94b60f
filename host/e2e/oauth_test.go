package e2e_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// provider is a real OpenID provider, behind a gate that counts what is asked of
// its token endpoint.
type provider struct {
	url  string // of the provider itself
	gate *httptest.Server

	mu        sync.Mutex
	refreshes []refresh
}

// refresh is one use of a refresh token.
type refresh struct {
	token    string
	answered bool // the provider has given the next one
	life     int  // of the host that sent it
}

var installProvider = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "systems/oidc-provider/install").Output()
	if err != nil {
		return "", fmt.Errorf("install the OpenID provider: %w\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
})

// newProvider starts a provider that knows the host's redirect address; access
// tokens live for so many seconds.
func newProvider(t *testing.T, h *dinrail, life int) *provider {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		leaveOut(t, "a real OpenID provider", "npm is not installed")
	}
	dir, err := installProvider()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	p := &provider{url: "http://" + address}
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PORT="+port, fmt.Sprintf("ACCESS_TTL=%d", life), "REDIRECT_URIS=http://"+h.addr+"/oauth/callback")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	h.eventually("the provider answers", 30*time.Second, func() bool {
		res, err := http.Get(p.url + "/healthz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = to.Host },
		ErrorLog: nil,
		ModifyResponse: func(res *http.Response) error {
			if at, ok := res.Request.Context().Value(p).(int); ok && res.StatusCode == http.StatusOK {
				p.mu.Lock()
				p.refreshes[at].answered = true
				p.mu.Unlock()
			}
			return nil
		},
	}
	p.gate = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		if form, err := url.ParseQuery(string(b)); err == nil && form.Get("grant_type") == "refresh_token" {
			p.mu.Lock()
			at := len(p.refreshes)
			p.refreshes = append(p.refreshes, refresh{token: form.Get("refresh_token")})
			p.mu.Unlock()
			// What was begun is ended, whether the host waits for it or not.
			r = r.WithContext(context.WithValue(context.WithoutCancel(r.Context()), p, at))
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(p.gate.Close)
	return p
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.refreshes)
}

const vendorClient = `
oauth_client "sandbox" {
  client_id     = "connector-host"
  client_secret = "c0nnector-host-secret"
}
`

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	promptName = regexp.MustCompile(`name="prompt" value="(\w+)"`)
)

// atVendor logs in and allows access, from the address that the host leads to,
// and returns the address that the vendor sends back to.
func (p *person) atVendor(vendor *provider, from string, deny bool) string {
	p.t.Helper()
	own := *p.client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	at := from
	for range 20 {
		if !strings.HasPrefix(at, vendor.url+"/") {
			return at
		}
		res, err := own.Get(at)
		if err != nil {
			p.t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			prompt, action := promptName.FindStringSubmatch(string(b)), formAction.FindStringSubmatch(string(b))
			if prompt == nil || action == nil {
				p.t.Fatalf("the vendor shows %s", b)
			}
			if deny && prompt[1] == "consent" {
				at = strings.TrimSuffix(at, "/") + "/abort"
				continue
			}
			base, _ := url.Parse(at)
			to, _ := base.Parse(html.UnescapeString(action[1]))
			res, err = own.PostForm(to.String(), url.Values{"prompt": {prompt[1]}, "login": {"jpetersen"}, "password": {"x"}})
			if err != nil {
				p.t.Fatal(err)
			}
			_ = res.Body.Close()
		}
		base, _ := url.Parse(at)
		next, err := base.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			p.t.Fatalf("the vendor answers %d at %s", res.StatusCode, at)
		}
		at = next.String()
	}
	p.t.Fatal("the vendor leads nowhere")
	return ""
}

// connects goes the whole way, from a link to the page at its end.
func (p *person) connects(vendor *provider, link string) (int, string) {
	p.t.Helper()
	return p.follow(p.atVendor(vendor, p.departs(vendor, link), false))
}

// departs fills in the form and returns where the host leads to.
func (p *person) departs(vendor *provider, link string) string {
	p.t.Helper()
	status, text := p.request(http.MethodPost, link+"/to/sandbox", url.Values{
		"auth": {"oauth2"}, "settings.url": {vendor.url}, "settings.authorize_url": {vendor.url + "/auth"}, "settings.token_url": {vendor.gate.URL + "/token"},
	}, "")
	_, to, ok := strings.Cut(p.header.Get("Refresh"), "url=")
	if status != http.StatusOK || !ok || !strings.Contains(text, "Continue at Sandbox plant") {
		p.t.Fatalf("%d %s %v", status, text, p.header)
	}
	return to
}

// follow opens an address and goes on to where the attempt has ended.
func (p *person) follow(address string) (int, string) {
	p.t.Helper()
	status, text := p.open(address)
	for deadline := time.Now().Add(time.Minute); p.header.Get("Refresh") != "" && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		status, text = p.open(p.at)
	}
	return status, text
}

// From the link over the vendor's own login to data, and on when the first
// token has ended.
func TestPersonConnectsAtAVendor(t *testing.T) {
	t.Parallel()
	h := newHost(t, vendorClient)
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`)
	p := newProvider(t, h, 4)
	h.start()
	link := h.link("sandbox", "--id", "plant-9")
	who := newPerson(t)
	status, text := who.open(link + "/to/sandbox?auth=oauth2")
	if status != http.StatusOK || strings.Contains(text, "credentials.client_secret") || !strings.Contains(text, "settings.token_url") || !strings.Contains(text, "Continue at Sandbox plant") {
		t.Fatalf("%d %s", status, text)
	}
	if _, text := who.open(link + "/to/sandbox"); strings.Contains(text, "settings.token_url") {
		t.Error("who logs in by a password is asked for the vendor's addresses")
	}
	// What is missing is told at its field.
	if status, text := who.submit(link+"/to/sandbox", url.Values{"auth": {"oauth2"}, "settings.url": {p.url}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, `href="#settings-authorize_url"`) {
		t.Errorf("no address of the vendor: %d %s", status, text)
	}
	// Access is not allowed: told, and one can try again.
	if status, text := who.follow(who.atVendor(p, who.departs(p, link), true)); status != http.StatusUnprocessableEntity || !strings.Contains(text, "was not allowed") {
		t.Errorf("refused: %d %s", status, text)
	}
	to := who.departs(p, link)
	asked, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := asked.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 32 || q.Get("nonce") == "" || q.Get("redirect_uri") != "http://"+h.addr+"/oauth/callback" || strings.Contains(to, "secret") {
		t.Errorf("the vendor is asked with %v", q)
	}
	back := who.atVendor(p, to, false)
	// Another browser, which somebody sent the address to, connects nothing.
	if status, _ := newPerson(t).open(back); status != http.StatusNotFound {
		t.Errorf("another browser: %d", status)
	}
	changed, _ := url.Parse(back)
	values := changed.Query()
	values.Set("state", "x"+values.Get("state"))
	changed.RawQuery = values.Encode()
	if status, _ := who.open(changed.String()); status != http.StatusNotFound {
		t.Errorf("another state: %d", status)
	}
	status, text = who.follow(back)
	found := tokenOnPage.FindStringSubmatch(text)
	if status != http.StatusOK || found == nil {
		t.Fatalf("%d %s", status, text)
	}
	token := found[1]
	if status, _ := who.open(back); status != http.StatusNotFound {
		t.Errorf("the vendor's answer is taken twice: %d", status)
	}
	h.synced(token, 1)
	if all := h.all("/v1/work_orders", token); len(all) != 1 || all[0]["id"] != "WO-1" || all[0]["status"] != "open" {
		t.Fatalf("work orders %v", all)
	}
	// Tokens end; reading goes on.
	before := p.count()
	h.eventually("a token is got ahead of time", 20*time.Second, func() bool { return p.count() > before+1 })
	h.syncNow(token, "full")
	h.stop()
	h.start()
	time.Sleep(5 * time.Second) // longer than the stored token holds
	if a := h.call("POST", "/v1/admin/connections/plant-9/check", adminToken, ""); a.status != http.StatusOK {
		t.Fatalf("after a start: %d %v", a.status, a.body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.refreshes {
		if strings.Contains(h.log.String(), r.token) {
			t.Fatal("the log shows a refresh token")
		}
	}
}

// A hundred who need a token at the moment when it ends make one refresh.
func TestOneRefreshForAllWhoWait(t *testing.T) {
	t.Parallel()
	h := newHost(t, vendorClient)
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`)
	p := newProvider(t, h, 8)
	h.start()
	who := newPerson(t)
	_, text := who.connects(p, h.link("sandbox", "--id", "plant-9"))
	found := tokenOnPage.FindStringSubmatch(text)
	if found == nil {
		t.Fatal(text)
	}
	h.synced(found[1], 1)
	first := p.count()
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				path := "/v1/admin/connections/plant-9/check"
				if i%2 == 1 {
					path = "/v1/admin/connections/plant-9/sync"
				}
				if a := h.call("POST", path, adminToken, "{}"); a.status >= 400 && a.status != http.StatusTooManyRequests {
					t.Errorf("%s: %d %v", path, a.status, a.body)
					return
				}
			}
		})
	}
	h.eventually("a refresh", 20*time.Second, func() bool { return p.count() > first })
	time.Sleep(3 * time.Second) // less than the next token lives
	close(stop)
	all.Wait()
	if n := p.count() - first; n != 1 {
		t.Fatalf("%d refreshes", n)
	}
}

// The host is killed around its refreshes. No refresh token is sent twice by one
// host, and a grant is lost only where the provider had answered and the host
// had not kept it: then a person is asked for, and connects again.
func TestKilledAroundARefresh(t *testing.T) {
	t.Parallel()
	const kills = 20
	h := newHost(t, vendorClient)
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`)
	p := newProvider(t, h, 2) // too short to be taken up from the store: each start refreshes
	h.start()
	who := newPerson(t)
	if _, text := who.connects(p, h.link("sandbox", "--id", "plant-9")); tokenOnPage.FindStringSubmatch(text) == nil {
		t.Fatal(text)
	}
	lives, lost := 0, 0
	for range kills {
		before := p.count()
		go func() { // what a refresh is needed for; the host is killed in the middle
			req, _ := http.NewRequest(http.MethodPost, "http://"+h.addr+"/v1/admin/connections/plant-9/check", nil)
			req.Header.Set("Authorization", "Bearer "+adminToken)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		h.eventually("a refresh begins, or a person is asked for", 20*time.Second, func() bool {
			return p.count() > before || h.status("plant-9") == "auth_required"
		})
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		h.kill()
		time.Sleep(50 * time.Millisecond) // the provider ends what it began
		p.mu.Lock()
		for i := before; i < len(p.refreshes); i++ {
			p.refreshes[i].life = lives
		}
		p.mu.Unlock()
		lives++
		h.start()
		if h.status("plant-9") == "auth_required" {
			lost++
			who = newPerson(t)
			if status, text := who.connects(p, h.link("--renew", "plant-9")); status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
		}
	}
	h.eventually("it is online, or a person is asked for", 20*time.Second, func() bool {
		s := h.status("plant-9")
		return s == "online" || s == "auth_required"
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	type use struct {
		token string
		life  int
	}
	uses, answered, again := map[use]int{}, map[string]int{}, 0
	for _, r := range p.refreshes {
		if uses[use{r.token, r.life}]++; uses[use{r.token, r.life}] > 1 && r.life < lives {
			t.Errorf("one host sent a refresh token twice")
		}
		if answered[r.token] > 0 {
			again++ // its answer was lost with the host that was killed
		}
		if r.answered {
			answered[r.token]++
		}
	}
	for _, n := range answered {
		if n > 1 {
			t.Errorf("the provider answered one refresh token %d times", n)
		}
	}
	if lost > again {
		t.Errorf("%d grants were lost, but only %d answers were not kept", lost, again)
	}
	t.Logf("%d refreshes over %d kills, %d grants lost", len(p.refreshes), kills, lost)
}

// A machine logs in by itself, from the configuration.
func TestClientCredentialsFromTheConfiguration(t *testing.T) {
	t.Parallel()
	h := newHost(t, "")
	p := newProvider(t, h, 3)
	h.configure(fmt.Sprintf(`
connection "plant-9" {
  system      = "sandbox"
  auth        = "oauth2"
  settings    = { url = %q, token_url = "%s/token" }
  credentials = { client_id = "connector-host", client_secret = "c0nnector-host-secret" }
}
`, p.url, p.gate.URL))
	h.start()
	token := h.token("plant-9")
	h.synced(token, 1)
	if all := h.all("/v1/work_orders", token); len(all) != 1 {
		t.Fatalf("work orders %v", all)
	}
	time.Sleep(4 * time.Second)
	h.syncNow(token, "full")
}
