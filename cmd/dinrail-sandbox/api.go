package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is the most bytes that a call may send.
const maxBody = 1 << 20

// plantName is what whoami calls the plant.
const plantName = "Pump plant 7"

// routeAPI says which call is answered by what.
func (s *server) routeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/login", s.login)
	mux.Handle("/api/whoami", s.inSession(s.whoami))
	mux.Handle("/api/{collection}", s.inSession(s.onCollection))
	mux.Handle("/api/{collection}/{id}", s.inSession(s.onRecord))
	mux.Handle("/api/{collection}/{id}/{action}", s.inSession(s.onAction))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeFailure(w, fail(http.StatusNotFound, "notFound", "there is nothing here"))
	})
	return mux
}

// inSession lets only calls through that are logged in, and writes the error
// that a call ends with.
func (s *server) inSession(do func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := s.sessions.check(r)
		if err == nil {
			err = do(w, r)
		}
		if err != nil {
			writeFailure(w, err)
		}
	})
}

// login answers name and password with a token.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		writeFailure(w, fail(http.StatusMethodNotAllowed, "readOnly", "log in by POST"))
		return
	}
	var given struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	body, err := readBody(w, r)
	if err == nil {
		if err = strict(body, &given); err != nil {
			err = fail(http.StatusBadRequest, "badJson", "send {\"username\":…,\"password\":…}: %v", err)
		}
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	now, _ := s.switches.get()
	life := time.Duration(now.SessionSeconds) * time.Second
	token, err := s.sessions.login(given.Username, given.Password, s.user, now.Password, life)
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expiresIn"`
	}{token, now.SessionSeconds})
}

// whoami tells who is logged in, and what that login may do.
func (s *server) whoami(w http.ResponseWriter, _ *http.Request) error {
	now, _ := s.switches.get()
	rights := make(map[string][]string)
	for _, c := range collections() {
		switch {
		case slices.Contains(now.Deny, c.name):
		case c.readOnly:
			rights[c.name] = []string{"read"}
		default:
			rights[c.name] = []string{"read", "create", "change", "delete"}
		}
	}
	writeJSON(w, http.StatusOK, struct {
		User      string              `json:"user"`
		Plant     string              `json:"plant"`
		PlantTime string              `json:"plantTime"`
		Rights    map[string][]string `json:"rights"`
	}{s.user, plantName, s.plant.now().UTC().Format(instantLayout), rights})
	return nil
}

// collection finds the collection that a call is for, if the login has a right
// to it.
func (s *server) collection(r *http.Request) (collection, error) {
	name := r.PathValue("collection")
	c, ok := collectionNamed(name)
	if !ok {
		return c, fail(http.StatusNotFound, "notFound", "there is no collection %q", name)
	}
	if now, _ := s.switches.get(); slices.Contains(now.Deny, name) {
		return c, fail(http.StatusForbidden, "forbidden", "%s has no right to %s", s.user, name)
	}
	if r.Method != http.MethodGet && c.readOnly {
		return c, fail(http.StatusMethodNotAllowed, "readOnly", "%s is kept by the plant and cannot be written", name)
	}
	return c, nil
}

// onCollection lists records, or makes one.
func (s *server) onCollection(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet:
		return s.list(w, r, c)
	case http.MethodPost:
		given, err := readFields(w, r)
		if err != nil {
			return err
		}
		made, err := s.plant.insert(c, given)
		if err != nil {
			return err
		}
		return s.answer(w, http.StatusCreated, c, made)
	}
	return fail(http.StatusMethodNotAllowed, "readOnly", "a collection takes GET and POST")
}

// list answers a page.
func (s *server) list(w http.ResponseWriter, r *http.Request, c collection) error {
	q, err := parseQuery(c.name, r.URL.Query())
	if err != nil {
		return err
	}
	p := s.plant.list(c.name, q.since, q.after, q.size)
	now, _ := s.switches.get()
	body := []byte(`{"items":[`)
	for i, one := range p.records {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, s.plant.poisoned(c.name, one, now.Poison)...)
	}
	body = append(body, `],"nextCursor":`...)
	if p.more {
		body = strconv.AppendQuote(body, q.next(p.records[len(p.records)-1]))
	} else {
		body = append(body, "null"...)
	}
	body = append(body, `,"total":`...)
	body = strconv.AppendInt(body, int64(p.total), 10)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '}'))
	return nil
}

// onRecord reads, changes or deletes one record.
func (s *server) onRecord(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	id, err := pathID(r)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet:
		one := s.plant.get(c.name, id)
		if one == nil {
			return missing(c, id)
		}
		return s.answer(w, http.StatusOK, c, one)
	case http.MethodPatch:
		given, err := readFields(w, r)
		if err != nil {
			return err
		}
		expected, err := revisionOf(r, given)
		if err != nil {
			return err
		}
		changed, err := s.plant.patch(c, id, expected, given)
		if err != nil {
			return err
		}
		return s.answer(w, http.StatusOK, c, changed)
	case http.MethodDelete:
		expected, err := revisionOf(r, nil)
		if err != nil {
			return err
		}
		if err := s.plant.erase(c, id, expected); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return fail(http.StatusMethodNotAllowed, "readOnly", "a record takes GET, PATCH and DELETE")
}

// onAction does what a verb says.
func (s *server) onAction(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	id, err := pathID(r)
	if err != nil {
		return err
	}
	verb, ok := c.action(r.PathValue("action"))
	if !ok || r.Method != http.MethodPost {
		return fail(http.StatusNotFound, "notFound", "POST one of the actions of %s, there is no %q", c.name, r.PathValue("action"))
	}
	expected, err := revisionOf(r, nil)
	if err != nil {
		return err
	}
	changed, err := s.plant.act(c, id, expected, verb)
	if err != nil {
		return err
	}
	return s.answer(w, http.StatusOK, c, changed)
}

// answer writes one record.
func (s *server) answer(w http.ResponseWriter, status int, c collection, r *record) error {
	now, _ := s.switches.get()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(r.revision, 10)))
	w.WriteHeader(status)
	_, _ = w.Write(s.plant.poisoned(c.name, r, now.Poison))
	return nil
}

// pathID reads the id in a call's path.
func pathID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, fail(http.StatusNotFound, "notFound", "ids are whole numbers, %q is none", r.PathValue("id"))
	}
	return id, nil
}

// revisionOf reads which revision a write expects; zero is any. One in the body
// is taken out of it.
func revisionOf(r *http.Request, given fields) (int64, error) {
	if header := r.Header.Get("If-Match"); header != "" && header != "*" {
		n, err := strconv.ParseInt(strings.Trim(header, `"`), 10, 64)
		if err != nil || n < 1 {
			return 0, fail(http.StatusBadRequest, "badParameter", "If-Match must be a revision in quotes, as in ETag")
		}
		return n, nil
	}
	if inside, ok := given["revision"]; ok {
		delete(given, "revision")
		if n := wholeOf(inside); n > 0 {
			return n, nil
		}
		return 0, invalid(map[string]string{"revision": "must be the revision that was read"})
	}
	return 0, nil
}

// readBody reads what a call sends.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, fail(http.StatusRequestEntityTooLarge, "tooLarge", "a call may send %d bytes", maxBody)
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "badJson", "the call broke off: %v", err)
	}
	return body, nil
}

// readFields reads a JSON object.
func readFields(w http.ResponseWriter, r *http.Request) (fields, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	f, err := decodeObject(body)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, fail(http.StatusBadRequest, "badJson", "not JSON at byte %d: %v", syntax.Offset, err)
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "badJson", "send one JSON object: %v", err)
	}
	return f, nil
}
