package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// BeginRun makes a run the holder of its sync.
func (e *Engine) BeginRun(ctx context.Context, p host.Partition, b state.Begin) (state.Lease, error) {
	step, err := state.AppendBegin(nil, &b)
	if err != nil {
		return state.Lease{}, err
	}
	_, lease, err := e.apply(ctx, p, step)
	return lease, err
}

// CommitPage stores a page in one step.
func (e *Engine) CommitPage(ctx context.Context, p host.Partition, s state.PageStep) (host.Sequence, error) {
	step, err := state.AppendPage(nil, &s)
	if err != nil {
		return 0, err
	}
	n, _, err := e.apply(ctx, p, step)
	return n, err
}

// Unseen returns ids of living records that a full pass has not met.
func (e *Engine) Unseen(ctx context.Context, p host.Partition, s state.PageStep, after host.RecordID, limit int) ([]host.RecordID, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	st, err := pt.held(s.Connection, s.Entity, s.Run, s.Fence)
	if err != nil {
		return nil, err
	}
	var out []host.RecordID
	for id, r := range st.records {
		if id > after && r.Operation != host.Deleted && r.Sequence <= st.Pass.StartSequence && !st.marks[state.MarkOf(id)] {
			out = append(out, host.RecordID(strings.Clone(string(id))))
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))], nil
}

// EndRun writes an outcome and frees the sync.
func (e *Engine) EndRun(ctx context.Context, p host.Partition, o state.Outcome) error {
	step, err := state.AppendEnd(nil, &o)
	if err != nil {
		return err
	}
	_, _, err = e.apply(ctx, p, step)
	return err
}

// Syncs returns all syncs of a connection, by entity.
func (e *Engine) Syncs(ctx context.Context, p host.Partition, id host.ConnectionID) ([]host.Sync, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var out []host.Sync
	if l := pt.lives[id]; l != nil {
		for _, s := range l.streams {
			out = append(out, copyOf(s.Sync))
		}
	}
	slices.SortFunc(out, func(a, b host.Sync) int { return strings.Compare(string(a.Entity), string(b.Entity)) })
	return out, nil
}

// Run returns one run.
func (e *Engine) Run(ctx context.Context, p host.Partition, c host.ConnectionID, id host.RunID) (host.Run, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return host.Run{}, err
	}
	defer unlock()
	l := pt.lives[c]
	if l == nil || l.runs[id] == nil {
		return host.Run{}, state.ErrNotFound
	}
	return copyOf(l.runs[id].Run), nil
}

// Runs returns runs, newest first.
func (e *Engine) Runs(ctx context.Context, p host.Partition, c host.ConnectionID, entity host.EntityName, before host.RunID, limit int) ([]host.Run, error) {
	pt, unlock, err := e.lock(ctx, p)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var out []host.Run
	if l := pt.lives[c]; l != nil {
		for id, r := range l.runs {
			if (entity == "" || r.Entity == entity) && (before == "" || id < before) {
				out = append(out, copyOf(r.Run))
			}
		}
	}
	slices.SortFunc(out, func(a, b host.Run) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return out[:min(limit, len(out))], nil
}
