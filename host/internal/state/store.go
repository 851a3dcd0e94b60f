package state

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Sealer seals and opens bytes with the data key of a connection; "" is the
// host's own, and what was sealed with that opens whatever connection is named.
// The additional data binds the bytes to their place: opened
// elsewhere they are refused. It is called concurrently.
type Sealer interface {
	Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error)
	Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error)
	// AppendOpen is Open, appending to dst, which sealed must not be a part of.
	AppendOpen(dst []byte, c host.ConnectionID, sealed, additional []byte) ([]byte, error)
	// Forget drops what is kept in memory of a connection's key.
	Forget(c host.ConnectionID)
}

// Store is an engine with what all engines share: sealing of records and
// events, bounds, typed documents. Stages use it by the few methods that they
// declare. All its methods may be called concurrently.
type Store struct {
	engine Engine
	sealer Sealer
	recent *recent
	fresh  fresh
}

// NewStore returns a store on the engine.
func NewStore(engine Engine, sealer Sealer) *Store {
	return &Store{engine: engine, sealer: sealer, recent: newRecent()}
}

// Engine returns the engine below.
func (s *Store) Engine() Engine { return s.engine }

// Partition returns where a connection lives.
func (s *Store) Partition(host.ConnectionID) host.Partition { return 0 }

// Close closes the engine.
func (s *Store) Close() error { return s.engine.Close() }

// Get reads a document into a T; ErrNotFound if there is none.
func Get[T any](ctx context.Context, s *Store, kind Kind, id string) (T, host.Sequence, error) {
	var v T
	d, err := s.engine.Document(ctx, 0, kind, id)
	if err != nil {
		return v, 0, err
	}
	if err := json.Unmarshal(d.Body, &v); err != nil {
		return v, 0, fmt.Errorf("decode %s %q: %w", kind, id, err)
	}
	return v, d.Revision, nil
}

// Versioned is a document with its revision.
type Versioned[T any] struct {
	ID       string
	Revision host.Sequence
	Value    T
}

// List reads the documents of a kind after an id, at most limit, in order of
// id. One that cannot be decoded ends the list with an error that names it.
func List[T any](ctx context.Context, s *Store, kind Kind, after string, limit int) ([]Versioned[T], error) {
	ds, err := s.engine.Documents(ctx, 0, kind, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Versioned[T], len(ds))
	for i, d := range ds {
		out[i].ID, out[i].Revision = d.ID, d.Revision
		if err := json.Unmarshal(d.Body, &out[i].Value); err != nil {
			return nil, fmt.Errorf("decode %s %q: %w", kind, d.ID, err)
		}
	}
	return out, nil
}

// All reads all documents of a kind.
func All[T any](ctx context.Context, s *Store, kind Kind) ([]Versioned[T], error) {
	var out []Versioned[T]
	after := ""
	for {
		part, err := List[T](ctx, s, kind, after, host.MaxListLimit)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
		if len(part) < host.MaxListLimit {
			return out, nil
		}
		after = part[len(part)-1].ID
	}
}

// PutOf encodes a document for a Change.
func PutOf(kind Kind, id string, expect host.Sequence, v any) (Put, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Put{}, fmt.Errorf("encode %s %q: %w", kind, id, err)
	}
	return Put{Kind: kind, ID: id, Expect: expect, Body: b, Connection: ownerOf(v)}, nil
}

// ownerOf returns the connection that a document goes with when it is removed.
func ownerOf(v any) host.ConnectionID {
	switch v := v.(type) {
	case host.Token:
		return v.Connection
	case *host.Token:
		return v.Connection
	case host.Wish:
		return v.Connection
	case *host.Wish:
		return v.Connection
	}
	return ""
}

// Delete is a Put that deletes.
func Delete(kind Kind, id string, expect host.Sequence) Put {
	return Put{Kind: kind, ID: id, Expect: expect}
}

// Commit applies documents, events and queued runs in one step. Events carry
// their data in clear; it is sealed here.
func (s *Store) Commit(ctx context.Context, at time.Time, puts []Put, events []host.Event, queue []host.Run) (host.Sequence, error) {
	sealed, err := s.sealEvents(events)
	if err != nil {
		return 0, err
	}
	size := 0
	for _, p := range puts {
		if len(p.Body) > host.MaxValueBytes {
			return 0, host.Errorf(host.CodeTooLarge, "the %s %q has %d bytes; at most %d are kept", p.Kind, p.ID, len(p.Body), host.MaxValueBytes)
		}
		size += len(p.Body)
	}
	for _, e := range sealed {
		size += len(e.Sealed)
	}
	if n := len(puts) + len(events) + len(queue); n > host.MaxStepItems || size > host.MaxStepBytes {
		return 0, host.Errorf(host.CodeTooLarge, "a step of %d items and %d bytes; at most %d and %d go together", n, size, host.MaxStepItems, host.MaxStepBytes)
	}
	seq, err := s.engine.Commit(ctx, 0, Change{At: at, Puts: puts, Events: sealed, Queue: queue})
	if !refused(err) {
		s.recent.add(puts, queue) // also where it is unclear whether it was done
	}
	if err == nil {
		s.fresh.add(events, seq)
	}
	return seq, err
}

// refused says whether err tells for sure that nothing was changed.
func refused(err error) bool {
	for _, r := range []error{ErrNotFound, ErrChanged, ErrRunning, ErrFenced, ErrPurged, ErrClosed} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

func (s *Store) sealEvents(events []host.Event) ([]Event, error) {
	out := make([]Event, len(events))
	for i, e := range events {
		c := e.Connection
		if e.Type == host.EventConnectionRemoved {
			c = "" // the connection's own key goes with it
		}
		sealed, err := s.sealer.Seal(c, e.Data, []byte(e.ID))
		if err != nil {
			return nil, fmt.Errorf("seal event %s: %w", e.ID, err)
		}
		e.Data = nil
		out[i] = Event{Event: e, Sealed: sealed}
	}
	return out, nil
}

// Events returns events after a sequence. One whose connection was removed has
// null data.
func (s *Store) Events(ctx context.Context, after host.Sequence, limit int) ([]host.Event, error) {
	stored, err := s.engine.Events(ctx, 0, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]host.Event, len(stored))
	for i := range stored {
		out[i] = s.openEvent(&stored[i])
	}
	return out, nil
}

// BeginRun is Runs.BeginRun.
func (s *Store) BeginRun(ctx context.Context, b Begin) (Lease, error) {
	return s.engine.BeginRun(ctx, s.Partition(b.Run.Connection), b)
}

// SealRecord returns the sealed form of a record's body and raw, and the hash
// of all that the connector sent for it. The error is a *host.Error with
// CodeTooLarge for a record over its bound.
func (s *Store) SealRecord(c host.ConnectionID, e host.EntityName, r *host.Received) ([]byte, error) {
	n := len(r.Body) + len(r.Raw)
	if n > host.MaxValueBytes {
		return nil, host.Errorf(host.CodeTooLarge, "record %q has %d bytes; at most %d are kept", r.ID, n, host.MaxValueBytes)
	}
	plain := make([]byte, 0, n+binary.MaxVarintLen64)
	plain = binary.AppendUvarint(plain, uint64(len(r.Body)))
	plain = append(plain, r.Body...)
	plain = append(plain, r.Raw...)
	return s.sealer.Seal(c, plain, place(e, r.ID))
}

// HashOf returns the digest of all that a connector sent for a record.
func HashOf(r *host.Received) host.Hash {
	h := sha256.New()
	var head [25]byte
	binary.BigEndian.PutUint64(head[0:], uint64(len(r.Body)))
	binary.BigEndian.PutUint64(head[8:], uint64(unixMicro(r.CreatedAt)))
	binary.BigEndian.PutUint64(head[16:], uint64(unixMicro(r.UpdatedAt)))
	if r.Deleted {
		head[24] = 1
	}
	h.Write(head[:])
	h.Write(r.Body)
	h.Write(r.Raw)
	var sum [sha256.Size]byte
	return host.Hash(h.Sum(sum[:0])[:16])
}

func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// place binds sealed bytes to the record that they belong to.
func place(e host.EntityName, id host.RecordID) []byte {
	return appendPlace(make([]byte, 0, len(e)+1+len(id)), e, id)
}

func appendPlace(b []byte, e host.EntityName, id host.RecordID) []byte {
	b = append(b, e...)
	b = append(b, 0)
	return append(b, id...)
}

// open opens a stored record.
func (s *Store) open(c host.ConnectionID, st *Stored) (host.Record, error) {
	var o opened
	return s.openInto(&o, c, st)
}

// opened is memory that records are opened into, one after the other.
type opened struct{ plain, place []byte }

func (s *Store) openInto(o *opened, c host.ConnectionID, st *Stored) (host.Record, error) {
	r := host.Record{
		Connection: c, Entity: st.Entity, ID: st.ID, Sequence: st.Sequence, Operation: st.Operation,
		CreatedAt: st.CreatedAt, UpdatedAt: st.UpdatedAt, SyncedAt: st.SyncedAt, Hash: st.Hash,
	}
	if st.Operation == host.Deleted {
		r.DeletedAt = st.SyncedAt
	}
	o.place = appendPlace(o.place[:0], st.Entity, st.ID)
	plain, err := s.sealer.AppendOpen(o.plain[:0], c, st.Sealed, o.place)
	if err != nil {
		return r, fmt.Errorf("open %s %q of connection %s: %w", st.Entity, st.ID, c, err)
	}
	o.plain = plain
	n, w := binary.Uvarint(plain)
	if w <= 0 || uint64(len(plain)-w) < n {
		return r, fmt.Errorf("open %s %q of connection %s: malformed", st.Entity, st.ID, c)
	}
	r.Body = plain[w : w+int(n) : w+int(n)]
	if raw := plain[w+int(n):]; len(raw) > 0 {
		r.Raw = raw
	}
	return r, nil
}

// Heads is Records.Heads.
func (s *Store) Heads(ctx context.Context, c host.ConnectionID, e host.EntityName, ids []host.RecordID) ([]Head, host.Sequence, error) {
	return s.engine.Heads(ctx, s.Partition(c), c, e, ids)
}

// CommitPage is Runs.CommitPage, refusing what exceeds a bound.
func (s *Store) CommitPage(ctx context.Context, step PageStep) (host.Sequence, error) {
	size := 0
	for i := range step.Records {
		size += len(step.Records[i].Sealed)
	}
	if n := len(step.Records); n > host.MaxStepItems || size > host.MaxStepBytes {
		return 0, host.Errorf(host.CodeTooLarge, "a page of %d records and %d bytes; at most %d and %d go together", n, size, host.MaxStepItems, host.MaxStepBytes)
	}
	return s.engine.CommitPage(ctx, s.Partition(step.Connection), step)
}

// Unseen is Runs.Unseen.
func (s *Store) Unseen(ctx context.Context, step PageStep, after host.RecordID, limit int) ([]host.RecordID, error) {
	return s.engine.Unseen(ctx, s.Partition(step.Connection), step, after, limit)
}

// EndRun is Runs.EndRun, with the events' data in clear.
func (s *Store) EndRun(ctx context.Context, o Outcome, events []host.Event) error {
	sealed, err := s.sealEvents(events)
	if err != nil {
		return err
	}
	o.Events = sealed
	return s.engine.EndRun(ctx, s.Partition(o.Connection), o)
}

// Syncs is History.Syncs.
func (s *Store) Syncs(ctx context.Context, c host.ConnectionID) ([]host.Sync, error) {
	return s.engine.Syncs(ctx, s.Partition(c), c)
}

// Run is History.Run.
func (s *Store) Run(ctx context.Context, c host.ConnectionID, id host.RunID) (host.Run, error) {
	return s.engine.Run(ctx, s.Partition(c), c, id)
}

// Runs is History.Runs.
func (s *Store) Runs(ctx context.Context, c host.ConnectionID, e host.EntityName, before host.RunID, limit int) ([]host.Run, error) {
	return s.engine.Runs(ctx, s.Partition(c), c, e, before, limit)
}

// Record returns one record, opened. ErrNotFound if there is none.
func (s *Store) Record(ctx context.Context, c host.ConnectionID, e host.EntityName, id host.RecordID) (host.Record, error) {
	var r host.Record
	err := s.engine.Record(ctx, s.Partition(c), c, e, id, func(st *Stored) error {
		var err error
		r, err = s.open(c, st)
		return err
	})
	return r, err
}

// Feed hands records to yield, opened, ascending by sequence, until it returns
// false. The bytes of a record's body and raw are lent until it returns.
func (s *Store) Feed(ctx context.Context, f Feed, yield func(*host.Record) (bool, error)) error {
	var o opened
	return s.engine.Feed(ctx, s.Partition(f.Connection), f, func(st *Stored) (bool, error) {
		r, err := s.openInto(&o, f.Connection, st)
		if err != nil {
			return false, err
		}
		return yield(&r)
	})
}

// Wait is Log.Wait for the partition of a connection ("": the host's).
func (s *Store) Wait(ctx context.Context, c host.ConnectionID, after host.Sequence) (host.Sequence, error) {
	return s.engine.Wait(ctx, s.Partition(c), after)
}

// Position is Log.Position for the partition of a connection.
func (s *Store) Position(ctx context.Context, c host.ConnectionID) (host.Sequence, uint32, error) {
	return s.engine.Position(ctx, s.Partition(c))
}

// SequenceAt is Log.SequenceAt for the partition of a connection.
func (s *Store) SequenceAt(ctx context.Context, c host.ConnectionID, t time.Time) (host.Sequence, error) {
	return s.engine.SequenceAt(ctx, s.Partition(c), t)
}

// Rename gives a connection another id; doc is its document under that. Its
// tokens and its data, past and future, go with it: key is its data key sealed
// for the new id, nil where it has none. ErrChanged: the connection or its
// tokens changed in between, or there is one of the new id.
func (s *Store) Rename(ctx context.Context, at time.Time, from, to host.ConnectionID, doc any, key []byte, events []host.Event) error {
	put, err := PutOf(KindConnection, string(to), Absent, doc)
	if err != nil {
		return err
	}
	puts := []Put{put}
	if key != nil {
		// What was said of it under its old id stays readable as long as it lives.
		old, err := s.engine.Document(ctx, 0, KindDataKey, string(from))
		if err != nil {
			return err
		}
		puts = append(puts, Put{Kind: KindDataKey, ID: string(to), Expect: Absent, Body: key, Connection: to},
			Put{Kind: KindDataKey, ID: string(from), Expect: old.Revision, Body: old.Body, Connection: to})
	}
	tokens, err := All[host.Token](ctx, s, KindToken)
	if err != nil {
		return err
	}
	for i := range tokens {
		t := &tokens[i]
		if t.Value.Connection != from {
			continue
		}
		t.Value.Connection = to
		put, err := PutOf(KindToken, t.ID, t.Revision, &t.Value)
		if err != nil {
			return err
		}
		puts = append(puts, put)
	}
	sealed, err := s.sealEvents(events)
	if err != nil {
		return err
	}
	_, err = s.engine.Commit(ctx, 0, Change{At: at, Rename: &Rename{from, to}, Puts: puts, Events: sealed})
	if !refused(err) {
		s.sealer.Forget(from)
		s.sealer.Forget(to)
		s.fresh.forget(from)
		s.recent.add(append(puts, Delete(KindConnection, string(from), Any)), nil)
	}
	return err
}

// Purge removes a connection, its data key first, with the events that tell of
// it, and then, part by part, all that it leaves behind. A connection that is
// made again under the same id meanwhile is another one and is left alone.
func (s *Store) Purge(ctx context.Context, c host.ConnectionID, events ...host.Event) error {
	if err := s.remove(ctx, c, events); err != nil {
		return err
	}
	s.sealer.Forget(c)
	s.fresh.forget(c)
	for {
		more, err := s.engine.Purge(ctx, s.Partition(c), c)
		if err != nil || !more {
			return err
		}
	}
}

// remove deletes the connection's document, whatever else is written to it
// meanwhile.
func (s *Store) remove(ctx context.Context, c host.ConnectionID, events []host.Event) error {
	for first, incarnation := true, ""; ; first = false {
		d, revision, err := Get[host.Connection](ctx, s, KindConnection, string(c))
		switch {
		case errors.Is(err, ErrNotFound):
			revision = Absent
		case err != nil:
			return err
		case first:
			incarnation = d.Incarnation
		case d.Incarnation != incarnation:
			return nil
		}
		_, err = s.Commit(ctx, time.Time{}, []Put{Delete(KindConnection, string(c), revision)}, events, nil)
		if !errors.Is(err, ErrChanged) {
			return err
		}
	}
}
