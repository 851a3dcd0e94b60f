// Command dinrail-plugin-odata connects a service that speaks OData V2 or V4.
// What it has is read from its $metadata: every entity set is a native entity.
//
// It promises to only read, and to ask for pages by key (what comes after the
// last record, in the order of the keys) instead of following offsets: records
// that come and go meanwhile shift nothing, and a server that cuts pages
// shorter than asked for leaves nothing out.
//
// It refuses to guess what a record means: that is for definitions.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"path"
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
		Name: "odata", Version: "1",
		Systems: []sdk.System{{
			Name: "odata", Label: "OData service", Category: "other",
			Guide: guide, Proof: "V4 run against SAP CAP 9; V2 not yet run against a product",
			Settings: []sdk.Setting{
				{Name: "url", Type: "url", Label: "Service", Placeholder: "https://erp.example.com/odata/v4/plant", Help: "the service's root, under which $metadata is found", Required: true},
				{Name: "sets", Label: "Entity sets", Help: "which ones, separated by commas, with * for any characters; all where it is empty", Placeholder: "WorkOrders, Stock*"},
				{Name: "expand", Label: "Parts", Help: "what is read along with each record: set=part+part, separated by commas", Placeholder: "WorkOrders=operations"},
				{Name: "changes", Label: "Change fields", Help: "which field tells when a record changed last, where it is not found: set=field, separated by commas; set= for none", Placeholder: "Orders=TouchedAt"},
			},
			Auth: []sdk.AuthMethod{
				{Name: "basic", Label: "User name and password", Fields: []sdk.Setting{
					{Name: "username", Label: "User name", Required: true},
					{Name: "password", Label: "Password", Required: true, Secret: true},
				}},
				{Name: "bearer", Label: "Access token", Fields: []sdk.Setting{{Name: "token", Label: "Token", Required: true, Secret: true}}},
			},
		}},
	}, nil
}

// options are a connection's settings, read.
type options struct {
	base            *url.URL
	sets            []string
	expand, changes map[string][]string // by entity set
}

// Open implements sdk.Connector.
func (connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	o, err := read(r.Settings)
	if err != nil {
		return nil, err
	}
	return &connection{options: o, client: &client{http: r.HTTP, base: o.base, credentials: r.Credentials}}, nil
}

func wrong(setting, format string, args ...any) error {
	return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings." + setting, Message: fmt.Sprintf(format, args...)}
}

func read(s sdk.Settings) (o options, err error) {
	o.base, err = url.Parse(s.String("url"))
	switch {
	case err != nil || o.base.Hostname() == "" || o.base.Scheme != "http" && o.base.Scheme != "https":
		return o, wrong("url", "it must be one such as https://erp.example.com/odata/v4/plant")
	case o.base.User != nil:
		return o, wrong("url", "it holds a login; give user name and password in their own fields")
	}
	o.base.Fragment = ""
	o.base = o.base.JoinPath("/")
	for part := range strings.SplitSeq(s.String("sets"), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if _, err := path.Match(part, ""); err != nil {
			return o, wrong("sets", "%q is no entity set's name with * for any characters", part)
		}
		o.sets = append(o.sets, part)
	}
	if o.expand, err = named("expand", s.String("expand")); err != nil {
		return o, err
	}
	if o.changes, err = named("changes", s.String("changes")); err != nil {
		return o, err
	}
	for set, fields := range o.changes {
		if len(fields) > 1 {
			return o, wrong("changes", "the entity set %s has more than one change field here", set)
		}
	}
	return o, nil
}

// named reads set=name+name, separated by commas.
func named(setting, s string) (map[string][]string, error) {
	out := map[string][]string{}
	for part := range strings.SplitSeq(s, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		set, names, ok := strings.Cut(part, "=")
		if set = strings.TrimSpace(set); !ok || set == "" {
			return nil, wrong(setting, "%q is not set=name", strings.TrimSpace(part))
		}
		out[set] = []string{}
		for name := range strings.SplitSeq(names, "+") {
			if name = strings.TrimSpace(name); name != "" {
				out[set] = append(out[set], name)
			}
		}
	}
	return out, nil
}

// wanted says whether an entity set is asked for.
func (o *options) wanted(set string) bool {
	for _, p := range o.sets {
		if ok, _ := path.Match(p, set); ok { // the pattern was tried when it was read
			return true
		}
	}
	return len(o.sets) == 0
}
