package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// eventFilter chooses events; what is empty chooses all.
type eventFilter struct {
	typ        string // a pattern of types
	connection host.ConnectionID
	endpoint   *host.Endpoint // only what it is to have
	// own are what connections ask for in the place of their endpoints.
	own map[host.ConnectionID]map[host.EndpointID][]string
}

// eventFilter reads the filter of a list of events.
func (a *API) eventFilter(c *call) (eventFilter, error) {
	q := c.q
	f := eventFilter{typ: q.values.Get("type"), connection: host.ConnectionID(q.values.Get("connection"))}
	if f.typ != "" && !host.ValidEventPattern(f.typ) {
		q.fault("type", "there is no event of type "+f.typ)
	}
	if id := q.values.Get("endpoint"); id != "" {
		e, _, err := state.Get[host.Endpoint](c.Context(), a.Store, state.KindEndpoint, id)
		switch {
		case errors.Is(err, state.ErrNotFound):
			q.fault("endpoint", "there is no endpoint "+id)
		case err != nil:
			return f, err
		}
		f.endpoint, f.own = &e, map[host.ConnectionID]map[host.EndpointID][]string{}
	}
	return f, q.err()
}

// matches says whether an event is chosen and may be seen by who asks.
func (f *eventFilter) matches(a *API, c *call, e *host.Event) (bool, error) {
	if f.typ != "" && f.typ != string(e.Type) && !host.MatchesType([]string{f.typ}, e.Type) ||
		f.connection != "" && f.connection != e.Connection || !c.who.Covers(e.Connection) {
		return false, nil
	}
	if f.endpoint == nil {
		return true, nil
	}
	own, known := f.own[e.Connection]
	if !known && e.Connection != "" {
		conn, err := a.memory.connection(c.Context(), a.Store, e.Connection)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return false, err
		}
		own = conn.Webhooks
		f.own[e.Connection] = own
	}
	return f.endpoint.Takes(e, own), nil
}

// eventsAtOnce is how many events are read from the store at a time.
const eventsAtOnce = 200

// events answers events after a place, oldest first; with wait it waits. Newest
// first, it answers those before a place.
func (a *API) events(c *call) error {
	q := c.q
	switch q.values.Get("order") {
	case "", "oldest":
	case "newest":
		return a.eventsBack(c)
	default:
		q.fault("order", "it must be oldest or newest")
	}
	latest := q.values.Get("cursor") == "latest"
	if latest {
		q.values.Del("cursor")
	}
	limit, wait, place := q.limit(), q.duration("wait", longestWait), c.place()
	f, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	after, err := a.eventsAfter(c, place, q.values.Get("after"))
	if err != nil {
		return err
	}
	if latest {
		if after, _, err = a.Store.Position(c.Context(), ""); err != nil {
			return err
		}
	}
	out := list[eventView]{Data: []eventView{}}
	err = a.poll(c, "", wait, func(host.Sequence) (bool, error) {
		for looked := 0; ; {
			part, err := a.Store.Events(c.Context(), after, eventsAtOnce)
			if err != nil {
				return false, err
			}
			for i := range part {
				e := &part[i]
				chosen, err := f.matches(a, c, e)
				if err != nil {
					return false, err
				}
				if chosen && len(out.Data) == limit { // there is one more that is asked for
					out.HasMore = true
					return true, nil
				}
				after = e.Sequence
				if chosen {
					out.Data = append(out.Data, eventView{e.ID, e.Type, stamp(e.Time), e.Connection, shownTo(c, e)})
				}
			}
			if looked += len(part); len(part) < eventsAtOnce {
				return len(out.Data) > 0, nil
			}
			if looked >= mostLookedAt {
				out.HasMore = true
				return true, nil
			}
		}
	})
	if err != nil {
		return err
	}
	out.NextCursor = c.cursorOf(strconv.FormatUint(uint64(after), 10))
	a.write(c, http.StatusOK, out)
	return nil
}

// eventsBack answers events before a place, newest first.
func (a *API) eventsBack(c *call) error {
	for _, name := range []string{"after", "wait"} {
		if c.q.values.Has(name) {
			c.q.fault(name, "it goes with the oldest first")
		}
	}
	limit, place := c.q.limit(), c.place()
	f, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	before, err := a.eventsAfter(c, place, "")
	if err != nil {
		return err
	}
	events, next, err := a.Store.EventsBack(c.Context(), before, limit, mostLookedAt, func(e *host.Event) (bool, error) { return f.matches(a, c, e) })
	if err != nil {
		return err
	}
	out := list[eventView]{Data: []eventView{}, HasMore: next != 0}
	for i := range events {
		e := &events[i]
		out.Data = append(out.Data, eventView{e.ID, e.Type, stamp(e.Time), e.Connection, shownTo(c, e)})
	}
	out.NextCursor = c.cursorOf(strconv.FormatUint(uint64(next), 10))
	a.write(c, http.StatusOK, out)
	return nil
}

// event answers one event.
func (a *API) event(c *call) error {
	id := host.EventID(c.PathValue("event"))
	n, err := a.Store.FindEvent(c.Context(), id)
	var e host.Event
	if err == nil {
		e, err = a.Store.Event(c.Context(), n)
	}
	if errors.Is(err, state.ErrNotFound) || err == nil && !c.who.Covers(e.Connection) {
		return host.Errorf(host.CodeNotFound, "there is no event %q; it may have been pruned", id)
	}
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, eventView{e.ID, e.Type, stamp(e.Time), e.Connection, shownTo(c, &e)})
	return nil
}

// shownTo is an event's data as far as its reader may use it: a link with which
// a login is renewed is not for who may only look.
func shownTo(c *call, e *host.Event) json.RawMessage {
	if e.Type != host.EventConnectionAuthRequired || c.who.Role != host.RoleViewer {
		return e.Data
	}
	var data map[string]any
	if json.Unmarshal(e.Data, &data) != nil {
		return json.RawMessage("null")
	}
	data["reconnect_url"] = nil
	b, err := json.Marshal(data)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// eventsAfter returns the place to go on from: of a cursor, or of an event
// that is named.
func (a *API) eventsAfter(c *call, place, id string) (host.Sequence, error) {
	if place != "" {
		n, err := strconv.ParseUint(place, 10, 64)
		if err != nil {
			return 0, errNoCursor
		}
		return host.Sequence(n), nil
	}
	if id == "" {
		return 0, nil
	}
	after, err := a.Store.FindEvent(c.Context(), host.EventID(id))
	if errors.Is(err, state.ErrNotFound) {
		return 0, faults{{"query.after", "there is no event " + id}}
	}
	return after, err
}
