package badger

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Refusals beside those of the contract.
var (
	errDone = errors.New("done before")                // nothing to do: answered as done
	errStep = errors.New("the step cannot be applied") // its sequence is wrong
)

// application is one step being applied to a transaction.
type application struct {
	view
	c     *committer
	b     *batch
	q     *request
	meta  meta
	first host.Sequence // the step's sequences
	last  host.Sequence
}

// apply applies a step. Everything that can refuse it comes before its first
// write, so that a refused step leaves nothing in the transaction.
func (c *committer) apply(b *batch, q *request) error {
	s := q.step
	if err := c.space.enough(s); err != nil {
		return err
	}
	m, err := c.meta(b, q.partition)
	if err != nil {
		return err
	}
	n := m.Last + 1
	if q.at != 0 {
		if q.at < n {
			return fmt.Errorf("%w: at %d, where the partition is at %d already", errStep, q.at, m.Last)
		}
		n = q.at
	}
	a := &application{
		view: view{b.txn, q.partition}, c: c, b: b, q: q, meta: m,
		first: n, last: n + host.Sequence(s.Items()) - 1,
	}
	switch {
	case s.Change != nil:
		err = a.change(s.Change)
	case s.Begin != nil:
		err = a.begin(s.Begin)
	case s.Page != nil:
		err = a.page(s.Page)
	case s.End != nil:
		err = a.end(s.End)
	case s.Push != nil:
		err = a.push(s.Push)
	case s.Settle != nil:
		err = a.settle(s.Settle.Settlements)
	case s.Sweep != nil:
		err = a.sweep(s.Sweep)
	case s.Prune != nil:
		err = a.prune(s.Prune)
	}
	if errors.Is(err, errDone) {
		// Answered with the batch: what it repeats may be in there.
		q.result.sequence = m.Last
		return nil
	}
	if err != nil {
		return err
	}
	a.meta.Last = a.last
	b.metas[q.partition] = a.meta
	q.result.sequence = a.last
	return nil
}

func (a *application) set(k key, v []byte) error { return a.txn.Set(k, v) }

func (a *application) del(k key) error { return a.txn.Delete(k) }

func (a *application) setJSON(k key, v any) error {
	b, err := encodeJSON(v)
	if err != nil {
		return err
	}
	return a.set(k, b)
}

// arrived remembers when the step's records or events were given their
// sequences.
func (a *application) arrived(at time.Time) error {
	a.meta.LastAt = max(a.meta.LastAt, microsOf(at))
	return a.set(newKey(a.p, tableTime).time(time.UnixMicro(a.meta.LastAt)), encodeSequence(a.last))
}

func (a *application) change(c *state.Change) error {
	rename, err := a.mayRename(c)
	if err != nil {
		return err
	}
	for i := range c.Puts {
		if err := a.expect(&c.Puts[i]); err != nil {
			return err
		}
	}
	for _, r := range c.Queue {
		if err := a.notRemoved(c.Puts, r.Connection); err != nil {
			return err
		}
	}
	if rename {
		if err := a.rename(c.Rename); err != nil {
			return err
		}
	}
	for i := range c.Puts {
		if err := a.put(&c.Puts[i]); err != nil {
			return err
		}
	}
	if err := a.events(c.Events, c.At); err != nil {
		return err
	}
	for i := range c.Queue {
		if err := a.queue(&c.Queue[i], c.At); err != nil {
			return err
		}
	}
	return nil
}

// mayRename says whether a change has a connection to rename; false where it
// was done before.
func (a *application) mayRename(c *state.Change) (bool, error) {
	r := c.Rename
	if r == nil {
		return false, nil
	}
	from, err := a.has(docKey(a.p, state.KindConnection, string(r.From)))
	if err != nil {
		return false, err
	}
	to, err := a.has(docKey(a.p, state.KindConnection, string(r.To)))
	switch {
	case err != nil:
		return false, err
	case !from && to:
		return false, nil // the puts tell whether it was this change
	case !from || to:
		return false, fmt.Errorf("rename connection %s to %s: %w", r.From, r.To, state.ErrChanged)
	}
	return true, nil
}

// rename has another name stand for what a connection has; its own stands for
// nothing any more.
func (a *application) rename(r *state.Rename) error {
	l, _, err := a.life(r.From)
	if err != nil {
		return err
	}
	if err := a.unput(state.KindConnection, string(r.From)); err != nil {
		return err
	}
	if err := a.set(lifeKey(a.p, r.From), life{}.encode()); err != nil {
		return err
	}
	if l.Number == 0 { // it never ran
		return a.revive(r.To)
	}
	return a.set(lifeKey(a.p, r.To), l.encode())
}

// expect refuses a put whose document is not at the revision expected, unless
// it was done before.
func (a *application) expect(p *state.Put) error {
	if p.Expect == state.Any {
		return nil
	}
	ok := false
	found, err := a.get(docKey(a.p, p.Kind, p.ID), func(b []byte) error {
		d, err := decodeDocument(b)
		ok = d.revision == p.Expect || p.Body != nil && bytes.Equal(p.Body, d.body)
		return err
	})
	if err != nil {
		return err
	}
	if !found {
		ok = p.Expect == state.Absent || p.Body == nil
	}
	if !ok {
		return fmt.Errorf("%s %q: %w", p.Kind, p.ID, state.ErrChanged)
	}
	return nil
}

// notRemoved refuses what would give a removed connection something new; the
// same change may make the connection, or remove it.
func (a *application) notRemoved(puts []state.Put, c host.ConnectionID) error {
	l, known, err := a.life(c)
	if err != nil {
		return err
	}
	removed := known && l.Number == 0
	for i := range puts {
		if puts[i].Kind == state.KindConnection && puts[i].ID == string(c) {
			removed = puts[i].Body == nil
		}
	}
	if removed {
		return fmt.Errorf("connection %s: %w", c, state.ErrPurged)
	}
	return nil
}

func (a *application) put(p *state.Put) error {
	if err := a.unput(p.Kind, p.ID); err != nil {
		return err
	}
	isConnection := p.Kind == state.KindConnection
	if p.Body == nil {
		if isConnection {
			return a.remove(host.ConnectionID(p.ID))
		}
		return nil
	}
	if p.Connection != "" {
		if err := a.set(ownedKey(a.p, p.Connection, p.Kind, p.ID), nil); err != nil {
			return err
		}
	}
	if isConnection {
		if err := a.revive(host.ConnectionID(p.ID)); err != nil {
			return err
		}
	}
	d := document{a.last, p.Connection, p.Body}
	return a.set(docKey(a.p, p.Kind, p.ID), d.encode())
}

// unput takes a document away, and its place among what its connection owns.
func (a *application) unput(kind state.Kind, id string) error {
	var owner host.ConnectionID
	found, err := a.get(docKey(a.p, kind, id), func(b []byte) error {
		d, err := decodeDocument(b)
		owner = d.connection
		return err
	})
	if err != nil || !found {
		return err
	}
	if owner != "" {
		if err := a.del(ownedKey(a.p, owner, kind, id)); err != nil {
			return err
		}
	}
	return a.del(docKey(a.p, kind, id))
}

// events appends events, each at its own sequence, but for those that are
// there already.
func (a *application) events(events []state.Event, at time.Time) error {
	for i := range events {
		e := &events[i]
		k := last(newKey(a.p, tableEventID), e.ID)
		there, err := a.has(k)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		n := a.first + host.Sequence(i)
		if err := a.set(eventKey(a.p, n), encodeEvent(e)); err != nil {
			return err
		}
		if err := a.set(k, encodeSequence(n)); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	return a.arrived(at)
}

// remove ends the life of a connection: its name stands for nothing any more,
// its data key and, up to a bound, its tokens are gone. The rest is swept.
func (a *application) remove(c host.ConnectionID) error {
	l, _, err := a.life(c)
	if err != nil {
		return err
	}
	if err := a.unput(state.KindDataKey, string(c)); err != nil {
		return err
	}
	if _, err := a.disown(c, a.last, sweepItems); err != nil {
		return err
	}
	if err := a.set(lifeKey(a.p, c), life{}.encode()); err != nil {
		return err
	}
	// A connection that never ran has a life of number 0: what it owns is swept
	// under that.
	if err := a.set(leftKey(a.p, c, l.Number), encodeSequence(a.last)); err != nil {
		return err
	}
	a.b.after = append(a.b.after, a.c.e.sweepSoon)
	return nil
}

// revive lets a removed connection's name be used again.
func (a *application) revive(c host.ConnectionID) error {
	l, known, err := a.life(c)
	if err != nil || !known || l.Number != 0 {
		return err
	}
	return a.del(lifeKey(a.p, c))
}

// disown deletes documents that go with a connection and are not newer than
// the sequence; more says that it met its bound.
func (a *application) disown(c host.ConnectionID, until host.Sequence, limit int) (n int, err error) {
	type named struct {
		kind state.Kind
		id   string
	}
	var owned []named
	prefix := name(newKey(a.p, tableOwned), c)
	err = a.scan(prefix, nil, func(k []byte, _ *badger.Item) (bool, error) {
		kind, id, ok := takeName(k[len(prefix):])
		if !ok {
			return false, errMalformed
		}
		owned = append(owned, named{state.Kind(kind), string(id)})
		return true, nil
	})
	for _, o := range owned {
		if err != nil || n == limit {
			return n, err
		}
		d, ok, err := a.document(o.kind, o.id)
		if err != nil {
			return n, err
		}
		if ok && d.revision > until {
			continue
		}
		if err := errors.Join(a.unput(o.kind, o.id), a.del(ownedKey(a.p, c, o.kind, o.id))); err != nil {
			return n, err
		}
		n++
	}
	return n, err
}
