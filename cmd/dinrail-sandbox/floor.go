package main

import (
	"math/rand/v2"
	"strings"
	"time"
)

// floor is the shop floor: what life needs to know beside the records, all of
// it found again from them. History is made by the same code as life, so what
// hangs together in one does in the other.
type floor struct {
	p         *plant
	rng       *rand.Rand
	articles  map[string]int64   // by article number
	codes     map[int64]string   // the other way
	stock     map[int64]int64    // stock record by article
	pools     map[int64][]int64  // batches with something left by article, oldest first
	features  map[int64][]int64  // by article
	subgroups map[int64]int64    // last subgroup by feature
	machines  map[string]int64   // equipment by tag
	events    map[string]int64   // latest event by machine
	shifts    map[string]oeeSpot // latest OEE record by machine
}

// oeeSpot is the record of the shift that a machine is in.
type oeeSpot struct {
	id   int64
	from time.Time
}

// newFloor is an empty one.
func newFloor(p *plant, rng *rand.Rand) *floor {
	return &floor{
		p: p, rng: rng, articles: make(map[string]int64), codes: make(map[int64]string), stock: make(map[int64]int64),
		pools: make(map[int64][]int64), features: make(map[int64][]int64), subgroups: make(map[int64]int64),
		machines: make(map[string]int64), events: make(map[string]int64), shifts: make(map[string]oeeSpot),
	}
}

// recall finds everything again from the records.
func (f *floor) recall() {
	for _, r := range f.p.tables["equipment"].byID {
		f.machines[r.code] = r.id
	}
	for _, r := range f.p.tables["articles"].byID {
		f.articles[r.code], f.codes[r.id] = r.id, r.code
	}
	for _, r := range f.p.tables["stock"].byID {
		// The first one is the plant's own; callers may add others.
		if article := refID(r.decode()["article"]); f.stock[article] == 0 {
			f.stock[article] = r.id
		}
	}
	for _, r := range f.p.tables["batches"].byID {
		if batch := r.decode(); str(batch, "status") == "FREE" && num(batch, "quantity") > 0 {
			article := refID(batch["article"])
			f.pools[article] = append(f.pools[article], r.id)
		}
	}
	f.recallFeatures()
	for _, r := range f.p.tables["machineEvents"].byID {
		f.events[str(r.decode()["machine"].(fields), "code")] = r.id
	}
	for _, r := range f.p.tables["shiftOee"].byID {
		oee := r.decode()
		f.shifts[str(oee["machine"].(fields), "code")] = oeeSpot{r.id, moment(oee, "from")}
	}
}

// recallFeatures finds what is measured on which article.
func (f *floor) recallFeatures() {
	for _, r := range f.p.tables["features"].byID {
		article := refID(r.decode()["article"])
		f.features[article] = append(f.features[article], r.id)
	}
	for _, r := range f.p.tables["measuredValues"].byID {
		value := r.decode()
		f.subgroups[refID(value["feature"])] = wholeOf(value["subgroup"])
	}
}

// one picks any of a list.
func one[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// onHand tells how much there is of an article.
func (f *floor) onHand(s *step, code string) float64 {
	stock := s.read("stock", f.stock[f.articles[code]])
	if stock == nil {
		return 0
	}
	return num(stock, "quantity")
}

// moveStock adds to what is on hand of an article, or takes from it.
func (f *floor) moveStock(s *step, article int64, by float64) {
	stock := s.read("stock", f.stock[article])
	if stock == nil {
		return
	}
	stock["quantity"] = round(num(stock, "quantity") + by)
	s.update("stock", stock)
}

// used is a part of a batch that was taken.
type used struct {
	batch, article int64
	quantity       float64
	step, unit     string
}

// take consumes an article, oldest batch first. Bought articles that run out are
// delivered; of made ones only what is there is taken.
func (f *floor) take(s *step, p part, quantity float64, at time.Time) []used {
	article := f.articles[p.code]
	if article == 0 {
		return nil
	}
	var taken []used
	for left := round(quantity); left > 0; {
		if len(f.pools[article]) == 0 {
			if recipes[p.code] != nil || !f.deliver(s, p.code, at) {
				break
			}
		}
		id := f.pools[article][0]
		batch := s.read("batches", id)
		if batch == nil || str(batch, "status") != "FREE" || num(batch, "quantity") <= 0 {
			f.pools[article] = f.pools[article][1:] // somebody else took, blocked or deleted it
			continue
		}
		now := min(left, num(batch, "quantity"))
		rest := round(num(batch, "quantity") - now)
		batch["quantity"] = rest
		if rest == 0 {
			batch["status"] = "USED_UP"
			f.pools[article] = f.pools[article][1:]
		}
		s.update("batches", batch)
		f.moveStock(s, article, -now)
		taken = append(taken, used{id, article, now, p.step, str(batch, "unit")})
		left = round(left - now)
	}
	return taken
}

// makeable tells how many of an article the made parts in stock allow.
func (f *floor) makeable(s *step, code string) float64 {
	most := 1e6
	for _, p := range recipes[code] {
		if recipes[p.code] != nil {
			most = min(most, f.onHand(s, p.code)/p.quantity)
		}
	}
	return most
}

// shiftAt tells which shift a moment is in.
func shiftAt(at time.Time) (name string, from, to time.Time) {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch h := at.Hour(); {
	case h < 6:
		name, from = "NIGHT", day.Add(-2*time.Hour)
	case h < 14:
		name, from = "EARLY", day.Add(6*time.Hour)
	case h < 22:
		name, from = "LATE", day.Add(14*time.Hour)
	default:
		name, from = "NIGHT", day.Add(22*time.Hour)
	}
	return name, from, from.Add(8 * time.Hour)
}

// wanted picks what a machine makes next: parts of which there are fewest, pumps
// of which most can be made. Empty: nothing.
func (f *floor) wanted(s *step, m machine) string {
	best, most := "", 0.0
	for _, size := range sizes {
		code := m.makes + itoa(size)
		worth := enough - f.onHand(s, code)
		if strings.HasPrefix(code, "PX-") {
			worth = f.makeable(s, code) - 4
		}
		if worth > most && f.articles[code] != 0 {
			best, most = code, worth
		}
	}
	return best
}

// enough is how many parts of a size may lie in stock.
const enough = 300
