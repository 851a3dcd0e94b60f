package main

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// Bounds of what a connection takes of the database.
const (
	connections = 3
	idleFor     = 30 * time.Second
	tablesFor   = 5 * time.Minute // how long what the database has is remembered
	askTimeout  = 60 * time.Second
)

// dialect is what differs between databases.
type dialect interface {
	// identity tells who is logged in to what.
	identity(ctx context.Context, db *sql.DB) (sdk.Identity, error)
	// found lists the tables and views.
	found(ctx context.Context, db *sql.DB, o *options) ([]found, error)
	// query is how a page of a table is asked for.
	query(t *table, w window) (text string, args []any)
	// rows reads what was answered: for each row its key, its change and itself
	// as a JSON object.
	row(t *table, r *sql.Rows) (row, error)
	// newest asks for the latest change.
	newest(t *table) string
	// count asks how many rows there are, at no great cost.
	count(ctx context.Context, db *sql.DB, t *table) (int64, bool)
	// explain makes of a database's error one for people.
	explain(err error) error
}

// row is one row as it was read.
type row struct {
	key    []string
	change string // in the database's own words; "" without a change column
	json   []byte
}

// connection is one open connection.
type connection struct {
	dialect
	options options
	db      *sql.DB

	mu      sync.Mutex
	tables  []table
	askedAt time.Time
}

func newConnection(d dialect, o options, db *sql.DB) *connection {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(idleFor)
	return &connection{dialect: d, options: o, db: db}
}

// Check implements sdk.Connection.
func (c *connection) Check(ctx context.Context) (sdk.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	id, err := c.identity(ctx, c.db)
	if err != nil {
		return id, c.explain(err)
	}
	return id, nil
}

// Entities implements sdk.Connection.
func (c *connection) Entities(ctx context.Context) ([]sdk.Entity, error) {
	all, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]sdk.Entity, len(all))
	for i := range all {
		out[i] = all[i].describe()
	}
	return out, nil
}

// ask asks the database what it has.
func (c *connection) ask(ctx context.Context) ([]table, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	all, err := c.found(ctx, c.db, &c.options)
	if err != nil {
		return nil, c.explain(err)
	}
	tables := c.options.tablesOf(all)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tables, c.askedAt = tables, time.Now()
	return tables, nil
}

// lookup finds the table that an entity is.
func (c *connection) lookup(ctx context.Context, entity string) (*table, error) {
	c.mu.Lock()
	known, fresh := c.tables, time.Since(c.askedAt) < tablesFor
	c.mu.Unlock()
	if !fresh {
		var err error
		if known, err = c.ask(ctx); err != nil {
			return nil, err
		}
	}
	for i := range known {
		if t := known[i]; t.entity == entity {
			if t.denied != "" {
				return nil, sdk.Failf(sdk.CodePermissionDenied, "%s", t.denied)
			}
			return &t, nil
		}
	}
	return nil, sdk.Failf(sdk.CodeNotFound, "the database has no table %s that this connection asks for", entity)
}

// Close implements sdk.Connection.
func (c *connection) Close() error { return c.db.Close() }
