package host

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// EventType is a dotted word: "sync.completed".
type EventType string

// The types of events that the host makes itself. Beside them are custom.NAME
// and trigger.NAME.
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
	EventCredentialsExpiring     EventType = "connection.credentials_expiring"
	EventSystemError             EventType = "system.error"
	EventSystemRecovered         EventType = "system.recovered"
	EventEndpointDisabled        EventType = "endpoint.disabled"
	EventEndpointRecovered       EventType = "endpoint.recovered"
	EventRecordCreated           EventType = "record.created"
	EventRecordUpdated           EventType = "record.updated"
	EventRecordDeleted           EventType = "record.deleted"
	EventWebhookTest             EventType = "webhook.test"
)

var eventTypes = []EventType{
	EventSyncCompleted, EventSyncFailed,
	EventConnectionAuthRequired, EventConnectionOnline, EventConnectionOffline, EventConnectionStatusChanged,
	EventConnectionCreated, EventConnectionReconnected, EventConnectionRemoved, EventCredentialsExpiring,
	EventSystemError, EventSystemRecovered, EventEndpointDisabled, EventEndpointRecovered,
	EventRecordCreated, EventRecordUpdated, EventRecordDeleted, EventWebhookTest,
}

// EventTypes returns the types of events that the host makes itself.
func EventTypes() []EventType { return slices.Clone(eventTypes) }

// The families of types whose last part somebody else chose.
const (
	CustomPrefix  = "custom."
	TriggerPrefix = "trigger."
)

var namedType = regexp.MustCompile(`^(custom|trigger)\.[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64})*$`)

// ValidCustomType says whether a caller of the API may make events of the type.
func ValidCustomType(t EventType) bool {
	return strings.HasPrefix(string(t), CustomPrefix) && namedType.MatchString(string(t))
}

// ValidEventPattern says whether a pattern can name any event: a type, a type
// that ends in *, or * for all.
func ValidEventPattern(p string) bool {
	prefix, all := strings.CutSuffix(p, "*")
	if !all {
		return namedType.MatchString(p) || slices.Contains(eventTypes, EventType(p))
	}
	if strings.HasPrefix(prefix, CustomPrefix) || strings.HasPrefix(prefix, TriggerPrefix) {
		return namedType.MatchString(strings.TrimSuffix(prefix, ".") + ".x")
	}
	return prefix == CustomPrefix || prefix == TriggerPrefix ||
		slices.ContainsFunc(eventTypes, func(t EventType) bool { return strings.HasPrefix(string(t), prefix) })
}

// Event is an immutable fact. It is durable in the same step as the change
// that made it.
type Event struct {
	ID         EventID         `json:"id"`
	Type       EventType       `json:"type"`
	Time       time.Time       `json:"timestamp"`
	Connection ConnectionID    `json:"connection_id,omitempty"`
	Data       json.RawMessage `json:"data"`
	Sequence   Sequence        `json:"-"` // given by the engine
	// Endpoint is the one that the event is about: a test is for it alone, and
	// that it was disabled is for all others.
	Endpoint EndpointID `json:"endpoint,omitempty"`
	// Quiet marks a run that changed nothing, where the one before had not
	// failed: endpoints without empty_syncs are not told.
	Quiet bool `json:"quiet,omitempty"`
}
