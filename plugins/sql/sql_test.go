package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/sdk"
)

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	o, err := read(sdk.Settings{"url": "mariadb://db.example.com/plant", "tables": "orders, stock_*", "keys": "v=a+b, w=c", "changes": "orders=touched,log=", "time_zone": "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	if o.address != "db.example.com:3306" || o.database != "plant" || !o.encrypted || o.zone.String() != "Europe/Berlin" ||
		!reflect.DeepEqual(o.keys, map[string][]string{"v": {"a", "b"}, "w": {"c"}}) || !reflect.DeepEqual(o.changes, map[string][]string{"orders": {"touched"}, "log": {}}) {
		t.Errorf("%+v", o)
	}
	for name, want := range map[string]bool{"orders": true, "stock_moves": true, "people": false} {
		if got := o.wanted("plant", name); got != want {
			t.Errorf("%s is wanted: %t", name, got)
		}
	}
	if o, err := read(sdk.Settings{"url": "postgres://127.0.0.1:15432/plant"}); err != nil || o.encrypted || o.address != "127.0.0.1:15432" {
		t.Errorf("on this machine: %+v, %v", o, err)
	}
	for setting, s := range map[string]sdk.Settings{
		"url": {"url": "oracle://db/plant"}, "url ": {"url": "postgres://db"}, "url  ": {"url": "postgres://u:p@db/plant"}, "url   ": {"url": "postgres://db/plant?sslmode=off"},
		"keys": {"url": "postgres://db/plant", "keys": "v"}, "changes": {"url": "postgres://db/plant", "changes": "v=a+b"},
		"time_zone": {"url": "postgres://db/plant", "time_zone": "Mars"}, "tables": {"url": "postgres://db/plant", "tables": "[a"}, "tls": {"url": "postgres://db/plant", "tls": "perhaps"},
	} {
		_, err := read(s)
		f, ok := err.(*sdk.Failure) //nolint:errorlint // it is never wrapped
		if !ok || f.Code != sdk.CodeInvalid || f.Path != "settings."+strings.TrimSpace(setting) || strings.Contains(f.Message, "u:p") {
			t.Errorf("%v: %+v", s, err)
		}
	}
}

func columnsNamed(names ...string) []column {
	out := make([]column, len(names))
	for i, n := range names {
		name, kind, _ := strings.Cut(n, ":")
		out[i] = column{name: name, kind: kind, json: postgresKind(kind, "")}
	}
	return out
}

func TestKeysAndChangeColumnsAreFound(t *testing.T) {
	t.Parallel()
	o := options{keys: map[string][]string{"view": {"b"}, "wrong": {"z"}}, changes: map[string][]string{"told": {"n"}, "none": {}}}
	all := o.tablesOf([]found{
		{schema: "s", name: "plain", columns: columnsNamed("a:int4", "Updated_At:timestamptz"), unique: [][]string{{"a"}}, readable: true},
		{schema: "s", name: "keyless", columns: columnsNamed("a:int4", "updated_at:timestamptz"), readable: true},
		{schema: "s", name: "view", columns: columnsNamed("a:int4", "b:int4"), readable: true},
		{schema: "s", name: "wrong", columns: columnsNamed("a:int4"), readable: true},
		{schema: "s", name: "told", columns: columnsNamed("a:int4", "n:int8", "updated_at:timestamptz"), unique: [][]string{{"a"}}, readable: true},
		{schema: "s", name: "none", columns: columnsNamed("a:int4", "updated_at:timestamptz"), unique: [][]string{{"a"}}, readable: true},
		{schema: "s", name: "texts", columns: columnsNamed("a:int4", "updated_at:text"), unique: [][]string{{"a"}}, readable: true},
		{schema: "s", name: "closed", columns: columnsNamed("a:int4")},
		{schema: "s", name: "twice", columns: columnsNamed("a:int4"), readable: true},
		{schema: "r", name: "twice", columns: columnsNamed("a:int4"), readable: true},
	})
	got := map[string]string{}
	for i := range all {
		e := all[i].describe()
		change := ""
		if all[i].change != nil {
			change = all[i].change.name
		}
		got[e.Name] = fmt.Sprint(e.Key, change, e.Incremental, e.Denied != "")
	}
	want := map[string]string{
		"native/plain": "[a] Updated_At true false", "native/keyless": "[]  false false", "native/view": "[b]  false false", "native/wrong": "[]  false true",
		"native/told": "[a] n true false", "native/none": "[a]  false false", "native/texts": "[a]  false false", "native/closed": "[]  false true",
		"native/s.twice": "[]  false false", "native/r.twice": "[]  false false",
	}
	for name := range want {
		want[name] = strings.ReplaceAll(want[name], " ", "")
		got[name] = strings.ReplaceAll(got[name], " ", "")
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

func TestPagesAreAskedForByKeyAndByChange(t *testing.T) {
	t.Parallel()
	tb := table{schema: "s", name: "o", columns: columnsNamed("k:int4", "l:text", "c:timestamptz")}
	tb.key, tb.change = tb.columns[:2], &tb.columns[2]
	text, args := postgres{}.query(&tb, window{key: []string{"7", "x"}, limit: 10})
	if want := `SELECT "k"::text AS dinrail_key_1, "l"::text AS dinrail_key_2, "c"::text AS dinrail_change, row_to_json(this_row)::text FROM "s"."o" AS this_row ` +
		`WHERE "k" >= $4::text::int4 AND (("k" > $1::text::int4) OR ("k" = $2::text::int4 AND "l" > $3::text::text)) ORDER BY "k", "l" LIMIT 10`; text != want || fmt.Sprint(args) != "[7 7 x 7]" {
		t.Errorf("%s\n%s\n%v", text, want, args)
	}
	text, args = postgres{}.query(&tb, window{incremental: true, since: "T1", limit: 10})
	if want := `WHERE "c" >= $1::text::timestamptz - interval '120 seconds' ORDER BY "c", "k", "l" LIMIT 10`; !strings.HasSuffix(text, want) || fmt.Sprint(args) != "[T1]" {
		t.Errorf("%s\n%v", text, args)
	}
	text, _ = mariadb{}.query(&table{schema: "p", name: "x`y", columns: columnsNamed("a:int")}, window{})
	if want := "SELECT `a` FROM `p`.`x``y`"; text != want {
		t.Errorf("%s", text)
	}
	if _, arg := mariadbWords.given(1, &column{json: "number"}, "9007199254740993"); arg != int64(9007199254740993) {
		t.Errorf("a large number is sent as %T %v", arg, arg)
	}
}

func TestRowsAreWrittenAsTheyAre(t *testing.T) {
	t.Parallel()
	tb := table{columns: []column{
		{name: "n", json: "number"}, {name: "s", json: "string"}, {name: "b", json: "string", binary: true}, {name: "f", json: "number", binary: true}, {name: "x", json: "string"},
	}}
	b, err := tb.object([]sql.RawBytes{[]byte("12.3400"), []byte(" 13,37\n\""), {0, 255}, {1, 0}, nil})
	if err != nil || !json.Valid(b) || string(b) != `{"n":12.3400,"s":" 13,37\n\"","b":"AP8=","f":256,"x":null}` {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := tb.object([]sql.RawBytes{[]byte("many"), nil, nil, nil, nil}); err == nil {
		t.Error("what is no number was written as one")
	}
	if id := tb.idOf([]string{"a~b", "c%"}, nil); id != "a%7Eb~c%25" {
		t.Errorf("%s", id)
	}
	if a, b := tb.idOf(nil, []byte("1")), tb.idOf(nil, []byte("2")); a == b || len(a) != 32 {
		t.Errorf("%s %s", a, b)
	}
}

func TestZerofilledNumbersAreTexts(t *testing.T) {
	t.Parallel()
	if kind, _ := mariadbKind("int", "int(5) unsigned zerofill"); kind != "string" {
		t.Errorf("%s", kind)
	}
}
