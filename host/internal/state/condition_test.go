package state_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestConditionIsToldOnceAndOverOnce(t *testing.T) {
	s, _ := setup(t)
	n := 0
	newID := func(prefix string) string { n++; return fmt.Sprint(prefix, n) }
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	completed := 0
	raise := func(at time.Time) bool {
		told, err := s.Raise(t.Context(), host.Condition{Key: "plugin/x", Component: "plugin", Code: host.CodePluginCrashed}, at, newID, func(c *host.Condition) error {
			completed++
			c.Connections = []host.ConnectionID{"a", "b"}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if !raise(at) || raise(at.Add(time.Minute)) || raise(at.Add(2*time.Minute)) || completed != 1 {
		t.Error("a condition is told when it is first seen, and not again within the hour")
	}
	stands, err := state.All[host.Condition](t.Context(), s, state.KindCondition)
	if err != nil || len(stands) != 1 || stands[0].Value.Count != 3 {
		t.Fatalf("%+v %v", stands, err)
	}
	raise(at.Add(3 * time.Minute))
	if err := s.Look(t.Context(), stands[0], true, at.Add(4*time.Minute), newID); err != nil {
		t.Fatal(err)
	}
	if c, _, err := state.Get[host.Condition](t.Context(), s, state.KindCondition, "plugin/x"); err != nil || !c.RecoveredAt.IsZero() {
		t.Errorf("it was seen again meanwhile and is over: %v", err)
	}
	for _, after := range []time.Duration{5 * time.Minute, 6 * time.Minute, 2 * time.Hour} { // told once, then forgotten
		stands, err = state.All[host.Condition](t.Context(), s, state.KindCondition)
		if err != nil || len(stands) != 1 {
			t.Fatalf("%+v %v", stands, err)
		}
		if err := s.Look(t.Context(), stands[0], true, at.Add(after), newID); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := state.Get[host.Condition](t.Context(), s, state.KindCondition, "plugin/x"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("it still stands: %v", err)
	}
	events, err := s.Events(t.Context(), 0, 10)
	if err != nil || len(events) != 2 || events[0].Type != host.EventSystemError || events[1].Type != host.EventSystemRecovered {
		t.Fatalf("%+v %v", events, err)
	}
	var data struct {
		Key, Component, Code string
		Connections          []string
		Count                int
	}
	if err := json.Unmarshal(events[1].Data, &data); err != nil || data.Key != "plugin/x" || data.Code != "plugin_crashed" || data.Count != 4 || len(data.Connections) != 2 {
		t.Errorf("%s %v", events[1].Data, err)
	}
	if !raise(at.Add(3 * time.Hour)) {
		t.Error("after it was over it is told anew")
	}
}
