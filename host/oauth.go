package host

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// OAuth is how access tokens for a system are got (RFC 6749).
type OAuth struct {
	Grants       []string          `json:"grants"` // authorization_code, client_credentials, password
	AuthorizeURL string            `json:"authorize_url,omitempty"`
	TokenURL     string            `json:"token_url"`
	Scopes       []string          `json:"scopes,omitempty"`
	Parameters   map[string]string `json:"parameters,omitempty"` // more of the authorization request
}

// The grants that are understood.
const (
	GrantCode     = "authorization_code"
	GrantClient   = "client_credentials"
	GrantPassword = "password"
)

// AuthOAuth is the name of the auth methods whose tokens the host gets.
const AuthOAuth = "oauth2"

// The credentials of a login by OAuth that are the host's own: of these a
// connector sees AccessToken alone.
const (
	AccessToken  = "access_token"
	refreshToken = "refresh_token"
	clientID     = "client_id"
	clientSecret = "client_secret"
)

// OAuthSecrets are the names of credentials that stay in the host.
var OAuthSecrets = []string{refreshToken, "expires_at", "grant", clientID, clientSecret, "username", "password"}

// OAuthClient is the host's registration at a provider.
type OAuthClient struct {
	System SystemName
	ID     string
	Secret Secret
	Scopes []string // in the place of the system's own
}

// Offers says whether the system knows the grant.
func (o *OAuth) Offers(grant string) bool { return o != nil && slices.Contains(o.Grants, grant) }

var placeholder = regexp.MustCompile(`\{[a-z][a-z0-9_]*\}`)

// Endpoint puts a connection's settings into the URL of an endpoint. Path of
// the error is the setting at fault, where there is one.
func (o *OAuth) Endpoint(template string, settings map[string]any) (string, error) {
	fault := ""
	filled := placeholder.ReplaceAllStringFunc(template, func(name string) string {
		name = strings.Trim(name, "{}")
		v, _ := settings[name].(string)
		if fault == "" {
			fault = "settings." + name
		}
		return strings.TrimRight(strings.TrimSpace(v), "/")
	})
	u, err := url.Parse(filled)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return "", &Error{Code: CodeInvalid, Path: fault, Message: "where the vendor gives out tokens is not an address that begins with https:// or http://"}
	}
	return filled, nil
}

// Asks says whether the setting is one of those that its endpoints are made of.
func (o *OAuth) Asks(setting string) bool {
	return o != nil && strings.Contains(o.AuthorizeURL+o.TokenURL, "{"+setting+"}")
}

// Shows says whether a person who logs in by the method is asked for the
// setting: those that are for the endpoints of another method alone are left
// out.
func (s *System) Shows(d *Setting, method string) bool {
	if d.Required {
		return true
	}
	others := false
	for i := range s.Auth {
		m := &s.Auth[i]
		if m.Name == method {
			if m.OAuth.Asks(d.Name) {
				return true
			}
		} else if m.OAuth.Asks(d.Name) {
			others = true
		}
	}
	return !others
}
