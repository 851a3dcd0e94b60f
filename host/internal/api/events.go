package api

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// events answers events after a place, oldest first; with wait it waits.
func (a *API) events(c *call) error {
	q := c.q
	limit, wait, place := q.limit(), q.duration("wait", longestWait), c.place()
	if err := q.err(); err != nil {
		return err
	}
	after, err := a.eventsAfter(c, place, q.values.Get("after"))
	if err != nil {
		return err
	}
	out := list[eventView]{Data: []eventView{}}
	err = a.poll(c, "", wait, func(host.Sequence) (bool, error) {
		for {
			part, err := a.Store.Events(c.Context(), after, limit)
			if err != nil {
				return false, err
			}
			for _, e := range part {
				after = e.Sequence
				if t := q.values.Get("type"); (t == "" || t == string(e.Type)) && c.who.Covers(e.Connection) {
					out.Data = append(out.Data, eventView{e.ID, e.Type, stamp(e.Time), e.Connection, e.Data})
				}
			}
			out.HasMore = len(part) == limit
			if len(out.Data) > 0 || !out.HasMore {
				return len(out.Data) > 0, nil
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
