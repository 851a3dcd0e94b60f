package host

import (
	"encoding/json"
	"time"
)

// EventType is a dotted word: "sync.completed".
type EventType string

// The types of events that the host makes itself.
const (
	EventSyncCompleted           EventType = "sync.completed"
	EventSyncFailed              EventType = "sync.failed"
	EventConnectionAuthRequired  EventType = "connection.auth_required"
	EventConnectionOnline        EventType = "connection.online"
	EventConnectionOffline       EventType = "connection.offline"
	EventConnectionStatusChanged EventType = "connection.status_changed"
	EventConnectionCreated       EventType = "connection.created"
	EventConnectionReconnected   EventType = "connection.reconnected"
	EventConnectionRemoved       EventType = "connection.removed"
	EventSystemError             EventType = "system.error"
	EventSystemRecovered         EventType = "system.recovered"
)

// Event is an immutable fact. It is durable in the same step as the change
// that made it.
type Event struct {
	ID         EventID         `json:"id"`
	Type       EventType       `json:"type"`
	Time       time.Time       `json:"timestamp"`
	Connection ConnectionID    `json:"connection_id,omitempty"`
	Data       json.RawMessage `json:"data"`
	Sequence   Sequence        `json:"-"` // given by the engine
}
