// Package state is the contract of what Dinrail remembers, in domain words: the
// one place where connections, tokens, runs, records, events and deliveries
// are durable. Engines implement it (badger for real, memory as the
// reference), statetest proves that both keep every promise, and Store puts on
// top what all engines share: sealing, bounds and typed documents.
//
// # Promises
//
// Every writing method is one atomic step: whole or not at all, and durable
// when it returns nil. It ends in one of three ways: done (nil), refused (one
// of the errors of this package; nothing changed), or unclear (any other
// error: a timeout, a lost engine). A step whose outcome is unclear is repeated
// as it is: its own durable mark (event id, run id, page number, attempt
// number, from-position, expected revision) makes the repetition do nothing if
// the first was done, and everything if it was not.
//
// What changes together lives together: a partition. It stands in front of
// every key and in the arguments of every method. Sequences are given by the
// engine, increase within a partition, have gaps, and become visible in order:
// who has read up to n never misses a change below n.
//
// Time is an argument: an engine has no clock.
//
// # Refusals
//
// It holds nothing local (no paths, no process ids, no claims), keeps no old
// versions of a record, and does not interpret what it seals.
package state

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Errors with which a step is refused. Nothing was changed.
var (
	// ErrNotFound is returned when there is no such document, record, run or
	// connection.
	ErrNotFound = errors.New("not found")
	// ErrChanged is returned when a document or record is no longer at the
	// revision that the caller expected. Read again and decide again.
	ErrChanged = errors.New("changed in between")
	// ErrRunning is returned by BeginRun when another run holds the sync.
	ErrRunning = errors.New("another run holds this sync")
	// ErrFenced is returned when the run's fence was lost to another holder, or
	// the run has ended. Stop working on it.
	ErrFenced = errors.New("the run's fence was lost")
	// ErrPurged is returned when the connection was removed.
	ErrPurged = errors.New("the connection was removed")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the store is closed")
)

// Kind is the kind of a document.
type Kind string

// The kinds of documents. Adding one is a compatible change; renaming is not.
const (
	KindConnection  Kind = "connection"  // host.Connection
	KindToken       Kind = "token"       // host.Token
	KindEndpoint    Kind = "endpoint"    // an endpoint made by the API
	KindSession     Kind = "session"     // host.ConnectSession
	KindSignIn      Kind = "signin"      // host.SignIn
	KindWish        Kind = "wish"        // host.Wish
	KindProcess     Kind = "process"     // host.Process
	KindDataKey     Kind = "datakey"     // sealed keyset of a connection
	KindIdempotency Kind = "idempotency" // a stored answer to a repeated request
	KindCondition   Kind = "condition"   // a system.error that has not recovered
	KindTrigger     Kind = "trigger"     // when a trigger was looked at last
	KindAudit       Kind = "audit"       // host.AuditEntry
	KindKeyCheck    Kind = "keycheck"    // a value that only the right master key opens
)

// Document is one stored document.
type Document struct {
	Kind     Kind
	ID       string
	Revision host.Sequence // of its last change
	Body     []byte
}

// Expectations of a Put other than a revision.
const (
	// Absent expects that the document does not exist.
	Absent host.Sequence = 0
	// Any expects nothing.
	Any = ^host.Sequence(0)
)

// Put writes one document, or deletes it where Body is nil. Expect is the
// revision it must have; repeated with the body that already stands, it is
// done, whatever the revision.
type Put struct {
	Kind   Kind
	ID     string
	Expect host.Sequence
	Body   []byte
	// Connection is the connection that the document belongs to and goes with,
	// "" where it belongs to none. PutOf sets it for tokens and wishes.
	Connection host.ConnectionID
}

// Change is one step outside of runs: documents, events that tell of it, and
// runs that it wishes for.
type Change struct {
	At time.Time
	// Rename, if set, is done before the puts.
	Rename *Rename
	Puts   []Put
	Events []Event    // an id that is there already is not added again
	Queue  []host.Run // status queued; where the sync has a queued run already, of the same or fuller mode, that one stays
}

// Rename gives a connection another id, under which its syncs, runs and records
// are from then on; the old one is as if it had been removed. The puts of the
// same change write its document, and those that belong to it, anew; the
// document under the old id goes by itself. ErrChanged: there is no connection
// From, or there is one To. Repeated when it was done, it does nothing.
type Rename struct{ From, To host.ConnectionID }

// Event is an event as it is stored: its data sealed.
type Event struct {
	host.Event        // Data is nil
	Sealed     []byte // its data
}

// Documents keeps connections, tokens, endpoints, sessions and what else has an
// id and a revision.
type Documents interface {
	// Commit applies the change and returns its sequence, which is the new
	// revision of every document put. ErrChanged: an expectation failed, nothing
	// was written.
	Commit(ctx context.Context, p host.Partition, c Change) (host.Sequence, error)
	// Document returns one document, or ErrNotFound. The caller owns its bytes.
	Document(ctx context.Context, p host.Partition, kind Kind, id string) (Document, error)
	// Documents returns the documents of a kind in order of id, after the id
	// given, at most limit.
	Documents(ctx context.Context, p host.Partition, kind Kind, after string, limit int) ([]Document, error)
	// Purge removes the next part of what a removed connection left behind and
	// says whether there is more. A connection is removed by the Put that deletes
	// its document: with that step its data key and tokens are gone, nothing of
	// its syncs, runs and records is read any more, and steps for its runs answer
	// ErrPurged until a connection document is put again. That begins a new life,
	// which Purge never touches. Events stay, unreadable without the key.
	Purge(ctx context.Context, p host.Partition, id host.ConnectionID) (more bool, err error)
}

// Begin asks for a run to start or go on.
type Begin struct {
	Run    host.Run // ID, Connection, Entity, Mode, Trigger are used
	Holder string   // who will hold it: differs for each process that ever ran
	At     time.Time
}

// Lease is the right to write for a run, and where to start.
type Lease struct {
	Fence      host.Fence
	Checkpoint []byte // where to resume; nil: from nothing
	Page       int64  // number of the last committed page; the next is Page+1
	Run        host.Run
	Sync       host.Sync
}

// PageStep is one committed page of a run.
type PageStep struct {
	Connection host.ConnectionID
	Entity     host.EntityName
	Run        host.RunID
	Fence      host.Fence
	Number     int64 // one more than the last; an older number is done already
	At         time.Time
	// ReadAt is the sequence that the partition had when the caller read the
	// heads that Expect in Records stands on. Where nothing but this run's own
	// earlier pages changed the entity since, expectations hold without looking.
	ReadAt  host.Sequence
	Records []RecordPut
	// Unchanged names records that a full pass met as they were. They are kept
	// until the pass ends.
	Unchanged  []host.RecordID
	Checkpoint []byte // nil: the one before stays (a part of a page)
	Counts     host.Counts
	Total      int64 // -1: not known
	Bad        []host.BadRecord
	// Follow keeps each record's change, with the version before, until whoever
	// follows them has pushed past it.
	Follow bool
}

// RecordPut is a record's new version.
type RecordPut struct {
	ID     host.RecordID
	Expect host.Sequence // revision it replaces; 0: the record is new
	// Operation says what happens to the count of living records: created where
	// there was no record or a tombstone, updated and deleted where there was a
	// living one. A record that is new can only be created.
	Operation host.Operation
	Hash      host.Hash
	CreatedAt time.Time // the system's
	UpdatedAt time.Time // the system's
	Sealed    []byte    // body and raw
}

// Outcome ends a run.
type Outcome struct {
	Connection host.ConnectionID
	Entity     host.EntityName
	Run        host.RunID
	Fence      host.Fence
	At         time.Time
	Status     host.RunStatus // completed, failed or canceled
	Error      *host.Problem
	// KeepPass leaves the position of a run that failed, so that the next run of
	// its mode goes on from there. Without it the next run starts over.
	KeepPass  bool
	NextRunAt time.Time
	Events    []Event
}

// Runs carries runs from checkpoint to checkpoint.
//
// A pass is one reading of an entity from start to end: usually one run, or
// several where runs failed and the next went on from the last page. Its
// position and the names of the unchanged records are the pass's, not the
// run's.
type Runs interface {
	// BeginRun makes the run the holder of its sync. A run that was interrupted
	// (same id, another holder) gets a new fence and goes on after its last
	// page; repeated by the same holder it returns the same lease. A new run of
	// mode full starts a pass from nothing, one of mode incremental from the
	// checkpoint of the last pass that completed; where a pass of its mode was
	// left by a failed run (KeepPass), it goes on there. ErrRunning: another run
	// holds the sync. ErrFenced: the run has ended. If the run was the sync's
	// queued one it no longer is, and keeps the trigger and the time it was
	// queued with; another queued run waits on.
	BeginRun(ctx context.Context, p host.Partition, b Begin) (Lease, error)
	// CommitPage stores records, checkpoint, counts and progress in one step.
	// ErrFenced: the fence was lost. ErrChanged: a record is not at the revision
	// expected; nothing was stored; read the heads again. A record that stands
	// twice in a page, or whose operation cannot be (see RecordPut), is refused
	// with a *host.Error.
	CommitPage(ctx context.Context, p host.Partition, s PageStep) (host.Sequence, error)
	// Unseen returns ids of living records, in order after the id given, that a
	// full pass has not met: neither changed since the pass began nor named as
	// unchanged. The caller turns them into tombstones once the pass has
	// provably reached its end.
	Unseen(ctx context.Context, p host.Partition, s PageStep, after host.RecordID, limit int) ([]host.RecordID, error)
	// EndRun writes the outcome with its events and frees the sync. A completed
	// run's last checkpoint becomes the sync's.
	EndRun(ctx context.Context, p host.Partition, o Outcome) error
}

// History tells of syncs and runs.
type History interface {
	// Syncs returns all syncs of a connection that ever had a run queued, by
	// entity. Records is the count of living records.
	Syncs(ctx context.Context, p host.Partition, id host.ConnectionID) ([]host.Sync, error)
	// Run returns one run, or ErrNotFound.
	Run(ctx context.Context, p host.Partition, c host.ConnectionID, id host.RunID) (host.Run, error)
	// Runs returns runs, newest first, that are older than the one given
	// ("": from the newest), of one entity or of all ("").
	Runs(ctx context.Context, p host.Partition, c host.ConnectionID, e host.EntityName, before host.RunID, limit int) ([]host.Run, error)
}

// Head is what tells whether a record changed.
type Head struct {
	Sequence  host.Sequence // 0: there is no such record
	Operation host.Operation
	Hash      host.Hash
}

// Stored is a record as it is stored.
type Stored struct {
	Entity    host.EntityName
	ID        host.RecordID
	Sequence  host.Sequence
	Operation host.Operation
	Hash      host.Hash
	CreatedAt time.Time
	UpdatedAt time.Time
	SyncedAt  time.Time
	Sealed    []byte // valid only until the function that it was handed to returns
}

// Feed asks for records in order of sequence.
type Feed struct {
	Connection host.ConnectionID
	Entities   []host.EntityName // empty: all
	After      host.Sequence
	Until      host.Sequence // 0: no end
}

// Records reads records, one version each.
type Records interface {
	// Heads returns the heads of the ids, in their order, and the sequence that
	// the partition had when they were read.
	Heads(ctx context.Context, p host.Partition, c host.ConnectionID, e host.EntityName, ids []host.RecordID) ([]Head, host.Sequence, error)
	// Record hands the record to yield, or returns ErrNotFound. A tombstone is a
	// record.
	Record(ctx context.Context, p host.Partition, c host.ConnectionID, e host.EntityName, id host.RecordID, yield func(*Stored) error) error
	// Feed hands records to yield, ascending by sequence over all entities
	// asked for, from one consistent view, until it returns false or an error.
	Feed(ctx context.Context, p host.Partition, f Feed, yield func(*Stored) (bool, error)) error
}

// Log tells what changed, and wakes who waits for it.
type Log interface {
	// Wait returns the partition's last sequence as soon as it is larger than
	// after, or the context's error.
	Wait(ctx context.Context, p host.Partition, after host.Sequence) (host.Sequence, error)
	// Position returns the partition's last sequence, and its epoch, which
	// differs after a restore: cursors of another epoch are refused.
	Position(ctx context.Context, p host.Partition) (host.Sequence, uint32, error)
	// SequenceAt returns the last sequence that records or events were given at
	// or before t: what arrived after t is after it. Where clocks went back, a
	// step counts as arriving no earlier than the one before.
	SequenceAt(ctx context.Context, p host.Partition, t time.Time) (host.Sequence, error)
	// Events returns events after a sequence, at most limit.
	Events(ctx context.Context, p host.Partition, after host.Sequence, limit int) ([]Event, error)
	// EventsBack returns events before a sequence (0: from the newest), newest
	// first, at most limit.
	EventsBack(ctx context.Context, p host.Partition, before host.Sequence, limit int) ([]Event, error)
	// Event returns the event at a sequence, or ErrNotFound.
	Event(ctx context.Context, p host.Partition, n host.Sequence) (Event, error)
	// FindEvent returns the sequence of the event with an id, or ErrNotFound.
	FindEvent(ctx context.Context, p host.Partition, id host.EventID) (host.Sequence, error)
}

// Follow is reading the log by a named position: what lies behind it has been
// dealt with.
type Follow interface {
	// Pushed returns a named position; 0 where nothing was pushed yet.
	Pushed(ctx context.Context, p host.Partition, position string) (host.Sequence, error)
	// Followed hands the changes that steps were told to follow to yield, those
	// after a sequence, ascending, until it returns false or an error. What it is
	// handed is valid only until it returns.
	Followed(ctx context.Context, p host.Partition, after host.Sequence, yield func(*Followed) (bool, error)) error
	// Push moves the position and adds the deliveries and events. ErrChanged: the
	// position is not From; if it is To, the push is done already and nil is
	// returned.
	Push(ctx context.Context, p host.Partition, s Push) error
}

// Followed is the change of one record that a step was told to follow.
type Followed struct {
	Sequence   host.Sequence
	Connection host.ConnectionID
	Entity     host.EntityName
	Run        host.RunID
	First      bool    // no run of the entity had completed before
	Before     *Stored // nil: there was none
	After      Stored
}

// Push moves a named position of the log, and adds what was made of the part
// passed, in one step.
type Push struct {
	Position   string // whose position ("dispatch")
	From, To   host.Sequence
	At         time.Time
	Deliveries []host.Delivery
	Events     []Event `json:"-"` // an id that is there already is not added again
	// Drop forgets the followed changes up to To: who follows them has what it
	// needs.
	Drop bool `json:",omitempty"`
}

// Settlement is the outcome of one attempt.
type Settlement struct {
	Delivery host.Delivery // its new state
	Attempt  host.Attempt  // number is the mark: an older number is done already
}

// Prune names deliveries that are kept no longer.
type Prune struct {
	IDs []host.DeliveryID
}

// Claim asks for deliveries that are due.
type Claim struct {
	Endpoint host.EndpointID // "": any
	Now      time.Time
	Until    time.Time // the claim ends by itself then
	Limit    int
}

// Queue owes deliveries until they are settled.
type Queue interface {
	// Claim returns pending deliveries that are due, first attempts before
	// retries, oldest first, each to one caller until it is settled or its claim
	// ends. A claim is not durable. Next is when asking again can give more: the
	// earliest time at which one that nobody has claimed is due, not later than
	// Now where the limit left some out, zero where there is none.
	Claim(ctx context.Context, p host.Partition, c Claim) (due []host.Delivery, next time.Time, err error)
	// Settle writes outcomes and attempts, all in one step, and ends the claims.
	// A settlement whose attempt has number 0 changes the state alone (held,
	// retried by hand), unless an attempt was settled since the delivery was
	// read. A delivery that is no longer there is skipped.
	Settle(ctx context.Context, p host.Partition, s []Settlement) error
	// Prune deletes deliveries that have ended, with their attempts. What is
	// pending or held stays.
	Prune(ctx context.Context, p host.Partition, s Prune) error
	// Deliveries returns deliveries of an endpoint ("": all) and status ("":
	// all), newest first, older than the one given, with the counts by status.
	Deliveries(ctx context.Context, p host.Partition, e host.EndpointID, st host.DeliveryStatus, before host.DeliveryID, limit int) ([]host.Delivery, map[host.DeliveryStatus]int64, error)
	// Owed returns the numbers of deliveries by endpoint and status, of every
	// endpoint that has some.
	Owed(ctx context.Context, p host.Partition) (map[host.EndpointID]map[host.DeliveryStatus]int64, error)
	// Delivery returns one delivery with its attempts by number, or ErrNotFound.
	Delivery(ctx context.Context, p host.Partition, id host.DeliveryID) (host.Delivery, []host.Attempt, error)
}

// Engine is an implementation of the contract. All methods may be called
// concurrently. A context that ends makes a write unclear, not undone.
type Engine interface {
	Documents
	Runs
	History
	Records
	Log
	Follow
	Queue
	// Close ends the engine; whatever waits gets ErrClosed.
	Close() error
}
