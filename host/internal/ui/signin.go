package ui

import (
	"net/http"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
)

// signInPage is where one signs in.
type signInPage struct {
	To    string // where it leads
	Link  string // a secret that is good once; "": by token
	Fault string
}

// doors are the pages of those who are not signed in yet.
func (u *UI) door(f func(*at) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := &at{Request: r, w: w, u: u}
		u.protectDesk(w)
		w.Header().Set("Referrer-Policy", "no-referrer")
		if err := sameOrigin.Check(r); err != nil {
			u.refuse(a, http.StatusForbidden, "This was sent from another site", "Go to the dashboard and sign in there.")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := f(a); err != nil {
			u.fault(a, err)
		}
	}
}

// inside is where a sign-in leads: a page of ours.
func inside(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) || strings.HasPrefix(to, "/sign-") {
		return "/"
	}
	return to
}

func (u *UI) askSignIn(a *at) error {
	return a.show("signin", sheet{Title: "Sign in", Body: signInPage{To: inside(a.FormValue("to"))}})
}

// signIn takes an admin token from the form.
func (u *UI) signIn(a *at) error {
	to := inside(a.PostFormValue("to"))
	cookie, until, err := u.Desk.SignIn(a.Context(), strings.TrimSpace(a.PostFormValue("token")))
	switch host.CodeOf(err) {
	case "":
		a.keep(cookie, until)
		return a.back(to, "")
	case host.CodeUnauthorized, host.CodeForbidden, host.CodeRateLimited:
		a.showWith(http.StatusForbidden, "signin", sheet{Title: "Sign in", Body: signInPage{To: to, Fault: host.MessageOf(err)}})
		return nil
	}
	return err
}

// byLink asks once more before a link is used up, so that what looks at links
// by itself does not use it.
func (u *UI) byLink(a *at) error {
	return a.show("signin", sheet{Title: "Sign in", Body: signInPage{To: "/", Link: a.PathValue("link")}})
}

func (u *UI) redeem(a *at) error {
	cookie, until, err := u.Desk.Redeem(a.Context(), a.PathValue("link"))
	if host.CodeOf(err) == host.CodeUnauthorized {
		a.showWith(http.StatusForbidden, "signin", sheet{Title: "Sign in", Body: signInPage{To: "/", Fault: host.MessageOf(err)}})
		return nil
	}
	if err != nil {
		return err
	}
	a.keep(cookie, until)
	return a.back("/", "")
}

// signOut ends the sign-in and has the browser forget it.
func (u *UI) signOut(a *at) error {
	if cookie, err := a.Cookie(cookieName); err == nil {
		if err := u.Desk.SignOut(a.Context(), cookie.Value); err != nil {
			return err
		}
	}
	a.keep("", time.Unix(1, 0))
	return a.back("/sign-in", "")
}

// keep has the browser keep a sign-in, where no script can read it and no other
// site can use it.
func (a *at) keep(cookie string, until time.Time) {
	http.SetCookie(a.w, &http.Cookie{
		Name: cookieName, Value: cookie, Path: "/", Expires: until, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: a.URL.Scheme == "https",
	})
}
