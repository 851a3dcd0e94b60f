package apply

import (
	"encoding/json"
	"time"

	"github.com/dinrail/dinrail/host"
)

var zero time.Time

type createdData struct {
	System    host.SystemName `json:"system"`
	Label     string          `json:"label"`
	SessionID string          `json:"session_id,omitempty"`
}

type statusData struct {
	Previous host.ConnectionStatus `json:"previous"`
	Status   host.ConnectionStatus `json:"status"`
	Reason   string                `json:"reason"`
	Since    string                `json:"since"`
}

func (c *comparison) event(t host.EventType, id host.ConnectionID, data any) host.Event {
	b, err := json.Marshal(data)
	if err != nil {
		b = []byte("{}") // only our own plain structs come here
	}
	return host.Event{ID: host.EventID(c.NewID("evt_")), Type: t, Time: c.at, Connection: id, Data: b}
}
