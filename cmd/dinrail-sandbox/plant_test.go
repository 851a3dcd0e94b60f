package main

import (
	"bytes"
	"math"
	"testing"
	"time"
)

// Ensure the same seed makes the same plant, and the same life; another seed
// another one.
func TestSameSeedSamePlant(t *testing.T) {
	t.Parallel()
	grow := func(seed uint64) *plant {
		time := &clock{now: noon}
		p := newPlant(time.Now)
		l, err := furnish(p, &options{seed: seed, scale: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			time.Add(20e9)
			if err := l.beat(); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	a, b, other := grow(1), grow(1), grow(2)
	for name := range a.tables {
		if !bytes.Equal(bodies(a, name), bodies(b, name)) {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
	if bytes.Equal(bodies(a, "workOrders"), bodies(other, "workOrders")) {
		t.Error("another seed makes the same work orders")
	}
}

func bodies(p *plant, name string) []byte {
	var all []byte
	for _, r := range p.tables[name].byID {
		all = append(all, r.body...)
	}
	return all
}

// Ensure scale and orders give what they say.
func TestScale(t *testing.T) {
	t.Parallel()
	small, large := setup(t), setup(t, func(o *options) { o.scale = 3; o.orders = 777 })
	if got := large.plant.counts()["workOrders"]; got != 777 {
		t.Errorf("%d work orders, want 777", got)
	}
	if a, b := small.plant.counts()["machineEvents"], large.plant.counts()["machineEvents"]; b < 2*a {
		t.Errorf("%d events at scale 1, %d at scale 3", a, b)
	}
}

// Ensure history and a day of life hang together: genealogy, stock, time,
// effectiveness.
func TestFiguresHangTogether(t *testing.T) {
	t.Parallel()
	c := setup(t)
	check := func(t *testing.T) {
		checkGenealogy(t, c)
		checkEffectiveness(t, c)
		checkEvents(t, c)
		checkMeasured(t, c)
	}
	t.Run("history", check)
	before := c.plant.counts()
	for range 3000 {
		c.clock.Add(30 * time.Second)
		if err := c.life.beat(); err != nil {
			t.Fatal(err)
		}
	}
	after := c.plant.counts()
	for _, name := range []string{
		"workOrders", "purchaseOrders", "jobs", "bookings", "batches", "machineEvents", "shiftOee", "measuredValues", "checks", "gaugeReadings",
	} {
		if after[name] <= before[name] {
			t.Errorf("a day of life made no %s", name)
		}
	}
	c.logIn("plant-7")
	t.Run("life", check)
}

// checkGenealogy follows every made batch back to delivered ones, and compares
// what was booked with what is left.
func checkGenealogy(t *testing.T, c *caller) {
	batches := make(map[int64]fields)
	stock := make(map[int64]float64)
	for _, b := range c.all("batches") {
		batches[wholeOf(b["id"])] = b
		if str(b, "status") == "FREE" {
			stock[refID(b["article"])] += num(b, "quantity")
		}
	}
	made, taken := make(map[int64]float64), make(map[int64]float64)
	booked := make(map[[2]int64]float64) // what went from a batch into a batch
	for _, booking := range c.all("bookings") {
		into := refID(booking["batch"])
		made[into] += num(booking, "good")
		for _, one := range listOf(booking["consumed"]) {
			from := refID(one.(fields)["batch"])
			taken[from] += num(one.(fields), "quantity")
			booked[[2]int64{from, into}] += num(one.(fields), "quantity")
		}
	}
	for id, b := range batches {
		if b["job"] == nil {
			if b["supplier"] == nil || !near(num(b, "quantity"), batchSize-taken[id]) {
				t.Errorf("batch %d: %v left, %v taken of %d delivered", id, b["quantity"], taken[id], batchSize)
			}
			continue
		}
		if str(b, "status") != "SHIPPED" && !near(num(b, "quantity"), made[id]-taken[id]) {
			t.Errorf("batch %d: %v left, %v made, %v taken", id, b["quantity"], made[id], taken[id])
		}
		for _, one := range listOf(b["madeOf"]) {
			line := one.(fields)
			from := refID(line["batch"])
			if batches[from] == nil || refID(batches[from]["article"]) != refID(line["article"]) {
				t.Errorf("batch %d is made of %d, which is none or of another article", id, from)
			}
			if !near(num(line, "quantity"), booked[[2]int64{from, id}]) {
				t.Errorf("batch %d has %v of %d, %v were booked", id, line["quantity"], from, booked[[2]int64{from, id}])
			}
		}
		if made[id] > 0 && len(listOf(b["madeOf"])) == 0 {
			t.Errorf("batch %d is made of nothing", id)
		}
	}
	for _, level := range c.all("stock") {
		article := refID(level["article"])
		if code := str(level["article"].(fields), "code"); code[:3] != "SP-" && !near(num(level, "quantity"), stock[article]) {
			t.Errorf("stock of %s is %v, its batches have %v", code, level["quantity"], stock[article])
		}
	}
	for _, job := range c.all("jobs") {
		if got := made[refID(job["batch"])]; !near(num(job, "good"), got) {
			t.Errorf("job %v says %v good, %v were booked", job["id"], job["good"], got)
		}
	}
}

// checkEffectiveness computes every shift anew from the machine's events and
// bookings.
func checkEffectiveness(t *testing.T, c *caller) {
	events, bookings := c.all("machineEvents"), c.all("bookings")
	within := func(f fields, machine int64, from, to time.Time) bool {
		at := moment(f, "from")
		return refID(f["machine"]) == machine && !at.Before(from) && at.Before(to) && f["to"] != nil
	}
	for _, oee := range c.all("shiftOee") {
		machine, from, to := refID(oee["machine"]), moment(oee, "from"), moment(oee, "from").Add(8*time.Hour)
		var planned, run, total, good float64
		for _, e := range events {
			if !within(e, machine, from, to) {
				continue
			}
			switch str(e, "category") {
			case "RUN", "SLOW":
				run += num(e, "minutes")
				planned += num(e, "minutes")
			case "SETUP", "FAULT", "SHORT_STOP":
				planned += num(e, "minutes")
			}
		}
		for _, b := range bookings {
			if within(b, machine, from, to) {
				total += num(b, "good") + num(b, "scrap")
				good += num(b, "good")
			}
		}
		for name, want := range map[string]float64{"plannedMinutes": planned, "runMinutes": run, "total": total, "good": good} {
			if math.Abs(num(oee, name)-want) > 0.01 {
				t.Errorf("shift %v: %s is %v, the events and bookings say %v", oee["id"], name, oee[name], want)
			}
		}
		product := num(oee, "availability") * num(oee, "performance") * num(oee, "quality")
		if math.Abs(product-num(oee, "oee")) > 0.001 || num(oee, "oee") < 0 || num(oee, "oee") > 1 {
			t.Errorf("shift %v: %v × %v × %v is not %v", oee["id"], oee["availability"], oee["performance"], oee["quality"], oee["oee"])
		}
	}
}

// checkEvents looks for gaps in what the machines did.
func checkEvents(t *testing.T, c *caller) {
	last := make(map[int64]time.Time)
	for _, e := range c.all("machineEvents") {
		machine := refID(e["machine"])
		if end, ok := last[machine]; ok && !end.Equal(moment(e, "from")) {
			t.Errorf("event %v begins at %v, the one before ended at %v", e["id"], e["from"], end)
		}
		last[machine] = moment(e, "to")
	}
}

// checkMeasured looks at subgroups and limits.
func checkMeasured(t *testing.T, c *caller) {
	sizes := make(map[[2]int64]int)
	wrong, values := 0, c.all("measuredValues")
	for _, v := range values {
		sizes[[2]int64{refID(v["feature"]), wholeOf(v["subgroup"])}]++
		outside := num(v, "value") < num(v, "lsl") || num(v, "value") > num(v, "usl")
		if outside != (str(v, "verdict") == "NOT_OK") || num(v, "lsl") >= num(v, "lcl") || num(v, "ucl") >= num(v, "usl") {
			t.Errorf("value %v: %v within %v and %v is %v", v["id"], v["value"], v["lsl"], v["usl"], v["verdict"])
		}
		if outside {
			wrong++
		}
	}
	for of, size := range sizes {
		if size != subgroupSize {
			t.Errorf("subgroup %v has %d values", of, size)
		}
	}
	if wrong*50 > len(values) {
		t.Errorf("%d of %d values are outside: no capable process", wrong, len(values))
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.0005 }

// Ensure life goes on after a long absence: the machines stood meanwhile.
func TestWakeAfterAbsence(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.clock.Add(50 * time.Hour)
	for range 20 {
		if err := c.life.beat(); err != nil {
			t.Fatal(err)
		}
		c.clock.Add(30 * time.Second)
	}
	c.logIn("plant-7")
	checkEvents(t, c)
	checkEffectiveness(t, c)
	checkGenealogy(t, c)
}

// Ensure life stops making records at its cap, and nothing else stops.
func TestGrowthIsBounded(t *testing.T) {
	t.Parallel()
	c := setup(t, func(o *options) { o.orders = growthCap })
	before := c.plant.counts()
	for range 100 {
		c.clock.Add(time.Second)
		if err := c.life.beat(); err != nil {
			t.Fatal(err)
		}
	}
	after := c.plant.counts()
	if after["workOrders"] != before["workOrders"] {
		t.Errorf("%d work orders, there were %d", after["workOrders"], before["workOrders"])
	}
	if after["gaugeReadings"] == before["gaugeReadings"] {
		t.Error("no gauge was read")
	}
}

// Ensure what somebody deletes or blocks does not stop the plant's life.
func TestLifeGoesOnWithoutRecords(t *testing.T) {
	t.Parallel()
	c := setup(t)
	for _, collection := range []string{"jobs", "batches", "machineEvents", "shiftOee", "equipment", "stock", "articles", "features", "gauges", "suppliers", "workOrders", "purchaseOrders"} {
		for _, item := range c.all(collection) {
			if wholeOf(item["id"])%3 == 0 {
				c.control("/delete", fields{"collection": collection, "id": item["id"]})
			}
		}
	}
	for range 300 {
		c.clock.Add(time.Minute)
		if err := c.life.beat(); err != nil {
			t.Fatal(err)
		}
	}
}
