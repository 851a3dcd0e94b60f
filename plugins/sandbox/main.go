// Command dinrail-plugin-sandbox connects the sandbox plant, dinrail-sandbox,
// over its HTTP API, and reads all that the plant has in the unified entities.
//
// It promises to log in once for all that runs at the same time and once more
// when a session has ended, to try a refused login again only when it is asked
// for a check, and to pass over a single record that it cannot read.
//
// It refuses to conclude anything from an answer that is not of the form it
// should be: such a read fails, whatever the status of the answer says.
package main

import (
	"context"
	_ "embed"
	"net/url"
	"strings"

	"github.com/dinrail/dinrail/sdk"
)

//go:embed guide.md
var guide string

func main() { sdk.Serve(connector{}) }

type connector struct{}

// Describe implements sdk.Connector.
func (connector) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	return sdk.Description{
		Name: "sandbox", Version: "1",
		Systems: []sdk.System{{
			Name: "sandbox", Label: "Sandbox plant", Vendor: "Dinrail", Category: "other", Website: "https://github.com/dinrail/dinrail",
			Guide: guide, Proof: "run against dinrail-sandbox of the same release",
			Settings: []sdk.Setting{{
				Name: "url", Type: "url", Label: "Plant's URL", Placeholder: "http://127.0.0.1:7421",
				Help: "the first line that dinrail-sandbox prints tells it", Pattern: `https?://.+`, Required: true,
			}},
			Auth: []sdk.AuthMethod{{Name: "session", Label: "User name and password", Fields: []sdk.Setting{
				{Name: "username", Label: "User name", Placeholder: "operator", Required: true},
				{Name: "password", Label: "Password", Required: true, Secret: true},
			}}},
			Entities: known(),
		}},
	}, nil
}

// Open implements sdk.Connector.
func (connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	u, err := url.Parse(r.Settings.String("url"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the URL must be one such as http://127.0.0.1:7421"}
	}
	return &connection{plant: newClient(r.HTTP, strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"), r.Credentials["username"], r.Credentials["password"])}, nil
}
