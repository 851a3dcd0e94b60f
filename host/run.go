package host

import "time"

// Mode is how much a run reads.
type Mode string

// The modes of a run.
const (
	Full        Mode = "full"        // everything; what is no longer there becomes a tombstone
	Incremental Mode = "incremental" // what changed since the checkpoint
)

// RunStatus is what a run can be.
//
//	queued ──► running ──► completed | failed | canceled
type RunStatus string

// The statuses of a run.
const (
	RunQueued    RunStatus = "queued"
	RunRunning   RunStatus = "running"
	RunCompleted RunStatus = "completed"
	RunFailed    RunStatus = "failed"
	RunCanceled  RunStatus = "canceled"
)

// Run is one execution of a sync.
type Run struct {
	ID            RunID        `json:"id"`
	Connection    ConnectionID `json:"connection_id"`
	Entity        EntityName   `json:"entity"`
	Mode          Mode         `json:"mode"`
	Status        RunStatus    `json:"status"`
	Trigger       string       `json:"trigger"` // schedule, manual, retry
	QueuedAt      time.Time    `json:"queued_at"`
	StartedAt     time.Time    `json:"started_at,omitzero"`
	EndedAt       time.Time    `json:"ended_at,omitzero"`
	Counts        Counts       `json:"counts"`
	Total         int64        `json:"total"` // -1: not known
	Pages         int64        `json:"pages"`
	Resumed       int          `json:"resumed,omitempty"` // how often it went on after an interruption
	First         bool         `json:"first,omitempty"`   // the entity's first run: nothing was there before
	StartSequence Sequence     `json:"start_sequence"`    // changes of this run lie after it
	Error         *Problem     `json:"error,omitempty"`
	Bad           []BadRecord  `json:"bad,omitempty"` // the first few
}

// Counts are what a run did so far.
type Counts struct {
	Read      int64 `json:"read"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Deleted   int64 `json:"deleted"`
	Unchanged int64 `json:"unchanged"`
	Bad       int64 `json:"bad"`
}

// Add returns the sum of c and d.
func (c Counts) Add(d Counts) Counts {
	return Counts{c.Read + d.Read, c.Created + d.Created, c.Updated + d.Updated, c.Deleted + d.Deleted, c.Unchanged + d.Unchanged, c.Bad + d.Bad}
}

// Problem is an error as it is stored and shown.
type Problem struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// ProblemOf returns what may be shown of err; nil for nil.
func ProblemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	return &Problem{CodeOf(err), MessageOf(err)}
}

// SyncStatus is what a sync can be.
type SyncStatus string

// The statuses of a sync.
const (
	SyncIdle    SyncStatus = "idle"
	SyncQueued  SyncStatus = "queued"
	SyncRunning SyncStatus = "running"
	SyncFailed  SyncStatus = "failed"
	SyncPaused  SyncStatus = "paused"
)

// Sync is the state of one standing order: where it stands, and how it went.
type Sync struct {
	Connection    ConnectionID `json:"connection_id"`
	Entity        EntityName   `json:"entity"`
	Fence         Fence        `json:"fence"`                // of the run that holds it, or held it last
	Run           RunID        `json:"run,omitempty"`        // running or interrupted; empty: none
	Queued        RunID        `json:"queued,omitempty"`     // waiting behind it
	Checkpoint    []byte       `json:"checkpoint,omitempty"` // of the last pass that completed
	Page          int64        `json:"page"`                 // number of the last committed page of Run
	Pass          *Pass        `json:"pass,omitempty"`       // of Run, or left by a failed run to be gone on with
	LastRun       RunID        `json:"last_run,omitempty"`
	LastStatus    RunStatus    `json:"last_status,omitempty"`
	LastSuccessAt time.Time    `json:"last_success_at,omitzero"`
	LastFullAt    time.Time    `json:"last_full_at,omitzero"` // end of the last full run that completed
	LastEndedAt   time.Time    `json:"last_ended_at,omitzero"`
	Failures      int          `json:"failures,omitempty"` // failed runs in a row
	NextRunAt     time.Time    `json:"next_run_at,omitzero"`
	Error         *Problem     `json:"error,omitempty"`
	Records       int64        `json:"records"` // living records; derived by the engine
}

// Pass is one reading of an entity from start to end: usually one run, or
// several where runs failed and the next went on from the last page.
type Pass struct {
	Mode          Mode      `json:"mode"`
	Checkpoint    []byte    `json:"checkpoint,omitempty"` // where to go on; nil: from nothing
	StartSequence Sequence  `json:"start_sequence"`       // changes of this pass lie after it
	First         bool      `json:"first,omitempty"`      // the entity had no record when it began
	StartedAt     time.Time `json:"started_at"`
	Runs          int       `json:"runs"` // that worked on it so far
	// Unknown counts bad records without an id: what was not met may be one of
	// them, so no deletion may be concluded.
	Unknown int64 `json:"unknown,omitempty"`
}

// Status returns the sync's status word for a connection that is paused or not.
func (s *Sync) Status(paused bool) SyncStatus {
	switch {
	case s.Run != "":
		return SyncRunning
	case paused:
		return SyncPaused
	case s.Queued != "":
		return SyncQueued
	case s.LastStatus == RunFailed:
		return SyncFailed
	default:
		return SyncIdle
	}
}
