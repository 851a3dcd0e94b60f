package host_test

import (
	"fmt"
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

// Whatever comes and goes, the same condition is told to be there at most once
// an hour, and what was told last is true ten minutes later.
func TestConditionThatComesAndGoesIsToldOnceAnHour(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	seen := host.Condition{Key: "plugin/x", Component: "plugin"}
	for _, c := range []struct {
		name string
		at   []int // minutes at which it was seen
		want string
	}{
		{"once", []int{0}, "0 error, 10 recovered, 60 forgotten"},
		{"all the time", []int{0, 5, 14, 23, 32, 41, 50, 59, 68, 77}, "0 error, 68 error, 87 recovered, 128 forgotten"},
		{"back within the hour", []int{0, 20}, "0 error, 10 recovered, 60 forgotten"},
		{"back at the end of the hour", []int{0, 55}, "0 error, 10 recovered, 60 error, 65 recovered, 120 forgotten"},
		{"back after the hour", []int{0, 70}, "0 error, 10 recovered, 60 forgotten, 70 error, 80 recovered, 130 forgotten"},
	} {
		var stands *host.Condition
		var told []string
		for minute := range 200 {
			at := start.Add(time.Duration(minute) * time.Minute)
			for _, m := range c.at {
				if m != minute {
					continue
				}
				if stands == nil {
					stands = &host.Condition{}
				}
				if stands.Again(seen, at) {
					told = append(told, fmt.Sprint(minute, " error"))
				}
			}
			if stands == nil {
				continue
			}
			tell, forget := stands.Look(at.Sub(stands.LastSeen) >= 10*time.Minute, at)
			if tell != "" {
				told = append(told, fmt.Sprint(minute, strings.Replace(string(tell), "system.", " ", 1)))
			}
			if forget {
				told, stands = append(told, fmt.Sprint(minute, " forgotten")), nil
			}
		}
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
