package state

import (
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Standing is a sync as engines keep it: host.Sync and what only its rules
// need. The rules are here, once for all engines, as functions of the standing
// and a step; what an engine adds is where things are kept, and the indexes.
type Standing struct {
	host.Sync
	Holder string `json:"holder,omitempty"` // of the fence
	// Changed is the last change to the entity's records, Foreign the last one
	// that was not made by the run that holds the sync.
	Changed host.Sequence `json:"changed,omitempty"`
	Foreign host.Sequence `json:"foreign,omitempty"`
	Total   int64         `json:"total,omitempty"` // records and tombstones
	Runs    int           `json:"runs,omitempty"`  // runs that are kept
	Marks   int           `json:"marks,omitempty"` // pages with marks of the pass
}

// RunState is a run as engines keep it.
type RunState struct {
	host.Run
	Fence host.Fence `json:"fence,omitempty"` // with which it was held last
}

// Bounds of what is kept of runs.
const (
	RunsKept       = 200 // runs of one sync; the oldest goes when one more ends
	badRecordsKept = 20  // bad records told by a run
)

// begun says what BeginRun decided.
type begun int

// What BeginRun decided.
const (
	beginRefused begun = iota
	beginAgain         // the same lease once more: nothing is written
	beginOn            // an interrupted run goes on under a new fence
	beginNew           // a new run
)

// BeginRun applies a Begin at sequence n. run is the run as it is kept, or nil
// if it is not known; it returns the run as it is then, and whether anything
// must be written.
func (s *Standing) BeginRun(b *Begin, n host.Sequence, run *RunState) (*RunState, bool, error) {
	how, err := s.howToBegin(b, run)
	switch how {
	case beginRefused:
		return nil, false, err
	case beginAgain:
		return run, false, nil
	case beginOn:
		run.Resumed++
	case beginNew:
		run = s.newRun(b, n, run)
	}
	s.Fence, s.Holder = host.Fence(n), b.Holder
	s.Foreign = s.Changed
	run.Fence = s.Fence
	return run, true, nil
}

func (s *Standing) howToBegin(b *Begin, run *RunState) (begun, error) {
	switch {
	case s.Run != "" && s.Run != b.Run.ID:
		return beginRefused, fmt.Errorf("run %s: %w", s.Run, ErrRunning)
	case s.Run == b.Run.ID && s.Holder == b.Holder:
		return beginAgain, nil
	case s.Run == b.Run.ID:
		return beginOn, nil
	case run != nil && run.Status != host.RunQueued:
		return beginRefused, fmt.Errorf("run %s has ended: %w", b.Run.ID, ErrFenced)
	}
	return beginNew, nil
}

func (s *Standing) newRun(b *Begin, n host.Sequence, queued *RunState) *RunState {
	run := &RunState{Run: host.Run{
		ID: b.Run.ID, Connection: b.Run.Connection, Entity: b.Run.Entity,
		Mode: b.Run.Mode, Trigger: b.Run.Trigger, QueuedAt: b.Run.QueuedAt, Total: -1,
	}}
	if queued != nil {
		run.Run = queued.Run
	}
	if s.Queued == run.ID {
		s.Queued = ""
	}
	run.Status, run.StartedAt = host.RunRunning, b.At
	if run.QueuedAt.IsZero() {
		run.QueuedAt = b.At
	}
	if s.Pass == nil || s.Pass.Mode != run.Mode {
		s.Pass = &host.Pass{Mode: run.Mode, StartSequence: n, First: s.Total == 0, StartedAt: b.At}
		if run.Mode == host.Incremental {
			s.Pass.Checkpoint = s.Checkpoint
		}
	}
	s.Pass.Runs++
	run.First = s.Pass.First
	run.StartSequence = n
	s.Run, s.Page = run.ID, 0
	return run
}

// Lease returns the lease of the run that holds the sync.
func (s *Standing) Lease(run *RunState) Lease {
	return Lease{Fence: s.Fence, Checkpoint: s.Pass.Checkpoint, Page: s.Page, Run: run.Run, Sync: s.Sync}
}

// Held says whether the run holds the sync with this fence.
func (s *Standing) Held(run host.RunID, f host.Fence) error {
	if s.Run != run || s.Fence != f {
		return fmt.Errorf("run %s: %w", run, ErrFenced)
	}
	return nil
}

// CommitPage applies a page, whose expectations hold, at sequence n.
func (s *Standing) CommitPage(p *Page, n host.Sequence, run *RunState) {
	s.Page = p.Number
	if p.Checkpoint != nil {
		s.Pass.Checkpoint = append([]byte(nil), p.Checkpoint...)
	}
	run.Pages = p.Number
	run.Counts = run.Counts.Add(p.Counts)
	if p.Total >= 0 {
		run.Total = p.Total
	}
	if room := badRecordsKept - len(run.Bad); room > 0 && len(p.Bad) > 0 {
		run.Bad = append(run.Bad, p.Bad[:min(room, len(p.Bad))]...)
	}
	for i := range p.Bad {
		if p.Bad[i].ID == "" {
			s.Pass.Unknown++
		}
	}
	for i := range p.Stored {
		r := &p.Stored[i]
		if r.Expect == 0 {
			s.Total++
		}
		switch r.Operation {
		case host.Created:
			s.Records++
		case host.Deleted:
			s.Records--
		}
	}
	if len(p.Stored) > 0 {
		s.Changed = n
	}
	if s.KeepsMarks() && len(p.Marks) > 0 {
		s.Marks++
	}
}

// KeepsMarks says whether the names of unchanged records matter to the pass:
// those of a full one that found records when it began.
func (s *Standing) KeepsMarks() bool {
	return s.Pass != nil && s.Pass.Mode == host.Full && !s.Pass.First
}

// EndRun applies an outcome. done: it was applied before.
func (s *Standing) EndRun(o *Outcome, run *RunState) (done bool, err error) {
	if err := s.Held(o.Run, o.Fence); err != nil {
		if run != nil && run.Fence == o.Fence && run.Status == o.Status {
			return true, nil
		}
		return false, err
	}
	run.Status, run.EndedAt, run.Error = o.Status, o.At, o.Error
	s.Run, s.Holder = "", ""
	s.LastRun, s.LastStatus, s.LastEndedAt, s.NextRunAt = o.Run, o.Status, o.At, o.NextRunAt
	switch o.Status {
	case host.RunCompleted:
		s.LastSuccessAt, s.Failures, s.Error = o.At, 0, nil
		s.Checkpoint = s.Pass.Checkpoint
		if s.Pass.Mode == host.Full {
			s.LastFullAt = o.At
		}
		s.Pass = nil
	default:
		if o.Status == host.RunFailed {
			s.Failures++
		}
		s.Error = o.Error
		if !o.KeepPass {
			s.Pass = nil
		}
	}
	return false, nil
}

// Enqueue decides what becomes of a wish for a run where another is queued:
// the queued one stays if it is of the same or fuller mode, else it is
// replaced. It changes both and says whether the new one is queued.
func (s *Standing) Enqueue(run, queued *RunState, at time.Time) bool {
	if queued != nil {
		if queued.Mode == host.Full || run.Mode == host.Incremental {
			return false
		}
		queued.Status, queued.EndedAt = host.RunCanceled, at
		queued.Error = &host.Problem{Code: host.CodeCanceled, Message: "a full run was asked for and takes its place"}
	}
	run.Status, s.Queued = host.RunQueued, run.ID
	if run.QueuedAt.IsZero() {
		run.QueuedAt = at
	}
	if run.Total == 0 {
		run.Total = -1
	}
	return true
}
