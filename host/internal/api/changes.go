package api

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// longestWait bounds a long poll.
const longestWait = 60 * time.Second

// Pauses of a long poll that woke for what others did: everything in a
// partition wakes it, and a busy neighbour must not keep it reading.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 160 * time.Millisecond
)

// poll calls look until it found something, an error ends it, or the wait is
// over. What look reads is at least as new as the sequence it is given.
func (a *API) poll(c *call, of host.ConnectionID, wait time.Duration, look func(seen host.Sequence) (found bool, err error)) error {
	ctx, cancel := context.WithTimeout(c.Context(), wait)
	defer cancel()
	go func() { // ends with ctx
		select {
		case <-a.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		seen, _, err := a.Store.Position(c.Context(), of)
		if err != nil {
			return err
		}
		if found, err := look(seen); found || err != nil || ctx.Err() != nil {
			return err
		}
		if _, err := a.Store.Wait(ctx, of, seen); err != nil {
			if ctx.Err() != nil {
				return c.Context().Err()
			}
			return err
		}
		if pause == firstPause {
			continue // what woke it is most likely for it
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// changes answers the feed over all entities; with wait it waits for something
// new.
func (a *API) changes(c *call) error {
	q := c.q
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
	b, fill := newBuffer(), a.filling(c.Context(), &c.conn)
	defer buffers.Put(b)
	n, more := 0, false
	err = a.poll(c, c.conn.ID, wait, func(seen host.Sequence) (bool, error) {
		last := feed.After
		err := a.Store.Feed(c.Context(), feed, func(r *host.Record) (bool, error) {
			if n == limit {
				more = true
				return false, nil
			}
			if n++; n > 1 {
				b.WriteByte(',')
			}
			last = r.Sequence
			writeChange(b, r, raw, fill)
			return true, nil
		})
		if n == 0 {
			last = max(last, seen) // all up to there was looked at
		}
		feed.After = last
		return n > 0, err
	})
	if err != nil {
		return err
	}
	return a.answer(c, b, fill, feed.After, epoch, more)
}

func writeChange(b *bytes.Buffer, r *host.Record, raw bool, f *filling) {
	var scratch [64]byte
	b.WriteString(`{"sequence":`)
	b.Write(strconv.AppendUint(scratch[:0], uint64(r.Sequence), 10))
	b.WriteString(`,"operation":"`)
	b.WriteString(string(r.Operation))
	b.WriteString(`","entity":`)
	b.Write(quote(scratch[:0], string(r.Entity)))
	b.WriteString(`,"record":`)
	writeRecord(b, r, raw, f)
	b.WriteByte('}')
}
