package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
)

func TestConditionIsToldOnceAnHour(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var c host.Condition
	seen := host.Condition{Key: "plugin/x", Component: "plugin", Message: "it ended"}
	var told []time.Duration
	for after := time.Duration(0); after < 3*time.Hour; after += 7 * time.Minute {
		if c.Again(seen, at.Add(after)) {
			told = append(told, after)
		}
	}
	if len(told) != 3 || told[0] != 0 || told[1] < time.Hour || told[2]-told[1] < time.Hour {
		t.Errorf("told after %v", told)
	}
	if c.Count != 26 || !c.FirstSeen.Equal(at) || c.Message != "it ended" {
		t.Errorf("%+v", c)
	}
	e, err := c.Event("evt_1", host.EventSystemError, at)
	if err != nil || !strings.Contains(string(e.Data), `"connections":[],"count":26,"first_seen":"2026-01-02T03:04:05.000Z","key":"plugin/x"`) || e.Connection != "" {
		t.Errorf("%s %v", e.Data, err)
	}
	c.Connections = []host.ConnectionID{"plant"}
	if e, err = c.Event("evt_1", host.EventSystemError, at); err != nil || e.Connection != "plant" {
		t.Errorf("%+v %v", e, err)
	}
}
