package host

import (
	"encoding/json"
	"fmt"
	"time"
)

// Condition is something in the host itself that is not as it should be: what
// system.error and system.recovered tell of. It is kept until an hour after it
// was told, so that the same one is told once an hour however often it comes
// and goes.
type Condition struct {
	Key         string         `json:"key"` // component and what of it: "plugin/tryton.tryton"
	Severity    string         `json:"severity"`
	Component   string         `json:"component"` // plugin, trigger …
	Code        Code           `json:"code"`
	Message     string         `json:"message"`
	Connections []ConnectionID `json:"connections"`
	FirstSeen   time.Time      `json:"first_seen"`
	LastSeen    time.Time      `json:"last_seen"`
	Count       int            `json:"count"` // how often it was seen since FirstSeen
	ToldAt      time.Time      `json:"told_at"`
	// RecoveredAt is when it was told to be over; zero while the last that was
	// told is that it is there.
	RecoveredAt time.Time `json:"recovered_at,omitzero"`
}

// Keys of conditions, or what stands before the id of what they are about.
const (
	PluginCondition   = "plugin/"
	EndpointCondition = "endpoint/"
	DiskCondition     = "state/disk"
)

// ToldEvery is how often the same condition makes an event at most.
const ToldEvery = time.Hour

// Again takes in that the condition was seen once more, and says whether that is
// to be told: once an hour.
func (c *Condition) Again(seen Condition, now time.Time) (tell bool) {
	before := *c
	*c = seen
	if c.Connections == nil {
		c.Connections = before.Connections
	}
	c.FirstSeen, c.Count, c.ToldAt, c.RecoveredAt = before.FirstSeen, before.Count, before.ToldAt, before.RecoveredAt
	if c.FirstSeen.IsZero() || !c.RecoveredAt.IsZero() && !c.FirstSeen.After(c.RecoveredAt) {
		c.FirstSeen, c.Count = now.UTC(), 0 // it was over
	}
	c.LastSeen = now.UTC()
	c.Count++
	if !c.ToldAt.IsZero() && now.Sub(c.ToldAt) < ToldEvery {
		return false
	}
	c.ToldAt, c.RecoveredAt = now.UTC(), time.Time{}
	return true
}

// Look says what is to be told of the condition now ("": nothing), and whether
// it can be forgotten. over says that it is no longer there.
func (c *Condition) Look(over bool, now time.Time) (tell EventType, forget bool) {
	hour := now.Sub(c.ToldAt) >= ToldEvery
	back := !c.RecoveredAt.IsZero() && c.LastSeen.After(c.RecoveredAt)
	switch {
	case c.RecoveredAt.IsZero() && over:
		c.RecoveredAt = now.UTC()
		return EventSystemRecovered, false
	case back && !over && hour: // it came back within the hour, and stayed
		c.ToldAt, c.RecoveredAt = now.UTC(), time.Time{}
		return EventSystemError, false
	case over && hour:
		return "", true
	}
	return "", false
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
