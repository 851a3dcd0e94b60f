package definition

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/sdk/expr"
)

var (
	authSchema  = schema("label headers query", named("field*", "login", "oauth")...)
	loginExtra  = "token cookies expired"
	oauthSchema = schema("grants! authorize_url token_url! scopes parameters")
)

// fieldsOf are those that a kind of login asks for, where its block names none.
var fieldsOf = map[string][]Field{
	"basic":   {{Name: "username", Type: "string", Label: "User name", Required: true}, {Name: "password", Type: "string", Label: "Password", Required: true, Secret: true}},
	"api_key": {{Name: "key", Type: "string", Label: "API key", Required: true, Secret: true}},
	"bearer":  {{Name: "token", Type: "string", Label: "Access token", Required: true, Secret: true}},
	"session": {{Name: "username", Type: "string", Label: "User name", Required: true}, {Name: "password", Type: "string", Label: "Password", Required: true, Secret: true}},
}

var authLabels = map[string]string{
	"basic": "User name and password", "api_key": "API key", "bearer": "Access token", "oauth2": "Login at the vendor", "session": "User name and password", "none": "No login",
}

func (l *loader) auths(r *block) {
	for _, b := range r.content.Blocks.OfType("auth") {
		if _, twice := l.sys.Method(b.Labels[0]); twice {
			l.wrong(b.DefRange, "Named twice", "There is an auth block %q above; a system has one of each kind.", b.Labels[0])
		}
		l.sys.Auth = append(l.sys.Auth, l.auth(b))
	}
	if len(l.sys.Auth) == 0 {
		l.wrong(r.at, "No auth", `How one logs in: auth "KIND" { … }, where KIND is one of %s.`, quoted(authKinds))
	}
}

func (l *loader) auth(b *hcl.Block) *Auth {
	r := l.block(b, authSchema)
	a := &Auth{Kind: b.Labels[0], Label: r.str("label"), Range: b.DefRange}
	if !slices.Contains(authKinds, a.Kind) {
		l.wrong(b.LabelRanges[0], "Unknown way to log in", "It is one of %s.%s", quoted(authKinds), expr.DidYouMean(a.Kind, authKinds))
		return a
	}
	if a.Label == "" {
		a.Label = authLabels[a.Kind]
	}
	for _, f := range r.content.Blocks.OfType("field") {
		a.Fields = append(a.Fields, l.field(f))
	}
	if a.Fields == nil {
		a.Fields = fieldsOf[a.Kind]
	}
	if !l.dia.http {
		for _, name := range []string{"headers", "query"} {
			if r.has(name) {
				l.wrong(r.place(name), "Unknown attribute", "The connector %q sends no %s.", l.sys.Connector, name)
			}
		}
		return a
	}
	a.Headers, a.Query = r.object("headers", "auth"), r.object("query", "auth")
	if a.Kind == "api_key" && a.Headers == nil && a.Query == nil {
		l.wrong(r.at, "Key not sent", `Where the key goes: headers = { X-Api-Key = credential.key }, or query = { … }.`)
	}
	l.login(r, a)
	l.oauth(r, a)
	l.checkCredentials(a)
	return a
}

// login reads the call that begins a session.
func (l *loader) login(r *block, a *Auth) {
	b := r.one("login")
	switch {
	case b == nil && a.Kind == "session":
		l.wrong(r.at, "No login", `A session begins with a call: login { path = "/login", body = { … }, token = body.token }.`)
		return
	case b == nil:
		return
	case a.Kind != "session":
		l.wrong(b.DefRange, "Unknown block", `A login call makes a session: auth "session".`)
	}
	q := l.block(b, l.callSchema(loginExtra))
	a.Login = &Login{Call: *q.call("login", "POST"), Token: q.expr("token", "answer"), Cookies: q.flag("cookies", false), Expired: q.expr("expired", "answer")}
	if a.Login.Token == nil && !a.Login.Cookies {
		l.wrong(q.at, "Nothing of the login", "Say what the answer gives: token = body.token, or cookies = true.")
	}
	if a.Login.Token != nil && a.Headers == nil && a.Query == nil {
		l.wrong(r.at, "Session not sent", `Where the token goes: headers = { Authorization = "Bearer ${session.token}" }.`)
	}
}

func (l *loader) oauth(r *block, a *Auth) {
	b := r.one("oauth")
	switch {
	case b == nil && a.Kind == "oauth2":
		l.wrong(r.at, "No oauth", `Where tokens come from: oauth { grants = ["client_credentials"], token_url = "https://…" }.`)
		return
	case b == nil:
		return
	case a.Kind != "oauth2":
		l.wrong(b.DefRange, "Unknown block", `Tokens come by auth "oauth2".`)
	}
	q := l.block(b, oauthSchema)
	a.OAuth = &OAuth{Grants: q.list("grants"), AuthorizeURL: q.expr("authorize_url", "base"), TokenURL: q.expr("token_url", "base"), Scopes: q.list("scopes")}
	for _, g := range a.OAuth.Grants {
		if !slices.Contains(grants, g) {
			l.wrong(q.place("grants"), "Unknown grant", "A grant is one of %s.%s", quoted(grants), expr.DidYouMean(g, grants))
		}
		if g == "authorization_code" && !q.has("authorize_url") {
			l.wrong(q.at, "No authorize_url", "The grant authorization_code begins at the authorize_url.")
		}
		if g == "password" && a.Fields == nil {
			a.Fields = fieldsOf["basic"]
		}
	}
	if v, ok := q.value("parameters", mapOfStrings); ok {
		a.OAuth.Parameters = map[string]string{}
		for k, e := range v.AsValueMap() {
			a.OAuth.Parameters[k] = e.AsString()
		}
	}
}

// checkCredentials holds what an auth block sends against what it asks for.
func (l *loader) checkCredentials(a *Auth) {
	names := make([]string, 0, len(a.Fields)+1)
	for _, f := range a.Fields {
		names = append(names, f.Name)
	}
	if a.Kind == "oauth2" {
		names = append(names, "access_token")
	}
	all := []*Expr{a.Headers, a.Query}
	if a.Login != nil {
		all = append(all, a.Login.Headers, a.Login.Query, a.Login.Body)
	}
	for _, x := range all {
		if x == nil {
			continue
		}
		for _, p := range x.Paths("credential") {
			if len(p.Keys) == 0 || !slices.Contains(names, p.Keys[0]) {
				given := ""
				if len(p.Keys) > 0 {
					given = p.Keys[0]
				}
				l.wrong(p.Range, "Unknown credential", "This login asks for %s.%s", quoted(names), expr.DidYouMean(given, names))
			}
		}
	}
}
