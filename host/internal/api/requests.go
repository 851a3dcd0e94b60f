package api

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Request is one call, of the API or of a connector to its system, as the
// request log keeps it: no bodies, no ids in the path of a system's.
type Request struct {
	Number       uint64            `json:"number"` // grows
	At           time.Time         `json:"-"`
	Kind         string            `json:"kind"` // api, system
	Connection   host.ConnectionID `json:"connection_id,omitempty"`
	Method       string            `json:"method"`
	Path         string            `json:"path"`
	Status       int               `json:"status"` // 0: no answer
	Milliseconds float64           `json:"ms"`
	Bytes        int64             `json:"bytes"` // of the answer
	RequestID    string            `json:"request_id,omitempty"`
	Who          string            `json:"who,omitempty"`
	Error        string            `json:"error,omitempty"`
}

// requestsKept bounds the request log: the newest stay, in memory.
const requestsKept = 20_000

// requestLog is a ring of the last calls. It may be used concurrently.
type requestLog struct {
	mu   sync.Mutex
	ring []Request
	next uint64 // the number of the next one
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Number = l.next + 1
	if len(l.ring) < requestsKept {
		l.ring = append(l.ring, r)
	} else {
		l.ring[l.next%requestsKept] = r
	}
	l.next++
}

// before returns calls that are chosen, newest first, below a number (0: all),
// at most limit, and whether there are more.
func (l *requestLog) before(number uint64, limit int, chosen func(*Request) bool) (out []Request, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range len(l.ring) {
		r := &l.ring[(l.next-1-uint64(i))%requestsKept] //nolint:gosec // i is below the ring's length
		if number != 0 && r.Number >= number || !chosen(r) {
			continue
		}
		if len(out) == limit {
			return out, true
		}
		out = append(out, *r)
	}
	return out, false
}

// Called takes a call that a connector made to its system.
func (a *API) Called(r Request) {
	r.Kind = "system"
	a.requests.add(r)
}

// requestView is a call as it is shown.
type requestView struct {
	Request
	At stamp `json:"at"`
}

// listRequests answers the request log, newest first.
func (a *API) listRequests(c *call) error {
	q := c.q
	since, until := q.time("since"), q.time("until")
	limit, place := q.limit(), c.place()
	status := 0
	if text := q.values.Get("status"); text != "" {
		var err error
		if status, err = strconv.Atoi(text); err != nil {
			q.fault("status", "it must be a number such as 429")
		}
	}
	kind := q.values.Get("kind")
	if kind != "" && kind != "api" && kind != "system" {
		q.fault("kind", "it is api or system")
	}
	if err := q.err(); err != nil {
		return err
	}
	var number uint64
	if place != "" {
		var err error
		if number, err = strconv.ParseUint(place, 10, 64); err != nil {
			return errNoCursor
		}
	}
	of, id := host.ConnectionID(q.values.Get("connection")), q.values.Get("request_id")
	found, more := a.requests.before(number, limit, func(r *Request) bool {
		return (of == "" || r.Connection == of) && (id == "" || r.RequestID == id) && (kind == "" || r.Kind == kind) && (!q.values.Has("status") || r.Status == status) &&
			(since.IsZero() || !r.At.Before(since)) && (until.IsZero() || r.At.Before(until)) &&
			(!c.who.Limited() || r.Connection != "" && c.who.Covers(r.Connection))
	})
	out := list[requestView]{Data: make([]requestView, len(found)), HasMore: more}
	for i, r := range found {
		out.Data[i] = requestView{r, stamp(r.At)}
		place = strconv.FormatUint(r.Number, 10)
	}
	out.NextCursor = c.cursorOf(place)
	a.write(c, http.StatusOK, out)
	return nil
}

// asked takes a call of the API into the request log. Its path is that of its
// route, with what stands in it: ids of records are not secret here, queries may
// be.
func (a *API) asked(c *call, started time.Time, took time.Duration, w *statusWriter) {
	of := c.who.Connection
	if of == "" {
		of = cmp.Or(host.ConnectionID(c.PathValue("connection")), c.conn.ID)
	}
	a.requests.add(Request{
		At: started.UTC(), Kind: "api", Connection: of, Method: c.Method, Path: c.URL.Path, Status: cmp.Or(w.status, http.StatusOK),
		Milliseconds: float64(took.Microseconds()) / 1000, Bytes: w.bytes, RequestID: c.id, Who: cmp.Or(c.who.Name, string(c.who.Token)),
	})
}
