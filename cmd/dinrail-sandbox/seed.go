package main

import "time"

// historyDays is how far back the plant's records reach, times the scale.
const historyDays = 5

// ordersPerDay is how many work orders a day of history has.
const ordersPerDay = 30

// seed makes a plant with a past: what stands there, then shift after shift up
// to the present moment, the last of them still running.
func seed(p *plant, f *floor, o options) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	_, current, _ := shiftAt(now)
	first := current.AddDate(0, 0, -historyDays*o.scale)
	if err := p.changeAt(first, func(s *step) error {
		places := seedPlaces(s)
		suppliers := seedSuppliers(s)
		equipment := seedEquipment(s, f, places)
		f.machines = equipment
		seedArticles(s, f, places, equipment, suppliers)
		seedGauges(s, equipment)
		return nil
	}); err != nil {
		return err
	}
	f.recallFeatures()
	shifts := historyDays * 3 * o.scale
	orders := ordersPerDay * historyDays * o.scale
	if o.orders > 0 {
		orders = o.orders
	}
	for i := range shifts {
		from := first.Add(time.Duration(i) * 8 * time.Hour)
		count := orders*(i+1)/shifts - orders*i/shifts
		if err := p.changeAt(from.Add(8*time.Hour), func(s *step) error {
			f.pastShift(s, from, from.Add(8*time.Hour), true)
			for range count {
				f.pastWork(s, from.Add(time.Duration(f.rng.IntN(180))*time.Minute), i >= shifts-2)
			}
			f.pastPaper(s)
			return nil
		}); err != nil {
			return err
		}
	}
	return p.changeAt(now, func(s *step) error {
		f.pastShift(s, current, now, false)
		return nil
	})
}

// pastShift lets all machines work from one moment to another; if whole, they
// finish what they made.
func (f *floor) pastShift(s *step, from, to time.Time, whole bool) {
	for _, m := range machines {
		f.pastMachine(s, m, from, to, whole)
	}
	for _, r := range s.p.tables["gauges"].byID {
		if gauge := s.read("gauges", r.id); gauge != nil && to.After(moment(gauge, "lastReadAt")) {
			f.sample(s, gauge, to)
		}
	}
}

// stretch is a time in which a machine does one thing.
type stretch struct {
	category string
	minutes  int
}

// pastMachine writes one machine's shift without gaps. What would reach beyond
// the end is left open.
func (f *floor) pastMachine(s *step, m machine, from, to time.Time, whole bool) {
	job := f.startJob(s, m, from)
	at := from
	for _, part := range f.course(job != 0) {
		if !at.Before(to) {
			break
		}
		f.begin(s, m, part.category, jobOf(part.category, job), at)
		at = at.Add(time.Duration(part.minutes) * time.Minute)
		if !at.After(to) {
			f.end(s, m, at)
		}
	}
	if made := s.read("jobs", job); made != nil && whole {
		f.endJob(s, made, to)
	}
}

// jobOf leaves the job out of what is done for none.
func jobOf(category string, job int64) int64 {
	if category == "NO_ORDERS" {
		return 0
	}
	return job
}

// course is what a machine does in a shift: 480 minutes in all.
func (f *floor) course(works bool) []stretch {
	if !works {
		return []stretch{{"NO_ORDERS", 480}}
	}
	stops := []stretch{{"PLANNED_STOP", 30}, {"SHORT_STOP", 2 + f.rng.IntN(6)}}
	for range f.rng.IntN(3) {
		stops = append(stops, stretch{"FAULT", 6 + f.rng.IntN(35)})
	}
	if f.rng.IntN(2) == 0 {
		stops = append(stops, stretch{"SHORT_STOP", 1 + f.rng.IntN(5)})
	}
	f.rng.Shuffle(len(stops), func(i, j int) { stops[i], stops[j] = stops[j], stops[i] })
	setup := stretch{"SETUP", 12 + f.rng.IntN(18)}
	left := 480 - setup.minutes
	for _, stop := range stops {
		left -= stop.minutes
	}
	all := []stretch{setup}
	for i, stop := range stops {
		running := left / (len(stops) + 1 - i)
		left -= running
		category := "RUN"
		if f.rng.IntN(9) == 0 {
			category = "SLOW"
		}
		all = append(all, stretch{category, running}, stop)
	}
	return append(all, stretch{"RUN", left})
}

// pastPaper moves the paperwork of the plant on by a shift.
func (f *floor) pastPaper(s *step) {
	f.restock(s, f.anySpare())
	for range 2 {
		f.anyOpen(s, "purchaseOrders", f.advanceOrder)
		f.anyOpen(s, "deviations", f.advanceDeviation)
	}
	if spare := f.anySpare(); f.onHand(s, spare) >= 3 {
		f.moveStock(s, f.articles[spare], -3)
	}
}

// anyOpen moves one of the latest records of a collection on.
func (f *floor) anyOpen(s *step, name string, advance func(*step, fields)) {
	all := s.p.tables[name].byID
	if len(all) == 0 {
		return
	}
	const latest = 60
	all = all[max(0, len(all)-latest):]
	if record := s.read(name, one(f.rng, all).id); record != nil {
		advance(s, record)
	}
}
