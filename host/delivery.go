package host

import "time"

// DeliveryStatus is what a delivery can be.
//
//	pending ──► delivered | dead
//	   ▲ │
//	   │ ▼
//	  held (its endpoint is disabled)
type DeliveryStatus string

// The statuses of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryHeld      DeliveryStatus = "held"
	DeliveryDead      DeliveryStatus = "dead"
)

// Delivery is one event owed to one endpoint until it is settled.
type Delivery struct {
	ID         DeliveryID     `json:"id"`
	Event      EventID        `json:"event_id"`
	EventType  EventType      `json:"event_type"`
	Sequence   Sequence       `json:"event_sequence,omitzero"` // of the event
	Endpoint   EndpointID     `json:"endpoint"`
	Connection ConnectionID   `json:"connection_id,omitempty"`
	Status     DeliveryStatus `json:"status"`
	Attempts   int            `json:"attempts"`
	CreatedAt  time.Time      `json:"created_at"`
	FirstAt    time.Time      `json:"first_at,omitzero"` // start of the first attempt
	DueAt      time.Time      `json:"next_attempt_at,omitzero"`
	Reason     string         `json:"reason,omitempty"`
	LastStatus int            `json:"last_status,omitempty"` // HTTP status of the last attempt
	EndedAt    time.Time      `json:"ended_at,omitzero"`     // when it was delivered or dead
}

// Ended says whether nothing becomes of the delivery by itself any more.
func (d *Delivery) Ended() bool { return d.Status == DeliveryDelivered || d.Status == DeliveryDead }

// End gives the delivery the status that it keeps.
func (d *Delivery) End(st DeliveryStatus, at time.Time, reason string) {
	d.Status, d.EndedAt, d.Reason, d.DueAt = st, at.UTC(), reason, time.Time{}
}

// Attempt is one HTTP try of a delivery.
type Attempt struct {
	Delivery  DeliveryID    `json:"delivery_id"`
	Number    int           `json:"number"` // from 1
	StartedAt time.Time     `json:"started_at"`
	Took      time.Duration `json:"took"`
	Status    int           `json:"status,omitempty"` // HTTP status; 0: no answer
	Error     string        `json:"error,omitempty"`
	Response  []byte        `json:"response,omitempty"` // sealed by the caller
}

// DeliveryFilter chooses deliveries; what is empty chooses all.
type DeliveryFilter struct {
	Status     DeliveryStatus `json:"status,omitempty"`
	Endpoint   EndpointID     `json:"endpoint,omitempty"`
	Connection ConnectionID   `json:"connection,omitempty"`
	EventType  string         `json:"event_type,omitempty"` // a pattern of event types
	Since      time.Time      `json:"since,omitzero"`       // made at or after
	Until      time.Time      `json:"until,omitzero"`       // made before
	// Connections are patterns that the caller is limited to; empty: it is not.
	Connections []string `json:"connections,omitempty"`
}

// Matches says whether the filter chooses the delivery.
func (f *DeliveryFilter) Matches(d *Delivery) bool {
	return (f.Status == "" || d.Status == f.Status) &&
		(f.Endpoint == "" || d.Endpoint == f.Endpoint) &&
		(f.Connection == "" || d.Connection == f.Connection) &&
		(f.EventType == "" || MatchesType([]string{f.EventType}, d.EventType)) &&
		(f.Since.IsZero() || !d.CreatedAt.Before(f.Since)) &&
		(f.Until.IsZero() || d.CreatedAt.Before(f.Until)) &&
		(len(f.Connections) == 0 || d.Connection != "" && (&Endpoint{Connections: f.Connections}).Covers(d.Connection))
}

// Again makes a delivery pending once more, due at a time, with its schedule
// from the beginning. Its attempts so far stay counted.
func (d *Delivery) Again(at time.Time) {
	d.Status, d.DueAt, d.FirstAt, d.EndedAt, d.Reason = DeliveryPending, at, time.Time{}, time.Time{}, ""
}

// DeliveryPrefix stands before the ULID that a delivery's id is.
const DeliveryPrefix = "dlv_"
