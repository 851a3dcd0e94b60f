package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/dinrail/dinrail/sdk"
)

// mariadb is the dialect of MariaDB and MySQL. Values come as the text that the
// database sends; what is no number there is a string here.
type mariadb struct{}

func openMariaDB(o options, r sdk.OpenRequest) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", o.address, o.database
	cfg.User, cfg.Passwd = r.Credentials["username"], r.Credentials["password"]
	cfg.DialFunc = r.Dial
	cfg.TLS = secured(o, r.TLS)
	cfg.Logger = &mysql.NopLogger{} // what it would log comes back as an error
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, wrong("url", "the database cannot be reached by this: %s", err)
	}
	return sql.OpenDB(connector), nil
}

func (mariadb) identity(ctx context.Context, db *sql.DB) (id sdk.Identity, err error) {
	err = db.QueryRowContext(ctx, "SELECT CURRENT_USER(), VERSION()").Scan(&id.Name, &id.Version)
	return id, err
}

func (m mariadb) found(ctx context.Context, db *sql.DB, o *options) ([]found, error) {
	byName, order := map[string]*found{}, []string{}
	err := scan(ctx, db, `SELECT table_name, table_comment, table_type FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY table_name`, func(r *sql.Rows) error {
		f := found{schema: o.database, readable: true}
		var kind string
		if err := r.Scan(&f.name, &f.comment, &kind); err != nil {
			return err
		}
		if kind == "VIEW" {
			f.comment = "" // the word VIEW
		}
		byName[f.name], order = &f, append(order, f.name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = scan(ctx, db, `SELECT table_name, column_name, data_type, column_type, is_nullable FROM information_schema.columns
WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`, func(r *sql.Rows) error {
		var of, kind, nullable string
		var c column
		if err := r.Scan(&of, &c.name, &kind, &c.kind, &nullable); err != nil {
			return err
		}
		c.nullable = nullable == "YES"
		c.json, c.binary = mariadbKind(strings.ToLower(kind), strings.ToLower(c.kind))
		if f := byName[of]; f != nil {
			f.columns = append(f.columns, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	type index struct {
		name     string
		columns  []string
		unusable bool
	}
	indexes := map[string][]index{}
	err = scan(ctx, db, `SELECT table_name, index_name, column_name, nullable, sub_part IS NOT NULL FROM information_schema.statistics
WHERE table_schema = DATABASE() AND non_unique = 0 ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index`, func(r *sql.Rows) error {
		var of, name, nullable string
		var columnName sql.NullString
		var part bool
		if err := r.Scan(&of, &name, &columnName, &nullable, &part); err != nil {
			return err
		}
		all := indexes[of]
		if n := len(all); n == 0 || all[n-1].name != name {
			all = append(all, index{name: name})
		}
		i := &all[len(all)-1]
		i.columns = append(i.columns, columnName.String)
		i.unusable = i.unusable || nullable == "YES" || part || !columnName.Valid
		indexes[of] = all
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]found, 0, len(order))
	for _, name := range order {
		f := byName[name]
		for _, i := range indexes[name] {
			if !i.unusable {
				f.unique = append(f.unique, i.columns)
			}
		}
		if len(f.unique) > 1 && indexes[name][0].name != "PRIMARY" {
			slices.SortStableFunc(f.unique, func(a, b []string) int { return len(a) - len(b) })
		}
		if o.wanted(f.schema, f.name) {
			if f.readable, err = m.readable(ctx, db, f); err != nil {
				return nil, err
			}
		}
		out = append(out, *f)
	}
	return out, nil
}

// readable tries whether a table may be read: which rights lead to it is told
// by the database alone.
func (m mariadb) readable(ctx context.Context, db *sql.DB, f *found) (bool, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+quoteMariaDB(f.schema)+"."+quoteMariaDB(f.name)+" LIMIT 0")
	if err != nil {
		if e, ok := errors.AsType[*mysql.MySQLError](err); ok && slices.Contains([]uint16{1142, 1143, 1356, 1370, 1449}, e.Number) {
			return false, nil
		}
		return false, err
	}
	return true, errors.Join(rows.Err(), rows.Close())
}

func mariadbKind(kind, whole string) (json string, binary bool) {
	switch kind {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year":
		if strings.Contains(whole, "zerofill") {
			return "string", false // 00042 is no number in JSON
		}
		return "number", false
	case "bit":
		return "number", true
	case "datetime", "timestamp":
		return "timestamp", false
	case "date":
		return "date", false
	case "json":
		return "object", false
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring", "polygon":
		return "string", true
	}
	return "string", false
}

func quoteMariaDB(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

var mariadbWords = words{
	quote: quoteMariaDB,
	text: func(c *column) string {
		if c.binary {
			return "HEX(" + quoteMariaDB(c.name) + ")"
		}
		return quoteMariaDB(c.name)
	},
	given: func(_ int, c *column, value string) (string, any) {
		switch {
		case c.binary:
			return "UNHEX(?)", value
		case c.json == "timestamp":
			return "CAST(? AS DATETIME(6))", value
		case c.json == "number":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				return "?", n // as a text it would be compared as a float
			}
			return "CAST(? AS DECIMAL(65,30))", value
		}
		return "?", value
	},
	before: func(parameter string, c *column) string {
		if c.json != "timestamp" && c.json != "date" {
			return parameter
		}
		return fmt.Sprintf("%s - INTERVAL %d SECOND", parameter, int(overlap.Seconds()))
	},
}

func (mariadb) from(t *table) string { return quoteMariaDB(t.schema) + "." + quoteMariaDB(t.name) }

func (m mariadb) query(t *table, w window) (string, []any) {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = quoteMariaDB(t.columns[i].name)
	}
	return build(mariadbWords, t, m.from(t), strings.Join(names, ", "), w)
}

func (mariadb) row(t *table, rows *sql.Rows) (row, error) {
	n := len(t.key)
	if t.change != nil {
		n++
	}
	values := make([]sql.RawBytes, n+len(t.columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return row{}, err
	}
	out := row{key: make([]string, len(t.key))}
	for i := range t.key {
		out.key[i] = string(values[i])
	}
	if t.change != nil {
		out.change = string(values[n-1])
	}
	var err error
	out.json, err = t.object(values[n:])
	return out, err
}

// object writes a row's values as a JSON object.
func (t *table) object(values []sql.RawBytes) ([]byte, error) {
	b := []byte{'{'}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, t.columns[i].name)
		b = append(b, ':')
		c := &t.columns[i]
		switch {
		case v == nil:
			b = append(b, "null"...)
		case c.binary && c.json == "number": // a BIT comes as bytes, the highest first
			var n uint64
			for _, x := range v {
				n = n<<8 | uint64(x)
			}
			b = strconv.AppendUint(b, n, 10)
		case c.binary:
			b = appendText(b, base64.StdEncoding.EncodeToString(v))
		case c.json == "number" || c.json == "object":
			if !json.Valid(v) {
				return nil, fmt.Errorf("the column %s holds what is no %s", c.name, c.json)
			}
			b = append(b, v...)
		default:
			b = appendText(b, string(v))
		}
	}
	return append(b, '}'), nil
}

func appendText(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...) // a string can always be marshalled
	}
	return append(b, j...)
}

func (m mariadb) newest(t *table) string {
	return "SELECT max(" + quoteMariaDB(t.change.name) + ") FROM " + m.from(t)
}

func (m mariadb) count(ctx context.Context, db *sql.DB, t *table) (n int64, ok bool) {
	var about sql.NullInt64
	err := db.QueryRowContext(ctx, "SELECT table_rows FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", t.schema, t.name).Scan(&about)
	if err != nil || !about.Valid || about.Int64 > countable {
		return 0, false
	}
	return n, db.QueryRowContext(ctx, "SELECT count(*) FROM "+m.from(t)).Scan(&n) == nil
}

func (mariadb) explain(err error) error {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return unreachable(err)
	}
	code := sdk.CodeInternal
	switch e.Number {
	case 1045, 1698, 1862:
		return &sdk.Failure{Code: sdk.CodeAuthRequired, Message: "the database refuses the user name or the password", Err: err}
	case 1049:
		return &sdk.Failure{Code: sdk.CodeInvalid, Path: "settings.url", Message: "there is no database of that name on this server", Err: err}
	case 1044:
		return &sdk.Failure{Code: sdk.CodePermissionDenied, Path: "settings.url", Message: "the login may not use this database: give it the right to SELECT in it", Err: err}
	case 1142, 1143, 1227, 1356, 1370:
		code = sdk.CodePermissionDenied
	case 1146, 1054:
		code = sdk.CodeNotFound // it was there a moment ago
	case 1040, 1203, 1205, 1213, 1226, 1053, 1927, 3024, 1969:
		code = sdk.CodeUnavailable
	}
	return &sdk.Failure{Code: code, Message: "the database says: " + e.Message, Err: err}
}
