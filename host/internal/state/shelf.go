package state

import (
	"bytes"
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

// ReplaceKey puts a value in the place of another and says whether that stood
// there.
func (s Shelf) ReplaceKey(ctx context.Context, c host.ConnectionID, before, sealed []byte) (bool, error) {
	kind, id := s.place(c)
	d, err := s.engine.Document(ctx, 0, kind, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !bytes.Equal(d.Body, before):
		return false, nil
	case bytes.Equal(d.Body, sealed):
		return true, nil
	}
	_, err = s.engine.Commit(ctx, 0, Change{Puts: []Put{{Kind: kind, ID: id, Expect: d.Revision, Body: sealed}}})
	if errors.Is(err, ErrChanged) {
		return false, nil
	}
	return err == nil, err
}

// Connections returns those that have a key, after the one given, in order, at
// most limit.
func (s Shelf) Connections(ctx context.Context, after host.ConnectionID, limit int) ([]host.ConnectionID, error) {
	ds, err := s.engine.Documents(ctx, 0, KindDataKey, string(after), limit)
	if err != nil {
		return nil, err
	}
	out := make([]host.ConnectionID, len(ds))
	for i := range ds {
		out[i] = host.ConnectionID(ds[i].ID)
	}
	return out, nil
}
