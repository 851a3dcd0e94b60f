package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// missing says that there is no such record.
func missing(c collection, id int64) error {
	return fail(http.StatusNotFound, "notFound", "there is no %s %d", c.name, id)
}

// insert makes a record out of what a caller gives.
func (p *plant) insert(c collection, given fields) (*record, error) {
	var made *record
	err := p.change(func(s *step) error {
		w := &writing{step: s, problems: make(map[string]string)}
		f := w.create(c, given)
		if len(w.problems) > 0 {
			return invalid(w.problems)
		}
		if c.name == "gaugeReadings" {
			if f["takenAt"] == nil {
				f["takenAt"] = s.at
			}
			s.noteReading(f)
		}
		made = s.find(c.name, s.create(c.name, f))
		return nil
	})
	return made, err
}

// noteReading keeps the latest value on the gauge itself.
func (s *step) noteReading(reading fields) {
	gauge := s.read("gauges", refID(reading["gauge"]))
	if gauge == nil || moment(gauge, "lastReadAt").After(moment(reading, "takenAt")) {
		return
	}
	gauge["lastValue"], gauge["lastReadAt"] = reading["value"], reading["takenAt"]
	s.update("gauges", gauge)
}

// current finds the version of a record that a write expects; zero is any.
func (s *step) current(c collection, id, expected int64) (*record, error) {
	r := s.find(c.name, id)
	if r == nil {
		return nil, missing(c, id)
	}
	if expected != 0 && r.revision != expected {
		return nil, fail(http.StatusConflict, "changedMeanwhile", "the record has revision %d, not %d: read it again", r.revision, expected)
	}
	return r, nil
}

// patch changes a record; nothing given changes nothing.
func (p *plant) patch(c collection, id, expected int64, given fields) (*record, error) {
	var changed *record
	err := p.change(func(s *step) error {
		old, err := s.current(c, id, expected)
		if err != nil {
			return err
		}
		if len(given) == 0 {
			changed = old
			return nil
		}
		w := &writing{step: s, problems: make(map[string]string)}
		f := w.update(c, old.decode(), given)
		if len(w.problems) > 0 {
			return invalid(w.problems)
		}
		s.update(c.name, f)
		changed = s.find(c.name, id)
		return nil
	})
	return changed, err
}

// act moves a record's status as a verb says.
func (p *plant) act(c collection, id, expected int64, verb action) (*record, error) {
	var changed *record
	err := p.change(func(s *step) error {
		old, err := s.current(c, id, expected)
		if err != nil {
			return err
		}
		f := old.decode()
		if !slices.Contains(verb.from, str(f, "status")) {
			return fail(http.StatusConflict, "wrongStatus", "%s is allowed in %s, the record is %s", verb.name, strings.Join(verb.from, ", "), str(f, "status"))
		}
		f["status"] = verb.to
		if verb.sets != "" {
			f[verb.sets] = s.at
		}
		s.update(c.name, f)
		changed = s.find(c.name, id)
		return nil
	})
	return changed, err
}

// erase deletes a record, unless others refer to it.
func (p *plant) erase(c collection, id, expected int64) error {
	return p.change(func(s *step) error {
		r, err := s.current(c, id, expected)
		if err != nil {
			return err
		}
		if user := s.userOf(c.name, r.id); user != "" {
			return fail(http.StatusConflict, "inUse", "%s refers to this record", user)
		}
		s.remove(c.name, r.id)
		return nil
	})
}

// userOf names a record that refers to another; none is empty.
func (s *step) userOf(name string, id int64) string {
	written := fmt.Appendf(nil, `{"id":%d,`, id) // spares decoding what cannot refer to it
	for _, t := range s.p.tables {
		if !pointsTo(t.fields, name) {
			continue
		}
		for _, r := range t.byID {
			if bytes.Contains(r.body, written) && refersTo(t.fields, r.decode(), name, id) {
				return fmt.Sprintf("%s %d", t.name, r.id)
			}
		}
	}
	return ""
}

// pointsTo says whether any of the fields can refer to a collection.
func pointsTo(of []field, name string) bool {
	return slices.ContainsFunc(of, func(f field) bool { return f.to == name || pointsTo(f.of, name) })
}

// refersTo says whether a record's fields refer to another record.
func refersTo(of []field, f fields, name string, id int64) bool {
	for _, one := range of {
		switch one.kind {
		case kindRef:
			if one.to == name && refID(f[one.name]) == id {
				return true
			}
		case kindRefs:
			if one.to == name && slices.ContainsFunc(listOf(f[one.name]), func(v any) bool { return refID(v) == id }) {
				return true
			}
		case kindObject:
			if inner, ok := f[one.name].(fields); ok && refersTo(one.of, inner, name, id) {
				return true
			}
		case kindLines:
			for _, line := range listOf(f[one.name]) {
				if refersTo(one.of, line.(fields), name, id) {
					return true
				}
			}
		}
	}
	return false
}
