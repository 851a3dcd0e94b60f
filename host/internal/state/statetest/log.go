package statetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func eventOf(id host.EventID) state.Event {
	return state.Event{
		Event:  host.Event{ID: id, Type: "custom.test", Connection: plant, Time: time.Date(2026, 1, 2, 3, 4, 5, 6000000, time.UTC)},
		Sealed: []byte("data of " + string(id)),
	}
}

var log = []promise{
	{"EventsAreReadInOrder", func(f *fixture) {
		var last host.Sequence
		for i := range 5 {
			n, err := f.commit(state.Change{Events: []state.Event{
				eventOf(host.EventID(fmt.Sprintf("evt_%d", 2*i))), eventOf(host.EventID(fmt.Sprintf("evt_%d", 2*i+1))),
			}})
			f.must(err)
			last = n
		}
		f.crash()
		var after host.Sequence
		for i := 0; i < 10; {
			part, err := f.Events(f.ctx, 0, after, 3)
			f.must(err)
			equal(f, "part", len(part), min(3, 10-i))
			for _, e := range part {
				equal(f, "id", e.ID, host.EventID(fmt.Sprintf("evt_%d", i)))
				equal(f, "sealed", string(e.Sealed), "data of "+string(e.ID))
				equal(f, "time", e.Time.Equal(eventOf("").Time), true)
				equal(f, "order", e.Sequence > after, true)
				after = e.Sequence
				i++
			}
		}
		equal(f, "last", after, last)
		part, err := f.Events(f.ctx, 0, after, 3)
		f.must(err)
		equal(f, "end", len(part), 0)
		for i, before := 9, host.Sequence(0); i >= 0; {
			part, err := f.EventsBack(f.ctx, 0, before, 3)
			f.must(err)
			equal(f, "part backwards", len(part), min(3, i+1))
			for _, e := range part {
				equal(f, "id backwards", e.ID, host.EventID(fmt.Sprintf("evt_%d", i)))
				equal(f, "sealed", string(e.Sealed), "data of "+string(e.ID))
				equal(f, "order backwards", before == 0 || e.Sequence < before, true)
				before = e.Sequence
				i--
			}
			if i < 0 {
				part, err = f.EventsBack(f.ctx, 0, before, 3)
				f.must(err)
				equal(f, "beginning", len(part), 0)
			}
		}
	}},
	{"SameEventIsNotAddedTwice", func(f *fixture) {
		_, err := f.commit(state.Change{Events: []state.Event{eventOf("evt_1"), eventOf("evt_1")}})
		f.must(err)
		again := eventOf("evt_1")
		again.Sealed = []byte("other")
		_, err = f.commit(state.Change{Events: []state.Event{again, eventOf("evt_2")}})
		f.must(err)
		all, err := f.Events(f.ctx, 0, 0, 10)
		f.must(err)
		equal(f, "events", len(all), 2)
		equal(f, "the first stays", string(all[0].Sealed), "data of evt_1")
	}},
	{"WaitReturnsWhatIsThere", func(f *fixture) {
		n := f.put(state.KindToken, "a", state.Absent, `{}`)
		got, err := f.Wait(f.ctx, 0, n-1)
		f.must(err)
		equal(f, "sequence", got, n)
	}},
	{"WaitWakesEveryone", func(f *fixture) {
		const waiters = 500
		after := f.position()
		var ready, done sync.WaitGroup
		errs := make(chan error, waiters)
		for range waiters {
			ready.Add(1)
			done.Go(func() {
				ready.Done()
				n, err := f.Wait(f.ctx, 0, after)
				if err == nil && n <= after {
					err = fmt.Errorf("woken with %d after %d", n, after)
				}
				errs <- err
			})
		}
		ready.Wait()
		f.put(state.KindToken, "a", state.Absent, `{}`)
		done.Wait()
		for range waiters {
			f.must(<-errs)
		}
	}},
	{"WaitEndsWithItsContext", func(f *fixture) {
		ctx, cancel := context.WithCancelCause(f.ctx)
		got := make(chan error, 1)
		go func() {
			_, err := f.Wait(ctx, 0, f.position())
			got <- err
		}()
		cancel(errors.New("over"))
		f.refused(<-got, context.Canceled)
	}},
	{"CloseEndsWhatWaits", func(f *fixture) {
		got := make(chan error, 1)
		n := f.position()
		go func() {
			_, err := f.Wait(f.ctx, 0, n)
			got <- err
		}()
		f.must(f.Close())
		f.refused(<-got, state.ErrClosed)
		_, err := f.commit(state.Change{})
		f.refused(err, state.ErrClosed)
		_, err = f.Document(f.ctx, 0, state.KindToken, "a")
		f.refused(err, state.ErrClosed)
	}},
	{"SequencesBecomeVisibleInOrder", func(f *fixture) {
		// Writers in parallel; a reader that follows by Wait and by cursor must
		// meet every event exactly once, in the order of sequences.
		const writers, each = 8, 40
		var done sync.WaitGroup
		for w := range writers {
			done.Go(func() {
				for i := range each {
					c := state.Change{At: f.at, Events: []state.Event{eventOf(host.EventID(fmt.Sprintf("evt_%d_%d", w, i)))}}
					if _, err := f.Commit(f.ctx, 0, c); err != nil {
						f.Errorf("commit: %v", err)
					}
				}
			})
		}
		met := map[host.EventID]bool{}
		var after host.Sequence
		for len(met) < writers*each {
			n, err := f.Wait(f.ctx, 0, after)
			f.must(err)
			part, err := f.Events(f.ctx, 0, after, host.MaxListLimit)
			f.must(err)
			for _, e := range part {
				equal(f, "met before", met[e.ID], false)
				equal(f, "order", e.Sequence > after, true)
				met[e.ID], after = true, e.Sequence
			}
			equal(f, "what Wait told of is there", after >= n, true)
		}
		done.Wait()
	}},
	{"WhatArrivedAfterATimeIsAfterItsSequence", func(f *fixture) {
		n, err := f.SequenceAt(f.ctx, 0, f.now())
		f.must(err)
		equal(f, "before anything", n, 0)
		l := f.begin("run_1", host.Full, "h1")
		var times []time.Time
		var last []host.Sequence
		for i := range int64(4) {
			s := f.pageOf(l, i+1, host.RecordID(fmt.Sprint(i)))
			times = append(times, s.At)
			last = append(last, f.page(s))
		}
		f.crash()
		for i := range times {
			n, err := f.SequenceAt(f.ctx, 0, times[i])
			f.must(err)
			equal(f, "at its time", n, last[i])
			n, err = f.SequenceAt(f.ctx, 0, times[i].Add(999*time.Millisecond))
			f.must(err)
			equal(f, "a little later", n, last[i])
		}
		n, err = f.SequenceAt(f.ctx, 0, times[0].Add(-time.Microsecond))
		f.must(err)
		equal(f, "before the first", n, 0)

		l = f.begin("run_1", host.Full, "h2")
		s := f.pageOf(l, 5, "late")
		s.At = times[1] // a clock that went back
		back := f.page(s)
		n, err = f.SequenceAt(f.ctx, 0, times[1])
		f.must(err)
		equal(f, "after a clock went back", n, last[1])
		n, err = f.SequenceAt(f.ctx, 0, times[3])
		f.must(err)
		equal(f, "counts as arriving with the one before", n, back)
	}},
	{"EndedContextIsAnError", func(f *fixture) {
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		_, err := f.Commit(ctx, 0, state.Change{})
		f.refused(err, context.Canceled)
		_, err = f.Document(ctx, 0, state.KindToken, "a")
		f.refused(err, context.Canceled)
		_, err = f.Wait(ctx, 0, 0)
		f.refused(err, context.Canceled)
	}},
}
