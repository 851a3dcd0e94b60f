package main

import (
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// startJob gives a machine its next job and the batch that it makes; zero: there
// is nothing to make.
func (f *floor) startJob(s *step, m machine, at time.Time) int64 {
	code := f.wanted(s, m)
	if code == "" {
		return 0
	}
	article := f.articles[code]
	planned := 8 * 3600 * 8 / 10 / m.ideal
	if most := int(f.makeable(s, code)); most < planned {
		planned = most
	}
	job := s.create("jobs", fields{
		"article": article, "status": "RUNNING", "prio": one(f.rng, []string{"NORMAL", "NORMAL", "HIGH"}), "planned": planned, "good": 0, "scrap": 0, "unit": "pcs",
		"machine": f.machines[m.code], "plannedStart": at, "plannedEnd": at.Add(8 * time.Hour), "dueAt": at.Add(30 * time.Hour), "startedAt": at, "createdAt": at,
	})
	batch := s.create("batches", fields{
		"type": "BATCH", "article": article, "quantity": 0, "unit": "pcs", "status": "FREE", "madeAt": at, "job": job, "createdAt": at,
	})
	made := s.read("jobs", job)
	made["batch"] = batch
	s.update("jobs", made)
	return job
}

// endJob finishes what a machine was making.
func (f *floor) endJob(s *step, job fields, at time.Time) {
	job["status"], job["finishedAt"] = "DONE", at
	s.update("jobs", job)
	f.finalCheck(s, job, at)
	f.ship(s, f.codes[refID(job["article"])])
}

// begin starts what a machine does next.
func (f *floor) begin(s *step, m machine, category string, job int64, at time.Time) {
	event := fields{
		"machine": f.machines[m.code], "category": category, "from": at, "createdAt": at, "job": job, "operator": one(f.rng, operators).ref(),
	}
	if list := reasons[category]; list != nil {
		why := one(f.rng, list)
		event["reason"] = why.code2name()
		if why.alarm != "" {
			event["alarm"], event["severity"] = why.alarm, one(f.rng, []string{"MEDIUM", "HIGH"})
		}
	}
	f.events[m.code] = s.create("machineEvents", event)
	f.showState(s, m, event, job, at)
}

// showState writes on the machine itself what it does.
func (f *floor) showState(s *step, m machine, event fields, job int64, at time.Time) {
	equipment := s.read("equipment", f.machines[m.code])
	if equipment == nil {
		return
	}
	state := map[string]string{"RUN": "PRODUCING", "SLOW": "PRODUCING", "SETUP": "SETUP", "NO_ORDERS": "IDLE"}[str(event, "category")]
	if state == "" {
		state = "STOPPED"
	}
	equipment["runState"] = fields{"word": state, "reason": event["reason"], "since": at, "job": job}
	equipment["condition"] = "OK"
	if str(event, "category") == "FAULT" {
		equipment["condition"] = "DOWN"
	}
	s.update("equipment", equipment)
}

// end closes what a machine was doing: the time is accounted, and what was made
// is booked.
func (f *floor) end(s *step, m machine, at time.Time) {
	event := s.read("machineEvents", f.events[m.code])
	if event == nil || event["to"] != nil {
		return
	}
	from := moment(event, "from")
	minutes := round(at.Sub(from).Minutes())
	event["to"], event["minutes"] = at, minutes
	s.update("machineEvents", event)
	sum := tally{upTo: at}
	switch str(event, "category") {
	case "RUN":
		sum.planned, sum.run = minutes, minutes
		sum.total, sum.good = f.book(s, m, event, minutes, 0.86+0.11*f.rng.Float64())
	case "SLOW":
		sum.planned, sum.run = minutes, minutes
		sum.total, sum.good = f.book(s, m, event, minutes, 0.55+0.1*f.rng.Float64())
	case "PLANNED_STOP", "NO_ORDERS":
	default:
		sum.planned = minutes
	}
	f.account(s, m, from, sum)
}

// tally is what adds up over a shift.
type tally struct {
	planned, run, total, good float64
	upTo                      time.Time
}

// account adds to the record of the shift that a moment is in.
func (f *floor) account(s *step, m machine, from time.Time, sum tally) {
	name, start, end := shiftAt(from)
	spot := f.shifts[m.code]
	oee := s.read("shiftOee", spot.id)
	if oee == nil || !spot.from.Equal(start) {
		if sum.planned == 0 {
			return // nothing was planned yet: there is nothing to divide by
		}
		oee = fields{"machine": f.machines[m.code], "shift": name, "from": start, "idealCycleSeconds": m.ideal, "createdAt": from}
	}
	if sum.upTo.After(end) {
		sum.upTo = end
	}
	for field, add := range map[string]float64{"plannedMinutes": sum.planned, "runMinutes": sum.run, "total": sum.total, "good": sum.good} {
		oee[field] = round(num(oee, field) + add)
	}
	oee["to"] = sum.upTo
	availability, performance, quality := effectiveness(num(oee, "plannedMinutes"), num(oee, "runMinutes"), num(oee, "total"), num(oee, "good"), float64(m.ideal))
	oee["availability"], oee["performance"], oee["quality"] = round(availability), round(performance), round(quality)
	oee["oee"] = round(availability * performance * quality)
	if oee["id"] != nil {
		s.update("shiftOee", oee)
		return
	}
	f.shifts[m.code] = oeeSpot{s.create("shiftOee", oee), start}
}

// effectiveness divides as ISO 22400-2 says; what cannot be divided is zero.
func effectiveness(planned, run, total, good, ideal float64) (availability, performance, quality float64) {
	share := func(part, whole float64) float64 {
		if whole == 0 {
			return 0
		}
		return part / whole
	}
	return share(run, planned), share(ideal*total, run*60), share(good, total)
}

// book reports what was made in a running stretch: pieces, time, and what went
// in. It answers how many were made, and how many of them are good.
func (f *floor) book(s *step, m machine, event fields, minutes, pace float64) (total, good float64) {
	job := s.read("jobs", refID(event["job"]))
	if job == nil {
		return 0, 0
	}
	code := f.codes[refID(job["article"])]
	pieces := min(int(minutes*60*pace/float64(m.ideal)), int(f.makeable(s, code)))
	batch := s.read("batches", refID(job["batch"]))
	if pieces < 1 || batch == nil {
		return 0, 0
	}
	scrap := 0
	for range pieces {
		if f.rng.Float64() < 0.02 {
			scrap++
		}
	}
	var taken []used
	for _, p := range recipes[code] {
		taken = append(taken, f.take(s, p, float64(pieces)*p.quantity, moment(event, "from"))...)
	}
	f.report(s, m, event, job, pieces-scrap, scrap, taken, minutes)
	job["good"], job["scrap"] = num(job, "good")+float64(pieces-scrap), num(job, "scrap")+float64(scrap)
	s.update("jobs", job)
	batch["quantity"] = num(batch, "quantity") + float64(pieces-scrap)
	if str(batch, "status") == "USED_UP" && num(batch, "quantity") > 0 {
		batch["status"] = "FREE" // the next machine had taken all that was there
	}
	batch["madeOf"] = addOrigins(listOf(batch["madeOf"]), taken, moment(event, "to"))
	s.update("batches", batch)
	f.moveStock(s, refID(job["article"]), float64(pieces-scrap))
	f.pool(refID(job["article"]), wholeOf(batch["id"]))
	f.measure(s, m, job, moment(event, "to"))
	return float64(pieces), float64(pieces - scrap)
}

// pool notes that a batch has something left.
func (f *floor) pool(article, batch int64) {
	for _, id := range f.pools[article] {
		if id == batch {
			return
		}
	}
	f.pools[article] = append(f.pools[article], batch)
}

// report writes the booking.
func (f *floor) report(s *step, m machine, event, job fields, good, scrap int, taken []used, minutes float64) {
	shift, _, _ := shiftAt(moment(event, "from"))
	booking := fields{
		"job": wholeOf(job["id"]), "machine": f.machines[m.code], "good": good, "scrap": scrap, "rework": 0, "unit": "pcs", "batch": refID(job["batch"]),
		"machineMinutes": minutes, "laborMinutes": minutes, "from": event["from"], "to": event["to"], "operator": event["operator"], "shift": shift, "createdAt": event["to"],
	}
	if scrap > 0 {
		booking["scrapReasons"] = []fields{{"id": 1, "pos": 1, "reason": one(f.rng, scrapReasons).code2name(), "quantity": scrap}}
	}
	var consumed []fields
	for i, t := range taken {
		consumed = append(consumed, fields{"id": i + 1, "pos": i + 1, "article": t.article, "batch": t.batch, "quantity": t.quantity, "unit": t.unit})
	}
	booking["consumed"] = consumed
	s.create("bookings", booking)
}

// addOrigins adds what was taken to what a batch is made of, a line for each
// batch that went in.
func addOrigins(origins []any, taken []used, at time.Time) []any {
	for _, t := range taken {
		known := false
		for _, one := range origins {
			if line := one.(fields); refID(line["batch"]) == t.batch {
				line["quantity"], known = round(num(line, "quantity")+t.quantity), true
				break
			}
		}
		if !known {
			n := len(origins) + 1
			origins = append(origins, fields{"id": n, "pos": n, "batch": t.batch, "article": t.article, "quantity": t.quantity, "step": t.step, "at": at})
		}
	}
	return origins
}

// ship sends the oldest finished batches away when there are many.
func (f *floor) ship(s *step, code string) {
	if len(code) < 3 || code[:3] != "PX-" {
		return
	}
	article := f.articles[code]
	for len(f.pools[article]) > 3 {
		id := f.pools[article][0]
		f.pools[article] = f.pools[article][1:]
		batch := s.read("batches", id)
		if batch == nil || str(batch, "status") != "FREE" {
			continue
		}
		f.moveStock(s, article, -num(batch, "quantity"))
		batch["status"], batch["quantity"] = "SHIPPED", 0
		s.update("batches", batch)
	}
}
