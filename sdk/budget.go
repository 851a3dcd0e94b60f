package sdk

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// What an answer asks for, within reason.
const (
	shortBlock   = 10 * time.Second // after "too many requests" without a word on when to come back
	longestBlock = time.Hour        // of what an answer may ask for
)

// budget is how many calls a login may make. All that is open with the login
// shares it: its syncs, its checks and live calls.
type budget struct {
	mu      sync.Mutex
	users   int       // open connections
	blocked time.Time // the system asked for no call before
}

// until returns before when no call may be made.
func (b *budget) until() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.blocked
}

// heed keeps all calls of the login back for as long as the answer asks. It
// returns until when, and whether that is news.
func (b *budget) heed(res *http.Response, now time.Time) (until time.Time, news bool) {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return time.Time{}, false
	}
	at := RetryAfter(res.Header, now)
	if at.IsZero() && res.StatusCode == http.StatusTooManyRequests {
		at = now.Add(shortBlock)
	}
	if limit := now.Add(longestBlock); at.After(limit) {
		at = limit
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !at.After(b.blocked) {
		return b.blocked, false
	}
	b.blocked = at
	return at, true
}

// budgets are those of all logins of the process.
type budgets struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*budget
}

// of returns the budget of a request's login; leave gives it back.
func (b *budgets) of(r *connectorv1.OpenRequest, now time.Time) (shared *budget, leave func(), err error) {
	login, err := json.Marshal([]any{r.GetSystem(), string(r.GetSettings()), r.GetAuth(), r.GetCredentials()}) // maps are sorted
	if err != nil {
		return nil, nil, err
	}
	key := sha256.Sum256(login)
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, old := range b.all { // nobody's, and asking for nothing any more
		if old.users == 0 && now.After(old.until()) {
			delete(b.all, k)
		}
	}
	shared = b.all[key]
	if shared == nil {
		shared = &budget{}
		b.all[key] = shared
	}
	shared.users++
	return shared, sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		shared.users--
	}), nil
}

// RetryAfter returns when an answer asks to come back; zero where it does not
// say (RFC 9110, section 10.2.3).
func RetryAfter(h http.Header, now time.Time) time.Time {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return now.Add(time.Duration(n) * time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return t
	}
	return time.Time{}
}
