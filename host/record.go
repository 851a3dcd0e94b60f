package host

import (
	"encoding/json"
	"time"
)

// Operation is what the latest change to a record was.
type Operation string

// The operations of the feed. Treat created and updated both as upsert.
const (
	Created Operation = "created"
	Updated Operation = "updated"
	Deleted Operation = "deleted"
)

// Record is one item of an entity at its latest version.
type Record struct {
	Connection ConnectionID
	Entity     EntityName
	ID         RecordID
	Sequence   Sequence // place of this version in the feed; also its revision
	Operation  Operation
	CreatedAt  time.Time       // as the system tells; zero: it does not
	UpdatedAt  time.Time       // as the system tells; zero: it does not
	SyncedAt   time.Time       // when this version arrived
	DeletedAt  time.Time       // zero while it lives
	Hash       Hash            // of everything the connector sent for it
	Body       json.RawMessage // the entity's fields, a JSON object
	Raw        json.RawMessage // as received; nil where the connector sends none
}

// Deleted says whether the record is a tombstone.
func (r *Record) Deleted() bool { return r.Operation == Deleted }

// Hash is a digest that tells identical records.
type Hash [16]byte

// Received is a record as a connector sent it.
type Received struct {
	ID        RecordID
	CreatedAt time.Time
	UpdatedAt time.Time
	Deleted   bool
	Body      json.RawMessage
	Raw       json.RawMessage
}

// Page is what a connector sends in one message: records and the checkpoint
// that holds once they are committed.
type Page struct {
	Records    []Received
	Checkpoint []byte
	Total      int64 // records that the run will read in all; -1: not known
	Bad        []BadRecord
}

// BadRecord is a record that cannot be kept, and why.
type BadRecord struct {
	ID     RecordID `json:"id,omitempty"`
	Field  string   `json:"field,omitempty"`
	Reason string   `json:"reason"`
}
