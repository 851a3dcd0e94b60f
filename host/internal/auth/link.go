package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Prefixes of a connect session's link and of its id.
const (
	LinkPrefix    = "dcs_"
	SessionPrefix = "ses_"
)

// NewLink returns the secret for a connect session's link, and what is stored
// of it: the session's id and a hash.
func NewLink() (link string, id host.SessionID, hash []byte) {
	link, ref, hash := secret(LinkPrefix)
	return link, host.SessionID(SessionPrefix + ref), hash
}

var errNoSession = &host.Error{Code: host.CodeNotFound, Message: "this link opens nothing: it may be incomplete, or so old that it was forgotten; ask whoever sent it for a new one"}

// Session returns the connect session that a link's secret opens, whatever its
// status, and its revision. The error has host.CodeNotFound where there is
// none; it does not tell why.
func (a *Auth) Session(ctx context.Context, link string) (s host.ConnectSession, rev host.Sequence, err error) {
	err = a.guard.check(ctx, link, func() error {
		s, rev, err = a.session(ctx, link)
		return err
	})
	return s, rev, err
}

func (a *Auth) session(ctx context.Context, link string) (host.ConnectSession, host.Sequence, error) {
	rest, ok := strings.CutPrefix(link, LinkPrefix)
	if !ok || len(link) > 256 {
		return host.ConnectSession{}, 0, errNoSession
	}
	ref, ok := checked(rest)
	if !ok {
		return host.ConnectSession{}, 0, errNoSession
	}
	s, rev, err := state.Get[host.ConnectSession](ctx, a.store, state.KindSession, SessionPrefix+ref)
	if errors.Is(err, state.ErrNotFound) {
		return host.ConnectSession{}, 0, errNoSession
	}
	if err != nil {
		return host.ConnectSession{}, 0, fmt.Errorf("read session %s%s: %w", SessionPrefix, ref, err)
	}
	hash := sha256.Sum256([]byte(link))
	if subtle.ConstantTimeCompare(s.Hash, hash[:]) != 1 {
		return host.ConnectSession{}, 0, errNoSession
	}
	return s, rev, nil
}
