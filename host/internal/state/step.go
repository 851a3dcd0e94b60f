package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
)

// A Step is one atomic change as an engine applies it: what a writing method
// was called with, without anything local. Engines are deterministic machines
// over steps: the same steps at the same sequences make the same state. So a
// step's bytes can be kept, sent and applied elsewhere.
//
// Exactly one field is set.
type Step struct {
	Change *Change
	Begin  *Begin
	Page   *Page
	End    *Outcome
	Push   *Push
	Settle *Settle
	Sweep  *Sweep
	Prune  *Prune
}

// Page is a PageStep as it stands in a step: its records in their stored form,
// the ids of the unchanged ones as marks.
type Page struct {
	PageStep // Records and Unchanged are nil
	Stored   []StoredPut
	Marks    []byte // Mark after Mark
}

// StoredPut is a record's new version in its stored form.
type StoredPut struct {
	ID        host.RecordID
	Expect    host.Sequence
	Operation host.Operation
	Hash      host.Hash
	Value     []byte // for DecodeStored
}

// Settle is outcomes that go together.
type Settle struct{ Settlements []Settlement }

// Sweep removes a part of what nothing reads any more: what the connection left
// behind, or, where it is "", what any did.
type Sweep struct{ Connection host.ConnectionID }

// The first two bytes of a step: version of the encoding, and which step.
const stepVersion = 1

const (
	stepChange byte = iota + 1
	stepBegin
	stepPage
	stepEnd
	stepPush
	stepSettle
	stepSweep
	stepPrune
	stepFollowed   // a page that is followed
	stepPushEvents // a push with events; this and stepPush, stepSettle are read, not written any more
	stepPushed     // a push in the nouns' own form
	stepSettled    // settlements in the nouns' own form
	stepRename     // a change that renames a connection
)

// Items returns how many sequences the step takes: each record and event has
// its own, and every step at least one. The last of them is the step's.
func (s *Step) Items() int {
	n := 0
	switch {
	case s.Page != nil:
		n = len(s.Page.Stored)
	case s.Change != nil:
		n = len(s.Change.Events)
	case s.End != nil:
		n = len(s.End.Events)
	case s.Push != nil:
		n = len(s.Push.Events)
	}
	return max(n, 1)
}

// AppendChange appends the bytes of a step.
func AppendChange(b []byte, c *Change) ([]byte, error) {
	if r := c.Rename; r != nil {
		b = append(b, stepVersion, stepRename)
		b = appendString(b, r.From)
		b = appendString(b, r.To)
	} else {
		b = append(b, stepVersion, stepChange)
	}
	b = appendTime(b, c.At)
	b = binary.AppendUvarint(b, uint64(len(c.Puts)))
	for i := range c.Puts {
		p := &c.Puts[i]
		b = appendString(b, p.Kind)
		b = appendString(b, p.ID)
		b = appendString(b, p.Connection)
		b = binary.AppendUvarint(b, uint64(p.Expect))
		b = appendBytes(b, p.Body)
	}
	b = appendEvents(b, c.Events)
	b = binary.AppendUvarint(b, uint64(len(c.Queue)))
	for i := range c.Queue {
		var err error
		if b, err = appendJSON(b, &c.Queue[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (r *reader) change() *Change {
	c := &Change{At: r.time()}
	for range r.count(5) {
		p := Put{Kind: str[Kind](r), ID: str[string](r), Connection: str[host.ConnectionID](r)}
		p.Expect = host.Sequence(r.uvarint())
		p.Body = r.bytes()
		c.Puts = append(c.Puts, p)
	}
	c.Events = r.events()
	for range r.count(1) {
		var run host.Run
		r.json(&run)
		c.Queue = append(c.Queue, run)
	}
	return c
}

func appendEvents(b []byte, events []Event) []byte {
	b = binary.AppendUvarint(b, uint64(len(events)))
	var head []byte
	for i := range events {
		head = AppendEvent(head[:0], &events[i].Event)
		b = appendBytes(b, head)
		b = appendBytes(b, events[i].Sealed)
	}
	return b
}

func (r *reader) events() []Event {
	var out []Event
	for range r.count(2) {
		var e Event
		if DecodeEvent(r.bytes(), &e.Event) != nil {
			r.fail()
		}
		e.Sealed = r.bytes()
		out = append(out, e)
	}
	return out
}

// AppendBegin appends the bytes of a step.
func AppendBegin(b []byte, s *Begin) ([]byte, error) {
	b = append(b, stepVersion, stepBegin)
	b = appendTime(b, s.At)
	b = appendString(b, s.Holder)
	return appendJSON(b, &s.Run)
}

func (r *reader) begin() *Begin {
	s := &Begin{At: r.time(), Holder: str[string](r)}
	r.json(&s.Run)
	return s
}

// AppendPage appends the bytes of a step. A record that stands twice in it, or
// with an operation that cannot be, is a *host.Error.
func AppendPage(b []byte, s *PageStep) ([]byte, error) {
	op := stepPage
	if s.Follow {
		op = stepFollowed
	}
	b = append(b, stepVersion, op)
	b = appendTime(b, s.At)
	b = appendString(b, s.Connection)
	b = appendString(b, s.Entity)
	b = appendString(b, s.Run)
	b = binary.AppendUvarint(b, uint64(s.Fence))
	b = binary.AppendVarint(b, s.Number)
	b = binary.AppendUvarint(b, uint64(s.ReadAt))
	b = appendBytes(b, s.Checkpoint)
	for _, n := range counters(&s.Counts) {
		b = binary.AppendVarint(b, *n)
	}
	b = binary.AppendVarint(b, s.Total)
	b, err := appendJSON(b, s.Bad)
	if err != nil {
		return nil, err
	}
	b = binary.AppendUvarint(b, uint64(len(s.Unchanged)))
	for _, id := range s.Unchanged {
		m := MarkOf(id)
		b = append(b, m[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Records)))
	met := make(map[host.RecordID]struct{}, len(s.Records))
	for i := range s.Records {
		r := &s.Records[i]
		if _, ok := met[r.ID]; ok {
			return nil, host.Errorf(host.CodeInvalid, "record %q stands twice in a page", r.ID)
		}
		met[r.ID] = struct{}{}
		if code := operationCode(r.Operation); code == 0 || code != 1 && r.Expect == 0 {
			return nil, host.Errorf(host.CodeInvalid, "record %q is put as %q at revision %d", r.ID, r.Operation, r.Expect)
		}
		b = binary.AppendUvarint(b, uint64(r.Expect))
		b = binary.AppendUvarint(b, uint64(storedSize(r)))
		b = appendStored(b, s, r)
	}
	return b, nil
}

// PageSize returns how many bytes AppendPage appends at most, so that its
// caller can make room at once.
func PageSize(s *PageStep) int {
	n := 512 + len(s.Connection) + len(s.Entity) + len(s.Run) + len(s.Checkpoint) + 16*len(s.Unchanged) + 256*len(s.Bad)
	for i := range s.Records {
		n += 2*binary.MaxVarintLen64 + storedSize(&s.Records[i])
	}
	return n
}

func counters(c *host.Counts) [6]*int64 {
	return [6]*int64{&c.Read, &c.Created, &c.Updated, &c.Deleted, &c.Unchanged, &c.Bad}
}

func (r *reader) page() *Page {
	p := &Page{}
	p.At = r.time()
	p.Connection = str[host.ConnectionID](r)
	p.Entity = str[host.EntityName](r)
	p.Run = str[host.RunID](r)
	p.Fence = host.Fence(r.uvarint())
	p.Number = r.varint()
	p.ReadAt = host.Sequence(r.uvarint())
	p.Checkpoint = r.bytes()
	for _, n := range counters(&p.Counts) {
		*n = r.varint()
	}
	p.Total = r.varint()
	r.json(&p.Bad)
	p.Marks = r.take(len(Mark{}) * r.count(len(Mark{})))
	p.Stored = make([]StoredPut, r.count(2+storedFixed))
	for i := range p.Stored {
		s := &p.Stored[i]
		s.Expect = host.Sequence(r.uvarint())
		s.Value = r.take(int(r.uvarint()))
		v := reader{b: s.Value}
		if code := v.byte(); code>>2 != storedVersion || code&3 == 0 {
			r.fail()
		} else {
			s.Operation = operations[code&3]
		}
		copy(s.Hash[:], v.take(len(s.Hash)))
		v.take(3 * 8)
		s.ID = str[host.RecordID](&v)
		if v.err != nil {
			r.fail()
		}
	}
	return p
}

// AppendEnd appends the bytes of a step.
func AppendEnd(b []byte, o *Outcome) ([]byte, error) {
	b = append(b, stepVersion, stepEnd)
	plain := *o
	plain.Events = nil
	b, err := appendJSON(b, &plain)
	if err != nil {
		return nil, err
	}
	return appendEvents(b, o.Events), nil
}

func (r *reader) end() *Outcome {
	o := &Outcome{}
	r.json(o)
	o.At = timeOf(micros(o.At))
	o.Events = r.events()
	return o
}

// AppendPush appends the bytes of a step.
func AppendPush(b []byte, p *Push) []byte {
	var drop byte
	if p.Drop {
		drop = 1
	}
	b = append(b, stepVersion, stepPushed, drop)
	b = appendString(b, p.Position)
	b = binary.AppendUvarint(b, uint64(p.From))
	b = binary.AppendUvarint(b, uint64(p.To))
	b = appendTime(b, p.At)
	b = binary.AppendUvarint(b, uint64(len(p.Deliveries)))
	for i := range p.Deliveries {
		b = framed(b, func(b []byte) []byte { return AppendDelivery(b, &p.Deliveries[i]) })
	}
	return appendEvents(b, p.Events)
}

// AppendSettle appends the bytes of a step.
func AppendSettle(b []byte, s []Settlement) []byte {
	b = append(b, stepVersion, stepSettled)
	b = binary.AppendUvarint(b, uint64(len(s)))
	for i := range s {
		b = framed(b, func(b []byte) []byte { return AppendDelivery(b, &s[i].Delivery) })
		b = framed(b, func(b []byte) []byte { return AppendAttempt(b, &s[i].Attempt) })
	}
	return b
}

// AppendSweep appends the bytes of a step.
func AppendSweep(b []byte, s *Sweep) []byte {
	return appendString(append(b, stepVersion, stepSweep), s.Connection)
}

// AppendPrune appends the bytes of a step.
func AppendPrune(b []byte, s *Prune) ([]byte, error) {
	return appendJSON(append(b, stepVersion, stepPrune), s)
}

// DecodeStep reads a step. What it returns stands on b: b must not change as
// long as the step is used.
func DecodeStep(b []byte) (*Step, error) {
	r := reader{b: b}
	version, op := r.byte(), r.byte()
	if r.err == nil && version != stepVersion {
		return nil, fmt.Errorf("decode step: version %d is not known to this program", version)
	}
	s := &Step{}
	switch op {
	case stepChange:
		s.Change = r.change()
	case stepRename:
		rename := &Rename{From: str[host.ConnectionID](&r), To: str[host.ConnectionID](&r)}
		s.Change = r.change()
		s.Change.Rename = rename
	case stepBegin:
		s.Begin = r.begin()
	case stepPage:
		s.Page = r.page()
	case stepFollowed:
		s.Page = r.page()
		s.Page.Follow = true
	case stepEnd:
		s.End = r.end()
	case stepPush:
		s.Push = &Push{}
		r.json(s.Push)
	case stepPushEvents:
		s.Push = &Push{}
		r.json(s.Push)
		s.Push.Events = r.events()
	case stepSettle:
		s.Settle = &Settle{}
		r.json(&s.Settle.Settlements)
	case stepPushed:
		s.Push = r.push()
	case stepSettled:
		s.Settle = r.settle()
	case stepSweep:
		s.Sweep = &Sweep{Connection: str[host.ConnectionID](&r)}
	case stepPrune:
		s.Prune = &Prune{}
		r.json(s.Prune)
	default:
		r.fail()
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail()
	}
	if r.err != nil {
		return nil, fmt.Errorf("decode step %d of %d bytes: %w", op, len(b), r.err)
	}
	return s, nil
}

// At returns the step's time; zero for one without.
func (s *Step) At() time.Time {
	switch {
	case s.Change != nil:
		return s.Change.At
	case s.Begin != nil:
		return s.Begin.At
	case s.Page != nil:
		return s.Page.At
	case s.End != nil:
		return s.End.At
	case s.Push != nil:
		return s.Push.At
	}
	return time.Time{}
}
