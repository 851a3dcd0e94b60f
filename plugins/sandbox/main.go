// Command dinrail-plugin-sandbox connects the sandbox plant: it turns the
// plant's own words and shapes into the unified model. What is mapped to what
// stands in mapping.go, as a table.
package main

import (
	"context"
	"net/url"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/model"
)

func main() { sdk.Serve(connector{}) }

type connector struct{}

// Describe implements sdk.Connector.
func (connector) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	return sdk.Description{
		Name: "sandbox", Version: "1",
		Systems: []sdk.System{{
			Name: "sandbox", Label: "Sandbox plant", Vendor: "Dinrail", Category: "mes", Proof: "run against the product",
			Guide: "1. Start `dinrail-sandbox`.\n2. Log in with the user and password that it was started with.\n",
			Settings: []sdk.Setting{
				{Name: "url", Type: "url", Label: "URL", Placeholder: "http://127.0.0.1:7421", Pattern: `https?://.+`, Required: true},
				{Name: "authorize_url", Type: "url", Label: "Address of the vendor's login", Placeholder: "http://127.0.0.1:18103/auth", Pattern: `https?://.+`},
				{Name: "token_url", Type: "url", Label: "Address of the vendor's tokens", Placeholder: "http://127.0.0.1:18103/token", Pattern: `https?://.+`},
			},
			Auth: []sdk.AuthMethod{
				{Name: "basic", Label: "User name and password", Fields: []sdk.Setting{
					{Name: "username", Label: "User name", Required: true},
					{Name: "password", Label: "Password", Required: true, Secret: true},
				}},
				{Name: "oauth2", Label: "Login at a vendor", Fields: []sdk.Setting{
					{Name: "client_id", Label: "Client id"},
					{Name: "client_secret", Label: "Client secret", Secret: true},
				}, OAuth: &sdk.OAuth{
					Grants: []string{"authorization_code", "client_credentials"}, AuthorizeURL: "{authorize_url}", TokenURL: "{token_url}",
					Scopes: []string{"openid", "offline_access", "workorders:read"}, Parameters: map[string]string{"prompt": "consent"},
				}},
			},
			Entities: described(),
		}},
	}, nil
}

// Open implements sdk.Connector.
func (connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	u, err := url.Parse(r.Settings.String("url"))
	if err != nil || u.Host == "" {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the URL must be one such as http://127.0.0.1:7421"}
	}
	if r.Auth == "oauth2" {
		return &vendor{client: &client{http: r.HTTP, base: u}, access: r.Credentials["access_token"]}, nil
	}
	return &connection{client: &client{http: r.HTTP, base: u, user: r.Credentials["username"], password: r.Credentials["password"]}}, nil
}

func known() []sdk.Entity {
	out := make([]sdk.Entity, len(entities))
	for i, e := range entities {
		out[i] = sdk.Entity{Name: e.name, Key: []string{"id"}, Incremental: true}
	}
	return out
}

// described are the known entities with the fields that the mapping fills: what
// of the model the plant covers.
func described() []sdk.Entity {
	out := known()
	for i, e := range entities {
		unified, _ := model.Lookup(e.name)
		for _, r := range e.rules {
			for _, name := range []string{r.ours, r.ours + "_native"} {
				if f, ok := unified.Field(name); ok && (name == r.ours || r.kind == "words") {
					out[i].Fields = append(out[i].Fields, sdk.Field{Name: name, Type: f.Type()})
				}
			}
		}
	}
	return out
}
