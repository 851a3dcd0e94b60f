package state

import (
	"context"
	"errors"

	"github.com/dinrail/dinrail/host"
)

// Shelf keeps the sealed keys of connections as documents of an engine, and
// under the connection "" the value by which the master key is known again.
type Shelf struct{ engine Engine }

// NewShelf returns the shelf of an engine.
func NewShelf(engine Engine) Shelf { return Shelf{engine} }

// place returns which document it is.
func (Shelf) place(c host.ConnectionID) (Kind, string) {
	if c == "" {
		return KindKeyCheck, "master"
	}
	return KindDataKey, string(c)
}

// Key returns what is kept for the connection, or nil.
func (s Shelf) Key(ctx context.Context, c host.ConnectionID) ([]byte, error) {
	kind, id := s.place(c)
	d, err := s.engine.Document(ctx, 0, kind, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return d.Body, err
}

// KeepKey keeps a value for a connection that has none, and returns what is
// kept then.
func (s Shelf) KeepKey(ctx context.Context, c host.ConnectionID, sealed []byte) ([]byte, error) {
	kind, id := s.place(c)
	_, err := s.engine.Commit(ctx, 0, Change{Puts: []Put{{Kind: kind, ID: id, Expect: Absent, Body: sealed}}})
	if errors.Is(err, ErrChanged) {
		return s.Key(ctx, c)
	}
	return sealed, err
}
