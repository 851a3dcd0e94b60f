package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// faulty stands before the API and does to its answers what the switches say.
func (s *server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
		s.count(r.Method, target)
		now, _ := s.switches.get()
		if now.DelayMs > 0 {
			select {
			case <-time.After(time.Duration(now.DelayMs) * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
		switch now.Offline {
		case "closed":
			reset(w)
			return
		case "503":
			writeFailure(w, fail(http.StatusServiceUnavailable, "down", "the plant's system is down for maintenance"))
			return
		}
		if s.struck(w, r, target) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// struck answers in the place of the API if a fault hits the call.
func (s *server) struck(w http.ResponseWriter, r *http.Request, target string) bool {
	if f, ok := s.switches.takes(func(all *settings) *fault { return &all.TooMany }, target); ok {
		if f.RetryAfter != nil {
			w.Header().Set("Retry-After", strconv.Itoa(*f.RetryAfter))
		}
		writeFailure(w, fail(http.StatusTooManyRequests, "tooMany", "too many calls: slow down"))
		return true
	}
	if _, ok := s.switches.takes(func(all *settings) *fault { return &all.Broken }, target); ok {
		writeFailure(w, fail(http.StatusInternalServerError, "broken", "something went wrong in the plant's system"))
		return true
	}
	if f, ok := s.switches.takes(func(all *settings) *fault { return &all.Garbage }, target); ok {
		garbage(w, f.Mode)
		return true
	}
	if _, ok := s.switches.takes(func(all *settings) *fault { return &all.Endless }, target); ok {
		endless(w, r)
		return true
	}
	return false
}

// reset ends the connection without an answer, as if nobody listened.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// garbage answers 200 with what is no JSON, or with JSON that breaks off.
func garbage(w http.ResponseWriter, mode string) {
	if mode == "html" {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>Gateway</title><h1>Please sign in to the plant network</h1>"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"items":[{"id":10001,"orderNo":"WO-10001","title":"Replace mech`))
}

// endless answers with a list that goes on until the caller has had enough.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write([]byte(`{"total":1,"nextCursor":null,"items":[{}`)); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte(`,{"title":"and one more"}`), 2000)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		time.Sleep(2 * time.Millisecond) // the caller's memory is the point, not the processor
	}
}

// poisoned gives a record's body as it is sent: spoilt, if a switch says so.
func (p *plant) poisoned(name string, r *record, all []poison) []byte {
	for _, one := range all {
		if one.Collection != name || r.id != p.poisonID(one) {
			continue
		}
		spoilt := any(fields{"oops": []any{1, 2, 3}})
		if one.Mode == "huge" {
			spoilt = strings.Repeat("x", 2<<20)
		}
		f := r.decode()
		f[p.poisonField(one)] = spoilt
		if body, err := json.Marshal(f); err == nil {
			return body
		}
	}
	return r.body
}

// poisonID is the record that a poison is meant for.
func (p *plant) poisonID(one poison) int64 {
	if one.ID != 0 {
		return one.ID
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if t := p.tables[one.Collection]; len(t.byID) > 0 {
		return t.byID[0].id
	}
	return 0
}

// poisonField is the field that a poison is put into.
func (p *plant) poisonField(one poison) string {
	if one.Field != "" {
		return one.Field
	}
	for _, f := range p.tables[one.Collection].fields {
		if f.kind == kindText {
			return f.name
		}
	}
	return "externalKey"
}
