package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// server answers the API, the switches and the page.
type server struct {
	user     string
	plant    *plant
	life     *life
	sessions *sessions
	switches *switches

	mu       sync.Mutex
	requests int
	calls    map[string]int
}

// newServer puts an API before a plant.
func newServer(user string, p *plant, l *life, w *switches) *server {
	return &server{
		user: user, plant: p, life: l, switches: w,
		sessions: &sessions{now: p.now, open: make(map[string]time.Time)},
		calls:    make(map[string]int),
	}
}

// handler is everything that the program answers.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", s.faulty(s.routeAPI()))
	mux.Handle("/control", s.ownMachine(s.routeControl()))
	mux.Handle("/control/", s.ownMachine(s.routeControl()))
	mux.Handle("/", s.ownMachine(routePage()))
	return mux
}

// count keeps the numbers that /control/stats tells.
func (s *server) count(method, target string) {
	if target != "login" && target != "whoami" && !isCollection(target) {
		target = "elsewhere"
	}
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete}, method) {
		method = "OTHER"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.calls[method+" "+target]++
}

// ownMachine answers only to callers on this machine, and only to pages that
// come from here: what is behind it needs no login.
func (s *server) ownMachine(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() || !isOwnName(r.Host) {
			writeFailure(w, fail(http.StatusForbidden, "forbidden", "the switches answer only to the plant's own machine, under localhost or a loopback address"))
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// isOwnName says whether a Host header names this machine, so that no foreign
// name that resolves to it is taken for it.
func isOwnName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
