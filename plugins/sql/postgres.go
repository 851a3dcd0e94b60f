package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/dinrail/dinrail/sdk"
)

// postgres is the dialect of PostgreSQL. Rows are turned into JSON by the
// database itself, which writes decimals with all their digits.
type postgres struct{}

func openPostgres(o options, r sdk.OpenRequest) *sql.DB {
	cfg, err := pgx.ParseConfig("")
	if err != nil { // nothing was given to be parsed
		cfg = &pgx.ConnConfig{}
	}
	name, port, _ := net.SplitHostPort(o.address)
	n, _ := strconv.ParseUint(port, 10, 16)
	cfg.Host, cfg.Port, cfg.Database = name, uint16(n), o.database
	cfg.User, cfg.Password = r.Credentials["username"], r.Credentials["password"]
	cfg.DialFunc, cfg.Fallbacks = r.Dial, nil
	cfg.TLSConfig = secured(o, r.TLS)
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // poolers between us and the database know no prepared statements
	cfg.RuntimeParams = map[string]string{
		"application_name": "dinrail", "timezone": "UTC", "datestyle": "ISO", "intervalstyle": "iso_8601", "default_transaction_read_only": "on", "client_encoding": "UTF8",
	}
	return stdlib.OpenDB(*cfg)
}

// secured is how certificates are checked, or nil without encryption.
func secured(o options, c *tls.Config) *tls.Config {
	if !o.encrypted || c == nil {
		return nil
	}
	c = c.Clone()
	c.ServerName, _, _ = net.SplitHostPort(o.address)
	return c
}

func (postgres) identity(ctx context.Context, db *sql.DB) (id sdk.Identity, err error) {
	err = db.QueryRowContext(ctx, "SELECT current_user::text, 'PostgreSQL ' || current_setting('server_version')").Scan(&id.Name, &id.Version)
	return id, err
}

// ours are the relations that are read: tables, views and the like, but for
// the database's own and for parts of partitioned tables.
const ours = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`

func (postgres) found(ctx context.Context, db *sql.DB, _ *options) ([]found, error) {
	type oid = int64
	byID, order := map[oid]*found{}, []oid{}
	err := scan(ctx, db, `SELECT c.oid::bigint, n.nspname::text, c.relname::text, COALESCE(obj_description(c.oid, 'pg_class'), ''),
has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') `+ours, func(r *sql.Rows) error {
		var id oid
		var f found
		if err := r.Scan(&id, &f.schema, &f.name, &f.comment, &f.readable); err != nil {
			return err
		}
		byID[id], order = &f, append(order, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = scan(ctx, db, `SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod), COALESCE(b.typname, t.typname)::text, t.typcategory::text, a.attnotnull
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT c.oid `+ours+`) ORDER BY a.attrelid, a.attnum`, func(r *sql.Rows) error {
		var id oid
		var c column
		var name, category string
		var notNull bool
		if err := r.Scan(&id, &c.name, &c.kind, &name, &category, &notNull); err != nil {
			return err
		}
		c.nullable, c.json = !notNull, postgresKind(name, category)
		if f := byID[id]; f != nil {
			f.columns = append(f.columns, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = scan(ctx, db, `SELECT i.indrelid::bigint, array_to_json(array_agg(a.attname::text ORDER BY k.ord))::text
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (att, ord) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.att
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.ord <= i.indnkeyatts AND i.indrelid IN (SELECT c.oid `+ours+`)
GROUP BY i.indrelid, i.indexrelid, i.indisprimary HAVING bool_and(a.attnotnull) ORDER BY i.indrelid, i.indisprimary DESC, count(*), i.indexrelid`, func(r *sql.Rows) error {
		var id oid
		var names string
		var key []string
		if err := r.Scan(&id, &names); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(names), &key); err != nil {
			return err
		}
		if f := byID[id]; f != nil {
			f.unique = append(f.unique, key)
		}
		return nil
	})
	out := make([]found, len(order))
	for i, id := range order {
		out[i] = *byID[id]
	}
	return out, err
}

// scan hands the rows of a query to visit.
func scan(ctx context.Context, db *sql.DB, query string, visit func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func postgresKind(name, category string) string {
	switch name {
	case "bool":
		return "boolean"
	case "int2", "int4", "int8", "numeric", "float4", "float8", "oid":
		return "number"
	case "timestamp", "timestamptz":
		return "timestamp"
	case "date":
		return "date"
	case "json", "jsonb":
		return "object"
	}
	if category == "A" {
		return "array"
	}
	return "string"
}

func quotePostgres(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

var postgresWords = words{
	quote: quotePostgres,
	text:  func(c *column) string { return quotePostgres(c.name) + "::text" },
	given: func(n int, c *column, value string) (string, any) {
		return fmt.Sprintf("$%d::text::%s", n, c.kind), value
	},
	before: func(parameter string, c *column) string {
		if c.json != "timestamp" && c.json != "date" {
			return parameter // a number that grows
		}
		return fmt.Sprintf("%s - interval '%d seconds'", parameter, int(overlap.Seconds()))
	},
}

func (postgres) from(t *table) string { return quotePostgres(t.schema) + "." + quotePostgres(t.name) }

func (p postgres) query(t *table, w window) (string, []any) {
	return build(postgresWords, t, p.from(t)+" AS this_row", "row_to_json(this_row)::text", w)
}

func (postgres) row(t *table, rows *sql.Rows) (row, error) {
	out := row{key: make([]string, len(t.key))}
	into := make([]any, 0, len(t.key)+2)
	for i := range t.key {
		into = append(into, &out.key[i])
	}
	var change sql.NullString
	if t.change != nil {
		into = append(into, &change)
	}
	err := rows.Scan(append(into, &out.json)...)
	out.change = change.String
	return out, err
}

func (p postgres) newest(t *table) string {
	return "SELECT max(" + quotePostgres(t.change.name) + ")::text FROM " + p.from(t)
}

// countable is up to how many rows are counted: more would keep the database
// busy for the sake of a number.
const countable = 1_000_000

func (p postgres) count(ctx context.Context, db *sql.DB, t *table) (n int64, ok bool) {
	var about float64
	var kind string
	err := db.QueryRowContext(ctx, "SELECT reltuples, relkind::text FROM pg_class WHERE oid = $1::text::regclass", p.from(t)).Scan(&about, &kind)
	if err != nil || about > countable || kind == "v" || kind == "f" {
		return 0, false
	}
	return n, db.QueryRowContext(ctx, "SELECT count(*) FROM "+p.from(t)).Scan(&n) == nil
}

func (postgres) explain(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return unreachable(err)
	}
	code := sdk.CodeInternal
	switch {
	case e.Code == "28P01" || e.Code == "28000":
		return &sdk.Failure{Code: sdk.CodeAuthRequired, Message: "the database refuses the user name or the password", Err: err}
	case e.Code == "3D000":
		return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "there is no database of that name on this server", Err: err}
	case e.Code == "42501":
		code = sdk.CodePermissionDenied
	case e.Code == "42P01" || e.Code == "42703":
		code = sdk.CodeNotFound // it was there a moment ago
	case e.Code == "57014":
		return &sdk.Failure{Code: sdk.CodeUnavailable, Message: "the database ended a query that took too long; an index on the key and on the change column helps", Err: err}
	case strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57"), strings.HasPrefix(e.Code, "58"), strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "40"):
		code = sdk.CodeUnavailable
	}
	return &sdk.Failure{Code: code, Message: "the database says: " + e.Message, Err: err}
}
