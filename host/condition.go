package host

import (
	"encoding/json"
	"fmt"
	"time"
)

// Condition is something in the host itself that is not as it should be, and has
// not recovered: what system.error and system.recovered tell of.
type Condition struct {
	Key         string         `json:"key"` // component and what of it: "plugin/tryton.tryton"
	Severity    string         `json:"severity"`
	Component   string         `json:"component"` // plugin, trigger …
	Code        Code           `json:"code"`
	Message     string         `json:"message"`
	Connections []ConnectionID `json:"connections"`
	FirstSeen   time.Time      `json:"first_seen"`
	LastSeen    time.Time      `json:"last_seen"`
	ToldAt      time.Time      `json:"told_at"`
	Count       int            `json:"count"` // how often it was seen since FirstSeen
}

// ToldEvery is how often the same condition makes an event at most.
const ToldEvery = time.Hour

// Again takes in that the condition was seen once more, and says whether that is
// to be told: once an hour.
func (c *Condition) Again(seen Condition, now time.Time) (tell bool) {
	first, told, count := c.FirstSeen, c.ToldAt, c.Count
	if first.IsZero() {
		first = now.UTC()
	}
	if seen.Connections == nil {
		seen.Connections = c.Connections
	}
	*c = seen
	c.FirstSeen, c.ToldAt, c.LastSeen, c.Count = first, told, now.UTC(), count+1
	if !told.IsZero() && now.Sub(told) < ToldEvery {
		return false
	}
	c.ToldAt = now.UTC()
	return true
}

// Event is what is told of the condition: that it is there, or that it is over.
func (c *Condition) Event(id EventID, t EventType, now time.Time) (Event, error) {
	connections := c.Connections
	if connections == nil {
		connections = []ConnectionID{}
	}
	b, err := json.Marshal(map[string]any{
		"key": c.Key, "severity": c.Severity, "component": c.Component, "code": c.Code, "message": c.Message,
		"connections": connections, "first_seen": FormatTime(c.FirstSeen), "count": c.Count,
	})
	if err != nil {
		return Event{}, fmt.Errorf("encode an event: %w", err)
	}
	e := Event{ID: id, Type: t, Time: now.UTC(), Data: b}
	if len(connections) == 1 {
		e.Connection = connections[0]
	}
	return e, nil
}
