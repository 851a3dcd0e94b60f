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
