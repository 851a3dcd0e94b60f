package syncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// link is what the loop knows of one connection.
type link struct {
	doc      *host.Connection
	revision host.Sequence
	syncs    map[host.EntityName]*host.Sync
	wishes   []host.Wish

	session  Session
	lastUsed time.Time

	checkAt  time.Time // when the next check is due
	checking context.CancelCauseFunc
	failures int       // checks failed in a row
	suspect  bool      // a run's login was refused; the next check confirms it
	seenAt   time.Time // entities were asked
	running  map[host.EntityName]context.CancelCauseFunc
	blocked  time.Time // the system asked for no calls until then
}

// learn takes a connection as it is stored now.
func (s *Syncer) learn(ctx context.Context, c *host.Connection, rev host.Sequence) error {
	l := s.links[c.ID]
	if l == nil {
		l = &link{running: map[host.EntityName]context.CancelCauseFunc{}, syncs: map[host.EntityName]*host.Sync{}}
		s.links[c.ID] = l
		l.failures = c.Failures
		// A connection that was well before a restart is checked in its turn.
		if c.Status == host.StatusOnline {
			l.checkAt = time.Now().Add(spread(string(c.ID), checkEvery(c)))
			l.seenAt = time.Now()
		}
	} else if l.doc != nil && rev < l.revision {
		return nil
	}
	before := l.doc
	l.doc, l.revision = c, rev
	if before != nil && opensDifferently(before, c) {
		l.cancelAll(errStopped)
		l.closeSession()
		l.checkAt, l.seenAt, l.failures, l.suspect, l.blocked = time.Time{}, time.Time{}, 0, false, time.Time{}
	}
	if before != nil && active(c) && (!active(before) || c.Status == host.StatusPending && before.Status != host.StatusPending) {
		l.checkAt = time.Time{} // resumed, or back from elsewhere: it waits for no routine check
	}
	if !active(c) {
		l.cancelAll(errStopped)
		l.closeSession()
	}
	return s.readSyncs(ctx, l)
}

func (s *Syncer) readSyncs(ctx context.Context, l *link) error {
	syncs, err := s.Store.Syncs(ctx, l.doc.ID)
	if err != nil {
		return err
	}
	for i := range syncs {
		l.syncs[syncs[i].Entity] = &syncs[i]
	}
	return nil
}

// opensDifferently says whether an open session no longer fits the connection.
func opensDifferently(a, b *host.Connection) bool {
	return a.CredentialsRevision != b.CredentialsRevision || a.Incarnation != b.Incarnation ||
		a.System != b.System || a.Auth != b.Auth || a.PublicOnly() != b.PublicOnly() ||
		!reflect.DeepEqual(a.Settings, b.Settings) || !reflect.DeepEqual(a.Network, b.Network)
}

// active says whether the connection may call its system at all by itself.
func active(c *host.Connection) bool {
	return !c.Paused && c.Invalid == "" && c.DetachedAt.IsZero() && c.Credentials != nil
}

func (l *link) cancelAll(cause error) {
	for _, cancel := range l.running {
		cancel(cause)
	}
	if l.checking != nil {
		l.checking(cause)
	}
}

func (l *link) closeSession() {
	if l.session != nil {
		_ = l.session.Close() // the connector forgets it with its process at the latest
		l.session = nil
	}
}

func checkEvery(c *host.Connection) time.Duration {
	if c.CheckEvery > 0 {
		return c.CheckEvery
	}
	return host.DefaultCheckEvery
}

// setStatus writes a status with its events, unless it stands already. edit may
// change more of the connection in the same step; it is called again when
// somebody changed the connection in between, and returns false where there is
// nothing to write.
func (s *Syncer) setStatus(ctx context.Context, id host.ConnectionID, at time.Time, edit func(c *host.Connection) bool) error {
	for {
		c, rev, err := state.Get[host.Connection](ctx, s.Store, state.KindConnection, string(id))
		if errors.Is(err, state.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read connection %s: %w", id, err)
		}
		previous := c.Status
		if !edit(&c) {
			return nil
		}
		var events []host.Event
		var link Link
		if c.Status != previous {
			c.Since = at
			if c.Status == host.StatusAuthRequired && s.Reconnect != nil {
				if link, err = s.Reconnect(&c, at); err != nil {
					return fmt.Errorf("make a link to reconnect %s: %w", id, err)
				}
			}
			events = s.statusEvents(&c, previous, link, at)
		}
		put, err := state.PutOf(state.KindConnection, string(id), rev, &c)
		if err != nil {
			return err
		}
		_, err = s.Store.Commit(ctx, at, append(link.Puts, put), events, nil)
		if errors.Is(err, state.ErrChanged) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write connection %s: %w", id, err)
		}
		if c.Status != previous {
			s.Log.Info("connection changed", "connection", id, "status", c.Status, "previous", previous, "reason", c.Reason)
		}
		return nil
	}
}

type statusData struct {
	Previous host.ConnectionStatus `json:"previous"`
	Status   host.ConnectionStatus `json:"status,omitempty"`
	Reason   string                `json:"reason"`
	Since    string                `json:"since"`
}

// reconnectData asks for a person: the link is theirs alone.
type reconnectData struct {
	Reason       string          `json:"reason"`
	ReconnectURL *string         `json:"reconnect_url"`
	Session      *host.SessionID `json:"session_id"`
}

// orNull is nil for what is empty.
func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

func (s *Syncer) statusEvents(c *host.Connection, previous host.ConnectionStatus, link Link, at time.Time) []host.Event {
	d := statusData{Previous: previous, Reason: c.Reason, Since: host.FormatTime(c.Since)}
	var events []host.Event
	switch c.Status {
	case host.StatusOnline:
		events = append(events, s.event(host.EventConnectionOnline, c.ID, at, d))
	case host.StatusOffline:
		events = append(events, s.event(host.EventConnectionOffline, c.ID, at, d))
	case host.StatusAuthRequired:
		events = append(events, s.event(host.EventConnectionAuthRequired, c.ID, at, reconnectData{c.Reason, orNull(link.URL), orNull(link.Session)}))
	}
	d.Status = c.Status
	return append(events, s.event(host.EventConnectionStatusChanged, c.ID, at, d))
}

func newEvent(id host.EventID, t host.EventType, c host.ConnectionID, at time.Time, data any) host.Event {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte("{}") // only our own plain structs come here
	}
	return host.Event{ID: id, Type: t, Time: at, Connection: c, Data: b}
}
