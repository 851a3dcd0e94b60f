package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// A list with filters looks at so many records at most, then answers what it
// has with a cursor to go on, so that one request cannot hold the store.
const mostLookedAt = 20_000

// entity returns the entity that a path names.
func (a *API) entity(c *call) (host.Entity, error) {
	name := host.EntityName(c.PathValue("entity"))
	if n := c.PathValue("name"); n != "" {
		name = host.NativePrefix + host.EntityName(n)
	}
	for _, e := range c.conn.Entities {
		if e.Name == name {
			return e, nil
		}
	}
	if len(c.conn.Entities) == 0 {
		return host.Entity{}, host.Errorf(host.CodeNotFound, "what this connection has is not known yet; its status is %s", c.conn.Status)
	}
	return host.Entity{}, host.Errorf(host.CodeNotFound, "this connection has no entity %q; /v1/entities lists what it has", name)
}

// start returns where a list or feed begins.
func (a *API) start(c *call, q *query) (host.Sequence, uint32, error) {
	last, epoch, err := a.Store.Position(c.Context(), c.conn.ID)
	if err != nil {
		return 0, 0, err
	}
	switch text := q.values.Get("cursor"); text {
	case "":
		return 0, epoch, nil
	case "latest":
		return last, epoch, nil
	default:
		k, err := parseCursor(text, epoch, &c.conn, a.Clock())
		return k.sequence, epoch, err
	}
}

func (a *API) cursorAt(c *host.Connection, epoch uint32, s host.Sequence) string {
	return cursor{epoch: epoch, of: incarnationOf(c), sequence: s, made: a.Clock().Unix()}.String()
}

// Cursor returns the cursor of the feed after a sequence, for events.
func (a *API) Cursor(c *host.Connection, after host.Sequence) string {
	_, epoch, err := a.Store.Position(context.Background(), c.ID)
	if err != nil {
		return ""
	}
	return a.cursorAt(c, epoch, after)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// newBuffer returns a buffer in which a list has begun.
func newBuffer() *bytes.Buffer {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	b.WriteString(`{"data":[`)
	return b
}

// records answers a list of an entity's records, ascending by sequence.
func (a *API) records(c *call) error {
	e, err := a.entity(c)
	if err != nil {
		return err
	}
	q := c.q
	limit := q.limit()
	raw, deleted := q.include()
	bounds := [4]time.Time{q.time("updated_after"), q.time("updated_before"), q.time("created_after"), q.time("created_before")}
	after, before := q.time("modified_after"), q.time("modified_before")
	fill := a.filling(c.Context(), &c.conn)
	filters := q.filters(e, fill)
	for i := range filters { // who asks about tombstones wants to see them
		deleted = deleted || strings.HasPrefix(filters[i].path[0], "deleted")
	}
	if err := q.err(); err != nil {
		return err
	}
	if raw && c.who.Role == host.RoleViewer {
		return host.Errorf(host.CodeForbidden, "the role viewer may not read raw records")
	}
	from, epoch, err := a.start(c, q)
	if err != nil {
		return err
	}
	feed := state.Feed{Connection: c.conn.ID, Entities: []host.EntityName{e.Name}, After: from}
	if !after.IsZero() {
		s, err := a.Store.SequenceAt(c.Context(), c.conn.ID, after)
		if err != nil {
			return err
		}
		feed.After = max(feed.After, s)
	}
	if !before.IsZero() {
		// What arrived at the very time is not before it.
		if feed.Until, err = a.Store.SequenceAt(c.Context(), c.conn.ID, before.Add(-1)); err != nil {
			return err
		}
		if feed.Until == 0 || feed.Until <= feed.After {
			return a.answer(c, newBuffer(), fill, feed.After, epoch, false)
		}
	}
	buf := newBuffer()
	defer buffers.Put(buf)
	n, looked, more := 0, 0, false
	last := feed.After
	err = a.Store.Feed(c.Context(), feed, func(r *host.Record) (bool, error) {
		if looked == mostLookedAt {
			more = true
			return false, nil
		}
		looked++
		if r.Deleted() && !deleted || !within(r, bounds) || !matches(filters, r) {
			last = r.Sequence
			return true, nil
		}
		if n == limit { // there is one more that is asked for
			more = true
			return false, nil
		}
		last = r.Sequence
		if n++; n > 1 {
			buf.WriteByte(',')
		}
		writeRecord(buf, r, raw, fill)
		return true, nil
	})
	if err != nil {
		return err
	}
	return a.answer(c, buf, fill, last, epoch, more)
}

// within says whether the system's own times are within the bounds; a time
// that is not told never matches.
func within(r *host.Record, b [4]time.Time) bool {
	return (b[0].IsZero() || r.UpdatedAt.After(b[0])) && (b[1].IsZero() || !r.UpdatedAt.IsZero() && r.UpdatedAt.Before(b[1])) &&
		(b[2].IsZero() || r.CreatedAt.After(b[2])) && (b[3].IsZero() || !r.CreatedAt.IsZero() && r.CreatedAt.Before(b[3]))
}

// answer ends a list that stands in the buffer and writes it.
func (a *API) answer(c *call, b *bytes.Buffer, f *filling, last host.Sequence, epoch uint32, more bool) error {
	b.WriteString(`],"next_cursor":"`)
	b.WriteString(a.cursorAt(&c.conn, epoch, last))
	b.WriteString(`","has_more":`)
	b.WriteString(strconv.FormatBool(more))
	b.WriteString("}\n")
	text, err := f.fill(b.Bytes())
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(text) // a caller who went away is no error of ours
	return nil
}

// record answers one record, from the copy or, with live, from the system.
func (a *API) record(c *call) error {
	e, err := a.entity(c)
	if err != nil {
		return err
	}
	q := c.q
	raw, _ := q.include()
	live := q.flag("live")
	if err := q.err(); err != nil {
		return err
	}
	if raw && c.who.Role == host.RoleViewer {
		return host.Errorf(host.CodeForbidden, "the role viewer may not read raw records")
	}
	id := host.RecordID(c.PathValue("id"))
	r, err := a.Store.Record(c.Context(), c.conn.ID, e.Name, id)
	missing := errors.Is(err, state.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	if live {
		got, err := a.ask(c, e.Name, id)
		if err != nil {
			return err
		}
		r.Connection, r.Entity, r.ID, r.Operation = c.conn.ID, e.Name, got.ID, host.Updated
		r.CreatedAt, r.UpdatedAt, r.Body, r.Raw, r.DeletedAt = got.CreatedAt, got.UpdatedAt, got.Body, got.Raw, time.Time{}
	} else if missing {
		return host.Errorf(host.CodeNotFound, "the copy has no %s %q; ?live=true asks the system itself", e.Name, id)
	}
	var b bytes.Buffer
	fill := a.filling(c.Context(), &c.conn)
	writeRecord(&b, &r, raw, fill)
	b.WriteByte('\n')
	text, err := fill.fill(b.Bytes())
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(text) // a caller who went away is no error of ours
	return nil
}

// ask reads a record from the system itself, where the connection is fit for
// it: nothing tries a login that was refused.
func (a *API) ask(c *call, e host.EntityName, id host.RecordID) (host.Received, error) {
	switch {
	case a.Live == nil:
		return host.Received{}, host.Errorf(host.CodeUnsupported, "this host does not read through to systems")
	case c.conn.Status == host.StatusOffline:
		err := host.Errorf(host.CodeConnectionOffline, "the system is not reachable: %s", c.conn.Reason)
		err.RetryAt = a.Clock().Add(host.RetryCheckAfter)
		return host.Received{}, err
	case c.conn.Status == host.StatusAuthRequired:
		return host.Received{}, host.Errorf(host.CodeConnectionAuth, "the connection waits for new credentials: %s", c.conn.Reason)
	}
	if err := callable(&c.conn); err != nil {
		return host.Received{}, err
	}
	got, err := a.Live(c.Context(), c.conn.ID, e, id)
	if err == nil && got.Deleted {
		err = host.Errorf(host.CodeNotFound, "the system has no %s %q", e, id)
	}
	return got, err
}

// callable says why a connection's system is not called, if it is not.
func callable(c *host.Connection) error {
	switch {
	case !c.DetachedAt.IsZero():
		return host.Errorf(host.CodeConflict, "the connection %s is detached: its block is gone from the configuration", c.ID)
	case c.Invalid != "":
		return host.Errorf(host.CodeConnectionInvalid, "the connection %s is invalid: %s", c.ID, c.Invalid)
	case c.Paused:
		return host.Errorf(host.CodeConflict, "the connection %s is paused; resume it first", c.ID)
	case c.Credentials == nil:
		return host.Errorf(host.CodeConflict, "nobody has given credentials to the connection %s yet", c.ID)
	}
	return nil
}
