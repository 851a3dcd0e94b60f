package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/dinrail/dinrail/host"
)

// Journey is a person's way to their vendor and back.
type Journey struct {
	URL      string // where they are sent
	Redirect string // where they come back to
	Verifier string // RFC 7636
	Nonce    string // OpenID Connect Core 1.0, 3.1.2.1; "": no ID token is asked for
}

// ByCode says whether a login of the system is made at the vendor: the system
// knows the authorization code grant, and this host is registered there.
func (t *Tokens) ByCode(s *host.System, method string) bool {
	m := s.Method(method)
	if m == nil || !m.OAuth.Offers(host.GrantCode) {
		return false
	}
	_, ok := t.Client(s.Name)
	return ok
}

// Authorize makes the address at which a person lets this host in. State comes
// back with them, at the redirect.
func (t *Tokens) Authorize(c *host.Connection, redirect, state string) (Journey, error) {
	method, client, err := t.registered(c)
	if err != nil {
		return Journey{}, err
	}
	credentials, err := t.Open(c)
	if err != nil {
		return Journey{}, err
	}
	settings, _ := host.OpenedSettings(c.Settings, credentials)
	to, err := method.Endpoint(method.AuthorizeURL, settings)
	if err != nil {
		return Journey{}, err
	}
	g := Grant{method: method, client: client}
	j := Journey{Redirect: redirect, Verifier: oauth2.GenerateVerifier()}
	conf := oauth2.Config{ClientID: client.ID, Scopes: g.scopes(), RedirectURL: redirect, Endpoint: oauth2.Endpoint{AuthURL: to}}
	var options []oauth2.AuthCodeOption
	for name, v := range method.Parameters {
		options = append(options, oauth2.SetAuthURLParam(name, v))
	}
	options = append(options, oauth2.S256ChallengeOption(j.Verifier))
	if slices.Contains(conf.Scopes, "openid") {
		j.Nonce = rand.Text()
		options = append(options, oauth2.SetAuthURLParam("nonce", j.Nonce))
	}
	j.URL = conf.AuthCodeURL(state, options...)
	return j, nil
}

func (t *Tokens) registered(c *host.Connection) (*host.OAuth, host.OAuthClient, error) {
	method, err := t.method(c)
	if err != nil {
		return nil, host.OAuthClient{}, err
	}
	client, ok := t.Client(c.System)
	if !ok {
		return nil, client, host.Errorf(host.CodeInvalid, "this host is not registered at the vendor: whoever runs it has to add an oauth_client %q", c.System)
	}
	return method, client, nil
}

// Exchange turns the code that a person came back with into credentials, which
// it returns beside those that the connection has.
func (t *Tokens) Exchange(ctx context.Context, c *host.Connection, j Journey, code string) (map[string]string, error) {
	method, client, err := t.registered(c)
	if err != nil {
		return nil, err
	}
	credentials, err := t.Open(c)
	if err != nil {
		return nil, err
	}
	settings, login := host.OpenedSettings(c.Settings, credentials)
	g := &Grant{Kind: host.GrantCode, method: method, client: client, login: login}
	if g.token, err = method.Endpoint(method.TokenURL, settings); err != nil {
		return nil, err
	}
	if g.http, err = t.HTTP(c); err != nil {
		return nil, err
	}
	var id string
	k, err := t.get(ctx, g, func(ctx context.Context, style oauth2.AuthStyle) (*oauth2.Token, error) {
		conf := oauth2.Config{ClientID: client.ID, ClientSecret: client.Secret.Reveal(), RedirectURL: j.Redirect, Endpoint: oauth2.Endpoint{TokenURL: g.token, AuthStyle: style}}
		k, err := conf.Exchange(ctx, code, oauth2.VerifierOption(j.Verifier))
		if err == nil {
			id, _ = k.Extra("id_token").(string)
		}
		return k, err
	})
	if err != nil {
		return nil, err
	}
	if j.Nonce != "" && id != "" && !sameNonce(id, j.Nonce) {
		return nil, host.Errorf(host.CodeAuthRequired, "the vendor answered another login than this one")
	}
	return k.credentials(credentials), nil
}

// sameNonce says whether an ID token is the answer to this login. It came from
// the token endpoint itself, so that its signature need not be checked (OpenID
// Connect Core 1.0, 3.1.3.7).
func sameNonce(id, nonce string) bool {
	parts := strings.Split(id, ".")
	if len(parts) != 3 {
		return false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Nonce string `json:"nonce"`
	}
	return err == nil && json.Unmarshal(b, &claims) == nil && subtle.ConstantTimeCompare([]byte(claims.Nonce), []byte(nonce)) == 1
}
