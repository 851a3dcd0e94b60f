package main

import (
	"fmt"
	"maps"
	"net/http"
)

// Bounds of the one-off switches.
const (
	maxBeats   = 100_000
	maxCreated = 100_000
)

// routeControl says which switch is where.
func (s *server) routeControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control", func(w http.ResponseWriter, _ *http.Request) {
		now, _ := s.switches.get()
		writeJSON(w, http.StatusOK, now)
	})
	mux.Handle("POST /control", answering(s.setSwitches))
	mux.HandleFunc("POST /control/reset", func(w http.ResponseWriter, _ *http.Request) {
		before, after := s.switches.reset()
		if err := s.switched(before, after); err != nil {
			writeFailure(w, err)
			return
		}
		writeJSON(w, http.StatusOK, after)
	})
	mux.Handle("POST /control/delete", answering(s.controlDelete))
	mux.Handle("POST /control/change", answering(s.controlChange))
	mux.Handle("POST /control/create", answering(s.controlCreate))
	mux.Handle("POST /control/beat", answering(s.controlBeat))
	mux.HandleFunc("POST /control/end-sessions", func(w http.ResponseWriter, _ *http.Request) {
		s.sessions.endAll()
		writeJSON(w, http.StatusOK, struct{}{})
	})
	mux.HandleFunc("GET /control/stats", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, s.stats())
	})
	mux.HandleFunc("POST /control/stats/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.sessions.resetCounts()
		s.mu.Lock()
		s.requests = 0
		clear(s.calls)
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, s.stats())
	})
	return mux
}

// answering reads a body, and writes what comes of it.
func answering(do func(body []byte) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if err == nil {
			var answer any
			if answer, err = do(body); err == nil {
				writeJSON(w, http.StatusOK, answer)
				return
			}
		}
		writeFailure(w, err)
	})
}

// setSwitches puts the named switches to new positions.
func (s *server) setSwitches(body []byte) (any, error) {
	before, after, err := s.switches.set(body)
	if err != nil {
		return nil, err
	}
	return after, s.switched(before, after)
}

// switched does what follows from a change of switches.
func (s *server) switched(before, after settings) error {
	if before.Password == after.Password {
		return nil
	}
	s.sessions.endAll()
	return s.plant.keepPassword(after.Password)
}

// keepPassword writes a new password beside the records.
func (p *plant) keepPassword(password string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.journal == nil {
		return nil
	}
	return p.journal.append(entry{Password: &password})
}

// target is a record that a one-off switch is for.
type target struct {
	Collection string `json:"collection"`
	ID         int64  `json:"id,omitempty"`
	Fields     fields `json:"fields,omitempty"`
	Count      int    `json:"count,omitempty"`
}

// readTarget reads it, and finds its collection.
func readTarget(body []byte) (target, collection, error) {
	var t target
	if err := strict(body, &t); err != nil {
		return t, collection{}, fail(http.StatusBadRequest, "badJson", "send an object such as {\"collection\":\"workOrders\",\"id\":10001}: %v", err)
	}
	c, ok := collectionNamed(t.Collection)
	if !ok {
		return t, c, fail(http.StatusNotFound, "notFound", "there is no collection %q", t.Collection)
	}
	return t, c, nil
}

// controlDelete deletes a record, referred to or not.
func (s *server) controlDelete(body []byte) (any, error) {
	t, c, err := readTarget(body)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.plant.change(func(step *step) error {
		if _, err := step.current(c, t.ID, 0); err != nil {
			return err
		}
		step.remove(c.name, t.ID)
		return nil
	})
}

// controlChange changes a record, or touches it.
func (s *server) controlChange(body []byte) (any, error) {
	t, c, err := readTarget(body)
	if err != nil {
		return nil, err
	}
	if len(t.Fields) == 0 {
		t.Fields = fields{"externalKey": nil}
		if r := s.plant.get(c.name, t.ID); r != nil {
			t.Fields["externalKey"] = r.decode()["externalKey"]
		}
	}
	changed, err := s.plant.patch(c, t.ID, 0, t.Fields)
	if err != nil {
		return nil, err
	}
	return changed.decode(), nil
}

// controlCreate makes records in one step, all with the same stamp.
func (s *server) controlCreate(body []byte) (any, error) {
	t, c, err := readTarget(body)
	if err != nil {
		return nil, err
	}
	count := max(t.Count, 1)
	if count > maxCreated {
		return nil, fail(http.StatusBadRequest, "badParameter", "count must be at most %d", maxCreated)
	}
	ids := make([]int64, count)
	err = s.plant.change(func(step *step) error {
		w := &writing{step: step, problems: make(map[string]string)}
		f := w.create(c, t.Fields)
		if len(w.problems) > 0 {
			return invalid(w.problems)
		}
		for i := range ids {
			ids[i] = step.create(c.name, maps.Clone(f))
		}
		return nil
	})
	return struct {
		IDs []int64 `json:"ids"`
	}{ids}, err
}

// controlBeat lets the plant live for so many beats at once.
func (s *server) controlBeat(body []byte) (any, error) {
	given := struct {
		Count int `json:"count"`
	}{1}
	if len(body) > 0 {
		if err := strict(body, &given); err != nil {
			return nil, fail(http.StatusBadRequest, "badJson", "send {\"count\":10}: %v", err)
		}
	}
	if given.Count < 1 || given.Count > maxBeats {
		return nil, fail(http.StatusBadRequest, "badParameter", "count must be from 1 to %d", maxBeats)
	}
	for range given.Count {
		if err := s.life.beat(); err != nil {
			return nil, fmt.Errorf("beat: %w", err)
		}
	}
	return struct {
		Beats int64 `json:"beats"`
	}{s.life.beats.Load()}, nil
}

// stats are the numbers of what was called and what there is.
type stats struct {
	Logins       int            `json:"logins"`
	FailedLogins int            `json:"failedLogins"`
	Sessions     int            `json:"sessions"`
	Requests     int            `json:"requests"`
	Calls        map[string]int `json:"calls"`
	Beats        int64          `json:"beats"`
	Records      map[string]int `json:"records"`
}

func (s *server) stats() stats {
	all := stats{Beats: s.life.beats.Load(), Records: s.plant.counts()}
	all.Logins, all.FailedLogins, all.Sessions = s.sessions.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	all.Requests, all.Calls = s.requests, maps.Clone(s.calls)
	return all
}
