package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// eventRequest is an event that a caller makes.
type eventRequest struct {
	ID         host.EventID      `json:"id,omitempty"`
	Type       host.EventType    `json:"type"`
	Connection host.ConnectionID `json:"connection_id,omitempty"`
	Data       json.RawMessage   `json:"data,omitempty"`
}

type eventAnswer struct {
	ID host.EventID `json:"id"`
}

// newEvent makes an event with data.
func (a *API) newEvent(t host.EventType, c host.ConnectionID, data any) (host.Event, error) {
	b, given := data.(json.RawMessage) // valid as the request that it stood in
	if !given {
		var err error
		if b, err = json.Marshal(data); err != nil {
			return host.Event{}, fmt.Errorf("encode an event: %w", err)
		}
	}
	return host.Event{ID: host.EventID("evt_" + ulid.Make().String()), Type: t, Time: a.Clock().UTC(), Connection: c, Data: b}, nil
}

// makeEvent takes a custom event: it is durable when it is answered, and the
// same id twice is one event.
func (a *API) makeEvent(c *call) error {
	var req eventRequest
	if err := body(c, &req); err != nil {
		return err
	}
	var bad faults
	if !host.ValidCustomType(req.Type) {
		bad = append(bad, fault{"body.type", `it must be custom. and a name of A-Z a-z 0-9 _ -, as in "custom.order-shipped"`})
	}
	if req.ID != "" && !host.ValidID(string(req.ID)) {
		bad = append(bad, fault{"body.id", "it must have 1 to 64 characters of A-Z a-z 0-9 _ -"})
	}
	const most = host.MaxEventBytes - 8<<10 // what stands around the data in a delivery
	if len(req.Data) > most {
		bad = append(bad, fault{"body.data", fmt.Sprintf("it has %d bytes; at most %d are sent", len(req.Data), most)})
	}
	if len(bad) > 0 {
		return bad
	}
	if req.Connection != "" {
		if !c.who.Covers(req.Connection) {
			return noConnection(req.Connection)
		}
		if _, _, err := state.Get[host.Connection](c.Context(), a.Store, state.KindConnection, string(req.Connection)); err != nil {
			if errors.Is(err, state.ErrNotFound) {
				return faults{{"body.connection_id", fmt.Sprintf("there is no connection %q", req.Connection)}}
			}
			return err
		}
	} else if c.who.Limited() {
		return faults{{"body.connection_id", "this token is limited to some connections: name one of them"}}
	}
	if req.Data == nil {
		req.Data = json.RawMessage("{}")
	}
	event, err := a.newEvent(req.Type, req.Connection, req.Data)
	if err != nil {
		return err
	}
	if req.ID != "" {
		event.ID = req.ID
	}
	if _, err := a.Store.Commit(c.Context(), a.Clock(), nil, []host.Event{event}, nil); err != nil {
		return err
	}
	a.write(c, http.StatusAccepted, eventAnswer{event.ID})
	return nil
}

// deliveryView is a delivery as it is shown.
type deliveryView struct {
	ID          host.DeliveryID     `json:"id"`
	Event       host.EventID        `json:"event_id"`
	EventType   host.EventType      `json:"event_type"`
	Endpoint    host.EndpointID     `json:"endpoint"`
	Connection  host.ConnectionID   `json:"connection_id,omitempty"`
	Status      host.DeliveryStatus `json:"status"`
	Attempts    int                 `json:"attempts"`
	CreatedAt   stamp               `json:"created_at"`
	NextAttempt stamp               `json:"next_attempt_at"`
	EndedAt     stamp               `json:"ended_at"`
	Reason      string              `json:"reason"`
	LastStatus  int                 `json:"last_status"`
}

func deliveryViewOf(d *host.Delivery) deliveryView {
	return deliveryView{
		d.ID, d.Event, d.EventType, d.Endpoint, d.Connection, d.Status, d.Attempts,
		stamp(d.CreatedAt), stamp(d.DueAt), stamp(d.EndedAt), d.Reason, d.LastStatus,
	}
}

// attemptView is one try.
type attemptView struct {
	Number    int     `json:"number"`
	Status    string  `json:"status"` // succeeded, failed
	StartedAt stamp   `json:"started_at"`
	Took      float64 `json:"took_ms"`
	HTTP      int     `json:"http_status"`
	Error     string  `json:"error"`
	Response  *string `json:"response"` // its beginning; null for a viewer
}

// chosen reads the filter of a list of deliveries.
func (a *API) chosen(c *call) host.DeliveryFilter {
	q := c.q
	f := host.DeliveryFilter{
		Status: host.DeliveryStatus(q.values.Get("status")), Endpoint: host.EndpointID(q.values.Get("endpoint")),
		Connection: host.ConnectionID(q.values.Get("connection")), EventType: q.values.Get("event_type"),
		Since: q.time("since"), Until: q.time("until"),
	}
	for _, bad := range wrongFilter(&f) {
		q.fault(bad.Location, bad.Message)
	}
	f.Connections = c.who.Patterns()
	return f
}

func wrongFilter(f *host.DeliveryFilter) faults {
	var bad faults
	switch f.Status {
	case "", host.DeliveryPending, host.DeliveryDelivered, host.DeliveryHeld, host.DeliveryDead:
	default:
		bad = append(bad, fault{"status", "it must be pending, delivered, held or dead"})
	}
	if f.EventType != "" && !host.ValidEventPattern(f.EventType) {
		bad = append(bad, fault{"event_type", fmt.Sprintf("there is no event of type %q", f.EventType)})
	}
	return bad
}

func (a *API) deliveries(c *call) error {
	f, limit, before := a.chosen(c), c.q.limit(), host.DeliveryID(c.place())
	if err := c.q.err(); err != nil {
		return err
	}
	out := list[deliveryView]{Data: []deliveryView{}}
	for looked := 0; ; {
		part, _, err := a.Store.Deliveries(c.Context(), f.Endpoint, f.Status, before, host.MaxListLimit)
		if err != nil {
			return err
		}
		for i := range part {
			chosen := f.Matches(&part[i])
			if chosen && len(out.Data) == limit { // there is one more that is asked for
				out.HasMore = true
				break
			}
			before = part[i].ID
			if chosen {
				out.Data = append(out.Data, deliveryViewOf(&part[i]))
			}
		}
		looked += len(part)
		ended := len(part) < host.MaxListLimit || !f.Since.IsZero() && part[len(part)-1].CreatedAt.Before(f.Since.Add(-time.Minute))
		if out.HasMore || ended {
			break
		}
		if looked >= mostLookedAt {
			out.HasMore = true
			break
		}
	}
	out.NextCursor = c.cursorOf(string(before))
	a.write(c, http.StatusOK, out)
	return nil
}

func (a *API) findDelivery(c *call) (host.Delivery, []host.Attempt, error) {
	id := host.DeliveryID(c.PathValue("delivery"))
	d, attempts, err := a.Store.Delivery(c.Context(), id)
	if errors.Is(err, state.ErrNotFound) || err == nil && c.who.Limited() && (d.Connection == "" || !c.who.Covers(d.Connection)) {
		return d, nil, host.Errorf(host.CodeNotFound, "there is no delivery %q; it may have been pruned", id)
	}
	return d, attempts, err
}

func (a *API) delivery(c *call) error {
	d, _, err := a.findDelivery(c)
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, deliveryViewOf(&d))
	return nil
}

func (a *API) attempts(c *call) error {
	_, attempts, err := a.findDelivery(c)
	if err != nil {
		return err
	}
	out := []attemptView{}
	for i := range attempts {
		t := &attempts[i]
		v := attemptView{t.Number, "succeeded", stamp(t.StartedAt), float64(t.Took.Microseconds()) / 1000, t.Status, t.Error, nil}
		if t.Error != "" {
			v.Status = "failed"
		}
		if c.who.Role != host.RoleViewer { // no bodies for a viewer
			text := string(t.Response)
			if !utf8.ValidString(text) {
				text = fmt.Sprintf("%q", t.Response)
			}
			v.Response = &text
		}
		out = append(out, v)
	}
	return pageOf(a, c, out, func(v attemptView) string { return fmt.Sprintf("%06d", v.Number) })
}

// retry makes one delivery due now.
func (a *API) retry(c *call) error {
	d, _, err := a.findDelivery(c)
	if err != nil {
		return err
	}
	if d.Status == host.DeliveryHeld {
		return host.Errorf(host.CodeConflict, "the delivery is held: its endpoint %s is disabled; enable that, and what it is owed goes out", d.Endpoint)
	}
	d.Again(a.Clock().UTC())
	if err := a.Store.Settle(c.Context(), []state.Settlement{{Delivery: d}}); err != nil {
		return err
	}
	a.write(c, http.StatusAccepted, deliveryViewOf(&d))
	return nil
}

// retryRequest chooses deliveries to try again; status is dead unless given.
type retryRequest struct {
	Status     host.DeliveryStatus `json:"status,omitempty"`
	Endpoint   host.EndpointID     `json:"endpoint,omitempty"`
	Connection host.ConnectionID   `json:"connection,omitempty"`
	EventType  string              `json:"event_type,omitempty"`
	Since      time.Time           `json:"since,omitzero"`
	Until      time.Time           `json:"until,omitzero"`
}

// retryView is how far a retry of many is.
type retryView struct {
	ID     host.WishID `json:"id"`
	Count  int64       `json:"count"` // when it was asked for
	Done   int64       `json:"done"`
	DoneAt stamp       `json:"done_at"`
}

// retryAll asks for a retry of many, which goes on in the background.
func (a *API) retryAll(c *call) error {
	var req retryRequest
	if err := body(c, &req); err != nil {
		return err
	}
	if req.Status == "" {
		req.Status = host.DeliveryDead
	}
	f := host.DeliveryFilter{
		Status: req.Status, Endpoint: req.Endpoint, Connection: req.Connection, EventType: req.EventType,
		Since: req.Since, Until: req.Until, Connections: c.who.Patterns(),
	}
	var bad faults
	for _, b := range wrongFilter(&f) {
		bad = append(bad, fault{"body." + b.Location, b.Message})
	}
	if f.Status == host.DeliveryHeld {
		bad = append(bad, fault{"body.status", "held deliveries go out when their endpoint is enabled"})
	}
	if len(bad) > 0 {
		return bad
	}
	if f.Until.IsZero() {
		f.Until = a.Clock().UTC() // what dies later is not meant
	}
	w := host.Wish{ID: host.WishID("wish_" + ulid.Make().String()), Kind: host.WishRetry, MadeAt: a.Clock().UTC(), Retry: &f}
	before := host.DeliveryID("")
	for {
		part, _, err := a.Store.Deliveries(c.Context(), f.Endpoint, f.Status, before, host.MaxListLimit)
		if err != nil {
			return err
		}
		for i := range part {
			if f.Matches(&part[i]) {
				w.Count++
			}
		}
		if len(part) < host.MaxListLimit {
			break
		}
		before = part[len(part)-1].ID
	}
	put, err := state.PutOf(state.KindWish, string(w.ID), state.Absent, &w)
	if err != nil {
		return err
	}
	if _, err := a.Store.Commit(c.Context(), a.Clock(), []state.Put{put}, nil, nil); err != nil {
		return err
	}
	a.write(c, http.StatusAccepted, retryView{ID: w.ID, Count: w.Count})
	return nil
}

func (a *API) retryProgress(c *call) error {
	id := c.PathValue("wish")
	w, _, err := state.Get[host.Wish](c.Context(), a.Store, state.KindWish, id)
	if errors.Is(err, state.ErrNotFound) || err == nil && w.Kind != host.WishRetry {
		return host.Errorf(host.CodeNotFound, "there is no retry %q; those that are done are kept for some minutes", id)
	}
	if err != nil {
		return err
	}
	a.write(c, http.StatusOK, retryView{w.ID, w.Count, w.Done, stamp(w.DoneAt)})
	return nil
}
