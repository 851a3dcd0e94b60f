package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Bounds of a read.
const (
	longestWait = 60 * time.Second // of a long poll
	// A list with filters looks at so many records at most, then answers what it
	// has with a cursor to go on, so that one request cannot hold the store.
	mostLookedAt = 20_000
)

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

// records answers a list of an entity's records, ascending by sequence.
func (a *API) records(c *call) error {
	e, err := a.entity(c)
	if err != nil {
		return err
	}
	q := parse(c, "limit", "cursor", "include", "modified_after", "modified_before", "updated_after", "updated_before", "created_after", "created_before", "*")
	limit := q.limit()
	raw, deleted := q.include()
	bounds := [4]time.Time{q.time("updated_after"), q.time("updated_before"), q.time("created_after"), q.time("created_before")}
	after, before := q.time("modified_after"), q.time("modified_before")
	filters := q.filters(e)
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
		// One later than the last: what arrived at the very time is not before it.
		if feed.Until, err = a.Store.SequenceAt(c.Context(), c.conn.ID, before); err != nil {
			return err
		}
		if feed.Until == 0 || feed.Until <= feed.After {
			return a.answer(c, nil, feed.After, epoch, false)
		}
	}
	buf, _ := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	defer buffers.Put(buf)
	n, looked, more := 0, 0, false
	last := feed.After
	err = a.Store.Feed(c.Context(), feed, func(r *host.Record) (bool, error) {
		if n == limit || looked == mostLookedAt {
			more = true
			return false, nil
		}
		looked++
		last = r.Sequence
		if r.Deleted() && !deleted || !within(r, bounds) {
			return true, nil
		}
		if !matches(filters, r) {
			return true, nil
		}
		if n++; n > 1 {
			buf.WriteByte(',')
		}
		writeRecord(buf, r, raw)
		return true, nil
	})
	if err != nil {
		return err
	}
	return a.answer(c, buf, last, epoch, more)
}

// within says whether the system's own times are within the bounds; a time
// that is not told never matches.
func within(r *host.Record, b [4]time.Time) bool {
	return (b[0].IsZero() || r.UpdatedAt.After(b[0])) && (b[1].IsZero() || !r.UpdatedAt.IsZero() && r.UpdatedAt.Before(b[1])) &&
		(b[2].IsZero() || r.CreatedAt.After(b[2])) && (b[3].IsZero() || !r.CreatedAt.IsZero() && r.CreatedAt.Before(b[3]))
}

// answer writes a list whose entries are encoded already.
func (a *API) answer(c *call, entries *bytes.Buffer, last host.Sequence, epoch uint32, more bool) error {
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	out := make([]byte, 0, 128)
	out = append(out, `],"next_cursor":"`...)
	out = append(out, a.cursorAt(&c.conn, epoch, last)...)
	out = append(out, `","has_more":`...)
	out = strconv.AppendBool(out, more)
	out = append(out, "}\n"...)
	const head = `{"data":[`
	size := len(head) + len(out)
	if entries != nil {
		size += entries.Len()
	}
	h.Set("Content-Length", strconv.Itoa(size))
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write([]byte(head))
	if entries != nil {
		_, _ = c.w.Write(entries.Bytes())
	}
	_, _ = c.w.Write(out)
	return nil
}

// writeRecord writes a record as the API answers it. Its fields are taken as
// they are stored, without reading them.
func writeRecord(b *bytes.Buffer, r *host.Record, raw bool) {
	text := func(name string, v []byte) {
		b.WriteString(`,"`)
		b.WriteString(name)
		b.WriteString(`":`)
		b.Write(v)
	}
	var scratch [64]byte
	b.WriteString(`{"id":`)
	quoted, _ := json.Marshal(string(r.ID)) // a string is always encoded
	b.Write(quoted)
	quoted, _ = json.Marshal(string(r.Entity))
	text("entity", quoted)
	text("sequence", strconv.AppendUint(scratch[:0], uint64(r.Sequence), 10))
	text("version", strconv.AppendQuote(scratch[:0], strconv.FormatUint(uint64(r.Sequence), 36)))
	text("created_at", timeOrNull(scratch[:0], r.CreatedAt))
	text("updated_at", timeOrNull(scratch[:0], r.UpdatedAt))
	text("synced_at", timeOrNull(scratch[:0], r.SyncedAt))
	text("deleted", strconv.AppendBool(scratch[:0], r.Deleted()))
	text("deleted_at", timeOrNull(scratch[:0], r.DeletedAt))
	if !r.Deleted() {
		if len(r.Body) > 2 {
			b.WriteByte(',')
			b.Write(r.Body[1 : len(r.Body)-1])
		}
		// A mapping of the connection's own puts custom into the body.
		if !bytes.Contains(r.Body, []byte(`"custom":`)) {
			b.WriteString(`,"custom":{}`)
		}
		if raw {
			if len(r.Raw) > 0 {
				text("raw", r.Raw)
			} else {
				b.WriteString(`,"raw":null`)
			}
		}
	}
	b.WriteByte('}')
}

func timeOrNull(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, host.TimeFormat)
	return append(b, '"')
}

// record answers one record, from the copy or, with live, from the system.
func (a *API) record(c *call) error {
	e, err := a.entity(c)
	if err != nil {
		return err
	}
	q := parse(c, "live", "include")
	raw, _ := q.include()
	live := q.values.Get("live")
	if live != "" && live != "true" && live != "false" {
		q.fault("live", "it must be true or false")
	}
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
	if live == "true" {
		if c.conn.Status == host.StatusOffline {
			err := host.Errorf(host.CodeConnectionOffline, "the system is not reachable: %s", c.conn.Reason)
			err.RetryAt = a.Clock().Add(host.RetryCheckAfter)
			return err
		}
		got, err := a.Live(c.Context(), c.conn.ID, e.Name, id)
		if err != nil {
			return err
		}
		r.Connection, r.Entity, r.ID, r.Operation = c.conn.ID, e.Name, got.ID, host.Updated
		r.CreatedAt, r.UpdatedAt, r.Body, r.Raw, r.DeletedAt = got.CreatedAt, got.UpdatedAt, got.Body, got.Raw, time.Time{}
	} else if missing {
		return host.Errorf(host.CodeNotFound, "the copy has no %s %q; ?live=true asks the system itself", e.Name, id)
	}
	var b bytes.Buffer
	writeRecord(&b, &r, raw)
	b.WriteByte('\n')
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(b.Bytes())
	return nil
}

// changes answers the feed over all entities; with wait it waits for something
// new.
func (a *API) changes(c *call) error {
	q := parse(c, "limit", "cursor", "entities", "wait", "include")
	limit := q.limit()
	raw, _ := q.include()
	wait := q.duration("wait", longestWait)
	feed := state.Feed{Connection: c.conn.ID}
	if v := q.values.Get("entities"); v != "" {
		for _, name := range strings.Split(v, ",") {
			if !slices.ContainsFunc(c.conn.Entities, func(e host.Entity) bool { return string(e.Name) == name }) {
				q.fault("entities", "this connection has no entity "+name)
			}
			feed.Entities = append(feed.Entities, host.EntityName(name))
		}
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
	feed.After = from
	var b bytes.Buffer
	deadline, cancel := context.WithTimeout(c.Context(), wait)
	defer cancel()
	for {
		seen, _, err := a.Store.Position(c.Context(), c.conn.ID)
		if err != nil {
			return err
		}
		n, more, last := 0, false, feed.After
		err = a.Store.Feed(c.Context(), feed, func(r *host.Record) (bool, error) {
			if n == limit {
				more = true
				return false, nil
			}
			if n++; n > 1 {
				b.WriteByte(',')
			}
			last = r.Sequence
			b.WriteString(`{"sequence":`)
			b.WriteString(strconv.FormatUint(uint64(r.Sequence), 10))
			b.WriteString(`,"operation":"` + string(r.Operation) + `","entity":`)
			quoted, _ := json.Marshal(string(r.Entity))
			b.Write(quoted)
			b.WriteString(`,"record":`)
			writeRecord(&b, r, raw)
			b.WriteByte('}')
			return true, nil
		})
		if err != nil {
			return err
		}
		if n > 0 || wait == 0 {
			return a.answer(c, &b, last, epoch, more)
		}
		if _, err := a.Store.Wait(deadline, c.conn.ID, seen); err != nil {
			if deadline.Err() == nil {
				return err
			}
			return a.answer(c, nil, last, epoch, false)
		}
	}
}
