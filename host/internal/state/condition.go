package state

import (
	"context"
	"errors"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Raise notes that a condition was seen. Where it is to be told, complete adds
// what is dear to find out, and the event system.error with the id that newID
// makes is in the same step.
func (s *Store) Raise(ctx context.Context, seen host.Condition, now time.Time, newID func(string) string, complete func(*host.Condition) error) (told bool, err error) {
	for {
		c, rev, err := Get[host.Condition](ctx, s, KindCondition, seen.Key)
		if errors.Is(err, ErrNotFound) {
			rev = Absent
		} else if err != nil {
			return false, err
		}
		var events []host.Event
		tell := c.Again(seen, now)
		if tell {
			if err := complete(&c); err != nil {
				return false, err
			}
			e, err := c.Event(host.EventID(newID("evt_")), host.EventSystemError, now)
			if err != nil {
				return false, err
			}
			events = append(events, e)
		}
		put, err := PutOf(KindCondition, c.Key, rev, &c)
		if err != nil {
			return false, err
		}
		if _, err = s.Commit(ctx, now, []Put{put}, events, nil); !errors.Is(err, ErrChanged) {
			return tell && err == nil, err
		}
	}
}

// Look tells what is to be told of a condition that stands as it was given, and
// forgets it in time; over says that it is no longer there. One that was seen
// again meanwhile stays as it is.
func (s *Store) Look(ctx context.Context, c Versioned[host.Condition], over bool, now time.Time, newID func(string) string) error {
	tell, forget := c.Value.Look(over, now)
	if tell == "" && !forget {
		return nil
	}
	put, err := PutOf(KindCondition, c.ID, c.Revision, &c.Value)
	if err != nil {
		return err
	}
	if forget {
		put = Delete(KindCondition, c.ID, c.Revision)
	}
	var events []host.Event
	if tell != "" {
		e, err := c.Value.Event(host.EventID(newID("evt_")), tell, now)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	if _, err = s.Commit(ctx, now, []Put{put}, events, nil); errors.Is(err, ErrChanged) {
		return nil
	}
	return err
}
