package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Renewer seals anew what an older master key sealed.
type Renewer interface {
	// Renew returns the value sealed with the present key; the same bytes where
	// that has sealed them.
	Renew(sealed, additional []byte) ([]byte, error)
}

// Resealed counts what was sealed anew.
type Resealed struct {
	Connections int
	Endpoints   int
}

// Reseal brings the credentials of connections, and the secrets and headers of
// endpoints, under the present master key. It may be stopped at any point and
// done again; what it met in between is good under either key.
func Reseal(ctx context.Context, s *state.Store, r Renewer, now func() time.Time) (Resealed, error) {
	var out Resealed
	var err error
	out.Connections, err = reseal(ctx, s, state.KindConnection, now, func(c *host.Connection) (bool, error) {
		return renewed(r, Place(c.ID), &c.Credentials, &c.FileCredentials)
	})
	if err != nil {
		return out, err
	}
	out.Endpoints, err = reseal(ctx, s, state.KindEndpoint, now, func(e *host.Endpoint) (bool, error) {
		secrets := []*[]byte{&e.FileSecret}
		for i := range e.Secrets {
			secrets = append(secrets, &e.Secrets[i].Sealed)
		}
		did, err := renewed(r, e.SecretPlace(), secrets...)
		if err != nil {
			return false, err
		}
		headers, err := renewed(r, e.HeadersPlace(), &e.Headers)
		return did || headers, err
	})
	return out, err
}

// reseal renews the documents of a kind, a few in one step.
func reseal[T any](ctx context.Context, s *state.Store, kind state.Kind, now func() time.Time, renew func(*T) (bool, error)) (int, error) {
	var count int
	for after := ""; ; {
		part, err := state.List[T](ctx, s, kind, after, resealPage)
		if err != nil {
			return count, err
		}
		var puts []state.Put
		for i := range part {
			did, err := renew(&part[i].Value)
			if err != nil {
				return count, fmt.Errorf("seal %s %s anew: %w", kind, part[i].ID, err)
			}
			if !did {
				continue
			}
			put, err := state.PutOf(kind, part[i].ID, part[i].Revision, part[i].Value)
			if err != nil {
				return count, err
			}
			puts = append(puts, put)
		}
		if len(puts) > 0 {
			_, err := s.Commit(ctx, now().UTC(), puts, nil, nil)
			if errors.Is(err, state.ErrChanged) {
				continue // one of them was written in between: read them again
			}
			if err != nil {
				return count, fmt.Errorf("keep what was sealed anew: %w", err)
			}
			count += len(puts)
		}
		if len(part) < resealPage {
			return count, nil
		}
		after = part[len(part)-1].ID
	}
}

const resealPage = 100

// renewed renews sealed values that stand at one place, and says whether one of
// them changed.
func renewed(r Renewer, place []byte, all ...*[]byte) (bool, error) {
	changed := false
	for _, sealed := range all {
		if len(*sealed) == 0 {
			continue
		}
		fresh, err := r.Renew(*sealed, place)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(fresh, *sealed) {
			*sealed, changed = fresh, true
		}
	}
	return changed, nil
}
