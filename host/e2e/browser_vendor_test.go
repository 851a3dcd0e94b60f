package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A person connects by the login of a real OpenID provider: from the link to the
// token, through the vendor's own pages.
func TestConnectPageLeadsOverTheVendor(t *testing.T) {
	b := newBrowser(t)
	h := newHost(t, vendorClient)
	h.hostBlock(`private_targets = ["127.0.0.0/8"]`)
	p := newProvider(t, h, 600)
	h.start()
	link := h.link("sandbox", "--id", "plant-9")
	b.do(chromedp.Navigate(link+"/to/sandbox?auth=oauth2"), chromedp.WaitVisible("form.card"))
	b.accessible("vendor-form")
	fill := func() {
		for name, v := range map[string]string{"settings.url": p.url, "settings.authorize_url": p.url + "/auth", "settings.token_url": p.gate.URL + "/token"} {
			b.do(chromedp.SetValue(`[name="`+name+`"]`, v, chromedp.ByQuery))
		}
		b.do(chromedp.Click("form.card button.primary"))
	}
	fill()
	b.do(chromedp.WaitVisible(`input[name="login"]`, chromedp.ByQuery)) // the vendor's page
	// Whoever looks at the link in another browser meanwhile is told what is next.
	other := newBrowser(t)
	other.do(chromedp.Navigate(link+"/attempt"), chromedp.WaitVisible(`form[action$="/away"]`, chromedp.ByQuery))
	other.accessible("vendor-away")

	b.do(chromedp.SetValue(`input[name="login"]`, "jpetersen", chromedp.ByQuery), chromedp.SetValue(`input[name="password"]`, "x", chromedp.ByQuery), chromedp.Click(`button[type="submit"]`, chromedp.ByQuery))
	b.do(chromedp.WaitVisible(`input[name="prompt"][value="consent"] ~ button, form button[type="submit"]`, chromedp.ByQuery), chromedp.Click(`button[type="submit"]`, chromedp.ByQuery))
	b.do(chromedp.WaitVisible("#token", chromedp.ByQuery))
	b.accessible("vendor-done")
	h.eventually("it is online", time.Minute, func() bool { return h.status("plant-9") == "online" })
}
