package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// databases are a real PostgreSQL and a real MariaDB, and how their
// administrators and their connector log in.
type databases struct {
	postgres, mariadb         *sql.DB // as administrators
	postgresPort, mariadbPort string
}

var startDatabases = sync.OnceValues(func() (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "systems/sql/up").Output()
	if err != nil {
		return nil, fmt.Errorf("start the databases: %w\n%s", err, out)
	}
	facts := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), "="); ok {
			facts[k] = strings.Trim(v, "'")
		}
	}
	return facts, nil
})

func sqlDatabases(t *testing.T) databases {
	t.Helper()
	needDebian(t, "real SQL databases")
	facts, err := startDatabases()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(facts["PG_URL"])
	if err != nil {
		t.Fatal(err)
	}
	d := databases{postgresPort: u.Port(), mariadbPort: facts["MARIADB_PORT"]}
	if d.postgres, err = sql.Open("pgx", facts["PG_ADMIN_URL"]); err == nil {
		d.mariadb, err = sql.Open("mysql", fmt.Sprintf("root@unix(%s)/plant", facts["MARIADB_SOCKET"]))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.postgres.Close(); _ = d.mariadb.Close() })
	return d
}

func do(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// connections are a configuration with both databases, each as its connector.
func (d databases) config(more string) string {
	return fmt.Sprintf(`
connection "pg" {
  system      = "sql"
  settings    = { url = "postgres://127.0.0.1:%s/plant"%s }
  credentials = { username = "connector", password = "C0nnector-PG-Lab" }
}
connection "maria" {
  system      = "sql"
  settings    = { url = "mariadb://127.0.0.1:%s/plant"%s }
  credentials = { username = "connector", password = "C0nnector-Maria-Lab" }
}
`, d.postgresPort, more, d.mariadbPort, more)
}

// records counts a connection's records by entity.
func (h *dinrail) records(token string) map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for _, e := range h.all("/v1/sync-status", token) {
		out[fmt.Sprint(e["entity"])] = fmt.Sprint(e["records"])
	}
	return out
}

// rowsOf counts the rows of tables.
func rowsOf(t *testing.T, db *sql.DB, prefix string, tables ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range tables {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+prefix+name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out["native/"+name] = strconv.Itoa(n)
	}
	return out
}

// again runs an entity's incremental (or full) sync, and returns its counts.
func (h *dinrail) again(connection, token, entity string, flags ...string) map[string]any {
	h.t.Helper()
	h.cli(append([]string{"sync", "run", connection, entity, "--follow"}, flags...)...)
	for _, r := range h.all("/v1/sync-runs", token) {
		if r["entity"] == entity {
			counts, _ := r["counts"].(map[string]any)
			if r["status"] != "completed" {
				h.t.Fatalf("%v", r)
			}
			return counts
		}
	}
	h.t.Fatalf("no run of %s", entity)
	return nil
}

// Every table and view of both databases, to the row; only what was changed
// comes with an incremental run; and the database's connections are enough.
func TestSQLDatabasesAreReadWhole(t *testing.T) {
	d := sqlDatabases(t)
	do(t, d.postgres, `DROP TABLE IF EXISTS wartung.items, wartung.sync, wartung.odd`,
		`CREATE TABLE wartung.items (id int PRIMARY KEY, name text)`, `INSERT INTO wartung.items SELECT i, 'Item ' || i FROM generate_series(1, 7) i`,
		`CREATE TABLE wartung.sync (id text PRIMARY KEY)`, `INSERT INTO wartung.sync VALUES ('a/b'), ('c d')`,
		`CREATE TABLE wartung.odd ("Ä %" int, b varchar(9), "when" timestamp, t timestamptz, n numeric(30,10), f float8, y bytea, j jsonb, a int[], e boolean, PRIMARY KEY ("Ä %", b))`,
		`INSERT INTO wartung.odd VALUES (1, 'x~y', '2026-01-02 03:04:05.678', '2026-01-02 03:04:05+02', 12345678901234567890.0123456789, 'NaN', '\x00ff', '{"k": [1]}', '{1,2}', true)`,
		`GRANT SELECT ON wartung.items, wartung.sync, wartung.odd TO connector`)
	t.Cleanup(func() {
		_, _ = d.postgres.ExecContext(context.WithoutCancel(t.Context()), `DROP TABLE IF EXISTS wartung.items, wartung.sync, wartung.odd`)
	})
	h := newHost(t, d.config(""))
	var most int
	watched, stop := make(chan struct{}), make(chan struct{})
	go func() { // what the connector's logins hold, while it syncs
		defer close(watched)
		for {
			var pg, maria int
			errPG := d.postgres.QueryRowContext(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE usename = 'connector'`).Scan(&pg)
			errMaria := d.mariadb.QueryRowContext(context.Background(), `SELECT count(*) FROM information_schema.processlist WHERE user = 'connector'`).Scan(&maria)
			if errPG != nil || errMaria != nil {
				t.Errorf("%v %v", errPG, errMaria)
				return
			}
			most = max(most, pg, maria)
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	h.start()
	pg, maria := h.token("pg"), h.token("maria")
	h.synced(pg, 10)
	h.synced(maria, 7)
	close(stop)
	<-watched
	if most == 0 || most > 4 {
		t.Errorf("the connector held %d connections at most; 3 are its bound, and one may be closing", most)
	}
	want := rowsOf(t, d.postgres, "wartung.", "lieferant", "anlage", "teil", "bestand", "auftrag", "bestellung", "bestellposition", "items", "sync", "odd")
	if got := h.records(pg); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("PostgreSQL: %v, want %v", got, want)
	}
	if want["native/auftrag"] != "20000" {
		t.Errorf("%v", want)
	}
	want = rowsOf(t, d.mariadb, "", "vendors", "machines", "spare_parts", "work_orders", "production_log", "legacy_purchase", "v_open_work_orders")
	if got := h.records(maria); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("MariaDB: %v, want %v", got, want)
	}

	if a := h.call("GET", "/v1/native/items/3", pg, ""); a.body["name"] != "Item 3" {
		t.Errorf("a table named items: %v", a.body)
	}
	if a := h.call("GET", "/v1/native/sync/a%2Fb", pg, ""); a.body["id"] != "a/b" {
		t.Errorf("a table named sync: %v", a.body)
	}
	if a := h.call("GET", "/v1/native/bestellposition/"+url.PathEscape("B00000001~10"), pg, ""); fmt.Sprint(a.body["menge"]) != "2.000" {
		t.Errorf("a composite key: %v", a.body)
	}
	odd := h.call("GET", "/v1/native/odd/"+url.PathEscape("1~x%7Ey"), pg, "").body
	for field, want := range map[string]string{
		"n": "12345678901234567890.0123456789", "f": "NaN", "when": "2026-01-02T03:04:05.678", "t": "2026-01-02T01:04:05+00:00", "y": `\x00ff`, "e": "true", "a": "[1 2]", "j": "map[k:[1]]",
	} {
		if got := fmt.Sprint(odd[field]); got != want {
			t.Errorf("odd.%s is %s, want %s", field, got, want)
		}
	}
	legacy := h.call("GET", "/v1/native/legacy_purchase/0000000001?include=raw", maria, "").body
	raw, _ := legacy["raw"].(map[string]any)
	if raw["AMOUNT"] != "       13,37" || raw["PODATE"] != "20260602" || legacy["AMOUNT"] != "       13,37" {
		t.Errorf("the legacy table: %v", legacy)
	}
	do(t, d.mariadb, "UPDATE legacy_purchase SET STAT = 'Ä' WHERE PO_NO = '0000000002'")
	t.Cleanup(func() {
		_, _ = d.mariadb.ExecContext(context.WithoutCancel(t.Context()), "UPDATE legacy_purchase SET STAT = 'X' WHERE PO_NO = '0000000002'")
	})
	if c := h.again("maria", maria, "native/legacy_purchase"); fmt.Sprint(c["updated"]) != "1" {
		t.Errorf("a change in a table without change column: %v", c)
	}
	if a := h.call("GET", "/v1/native/legacy_purchase/0000000002", maria, ""); a.body["STAT"] != "Ä" {
		t.Errorf("latin1: %v", a.body["STAT"])
	}

	// One row in a hundred, by both ways to the change column.
	do(t, d.postgres, "UPDATE wartung.auftrag SET titel = titel || '.' WHERE id % 100 = 7")
	if c := h.again("pg", pg, "native/auftrag"); fmt.Sprint(c["updated"]) != "200" || fmt.Sprint(c["created"]) != "0" || fmt.Sprint(c["deleted"]) != "0" {
		t.Errorf("PostgreSQL, 200 rows changed: %v", c)
	}
	if c := h.again("pg", pg, "native/auftrag"); fmt.Sprint(c["updated"]) != "0" {
		t.Errorf("nothing changed since: %v", c)
	}
	do(t, d.mariadb, "UPDATE work_orders SET title = CONCAT(title, '.') WHERE id % 100 = 7")
	if c := h.again("maria", maria, "native/work_orders"); fmt.Sprint(c["updated"]) != "120" || fmt.Sprint(c["deleted"]) != "0" {
		t.Errorf("MariaDB, 120 rows changed: %v", c)
	}
	do(t, d.postgres, "DELETE FROM wartung.items WHERE id = 7", "INSERT INTO wartung.items VALUES (8, 'Item 8')")
	if c := h.again("pg", pg, "native/items", "--full"); fmt.Sprint(c["deleted"]) != "1" || fmt.Sprint(c["created"]) != "1" {
		t.Errorf("a row deleted, one made: %v", c)
	}
}

// What the login may not do is told where it is missing; the rest goes on.
func TestSQLMistakesAreTold(t *testing.T) {
	d := sqlDatabases(t)
	do(t, d.postgres, `DROP TABLE IF EXISTS wartung.geheim`, `CREATE TABLE wartung.geheim (id int PRIMARY KEY)`)
	t.Cleanup(func() {
		_, _ = d.postgres.ExecContext(context.WithoutCancel(t.Context()), `DROP TABLE IF EXISTS wartung.geheim`)
	})
	block := func(id, url, user, password, more string) string {
		return fmt.Sprintf("connection %q {\n  system = \"sql\"\n  settings = { url = %q%s }\n  credentials = { username = %q, password = %q }\n}\n", id, url, more, user, password)
	}
	pg, maria := "postgres://127.0.0.1:"+d.postgresPort, "mariadb://127.0.0.1:"+d.mariadbPort
	h := newHost(t, block("right", pg+"/plant", "connector", "C0nnector-PG-Lab", `, tables = "lieferant, geheim"`)+
		block("pg-password", pg+"/plant", "connector", "wrong-Passw0rd-1", "")+
		block("maria-password", maria+"/plant", "connector", "wrong-Passw0rd-2", "")+
		block("pg-database", pg+"/nowhere", "connector", "C0nnector-PG-Lab", "")+
		block("maria-database", maria+"/nowhere", "root", "", "")+
		block("maria-rights", maria+"/plant", "norights", "N0rights-Maria", "")+
		block("closed", "postgres://127.0.0.1:1/plant", "connector", "C0nnector-PG-Lab", ""))
	h.start()
	token := h.token("right")
	reason := func(id string) (string, string) {
		b := h.call("GET", "/v1/admin/connections/"+id, adminToken, "").body
		return fmt.Sprint(b["status"]), fmt.Sprint(b["reason"])
	}
	for id, want := range map[string][2]string{
		"pg-password": {"auth_required", "refuses the user name or the password"}, "maria-password": {"auth_required", "refuses the user name or the password"},
		"pg-database": {"pending", "no database of that name"}, "maria-rights": {"pending", "may not use this database"}, "closed": {"pending", "nobody answers at this address"},
	} {
		h.eventually(id+" is told", 30*time.Second, func() bool {
			s, r := reason(id)
			return (s == want[0] || want[0] == "pending" && s == "offline") && strings.Contains(r, want[1])
		})
	}
	h.eventually("the readable table is synced", 20*time.Second, func() bool { return h.records(token)["native/lieferant"] == "25" })
	denied := ""
	for _, e := range h.all("/v1/entities", token) {
		if e["name"] == "native/geheim" {
			denied = fmt.Sprint(e["denied"])
		}
	}
	if !strings.Contains(denied, "may not read the table geheim") {
		t.Errorf("what may not be read is told as %q", denied)
	}
	for _, secret := range []string{"C0nnector-PG-Lab", "wrong-Passw0rd", "N0rights-Maria"} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// The example in configs runs as it stands.
func TestSQLExampleRuns(t *testing.T) {
	d := sqlDatabases(t)
	h := newHost(t, "", "DINRAIL_ADMIN_TOKEN="+adminToken, "PG_URL=postgres://127.0.0.1:"+d.postgresPort+"/plant", "PG_PASSWORD=C0nnector-PG-Lab",
		"MARIADB_URL=mariadb://127.0.0.1:"+d.mariadbPort+"/plant", "MARIADB_PASSWORD=C0nnector-Maria-Lab")
	h.example("sql.hcl")
	h.start()
	pg, maria := h.token("maintenance"), h.token("mes")
	h.synced(pg, 2)
	h.synced(maria, 2)
	want := rowsOf(t, d.mariadb, "", "work_orders", "v_open_work_orders")
	if got := h.records(maria); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if a := h.call("GET", "/v1/native/v_open_work_orders/120", maria, ""); a.body["wo_no"] != "WO-000120" {
		t.Errorf("a view with a key: %v", a.body)
	}
	if n := h.records(pg); len(n) != 2 || n["native/auftrag"] != "20000" {
		t.Errorf("%v", n)
	}
}

// The database goes away in mid-run and comes back: the run completes.
func TestSQLDatabaseStoppedInMidRun(t *testing.T) {
	d := sqlDatabases(t)
	h := newHost(t, fmt.Sprintf(`
connection "maria" {
  system      = "sql"
  settings    = { url = "mariadb://127.0.0.1:%s/plant", tables = "production_log" }
  credentials = { username = "connector", password = "C0nnector-Maria-Lab" }
}
`, d.mariadbPort))
	h.start()
	token := h.token("maria")
	h.synced(token, 1)
	for range 5 {
		h.call("POST", "/v1/sync", token, `{"entities":["native/production_log"],"mode":"full"}`)
		time.Sleep(150 * time.Millisecond)
		rows, err := d.mariadb.QueryContext(t.Context(), "SELECT id FROM information_schema.processlist WHERE user = 'connector'")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			_, _ = d.mariadb.ExecContext(t.Context(), "KILL "+id) // it may have ended by itself
		}
		h.eventually("the run is over", 90*time.Second, func() bool {
			b, _ := json.Marshal(h.call("GET", "/v1/sync-status", token, "").body)
			return strings.Contains(string(b), `"status":"idle"`)
		})
	}
	if n := h.records(token)["native/production_log"]; n != "50000" {
		t.Errorf("%s records", n)
	}
	for _, r := range h.all("/v1/sync-runs", token) {
		if r["status"] != "completed" {
			t.Errorf("%v", r)
		}
	}
}
