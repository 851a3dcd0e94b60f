package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// growthCap is how many records of a collection life makes at most; what callers
// write does not count against it.
const growthCap = 25_000

// asleep is how long the program must have been away for the machines to have
// stood meanwhile.
const asleep = 10 * time.Minute

// isFull says that life makes no more records of a collection. History may make
// more: it does so before anybody reads.
func (p *plant) isFull(name string) bool { return p.grown && len(p.tables[name].byID) >= growthCap }

// life moves the plant on, beat by beat.
type life struct {
	p     *plant
	floor *floor
	beats atomic.Int64
}

// newLife is the life of a plant that is not yet furnished.
func newLife(p *plant, seed uint64) *life {
	return &life{p: p, floor: newFloor(p, rand.New(rand.NewPCG(seed, uint64(p.last))))}
}

// run beats as fast as the switches say, until the context ends.
func (l *life) run(ctx context.Context, switches *switches) {
	for {
		now, changed := switches.get()
		var next <-chan time.Time
		if now.Speed > 0 && !now.Frozen {
			next = time.After(time.Duration(float64(time.Second) / now.Speed))
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-next:
			if err := l.beat(); err != nil {
				l.p.log("beat: %v", err)
			}
		}
	}
}

// beat is a moment of the plant's life.
func (l *life) beat() error {
	l.beats.Add(1)
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.grown = true
	before := time.UnixMilli(l.p.last)
	err := l.p.changeAt(l.p.now(), func(s *step) error {
		f := l.floor
		if s.at.Sub(before) > asleep {
			f.wake(s, before)
		}
		for _, m := range machines {
			f.tick(s, m)
		}
		f.office(s)
		return nil
	})
	if err != nil {
		// The step did not happen: what the floor remembers of it is wrong.
		l.floor = newFloor(l.p, l.floor.rng)
		l.floor.recall()
	}
	return err
}

// office is what people do in a beat, beside the machines.
func (f *floor) office(s *step) {
	chance := func(percent int) bool { return f.rng.IntN(100) < percent }
	if chance(12) && !f.p.isFull("workOrders") {
		s.create("workOrders", f.draftWork(s, s.at))
	}
	if chance(35) {
		f.anyOpen(s, "workOrders", f.advanceWork)
	}
	if chance(25) {
		f.anyOpen(s, "purchaseOrders", f.advanceOrder)
	}
	if chance(5) {
		f.anyOpen(s, "deviations", f.advanceDeviation)
	}
	if chance(50) {
		f.anyOpen(s, "gauges", func(s *step, gauge fields) { f.sample(s, gauge, s.at) })
	}
	if chance(20) {
		spare := f.anySpare()
		if f.onHand(s, spare) >= 1 {
			f.moveStock(s, f.articles[spare], -1)
		}
		f.restock(s, spare)
	}
}

// wake writes that the machines stood while nobody looked.
func (f *floor) wake(s *step, before time.Time) {
	for _, m := range machines {
		event := s.read("machineEvents", f.events[m.code])
		if event == nil || event["to"] != nil {
			continue
		}
		at := moment(event, "from")
		if before.After(at) {
			at = before
		}
		if _, _, end := shiftAt(moment(event, "from")); at.After(end) {
			at = end
		}
		job := refID(event["job"])
		f.end(s, m, at)
		f.begin(s, m, "NO_ORDERS", 0, at)
		f.end(s, m, s.at)
		f.next(s, m, "NO_ORDERS", job, s.at)
	}
}

// lasts is how long each thing lasts that a machine does, more or less.
var lasts = map[string]time.Duration{
	"RUN": 4 * time.Minute, "SLOW": 2 * time.Minute, "SETUP": 90 * time.Second, "SHORT_STOP": 30 * time.Second,
	"FAULT": 2 * time.Minute, "PLANNED_STOP": 3 * time.Minute, "NO_ORDERS": 2 * time.Minute,
}

// tick ends what a machine does when its time has come, and at a change of shift.
func (f *floor) tick(s *step, m machine) {
	if f.p.isFull("machineEvents") || f.p.isFull("bookings") {
		return
	}
	event := s.read("machineEvents", f.events[m.code])
	if event == nil || event["to"] != nil {
		f.next(s, m, "NO_ORDERS", 0, s.at)
		return
	}
	category, job := str(event, "category"), refID(event["job"])
	from := moment(event, "from")
	if _, _, end := shiftAt(from); s.at.After(end) {
		f.end(s, m, end)
		f.begin(s, m, category, job, end)
		return
	}
	// The event's own number decides how long it lasts, so nothing need be kept.
	length := lasts[category] * time.Duration(5+wholeOf(event["id"])%11) / 10
	if s.at.Sub(from) < length {
		return
	}
	f.end(s, m, s.at)
	f.next(s, m, category, job, s.at)
}

// next decides what a machine does after something.
func (f *floor) next(s *step, m machine, after string, job int64, at time.Time) {
	made := s.read("jobs", job)
	if made != nil && (str(made, "status") != "RUNNING" || num(made, "good") >= num(made, "planned") || f.makeable(s, f.codes[refID(made["article"])]) < 1) {
		if str(made, "status") == "RUNNING" {
			f.endJob(s, made, at)
		}
		made = nil
	}
	if made == nil {
		if job = f.startJob(s, m, at); job == 0 {
			f.begin(s, m, "NO_ORDERS", 0, at)
			return
		}
		f.begin(s, m, "SETUP", job, at)
		return
	}
	category := "RUN"
	if after == "RUN" || after == "SLOW" {
		category = one(f.rng, []string{"SHORT_STOP", "SHORT_STOP", "SHORT_STOP", "FAULT", "FAULT", "PLANNED_STOP", "SLOW"})
	}
	f.begin(s, m, category, job, at)
}
