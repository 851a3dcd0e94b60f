package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Shelf keeps sealed data keys durably, one for a connection, and one value for
// the connection "" by which a master key is known again.
type Shelf interface {
	// Key returns what is kept for the connection, or nil.
	Key(ctx context.Context, c host.ConnectionID) ([]byte, error)
	// KeepKey keeps a value for a connection that has none, and returns what is
	// kept then.
	KeepKey(ctx context.Context, c host.ConnectionID, sealed []byte) ([]byte, error)
	// ReplaceKey puts a value in the place of another and says whether that
	// stood there.
	ReplaceKey(ctx context.Context, c host.ConnectionID, before, sealed []byte) (bool, error)
	// Connections returns those that have a key, after the one given, in order,
	// at most limit.
	Connections(ctx context.Context, after host.ConnectionID, limit int) ([]host.ConnectionID, error)
}

// Params is what sealing needs.
type Params struct {
	File  string      // of the master key; made at the first start
	Text  host.Secret // the master key itself, in place of a file; older ones in further lines
	Shelf Shelf
	Plain bool // leaves what belongs to a connection as it is; the host's own is always sealed
}

// Keys seals and opens with the master keyset and the data keys under it. Its
// methods may be called concurrently.
type Keys struct {
	master atomic.Pointer[ring]
	file   string // that master came from; "": it was given as a text
	shelf  Shelf
	plain  bool

	rotating sync.Mutex // held while master keys change and what they sealed is sealed anew

	mu    sync.RWMutex
	rings map[host.ConnectionID]*ring
	busy  map[host.ConnectionID]*fetch
}

// fetch is a data key that is being looked for, once for all who need it.
type fetch struct {
	done      chan struct{}
	ring      *ring
	err       error
	forgotten bool
}

// shelfTimeout bounds how long a data key is looked for: sealing has no context
// of its own.
const shelfTimeout = 30 * time.Second

// Open reads the master key, or makes one where nothing was ever sealed on the
// shelf, and makes sure that it is the one that everything there was sealed
// with. Its errors are *host.Error and say what to do.
func Open(ctx context.Context, p Params) (*Keys, error) {
	check, err := p.Shelf.Key(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read the key check: %w", err)
	}
	master, err := readMaster(p, check == nil)
	if err != nil {
		return nil, err
	}
	k := &Keys{
		shelf: p.Shelf, plain: p.Plain,
		rings: map[host.ConnectionID]*ring{}, busy: map[host.ConnectionID]*fetch{},
	}
	k.master.Store(master)
	if p.Text.Empty() {
		k.file = p.File
	}
	if check == nil {
		check, err = p.Shelf.KeepKey(ctx, "", master.seal(known, known))
		if err != nil {
			return nil, fmt.Errorf("keep the key check: %w", err)
		}
	}
	if plain, err := master.open(nil, check, known); err != nil || !bytes.Equal(plain, known) {
		where := "the master key in " + p.File
		if !p.Text.Empty() {
			where = "the master key given as host.key or by host.key_command"
		}
		return nil, keyError(errOpen, "%s is not the one that the stored data was sealed with: use the right key, or another data_dir", where)
	}
	return k, nil
}

// known is what the check value says.
var known = []byte("dinrail master key")

// Seal seals bytes with the connection's data key, which is made if there is
// none; "" is the host itself.
func (k *Keys) Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error) {
	switch {
	case c == "":
		return k.master.Load().seal(plain, additional), nil
	case k.plain:
		return append([]byte{formPlain}, plain...), nil
	}
	r, err := k.ring(c, true)
	if err != nil {
		return nil, err
	}
	return r.seal(plain, additional), nil
}

// Open opens sealed bytes. What the host sealed for itself opens whatever
// connection is named.
func (k *Keys) Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error) {
	return k.AppendOpen(make([]byte, 0, len(sealed)), c, sealed, additional)
}

// AppendOpen is Open, appending to dst, which sealed must not be a part of.
func (k *Keys) AppendOpen(dst []byte, c host.ConnectionID, sealed, additional []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, errOpen
	}
	switch sealed[0] {
	case formMaster:
		return k.master.Load().open(dst, sealed, additional)
	case formPlain:
		if c == "" {
			return nil, errOpen // the host's own is always sealed
		}
		return append(dst, sealed[1:]...), nil
	case formData:
		r, err := k.ring(c, false)
		if err != nil {
			return nil, err
		}
		return r.open(dst, sealed, additional)
	}
	return nil, fmt.Errorf("%w, or by a newer dinrail", errOpen)
}

// Moved returns a connection's data key sealed for another id, or nil where it
// has none.
func (k *Keys) Moved(ctx context.Context, from, to host.ConnectionID) ([]byte, error) {
	sealed, err := k.shelf.Key(ctx, from)
	if err != nil || sealed == nil {
		return nil, err
	}
	b, err := k.master.Load().open(nil, sealed, placeOf(from))
	if err != nil {
		return nil, fmt.Errorf("open the data key of connection %s: %w", from, err)
	}
	return k.master.Load().seal(b, placeOf(to)), nil
}

// Forget drops what is kept in memory of a connection's key.
func (k *Keys) Forget(c host.ConnectionID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rings, c)
	if f := k.busy[c]; f != nil {
		f.forgotten = true
		delete(k.busy, c)
	}
}

// ring returns the connection's data key.
func (k *Keys) ring(c host.ConnectionID, create bool) (*ring, error) {
	k.mu.RLock()
	r := k.rings[c]
	k.mu.RUnlock()
	if r != nil {
		return r, nil
	}
	for {
		r, again, err := k.fetched(c, create)
		if !again {
			return r, err
		}
	}
}

// errNoKey is returned by Open for a connection whose key was destroyed.
var errNoKey = errors.New("the connection has no key any more")

// fetched looks for the data key, or waits for who does. again says that
// another looked without making one.
func (k *Keys) fetched(c host.ConnectionID, create bool) (r *ring, again bool, err error) {
	k.mu.Lock()
	if r := k.rings[c]; r != nil {
		k.mu.Unlock()
		return r, false, nil
	}
	if f := k.busy[c]; f != nil {
		k.mu.Unlock()
		<-f.done
		return f.ring, create && errors.Is(f.err, errNoKey), f.err
	}
	f := &fetch{done: make(chan struct{})}
	k.busy[c] = f
	k.mu.Unlock()

	f.ring, f.err = k.fetch(c, create)

	k.mu.Lock()
	if !f.forgotten {
		delete(k.busy, c)
		if f.err == nil {
			k.rings[c] = f.ring
		}
	}
	k.mu.Unlock()
	close(f.done)
	return f.ring, false, f.err
}

func (k *Keys) fetch(c host.ConnectionID, create bool) (*ring, error) {
	ctx, cancel := context.WithTimeout(context.Background(), shelfTimeout)
	defer cancel()
	sealed, err := k.shelf.Key(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("read the data key of connection %s: %w", c, err)
	}
	if sealed == nil {
		if !create {
			return nil, errNoKey
		}
		if sealed, err = k.make(ctx, c); err != nil {
			return nil, fmt.Errorf("make a data key for connection %s: %w", c, err)
		}
	}
	b, err := k.master.Load().open(nil, sealed, placeOf(c))
	if err != nil {
		return nil, fmt.Errorf("open the data key of connection %s: %w", c, err)
	}
	h, err := unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("open the data key of connection %s: %w", c, err)
	}
	return newRing(formData, h)
}

// make makes a data key and keeps it, or returns the one that was kept in the
// meantime.
func (k *Keys) make(ctx context.Context, c host.ConnectionID) ([]byte, error) {
	h, err := newKeyset()
	if err != nil {
		return nil, err
	}
	b, err := marshal(h)
	if err != nil {
		return nil, err
	}
	return k.shelf.KeepKey(ctx, c, k.master.Load().seal(b, placeOf(c)))
}

// placeOf binds a data key to its connection.
func placeOf(c host.ConnectionID) []byte { return []byte("data key of " + c) }
