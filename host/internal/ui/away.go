package ui

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// journeyCookie binds a person's way to their vendor and back to the browser
// that it began in: a link that somebody else began is not ended here.
const journeyCookie = "dinrail_journey"

// awayPage leads to the vendor.
type awayPage struct {
	Base, Label string
	To          string // "": it is not begun in this browser
	Framed      bool
}

// framed says whether the page is a part of another (Fetch Metadata, 2.1).
func (v *visit) framed() bool {
	switch v.Header.Get("Sec-Fetch-Dest") {
	case "iframe", "frame", "embed", "object":
		return true
	}
	return false
}

// browser is the cookie of a way to the vendor, and makes one where there is
// none.
func (v *visit) browser(make bool) string {
	if c, err := v.Cookie(journeyCookie); err == nil && len(c.Value) >= 26 {
		return c.Value
	}
	if !make {
		return ""
	}
	c := &http.Cookie{
		Name: journeyCookie, Value: rand.Text() + rand.Text(), Path: "/", MaxAge: int((24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.URL.Scheme == "https",
	}
	http.SetCookie(v.w, c)
	return c.Value
}

// away shows the way to the vendor.
func (u *UI) away(v *visit, a Attempt) error {
	p := awayPage{Base: "/connect/" + v.link, Label: a.Label, Framed: v.framed()}
	var err error
	if browser := v.browser(false); browser != "" && !p.Framed {
		if p.To, err = u.Attempts.Leave(v.Context(), v.link, browser, false, false); err != nil {
			return err
		}
	}
	switch {
	case p.To != "":
		v.w.Header().Set("Refresh", "0;url="+p.To)
	case p.Framed:
		v.w.Header().Set("Refresh", "2") // until the other window is done
	}
	u.show(v, http.StatusOK, "away", shown{Title: "Continue at " + p.Label, Body: p})
	return nil
}

// leave begins the way to the vendor in this browser.
func (u *UI) leave(v *visit) error {
	v.Body = http.MaxBytesReader(v.w, v.Body, 1<<10)
	_, err := u.Attempts.Leave(v.Context(), v.link, v.browser(true), true, v.PostFormValue("framed") != "")
	if err != nil {
		return err
	}
	http.Redirect(v.w, v.Request, "/connect/"+v.link+"/attempt", http.StatusSeeOther)
	return nil
}

// errorWord is the form of a vendor's error code (RFC 6749, 4.1.2.1).
var errorWord = regexp.MustCompile(`^[ -!#-\[\]-~]{1,200}$`)

// callback is where people come back to from the vendor.
func (u *UI) callback(w http.ResponseWriter, r *http.Request) {
	v := &visit{w: w, Request: r}
	u.protect(v, nil)
	q := r.URL.Query()
	came := Came{State: q.Get("state"), Browser: v.browser(false), Code: q.Get("code"), Error: q.Get("error")}
	if came.Code == "" {
		came.Refused = came.Error == "access_denied"
		if text := q.Get("error_description"); errorWord.MatchString(text) {
			came.Error += ", " + text
		}
		if !errorWord.MatchString(came.Error) {
			came.Error = "it sent no code"
		}
	}
	link, framed, err := u.Attempts.Arrive(r.Context(), came)
	if host.CodeOf(err) == host.CodeNotFound {
		u.end(v, http.StatusNotFound, "This login is not waited for", strings.ToUpper(host.MessageOf(err)[:1])+host.MessageOf(err)[1:]+".")
		return
	}
	if err != nil {
		u.fail(v, err)
		return
	}
	to := "/attempt"
	if framed {
		to = "/returned"
	}
	http.Redirect(w, r, "/connect/"+link+to, http.StatusSeeOther)
}

// returned is what a window shows that was opened for the vendor alone.
func (u *UI) returned(v *visit) error {
	u.show(v, http.StatusOK, "ended", shown{Title: "You can close this window", Body: ended{"You can close this window", "The page that you came from goes on by itself."}})
	return nil
}
