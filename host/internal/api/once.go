package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Requests that are made once however often they are sent: with an
// Idempotency-Key, the answer is stored, sealed, and told again for a day.
const (
	keyLife     = 24 * time.Hour
	sweepEvery  = time.Hour
	sweepAtOnce = 100
	longestKey  = 255      // bytes
	answerBound = 64 << 10 // bytes of an answer that is stored
)

// stored is what is kept for a key.
type stored struct {
	Request []byte    `json:"request"` // digest of method, path, connection and body
	At      time.Time `json:"at"`
	Done    bool      `json:"done"` // false: it runs, or the host ended in between
	Status  int       `json:"status,omitempty"`
	Type    string    `json:"type,omitempty"`   // Content-Type
	Answer  []byte    `json:"answer,omitempty"` // sealed: it may hold a token
}

// keys are those whose request runs in this process.
type keys struct {
	mu      sync.Mutex
	running map[string]bool

	sweeping  bool
	after     string // the key that the round has come to
	nextSweep time.Time
}

// codeOutcomeUnknown tells that nobody knows whether a request was done.
const codeOutcomeUnknown host.Code = "outcome_unknown"

var errInProgress = &host.Error{Code: host.CodeIdempotencyInProgress, Message: "the first request with this Idempotency-Key still runs; send it again in a moment"}

// once answers a route, and where the request has a key, only once.
func (a *API) once(c *call, r route) error {
	key := c.Header.Get("Idempotency-Key")
	if key == "" || c.Method == http.MethodGet || c.Method == http.MethodHead {
		return r.do(c)
	}
	if len(key) > longestKey {
		return faults{{"header.Idempotency-Key", "it must have 1 to 255 characters"}}
	}
	content, err := io.ReadAll(c.Body)
	if err != nil {
		return err
	}
	c.Body = io.NopCloser(bytes.NewReader(content))
	id, digest := c.keyOf(key), c.digestOf(content)
	if !a.keys.take(id) {
		return errInProgress
	}
	defer a.keys.release(id)
	a.sweepKeys(c)
	before, rev, err := state.Get[stored](c.Context(), a.Store, state.KindIdempotency, id)
	switch {
	case errors.Is(err, state.ErrNotFound):
		rev = state.Absent
	case err != nil:
		return err
	case a.Clock().Sub(before.At) < keyLife:
		return a.again(c, id, before, digest)
	}
	return a.first(c, r, id, rev, stored{Request: digest, At: a.Clock()})
}

// first answers a request whose key is new, and keeps the answer.
func (a *API) first(c *call, r route, id string, rev host.Sequence, mark stored) error {
	rev, err := a.keepKey(c.Context(), id, rev, mark)
	if err != nil {
		return err
	}
	rec := &recorder{ResponseWriter: c.w}
	c.w = rec
	if err := r.do(c); err != nil {
		a.problem(c, err)
	}
	ctx := context.WithoutCancel(c.Context())
	// What failed for a reason that may pass is not kept: it may be sent again.
	if rec.status == 0 || rec.status >= http.StatusInternalServerError || rec.body.Len() > answerBound {
		if _, err := a.Store.Commit(ctx, a.Clock(), []state.Put{state.Delete(state.KindIdempotency, id, state.Any)}, nil, nil); err != nil {
			a.Log.Error("forget a request's key", "request", c.id, "error", err)
		}
		return nil
	}
	mark.Done, mark.Status, mark.Type = true, rec.status, rec.Header().Get("Content-Type")
	if mark.Answer, err = a.Credentials.SealAnswer(id, rec.body.Bytes()); err == nil {
		_, err = a.keepKey(ctx, id, rev, mark)
	}
	if err != nil { // the answer is out: its repetition is told that the outcome is unknown
		a.Log.Error("keep the answer of a request with a key", "request", c.id, "error", err)
	}
	return nil
}

// again answers a request whose key is known.
func (a *API) again(c *call, id string, s stored, digest []byte) error {
	if !bytes.Equal(s.Request, digest) {
		return host.Errorf(host.CodeIdempotencyKeyReused, "this Idempotency-Key was used for another request within a day; use a new one")
	}
	if !s.Done {
		return host.Errorf(codeOutcomeUnknown, "the host stopped while it worked on this request, so its outcome is unknown; read what is there, then send it with a new Idempotency-Key")
	}
	answer, err := a.Credentials.OpenAnswer(id, s.Answer)
	if err != nil {
		return err
	}
	if s.Type != "" {
		c.w.Header().Set("Content-Type", s.Type)
	}
	c.w.Header().Set("Idempotent-Replayed", "true")
	c.w.WriteHeader(s.Status)
	_, _ = c.w.Write(answer) // a caller who went away is no error of ours
	return nil
}

// keyOf is the id under which a caller's key is kept: keys of different callers
// do not meet.
func (c *call) keyOf(key string) string {
	return hex.EncodeToString(digest(string(c.who.Token), c.who.Name, string(c.who.Connection), key)[:20])
}

// digestOf tells one request from another.
func (c *call) digestOf(content []byte) []byte {
	return digest(c.Method, c.URL.RequestURI(), string(c.conn.ID), string(content))
}

func digest(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func (k *keys) take(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running[id] {
		return false
	}
	if k.running == nil {
		k.running = map[string]bool{}
	}
	k.running[id] = true
	return true
}

func (k *keys) release(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, id)
}

func (a *API) keepKey(ctx context.Context, id string, expect host.Sequence, s stored) (host.Sequence, error) {
	put, err := state.PutOf(state.KindIdempotency, id, expect, s)
	if err != nil {
		return 0, err
	}
	return a.Store.Commit(ctx, a.Clock(), []state.Put{put}, nil, nil)
}

// sweepKeys forgets keys that are older than a day: a round an hour, a few keys
// with each request that has one, so that none waits for all.
func (a *API) sweepKeys(c *call) {
	now := a.Clock()
	after, due := a.keys.sweep(now)
	if !due {
		return
	}
	part, err := state.List[stored](c.Context(), a.Store, state.KindIdempotency, after, sweepAtOnce)
	var old []state.Put
	for _, v := range part {
		after = v.ID
		if now.Sub(v.Value.At) >= keyLife {
			old = append(old, state.Delete(state.KindIdempotency, v.ID, v.Revision))
		}
	}
	if err == nil && len(old) > 0 {
		_, err = a.Store.Commit(c.Context(), now, old, nil, nil)
	}
	if err != nil && !errors.Is(err, state.ErrChanged) {
		a.Log.Error("forget old requests' keys", "error", err)
	}
	a.keys.swept(now, after, err != nil || len(part) < sweepAtOnce)
}

// sweep says whether keys are to be looked at now, and after which: by one
// request at a time.
func (k *keys) sweep(now time.Time) (after string, due bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sweeping || now.Before(k.nextSweep) {
		return "", false
	}
	k.sweeping = true
	return k.after, true
}

// swept notes how far a round is.
func (k *keys) swept(now time.Time, after string, ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweeping, k.after = false, after
	if ended {
		k.after, k.nextSweep = "", now.Add(sweepEvery)
	}
}

// recorder keeps what it hands on.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(s int) {
	if r.status == 0 {
		r.status = s
	}
	r.ResponseWriter.WriteHeader(s)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}
