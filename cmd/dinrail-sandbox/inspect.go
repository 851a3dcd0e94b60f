package main

import (
	"fmt"
	"math"
	"time"
)

// subgroupSize is how many pieces are measured at a time.
const subgroupSize = 5

// measure takes one subgroup of each feature of what a job makes. Now and then
// the process has drifted, as a control chart shows.
func (f *floor) measure(s *step, m machine, job fields, at time.Time) {
	if f.p.isFull("measuredValues") {
		return
	}
	operator := one(f.rng, operators).ref()
	for _, id := range f.features[refID(job["article"])] {
		feature := s.read("features", id)
		if feature == nil {
			continue
		}
		nominal, lsl, usl := num(feature, "nominal"), num(feature, "lsl"), num(feature, "usl")
		sigma := (usl - lsl) / 8
		drift := 0.0
		if f.rng.IntN(25) == 0 {
			drift = 2.2 * sigma
		}
		f.subgroups[id]++
		for sample := 1; sample <= subgroupSize; sample++ {
			value := round(nominal + drift + sigma*f.rng.NormFloat64())
			word := "OK"
			if value < lsl || value > usl {
				word = "NOT_OK"
			}
			s.create("measuredValues", fields{
				"feature": id, "article": refID(job["article"]), "batch": refID(job["batch"]), "job": wholeOf(job["id"]), "stream": m.code,
				"subgroup": f.subgroups[id], "sample": sample, "value": value, "unit": feature["unit"], "nominal": feature["nominal"],
				"lsl": feature["lsl"], "usl": feature["usl"], "lcl": feature["lcl"], "ucl": feature["ucl"], "verdict": word, "excluded": false,
				"gage": refID(feature["gage"]), "machine": f.machines[m.code], "operator": operator, "takenAt": at, "createdAt": at,
			})
		}
	}
}

// verdict says how a check ended.
func verdict(rejected int) string {
	if rejected > 0 {
		return "NOT_OK"
	}
	return "OK"
}

// finalCheck looks at what a job made.
func (f *floor) finalCheck(s *step, job fields, at time.Time) {
	lot := num(job, "good")
	sample := math.Min(8, lot)
	rejected := 0
	if f.rng.IntN(8) == 0 && lot > 0 {
		rejected = 1
	}
	inspector := one(f.rng, inspectors)
	check := fields{
		"type": "FINAL", "status": "DONE", "verdict": verdict(rejected), "article": refID(job["article"]), "batch": refID(job["batch"]), "job": wholeOf(job["id"]),
		"plan": fields{"name": "Final " + f.codes[refID(job["article"])], "version": "4"}, "drawingRev": "A", "lotSize": lot, "sampleSize": sample,
		"accepted": sample - float64(rejected), "rejected": rejected, "inspector": inspector.ref(), "inspectedAt": at,
		"reviewedBy": planner.ref(), "reviewedAt": at, "createdAt": at,
	}
	id := s.create("checks", check)
	if rejected > 0 {
		f.complain(s, id, check, float64(rejected), at)
	}
}

// complain opens a deviation for what a check rejected.
func (f *floor) complain(s *step, check int64, c fields, quantity float64, at time.Time) {
	if f.p.isFull("deviations") {
		return
	}
	why := one(f.rng, scrapReasons)
	origin := "INTERNAL"
	if c["supplier"] != nil {
		origin = "SUPPLIER"
	}
	s.create("deviations", fields{
		"title": why.name, "text": fmt.Sprintf("%s: %v of %v rejected.", f.codes[refID(c["article"])], quantity, c["sampleSize"]), "type": "NONCONFORMANCE",
		"status": "OPEN", "severity": one(f.rng, []string{"LOW", "MEDIUM", "MEDIUM", "HIGH"}), "origin": origin, "article": c["article"], "drawingRev": c["drawingRev"],
		"batch": c["batch"], "quantity": quantity, "job": c["job"], "check": check, "purchaseOrder": c["purchaseOrder"], "supplier": c["supplier"],
		"owner": one(f.rng, inspectors).ref(), "openedAt": at, "dueAt": at.AddDate(0, 0, 14), "createdAt": at,
	})
}

// advanceDeviation moves a deviation one state on.
func (f *floor) advanceDeviation(s *step, d fields) {
	switch str(d, "status") {
	case "OPEN":
		d["status"] = "RUNNING"
	case "RUNNING":
		d["status"], d["rootCause"] = "REVIEW", one(f.rng, []string{"Worn tool", "Wrong batch of castings", "Fixture not clean", "Work instruction unclear"})
		d["decisions"] = []fields{{
			"id": 1, "pos": 1, "type": one(f.rng, []string{"SCRAP", "REWORK", "USE_AS_IS"}), "quantity": d["quantity"], "batch": refID(d["batch"]), "by": d["owner"], "at": s.at,
		}}
	case "REVIEW":
		d["status"], d["closedAt"], d["cost"] = "DONE", s.at, fields{"value": fmt.Sprintf("%d.00", 20+f.rng.IntN(400)), "currency": "EUR"}
	default:
		return
	}
	s.update("deviations", d)
}

// sample reads a gauge.
func (f *floor) sample(s *step, gauge fields, at time.Time) {
	if f.p.isFull("gaugeReadings") {
		return
	}
	value := num(gauge, "lastValue")
	counting, _ := gauge["counting"].(bool)
	if counting {
		value += max(0, at.Sub(moment(gauge, "lastReadAt")).Hours()) * (0.7 + 0.3*f.rng.Float64())
	} else {
		value *= 1 + 0.02*f.rng.NormFloat64()
	}
	quality := "OK"
	if f.rng.IntN(60) == 0 {
		quality = "DOUBTFUL"
	}
	reading := fields{"gauge": wholeOf(gauge["id"]), "value": math.Round(value*100) / 100, "unit": gauge["unit"], "quality": quality, "takenAt": at, "createdAt": at}
	if str(gauge, "type") == "MANUAL" {
		reading["takenBy"] = one(f.rng, fitters).ref()
	}
	s.create("gaugeReadings", reading)
	s.noteReading(reading)
}
