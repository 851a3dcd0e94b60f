package syncer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/dinrail/dinrail/host"
)

// A system that restarts in mid-run is waited for; one that stays away is not.
func TestRunWaitsForASystemThatGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlant(30)
		asked, away := 0, 3
		p.fail = func() error {
			if asked++; asked > 1 && asked <= 1+away {
				return host.Errorf(host.CodeUnavailable, "the plant is away")
			}
			return nil
		}
		r := setup(t, p, hourly)
		defer r.stop()
		after(34 * time.Second) // 5 + 10 + 20, less a second
		if s := r.sync(); s.Run == "" {
			t.Fatalf("the run has ended: %+v", r.lastRun())
		}
		after(2 * time.Second)
		if run := r.lastRun(); run.Status != host.RunCompleted || run.Counts.Created != 30 || run.Counts.Unchanged != 0 {
			t.Fatalf("run %+v", run)
		}
		p.do(func() { asked, away = 1, 1000 })
		r.queue(host.Full)
		after(36 * time.Second)
		if run := r.lastRun(); run.Status != host.RunFailed || run.Error.Code != host.CodeUnavailable {
			t.Fatalf("run %+v", run)
		}
	})
}

// A connection that was paused for a moment is checked as soon as it is resumed,
// also where both were seen as one change.
func TestResumedConnectionIsCheckedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(5), hourly)
		defer r.stop()
		after(time.Second)
		for _, between := range []time.Duration{time.Second, 0} {
			r.put(func(c *host.Connection) { c.Paused, c.Status = true, host.StatusPaused })
			time.Sleep(between)
			r.put(func(c *host.Connection) { c.Paused, c.Status = false, host.StatusPending })
			after(time.Second)
			if c := r.connection(); c.Status != host.StatusOnline {
				t.Fatalf("resumed after %s: the connection is %s", between, c.Status)
			}
		}
	})
}

// A record whose name nobody knows may be any of those that a full run does not
// meet: nothing is deleted, also where the run went on in another one.
func TestRecordWithoutAnIDIsNotTakenForADeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := setup(t, newPlant(35), hourly)
		defer r.stop()
		after(time.Second)
		pages := 0
		r.plant.do(func() {
			delete(r.plant.things, "i0001")
			r.plant.nameless = 1
			r.plant.fail = func() error {
				if pages++; pages == 3 {
					return host.Errorf(host.CodeInternal, "the plant answers nonsense")
				}
				return nil
			}
		})
		r.queue(host.Full)
		after(time.Second)
		if run := r.lastRun(); run.Status != host.RunFailed || run.Counts.Bad != 1 {
			t.Fatalf("run %+v", run)
		}
		after(time.Minute)
		if run := r.lastRun(); run.Status != host.RunCompleted || run.Mode != host.Full || run.Counts.Bad != 0 {
			t.Fatalf("run %+v", run)
		}
		if alive, dead := r.living(); alive != 35 || dead != 0 {
			t.Fatalf("%d living and %d tombstones", alive, dead)
		}
	})
}
