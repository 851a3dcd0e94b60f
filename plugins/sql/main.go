// Command dinrail-plugin-sql connects a database: PostgreSQL, MariaDB or MySQL.
// Every table and view that the login may read is a native entity.
//
// It promises to write nothing (all it does is in read-only transactions), to
// hold at most three of the database's connections, to read by key instead of
// by offset, so that a page is as fast at the end of a table as at its
// beginning, and to hand on values as they are: decimals keep their digits,
// texts their spaces.
//
// It refuses to guess what a row means: that is for definitions.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

//go:embed guide.md
var guide string

func main() { sdk.Serve(connector{}) }

type connector struct{}

// Describe implements sdk.Connector.
func (connector) Describe(context.Context, *sdk.Definition) (sdk.Description, error) {
	return sdk.Description{
		Name: "sql", Version: "1",
		Systems: []sdk.System{{
			Name: "sql", Label: "SQL database", Category: "database",
			Guide: guide, Proof: "run against PostgreSQL 15 and MariaDB 10.11",
			Settings: []sdk.Setting{
				{Name: "url", Type: "url", Label: "Database", Placeholder: "postgres://db.example.com:5432/plant", Help: "postgres://host:port/database or mariadb://host:port/database, without the login", Pattern: `(postgres|postgresql|mariadb|mysql)://.+/.+`, Required: true},
				{Name: "schemas", Label: "Schemas", Help: "PostgreSQL: which ones, separated by commas; all of them where it is empty", Placeholder: "public, maintenance"},
				{Name: "tables", Label: "Tables", Help: "which tables and views, separated by commas, with * for any characters; all where it is empty", Placeholder: "work_orders, stock_*"},
				{Name: "keys", Label: "Keys", Help: "of tables and views without a primary key: table=column or table=column+column, separated by commas", Placeholder: "v_open_orders=id"},
				{Name: "changes", Label: "Change columns", Help: "which column tells when a row changed last, where it is not found: table=column, separated by commas; table= for none", Placeholder: "orders=touched"},
				{Name: "time_zone", Label: "Time zone", Help: "of times that are stored without one", Placeholder: "Europe/Berlin", Default: "UTC"},
				{Name: "tls", Label: "Encryption", Help: "verified, except on this machine, where nothing is said", Choices: []string{"verify", "off"}},
			},
			Auth: []sdk.AuthMethod{{Name: "basic", Label: "User name and password", Fields: []sdk.Setting{
				{Name: "username", Label: "User name", Required: true},
				{Name: "password", Label: "Password", Required: true, Secret: true},
			}}},
		}},
	}, nil
}

// options are a connection's settings, read.
type options struct {
	scheme, address, database string
	schemas, tables           []string
	keys, changes             map[string][]string // by table
	zone                      *time.Location
	encrypted                 bool
}

// Open implements sdk.Connector.
func (connector) Open(_ context.Context, r sdk.OpenRequest) (sdk.Connection, error) {
	o, err := read(r.Settings)
	if err != nil {
		return nil, err
	}
	switch o.scheme {
	case "postgres", "postgresql":
		return newConnection(postgres{}, o, openPostgres(o, r)), nil
	default:
		db, err := openMariaDB(o, r)
		if err != nil {
			return nil, err
		}
		return newConnection(mariadb{}, o, db), nil
	}
}

func wrong(setting, format string, args ...any) error {
	return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings." + setting, Message: fmt.Sprintf(format, args...)}
}

func read(s sdk.Settings) (o options, err error) {
	u, err := url.Parse(s.String("url"))
	if err != nil || u.Hostname() == "" {
		return o, wrong("url", "it must be one such as postgres://db.example.com:5432/plant")
	}
	ports := map[string]string{"postgres": "5432", "postgresql": "5432", "mariadb": "3306", "mysql": "3306"}
	o.scheme, o.database = u.Scheme, strings.Trim(u.Path, "/")
	switch {
	case ports[u.Scheme] == "":
		return o, wrong("url", "%s databases are not known here; it begins with postgres:// or mariadb://", u.Scheme)
	case u.User != nil:
		return o, wrong("url", "it holds a login; give user name and password in their own fields")
	case o.database == "" || strings.Contains(o.database, "/"):
		return o, wrong("url", "it must end with the name of the database, as in postgres://db.example.com/plant")
	case u.RawQuery != "":
		return o, wrong("url", "what stands behind the question mark is not understood; leave it out")
	}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	o.address = net.JoinHostPort(u.Hostname(), port)
	o.schemas, o.tables = list(s.String("schemas")), list(s.String("tables"))
	for _, p := range o.tables {
		if _, err := path.Match(p, ""); err != nil {
			return o, wrong("tables", "%q is no table's name with * for any characters", p)
		}
	}
	if o.keys, err = columns("keys", s.String("keys")); err != nil {
		return o, err
	}
	if o.changes, err = columns("changes", s.String("changes")); err != nil {
		return o, err
	}
	for table, c := range o.changes {
		if len(c) > 1 {
			return o, wrong("changes", "the table %s has more than one change column here", table)
		}
	}
	if o.zone, err = time.LoadLocation(or(s.String("time_zone"), "UTC")); err != nil {
		return o, wrong("time_zone", "%q is no time zone; write it as in Europe/Berlin", s.String("time_zone"))
	}
	switch s.String("tls") {
	case "verify":
		o.encrypted = true
	case "off":
	case "":
		ip := net.ParseIP(u.Hostname())
		o.encrypted = u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
	default:
		return o, wrong("tls", "it must be verify or off")
	}
	return o, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// list reads names separated by commas.
func list(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// columns reads table=column+column, separated by commas.
func columns(setting, s string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, part := range list(s) {
		table, names, ok := strings.Cut(part, "=")
		if table = strings.TrimSpace(table); !ok || table == "" {
			return nil, wrong(setting, "%q is not table=column", part)
		}
		out[table] = []string{}
		for name := range strings.SplitSeq(names, "+") {
			if name = strings.TrimSpace(name); name != "" {
				out[table] = append(out[table], name)
			}
		}
	}
	return out, nil
}

// wanted says whether a table is asked for.
func (o *options) wanted(schema, table string) bool {
	if len(o.schemas) > 0 && !contains(o.schemas, schema) {
		return false
	}
	for _, p := range o.tables {
		for _, name := range []string{table, schema + "." + table} {
			if ok, _ := path.Match(p, name); ok { // the pattern was tried when it was read
				return true
			}
		}
	}
	return len(o.tables) == 0
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}
