// Command dinrail-plugin-tryton connects Tryton, an open ERP, over its JSON-RPC
// interface. It reads vendors, items, purchase orders and what came in on them,
// locations, lots and stock, bills of materials and production.
//
// It logs in with a session, never with Basic (which costs the server a
// password hash a call), tries a refused login again only when it is asked for
// a check (Tryton locks a user out after a few), and concludes nothing from an
// answer that is not of the form it should be, whatever its status says.
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
		Name: "tryton", Version: "1",
		Systems: []sdk.System{{
			Name: "tryton", Label: "Tryton", Vendor: "Tryton Foundation", Category: "erp", Website: "https://www.tryton.org",
			Guide: guide, Proof: "run against Tryton 6.0",
			Settings: []sdk.Setting{
				{Name: "url", Type: "url", Label: "Tryton's URL", Placeholder: "https://erp.example.com", Help: "with or without the database at its end", Pattern: `https?://.+`, Required: true},
				{Name: "database", Label: "Database", Help: "needed where the URL does not end with it", Pattern: `[A-Za-z0-9_.-]+`},
			},
			Auth: []sdk.AuthMethod{{Name: "basic", Label: "User name and password", Fields: []sdk.Setting{
				{Name: "username", Label: "User name", Required: true},
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
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "the URL must be one such as https://erp.example.com"}
	}
	inPath := strings.Trim(u.Path, "/")
	database := r.Settings.String("database")
	switch {
	case database == "" && inPath == "":
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.database", Message: "name the database, here or at the end of the URL"}
	case database == "":
		database = inPath
	case inPath != "" && inPath != database:
		return nil, &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.database", Message: "the URL ends with another database, " + inPath}
	}
	u.Path, u.RawQuery, u.Fragment = "/"+database+"/", "", ""
	return &connection{rpc: &client{
		http: r.HTTP, url: u.String(), database: database, gate: make(chan struct{}, 1),
		user: r.Credentials["username"], password: r.Credentials["password"],
	}}, nil
}
