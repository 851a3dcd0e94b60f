package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/dinrail/dinrail/host"
)

// The credentials that a grant is kept as.
const (
	keyAccess  = host.AccessToken
	keyRefresh = "refresh_token"
	keyExpires = "expires_at"
	keyGrant   = "grant"
	keyClient  = "client_id"
	keySecret  = "client_secret"
)

// Grant is what a connection's access tokens are got by.
type Grant struct {
	Kind   string // one of host's grants
	method *host.OAuth
	client host.OAuthClient
	token  string // URL of the token endpoint
	login  map[string]string
	http   *http.Client
}

// grant finds out how a connection's tokens are got.
func (t *Tokens) grant(c *host.Connection) (*Grant, error) {
	method, err := t.method(c)
	if err != nil {
		return nil, err
	}
	credentials, err := t.Open(c)
	if err != nil {
		return nil, err
	}
	settings, login := host.OpenedSettings(c.Settings, credentials)
	g := &Grant{method: method, login: login}
	switch registered, ok := t.Client(c.System); {
	case login[keyGrant] == host.GrantCode:
		g.Kind, g.client = host.GrantCode, registered
		if !ok {
			return nil, host.Errorf(host.CodeAuthRequired, "there is no oauth_client %q in the configuration any more, with which connection %s was connected: put it back, or connect again", c.System, c.ID)
		}
	case login["username"] != "" && method.Offers(host.GrantPassword):
		g.Kind, g.client = host.GrantPassword, registered
	case method.Offers(host.GrantClient):
		g.Kind, g.client = host.GrantClient, registered
	default:
		return nil, host.Errorf(host.CodeAuthRequired, "connection %s has no login at its vendor yet: open its connect link", c.ID)
	}
	if id := login[keyClient]; id != "" {
		g.client.ID, g.client.Secret = id, host.NewSecret(login[keySecret])
	}
	if g.client.ID == "" && g.Kind == host.GrantClient {
		return nil, host.Errorf(host.CodeAuthRequired, "connection %s has no client_id: give client_id and client_secret, or an oauth_client %q in the configuration", c.ID, c.System)
	}
	if g.token, err = method.Endpoint(method.TokenURL, settings); err != nil {
		return nil, err
	}
	g.http, err = t.HTTP(c)
	return g, err
}

// method is the connection's way to log in, which is by OAuth.
func (t *Tokens) method(c *host.Connection) (*host.OAuth, error) {
	s, ok := t.System(c.System)
	if ok {
		if m := s.Method(c.Auth); m != nil && m.OAuth != nil {
			return m.OAuth, nil
		}
	}
	return nil, host.Errorf(host.CodeInvalid, "the system %q has no login by OAuth", c.System)
}

func (g *Grant) scopes() []string {
	all := g.method.Scopes
	if len(g.client.Scopes) > 0 {
		all = g.client.Scopes
	}
	if g.Kind != host.GrantClient {
		return all
	}
	// Without a person there is nobody to identify, and nobody who goes offline
	// (OpenID Connect Core 1.0, 3.1.2.1 and 11).
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "openid" || s == "offline_access" })
}

// Token is an access token, and what may follow it.
type Token struct {
	Access  string
	Refresh string    // "": none was given, or the one before goes on
	Expires time.Time // zero: it was not told
}

func (k *Token) credentials(before map[string]string) map[string]string {
	out := maps.Clone(before)
	out[keyGrant], out[keyAccess] = host.GrantCode, k.Access
	delete(out, keyExpires)
	if !k.Expires.IsZero() {
		out[keyExpires] = host.FormatTime(k.Expires)
	}
	if k.Refresh != "" {
		out[keyRefresh] = k.Refresh
	}
	return out
}

// stored is the token that credentials hold.
func stored(login map[string]string) Token {
	k := Token{Access: login[keyAccess], Refresh: login[keyRefresh]}
	if at, err := time.Parse(time.RFC3339Nano, login[keyExpires]); err == nil {
		k.Expires = at
	}
	return k
}

// styles are the ways to show the client to a provider, in the order in which
// they are tried. RFC 6749, 2.3.1: every provider takes the first; some take
// only the second.
var styles = []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams}

// get asks the provider for a token. A refresh token is sent once, unless the
// provider says that it did not even look at it, not knowing the client.
func (t *Tokens) get(ctx context.Context, g *Grant, ask func(context.Context, oauth2.AuthStyle) (*oauth2.Token, error)) (Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, g.http)
	place := g.token + " " + g.client.ID
	order := styles
	t.mu.Lock()
	if s, ok := t.style[place]; ok {
		order = []oauth2.AuthStyle{s}
	}
	t.mu.Unlock()
	if g.client.Secret.Empty() {
		order = styles[1:]
	}
	var err error
	for _, style := range order {
		var k *oauth2.Token
		if k, err = ask(ctx, style); err == nil {
			t.mu.Lock()
			t.style[place] = style
			t.mu.Unlock()
			if strings.ContainsAny(k.AccessToken, "\r\n\x00") {
				return Token{}, host.Errorf(host.CodeInternal, "the vendor gave an access token that cannot be sent")
			}
			return Token{Access: k.AccessToken, Refresh: k.RefreshToken, Expires: k.Expiry}, nil
		}
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_client" {
			break
		}
	}
	return Token{}, why(err)
}

// next gets a token by the grant.
func (t *Tokens) next(ctx context.Context, g *Grant) (Token, error) {
	return t.get(ctx, g, func(ctx context.Context, style oauth2.AuthStyle) (*oauth2.Token, error) {
		conf := oauth2.Config{ClientID: g.client.ID, ClientSecret: g.client.Secret.Reveal(), Scopes: g.scopes(), Endpoint: oauth2.Endpoint{TokenURL: g.token, AuthStyle: style}}
		switch g.Kind {
		case host.GrantPassword:
			return conf.PasswordCredentialsToken(ctx, g.login["username"], g.login["password"])
		case host.GrantClient:
			client := clientcredentials.Config{ClientID: conf.ClientID, ClientSecret: conf.ClientSecret, Scopes: conf.Scopes, TokenURL: g.token, AuthStyle: style}
			return client.Token(ctx)
		}
		return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: g.login[keyRefresh]}).Token()
	})
}

// Refusals that no repetition mends (RFC 6749, 5.2).
var final = []string{"invalid_grant", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request", "access_denied"}

// why turns what a provider answered into an error with a code. Nothing of an
// answer's body but its code and description is told.
func why(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if own, ok := errors.AsType[*host.Error](err); ok {
			return own
		}
		return &host.Error{Code: host.CodeUnavailable, Message: "the vendor's token service cannot be reached", Err: addressless(err)}
	}
	words := refused.ErrorCode
	if refused.ErrorDescription != "" {
		words += ": " + oneLine(refused.ErrorDescription)
	}
	status := 0
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	switch {
	case status == http.StatusTooManyRequests || status >= 500:
		return &host.Error{Code: host.CodeUnavailable, Message: fmt.Sprintf("the vendor's token service answers %d", status)}
	case refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client":
		return host.Errorf(host.CodeAuthRequired, "the vendor does not accept this client (%s): check its client_id and client_secret", words)
	case slices.Contains(final, refused.ErrorCode):
		return host.Errorf(host.CodeAuthRequired, "the vendor does not give out a token any more (%s)", words)
	case status == http.StatusUnauthorized || status == http.StatusBadRequest:
		return host.Errorf(host.CodeAuthRequired, "the vendor's token service refuses the login with %d", status)
	}
	return &host.Error{Code: host.CodeUnavailable, Message: fmt.Sprintf("the vendor's token service answers %d, and no token", status)}
}

// addressless keeps what a URL in an error may hold out of logs.
func addressless(err error) error {
	type wrapped interface{ Unwrap() error }
	for err != nil {
		if !strings.Contains(err.Error(), "://") {
			return err
		}
		w, ok := err.(wrapped)
		if !ok {
			return errors.New("it did not answer as it should")
		}
		err = w.Unwrap()
	}
	return errors.New("it did not answer as it should")
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + " …"
	}
	return s
}
