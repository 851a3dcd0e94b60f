package oauth

import (
	"context"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
)

// renewTimeout bounds how long a connector takes a new token.
const renewTimeout = 10 * time.Second

// Hold is an open connection, which is brought each new token.
type Hold struct {
	tokens *Tokens
	conn   host.Connection
	renew  func(ctx context.Context, access string) error

	mu      sync.Mutex // held while a token is brought
	has     string     // the token that the connection was brought last
	renewed error      // why it was not
	closed  bool
}

// Hold makes an open connection known, which has the access token, and is
// brought the next by renew. Release ends it.
func (t *Tokens) Hold(c *host.Connection, access string, renew func(ctx context.Context, access string) error) *Hold {
	h := &Hold{tokens: t, conn: *c, renew: renew, has: access}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entry(c)
	e.holders[h] = struct{}{}
	t.schedule(e, c)
	return h
}

// Release ends what Hold began.
func (h *Hold) Release() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.tokens.mu.Lock()
	defer h.tokens.mu.Unlock()
	if e := h.tokens.all[h.conn.ID]; e != nil {
		delete(e.holders, h)
		if len(e.holders) == 0 {
			if e.timer != nil {
				e.timer.Stop()
				e.timer = nil
			}
		}
	}
}

// bring brings a token into the connection, unless it has it.
func (h *Hold) bring(access string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.has == access && h.renewed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(h.tokens.ctx, renewTimeout)
	defer cancel()
	h.renewed = h.renew(ctx, access)
	h.has = access
}

// Ready makes sure that the connection has a token that holds, other than the
// one that the system refused ("": it refused none), and returns it.
func (h *Hold) Ready(ctx context.Context, refused string) (access string, err error) {
	if access, err = h.tokens.Access(ctx, &h.conn, refused); err != nil {
		return "", err
	}
	h.bring(access)
	h.mu.Lock()
	defer h.mu.Unlock()
	return access, h.renewed
}
