package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
)

// fault is something that goes wrong for a number of calls.
type fault struct {
	Requests   int    `json:"requests"`             // calls it still hits; -1: until switched off
	Only       string `json:"only,omitempty"`       // collection, login or whoami; empty: all
	RetryAfter *int   `json:"retryAfter,omitempty"` // of tooMany, in seconds
	Mode       string `json:"mode,omitempty"`       // of garbage: html, truncated
}

// poison is a record that is sent malformed.
type poison struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id,omitempty"`    // 0: the first
	Mode       string `json:"mode"`            // badtype, huge
	Field      string `json:"field,omitempty"` // empty: the first text field
}

// settings are the positions of all switches, as /control shows them.
type settings struct {
	Password       string   `json:"password"`
	Speed          float64  `json:"speed"`
	Frozen         bool     `json:"frozen"`
	Offline        string   `json:"offline"` // "", closed, 503
	DelayMs        int      `json:"delayMs"`
	SessionSeconds int      `json:"sessionSeconds"`
	TooMany        fault    `json:"tooMany"`
	Broken         fault    `json:"broken"`
	Garbage        fault    `json:"garbage"`
	Endless        fault    `json:"endless"`
	Deny           []string `json:"deny"`
	Poison         []poison `json:"poison"`
}

// switches hold the settings; whoever reads them gets a copy.
type switches struct {
	mu      sync.Mutex
	start   settings // what a reset goes back to
	current settings
	changed chan struct{} // closed, and made anew, when they change
}

// newSwitches stand as the program was started.
func newSwitches(start settings) *switches {
	start.Deny, start.Poison = []string{}, []poison{}
	return &switches{start: start, current: start, changed: make(chan struct{})}
}

// get tells the settings, and gives a channel that closes when they change.
func (s *switches) get() (settings, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.clone(), s.changed
}

// set puts the named switches to the given values, all or none.
func (s *switches) set(body []byte) (before, after settings, err error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return before, after, fail(http.StatusBadRequest, "badJson", "send an object of switches: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.current.clone()
	for name, value := range given {
		target, err := next.target(name)
		if err != nil {
			return before, after, err
		}
		target.SetZero()
		if err := strict(value, target.Addr().Interface()); err != nil {
			return before, after, fail(http.StatusBadRequest, "badParameter", "%s: %v", name, err)
		}
	}
	if err := next.check(); err != nil {
		return before, after, fail(http.StatusBadRequest, "badParameter", "%v", err)
	}
	before = s.current
	s.replace(next)
	return before, next.clone(), nil
}

// reset takes all faults off.
func (s *switches) reset() (before, after settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.current
	s.replace(s.start.clone())
	return before, s.current.clone()
}

func (s *switches) replace(next settings) {
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// takes says whether a fault hits a call, and counts it.
func (s *switches) takes(which func(*settings) *fault, target string) (fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := which(&s.current)
	if f.Requests == 0 || (f.Only != "" && f.Only != target) {
		return fault{}, false
	}
	if f.Requests > 0 {
		f.Requests--
	}
	return *f, true
}

func (s settings) clone() settings {
	s.Deny, s.Poison = slices.Clone(s.Deny), slices.Clone(s.Poison)
	if s.Deny == nil {
		s.Deny = []string{}
	}
	if s.Poison == nil {
		s.Poison = []poison{}
	}
	return s
}

// target finds a switch by its name.
func (s *settings) target(name string) (reflect.Value, error) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("json") == name {
			return v.Field(i), nil
		}
	}
	return reflect.Value{}, fail(http.StatusBadRequest, "badParameter", "there is no switch %q", name)
}

// check refuses positions that no switch has.
func (s *settings) check() error {
	switch {
	case s.Password == "":
		return fmt.Errorf("password must not be empty")
	case s.Speed < 0 || s.Speed > 1000:
		return fmt.Errorf("speed must be from 0 to 1000")
	case !slices.Contains([]string{"", "closed", "503"}, s.Offline):
		return fmt.Errorf(`offline must be "", "closed" or "503"`)
	case s.DelayMs < 0 || s.DelayMs > 600_000:
		return fmt.Errorf("delayMs must be from 0 to 600000")
	case s.SessionSeconds < 1:
		return fmt.Errorf("sessionSeconds must be at least 1")
	case s.Garbage.Requests != 0 && !slices.Contains([]string{"html", "truncated"}, s.Garbage.Mode):
		return fmt.Errorf(`garbage.mode must be "html" or "truncated"`)
	}
	for name, f := range map[string]fault{"tooMany": s.TooMany, "broken": s.Broken, "garbage": s.Garbage, "endless": s.Endless} {
		if f.Requests < -1 {
			return fmt.Errorf("%s.requests must be -1, 0 or a number of calls", name)
		}
		if f.Only != "" && f.Only != "login" && f.Only != "whoami" && !isCollection(f.Only) {
			return fmt.Errorf("%s.only: no collection is called %q", name, f.Only)
		}
	}
	for _, name := range s.Deny {
		if !isCollection(name) {
			return fmt.Errorf("deny: no collection is called %q", name)
		}
	}
	for _, p := range s.Poison {
		if err := p.check(); err != nil {
			return fmt.Errorf("poison: %w", err)
		}
	}
	return nil
}

func (p poison) check() error {
	c, ok := collectionNamed(p.Collection)
	if !ok {
		return fmt.Errorf("no collection is called %q", p.Collection)
	}
	if p.Mode != "badtype" && p.Mode != "huge" {
		return fmt.Errorf(`mode must be "badtype" or "huge"`)
	}
	if p.Field != "" && !slices.ContainsFunc(c.all(), func(f field) bool { return f.name == p.Field }) {
		return fmt.Errorf("%s has no field %q", p.Collection, p.Field)
	}
	return nil
}

// strict decodes JSON and refuses names that are not there.
func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}
