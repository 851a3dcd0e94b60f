package acceptance

import (
	"context"
	"errors"
	"fmt"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// mostResumed bounds how many checkpoints of one read are gone on from.
const mostResumed = 20

func full(handle, entity string, checkpoint []byte) *connectorv1.ReadStart {
	return &connectorv1.ReadStart{Handle: handle, Entity: entity, Mode: connectorv1.Mode_MODE_FULL, Checkpoint: checkpoint}
}

// each runs f for each entity that is to be read.
func each(ctx context.Context, o Options, f func(s *session, handle string, e *connectorv1.Entity) error) error {
	return with(ctx, o, func(s *session, handle string) error {
		entities, err := s.entities(ctx, handle)
		if err != nil {
			return err
		}
		for _, e := range entities {
			if err := f(s, handle, e); err != nil {
				return fmt.Errorf("%s: %w", e.GetName(), err)
			}
		}
		return nil
	})
}

func checkRead(ctx context.Context, o Options) error {
	return each(ctx, o, func(s *session, handle string, e *connectorv1.Entity) error {
		if err := checkEntities([]*connectorv1.Entity{e}); err != nil {
			return err
		}
		_, err := reading{start: full(handle, e.GetName(), nil), watched: true}.run(ctx, s)
		return err
	})
}

func checkResume(ctx context.Context, o Options) error {
	return each(ctx, o, func(s *session, handle string, e *connectorv1.Entity) error {
		pages, err := reading{start: full(handle, e.GetName(), nil)}.run(ctx, s)
		if err != nil {
			return err
		}
		all := idsOf(pages)
		step := max(1, len(pages)/mostResumed)
		for i := 0; i < len(pages); i += step {
			rest, err := reading{start: full(handle, e.GetName(), pages[i].checkpoint)}.run(ctx, s)
			if err != nil {
				return fmt.Errorf("go on after page %d: %w", i+1, err)
			}
			if err := whole(all, idsOf(pages[:i+1]), idsOf(rest)); err != nil {
				return fmt.Errorf("go on after page %d of %d: %w", i+1, len(pages), err)
			}
		}
		return checkNotFromNothing(ctx, s, handle, e, pages)
	})
}

// checkNotFromNothing looks at the last checkpoint: from there a full read has
// little left, and an incremental one brings changes only.
func checkNotFromNothing(ctx context.Context, s *session, handle string, e *connectorv1.Entity, pages []page) error {
	if len(pages) < 2 {
		return nil // going on and beginning anew look alike
	}
	last := pages[len(pages)-1].checkpoint
	modes := []connectorv1.Mode{connectorv1.Mode_MODE_FULL}
	if e.GetIncremental() {
		modes = append(modes, connectorv1.Mode_MODE_INCREMENTAL)
	}
	for _, mode := range modes {
		start := full(handle, e.GetName(), last)
		start.Mode = mode
		rest, err := reading{start: start}.run(ctx, s)
		if err != nil {
			return fmt.Errorf("go on after the last page: %w", err)
		}
		if n, all := len(idsOf(rest)), len(idsOf(pages)); n >= all && all > 0 {
			return fmt.Errorf("a read in %s from the last checkpoint brings all %d records again", mode, all)
		}
	}
	return nil
}

// errKilled ends a read whose process was killed.
var errKilled = errors.New("killed")

func checkKill(ctx context.Context, o Options) error {
	return each(ctx, o, func(s *session, handle string, e *connectorv1.Entity) error {
		pages, err := reading{start: full(handle, e.GetName(), nil)}.run(ctx, s)
		if err != nil {
			return err
		}
		before, err := killed(ctx, o, e.GetName(), len(pages)/2+1)
		if err != nil || len(before) == 0 {
			return err
		}
		return with(ctx, o, func(s *session, handle string) error {
			rest, err := reading{start: full(handle, e.GetName(), before[len(before)-1].checkpoint)}.run(ctx, s)
			if err != nil {
				return fmt.Errorf("go on in a new process: %w", err)
			}
			return whole(idsOf(pages), idsOf(before), idsOf(rest))
		})
	})
}

// killed returns the pages that a process sent before it was killed, in a
// process of its own.
func killed(ctx context.Context, o Options, entity string, at int) ([]page, error) {
	var before []page
	err := with(ctx, o, func(s *session, handle string) error {
		_, err := reading{start: full(handle, entity, nil), after: func(p page) error {
			if before = append(before, p); len(before) < at {
				return nil
			}
			if err := s.kill(); err != nil {
				return err
			}
			return errKilled
		}}.run(ctx, s)
		return err
	})
	if errors.Is(err, errKilled) {
		err = nil
	}
	return before, err
}

func idsOf(pages []page) map[string]bool {
	ids := map[string]bool{}
	for _, p := range pages {
		for _, id := range p.ids {
			ids[id] = true
		}
	}
	return ids
}

// whole says which record is in neither part.
func whole(all, before, rest map[string]bool) error {
	for id := range all {
		if !before[id] && !rest[id] {
			return fmt.Errorf("the record %q is left out", id)
		}
	}
	return nil
}
