package main

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sessions are the logins that are open. They end with the process.
type sessions struct {
	mu     sync.Mutex
	now    func() time.Time
	open   map[string]time.Time // end by token
	logins int
	failed int
}

// login opens a session if name and password are right.
func (s *sessions) login(name, password, wantName, wantPassword string, life time.Duration) (string, error) {
	right := subtle.ConstantTimeCompare([]byte(name), []byte(wantName)) & subtle.ConstantTimeCompare([]byte(password), []byte(wantPassword))
	s.mu.Lock()
	defer s.mu.Unlock()
	if right != 1 {
		s.failed++
		return "", fail(http.StatusUnauthorized, "badLogin", "user name or password is wrong")
	}
	s.logins++
	now := s.now()
	for token, end := range s.open {
		if !now.Before(end) {
			delete(s.open, token)
		}
	}
	token := rand.Text()
	s.open[token] = now.Add(life)
	return token, nil
}

// check says why a request's session does not hold, or nil.
func (s *sessions) check(r *http.Request) error {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fail(http.StatusUnauthorized, "noSession", "log in by POST /api/login and send the token as Authorization: Bearer TOKEN")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.open[token]
	if !ok || !s.now().Before(end) {
		return fail(http.StatusUnauthorized, "sessionEnded", "this session has ended: log in again")
	}
	return nil
}

// endAll ends every session.
func (s *sessions) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.open)
}

// counts tells logins, failed logins, and open sessions.
func (s *sessions) counts() (logins, failed, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins, s.failed, len(s.open)
}

// resetCounts starts the counts of logins anew.
func (s *sessions) resetCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins, s.failed = 0, 0
}
