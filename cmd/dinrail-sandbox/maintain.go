package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// draftWork is a new work order: something is broken, or due.
func (f *floor) draftWork(s *step, at time.Time) fields {
	tag := one(f.rng, []string{"M-11", "M-12", "M-13", "M-21", "M-22", "M-31", "P-101", "P-102", "P-103", "P-104", "K-201", "K-202", "B-301", "C-401", "C-402", "H-501", "V-601"})
	equipment := s.read("equipment", f.machines[tag])
	order := fields{
		"status": "WAITING", "equipment": f.machines[tag], "place": refID(equipment["place"]), "requestedBy": one(f.rng, operators).ref(), "createdAt": at,
		"prio": one(f.rng, []string{"LOW", "NORMAL", "NORMAL", "HIGH", "URGENT"}), "plannedMinutes": 30 + 15*f.rng.IntN(10), "dueAt": at.Add(time.Duration(24+f.rng.IntN(240)) * time.Hour),
	}
	if f.rng.IntN(5) < 2 {
		chore := one(f.rng, chores)
		order["title"], order["type"], order["tags"] = chore, "PREVENTIVE", []string{"planned"}
		order["plannedStart"], order["plannedEnd"] = at.Add(24*time.Hour), at.Add(26*time.Hour)
		order["steps"] = []fields{
			{"id": 1, "pos": 1, "text": "Lock out and tag out", "type": "CHECK", "required": true},
			{"id": 2, "pos": 2, "text": "Record vibration", "type": "NUMBER", "required": true, "unit": "mm/s"},
			{"id": 3, "pos": 3, "text": "Remarks", "type": "TEXT", "required": false},
		}
		return order
	}
	what := one(f.rng, slices.DeleteFunc(slices.Clone(troubles), func(t trouble) bool { return !strings.Contains(t.on, tag[:1]) }))
	order["title"], order["type"], order["status"] = what.title, "REPAIR", one(f.rng, []string{"REQUESTED", "WAITING"})
	order["text"] = fmt.Sprintf("%s at %s, reported in the %s shift.", what.title, tag, shiftWord(at))
	order["failure"] = fields{"problem": what.problem.code2name()}
	order["tags"] = []string{"breakdown"}
	spare := f.anySpare()
	order["materials"] = []fields{{"id": 1, "pos": 1, "article": f.articles[spare], "planned": 1, "used": 0, "unit": "pcs", "unitPrice": fields{"value": "24.90", "currency": "EUR"}}}
	return order
}

func shiftWord(at time.Time) string {
	name, _, _ := shiftAt(at)
	return map[string]string{"EARLY": "early", "LATE": "late", "NIGHT": "night"}[name]
}

// startWork puts people on an order.
func (f *floor) startWork(order fields, at time.Time) {
	fitter := one(f.rng, fitters)
	order["status"], order["startedAt"] = "RUNNING", at
	order["assignedTo"] = []fields{{"id": 1, "pos": 1, "personId": fitter.id, "name": fitter.name}}
}

// finishWork writes what was done.
func (f *floor) finishWork(order fields, at time.Time) {
	minutes := round(max(5, at.Sub(moment(order, "startedAt")).Minutes()))
	order["status"], order["finishedAt"], order["actualMinutes"] = "DONE", at, minutes
	fitter := fields{}
	for _, one := range listOf(order["assignedTo"]) {
		line := one.(fields)
		fitter = fields{"id": line["personId"], "name": line["name"]}
	}
	order["finishedBy"] = fitter
	order["times"] = []fields{{"id": 1, "pos": 1, "person": fitter, "minutes": minutes, "hourlyRate": fields{"value": "54.00", "currency": "EUR"}}}
	for i, one := range listOf(order["steps"]) {
		line := one.(fields)
		line["doneAt"], line["doneBy"] = at, fitter
		line["result"] = []string{"yes", fmt.Sprintf("%.1f", 1.5+f.rng.Float64()*2), "In good order."}[i%3]
	}
	if str(order, "type") != "REPAIR" {
		return
	}
	order["downMinutes"] = math.Round(minutes * (0.5 + f.rng.Float64()))
	for _, what := range troubles {
		if what.title == str(order, "title") {
			order["failure"] = fields{"problem": what.problem.code2name(), "cause": what.cause.code2name(), "remedy": what.remedy.code2name()}
		}
	}
	for _, one := range listOf(order["materials"]) {
		line := one.(fields)
		line["used"] = line["planned"]
	}
}

// useMaterials takes what an order used out of the stock, and reorders.
func (f *floor) useMaterials(s *step, order fields) {
	for _, one := range listOf(order["materials"]) {
		line := one.(fields)
		article := refID(line["article"])
		code := f.codes[article]
		if f.onHand(s, code) >= num(line, "used") {
			f.moveStock(s, article, -num(line, "used"))
		}
		f.restock(s, code)
	}
}

// advanceWork moves a work order one state on.
func (f *floor) advanceWork(s *step, order fields) {
	switch str(order, "status") {
	case "REQUESTED":
		order["status"] = one(f.rng, []string{"WAITING", "WAITING", "WAITING", "WAITING", "CANCELLED"})
	case "WAITING", "PLANNED", "PAUSED":
		if f.rng.IntN(4) == 0 && str(order, "status") == "WAITING" {
			order["status"] = "PLANNED"
			order["plannedStart"], order["plannedEnd"] = s.at.Add(8*time.Hour), s.at.Add(10*time.Hour)
			break
		}
		f.startWork(order, s.at)
	case "RUNNING":
		if f.rng.IntN(5) == 0 {
			order["status"] = "PAUSED"
			break
		}
		f.finishWork(order, s.at)
		f.useMaterials(s, order)
	case "DONE":
		order["status"] = "CLOSED"
	default:
		return
	}
	s.update("workOrders", order)
}

// pastWork writes an order of the history, as far along as its age makes it.
func (f *floor) pastWork(s *step, at time.Time, recent bool) {
	order := f.draftWork(s, at)
	switch fate := f.rng.IntN(10); {
	case recent && fate < 6:
	case recent && fate < 8:
		f.startWork(order, at.Add(time.Hour))
	case fate == 9:
		order["status"] = "CANCELLED"
	default:
		f.startWork(order, at.Add(time.Hour))
		f.finishWork(order, at.Add(time.Duration(70+f.rng.IntN(120))*time.Minute))
		if fate < 7 {
			order["status"] = "CLOSED"
		}
	}
	s.create("workOrders", order)
}
