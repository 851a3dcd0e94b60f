package main

import (
	"cmp"
	"fmt"
	"log"
	"slices"
	"sync"
	"time"
)

// plant holds all records. Whoever reads sees whole steps only.
type plant struct {
	mu      sync.RWMutex
	now     func() time.Time
	tables  map[string]*table
	order   []string // names of the tables, referenced ones first
	last    int64    // stamp of the latest step
	journal *journal // nil: nothing is kept
	log     func(format string, args ...any)
	grown   bool // history is made: from here on growth is bounded
}

// table is one collection's records.
type table struct {
	collection
	records  map[int64]*record
	byID     []*record
	byChange []*record // by stamp, then id
	next     int64
}

// newPlant is an empty plant.
func newPlant(now func() time.Time) *plant {
	p := &plant{now: now, tables: make(map[string]*table), log: log.Printf}
	for _, c := range collections() {
		p.tables[c.name] = &table{collection: c, records: make(map[int64]*record), next: c.firstID}
		p.order = append(p.order, c.name)
	}
	return p
}

func compareID(a, b *record) int { return cmp.Compare(a.id, b.id) }

func compareChange(a, b *record) int {
	return cmp.Or(cmp.Compare(a.changed, b.changed), cmp.Compare(a.id, b.id))
}

// put takes a version in, in place of the one before.
func (t *table) put(r *record) {
	if old, ok := t.records[r.id]; ok {
		i, _ := slices.BinarySearchFunc(t.byChange, old, compareChange)
		t.byChange = slices.Delete(t.byChange, i, i+1)
		i, _ = slices.BinarySearchFunc(t.byID, old, compareID)
		t.byID[i] = r
	} else {
		i, _ := slices.BinarySearchFunc(t.byID, r, compareID)
		t.byID = slices.Insert(t.byID, i, r)
	}
	i, _ := slices.BinarySearchFunc(t.byChange, r, compareChange)
	t.byChange = slices.Insert(t.byChange, i, r)
	t.records[r.id] = r
	t.next = max(t.next, r.id+1)
}

// remove takes a record out without a trace.
func (t *table) remove(id int64) {
	old, ok := t.records[id]
	if !ok {
		return
	}
	delete(t.records, id)
	i, _ := slices.BinarySearchFunc(t.byID, old, compareID)
	t.byID = slices.Delete(t.byID, i, i+1)
	i, _ = slices.BinarySearchFunc(t.byChange, old, compareChange)
	t.byChange = slices.Delete(t.byChange, i, i+1)
}

// page is a part of a collection, in the order that was asked for.
type page struct {
	records []*record
	more    bool
	total   int
}

// list answers a page after a position. With since, only what changed at or
// after that stamp, in the order of change; else everything in the order of id.
func (p *plant) list(name string, since *int64, after position, size int) page {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t := p.tables[name]
	all, compare := t.byID, compareID
	if since != nil {
		compare = compareChange
		first, _ := slices.BinarySearchFunc(t.byChange, &record{changed: *since}, compare)
		all = t.byChange[first:]
	}
	from := 0
	if after != (position{}) {
		i, found := slices.BinarySearchFunc(all, &record{id: after.ID, changed: after.Changed}, compare)
		if from = i; found {
			from++
		}
	}
	to := min(from+size, len(all))
	return page{records: slices.Clone(all[from:to]), more: to < len(all), total: len(all)}
}

// get answers the latest version of a record, or nil.
func (p *plant) get(name string, id int64) *record {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.tables[name].records[id]
}

// counts tells how many records each collection has.
func (p *plant) counts() map[string]int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	counts := make(map[string]int, len(p.tables))
	for name, t := range p.tables {
		counts[name] = len(t.records)
	}
	return counts
}

// step is a change of the plant: all of it happens, or nothing.
type step struct {
	p       *plant
	at      time.Time // the stamp of all that changes in it
	pending map[key]*record
	order   []key // of pending, as it came
	next    map[string]int64
}

// key names a record.
type key struct {
	Collection string `json:"c"`
	ID         int64  `json:"id"`
}

// change runs a step at the present moment.
func (p *plant) change(do func(*step) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changeAt(p.now(), do)
}

// changeAt runs a step at a moment. No two steps have the same stamp, and a
// later step has a later one, whatever the clock does. The caller holds the lock.
func (p *plant) changeAt(at time.Time, do func(*step) error) error {
	stamp := max(at.UnixMilli(), p.last+1)
	s := &step{p: p, at: time.UnixMilli(stamp).UTC(), pending: make(map[key]*record), next: make(map[string]int64)}
	if err := do(s); err != nil {
		return err
	}
	if len(s.order) == 0 {
		return nil
	}
	if p.journal != nil {
		if err := p.journal.append(s.entry()); err != nil {
			return fmt.Errorf("keep the change: %w", err)
		}
	}
	p.last = stamp
	for _, k := range s.order {
		if r := s.pending[k]; r != nil {
			p.tables[k.Collection].put(r)
		} else {
			p.tables[k.Collection].remove(k.ID)
		}
	}
	if p.journal != nil && p.journal.isLong() {
		if err := p.journal.compact(p); err != nil {
			// The step is kept; the file is merely longer than it need be.
			p.journal.base = p.journal.size
			p.log("compact the data: %v", err)
		}
	}
	return nil
}

// find gives the version that holds within this step, or nil.
func (s *step) find(name string, id int64) *record {
	if r, ok := s.pending[key{name, id}]; ok {
		return r
	}
	return s.p.tables[name].records[id]
}

// read decodes a record; it is nil where there is none.
func (s *step) read(name string, id int64) fields {
	if r := s.find(name, id); r != nil {
		return r.decode()
	}
	return nil
}

// create makes a record with the next id and, where it has none, a code.
func (s *step) create(name string, f fields) int64 {
	t := s.p.tables[name]
	id := max(s.next[name], t.next)
	s.next[name] = id + 1
	f["id"], f["revision"], f["changedAt"] = id, 1, s.at
	if f["createdAt"] == nil {
		f["createdAt"] = s.at
	}
	if f[t.code] == nil {
		f[t.code] = fmt.Sprintf("%s%d", t.prefix, id)
	}
	s.put(t, f)
	return id
}

// update replaces a record with a next version.
func (s *step) update(name string, f fields) {
	f["revision"], f["changedAt"] = wholeOf(f["revision"])+1, s.at
	s.put(s.p.tables[name], f)
}

// put derives what follows from the fields and keeps the version.
func (s *step) put(t *table, f fields) {
	derive(t.name, f)
	r := encoder{resolve: s.resolve}.record(t.collection, f)
	k := key{t.name, r.id}
	if _, ok := s.pending[k]; !ok {
		s.order = append(s.order, k)
	}
	s.pending[k] = r
}

// remove deletes a record.
func (s *step) remove(name string, id int64) {
	k := key{name, id}
	if _, ok := s.pending[k]; !ok {
		s.order = append(s.order, k)
	}
	s.pending[k] = nil
}

// resolve gives the code and name of a record as it is within this step.
func (s *step) resolve(name string, id int64) (code, title string, ok bool) {
	r := s.find(name, id)
	if r == nil {
		return "", "", false
	}
	return r.code, r.title, true
}
