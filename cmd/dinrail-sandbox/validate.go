package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxText is the most bytes that a text field takes.
const maxText = 64 << 10

// writing checks what a caller sends against the schema and merges it into what
// there was.
type writing struct {
	step     *step
	problems map[string]string // by the path of the field
}

// create makes the fields of a new record out of what was given.
func (w *writing) create(c collection, given fields) fields {
	f := w.merge("", c.all(), fields{}, given)
	for _, one := range c.fields {
		if one.needed && f[one.name] == nil && w.problems[one.name] == "" {
			w.problems[one.name] = "is needed"
		}
		if one.name == "status" && f["status"] == nil {
			f["status"] = one.words[0]
		}
		if one.name == "active" && f["active"] == nil {
			f["active"] = true
		}
	}
	return f
}

// update merges what was given into a record's fields.
func (w *writing) update(c collection, old, given fields) fields {
	f := w.merge("", c.all(), old, given)
	for _, one := range c.fields {
		if one.needed && f[one.name] == nil && w.problems[one.name] == "" {
			w.problems[one.name] = "cannot be emptied"
		}
	}
	return f
}

// merge takes the given fields over the old ones, and notes what is wrong.
func (w *writing) merge(path string, of []field, old, given fields) fields {
	merged := maps.Clone(old)
	if merged == nil {
		merged = fields{}
	}
	for name, value := range given {
		i := slices.IndexFunc(of, func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			w.wrong(path+name, "is no field here")
		case of[i].fixed:
			if !sameJSON(value, old[name]) {
				w.wrong(path+name, "is set by the plant alone")
			}
		case value == nil:
			merged[name] = nil
		default:
			merged[name] = w.value(path+name, of[i], old[name], value)
		}
	}
	return merged
}

func (w *writing) wrong(path, why string) { w.problems[path] = why }

// value checks one given value.
func (w *writing) value(path string, f field, old, given any) any {
	switch f.kind {
	case kindText, kindWord, kindInstant, kindDay:
		text, ok := given.(string)
		if !ok {
			w.wrong(path, "must be a string")
			return nil
		}
		return w.text(path, f, text)
	case kindNumber, kindWhole:
		return w.number(path, f, given)
	case kindFlag:
		if _, ok := given.(bool); !ok {
			w.wrong(path, "must be true or false")
		}
		return given
	case kindRef:
		return w.ref(path, f, given)
	case kindObject:
		object, ok := given.(fields)
		if !ok {
			w.wrong(path, "must be an object")
			return nil
		}
		before, _ := old.(fields)
		return w.merge(path+".", f.of, before, object)
	}
	list, ok := given.([]any)
	if !ok {
		w.wrong(path, "must be an array")
		return nil
	}
	if f.kind == kindLines {
		return w.lines(path, f, old, list)
	}
	one := field{name: f.name, kind: kindText}
	if f.kind == kindRefs {
		one = field{name: f.name, kind: kindRef, to: f.to}
	}
	checked := make([]any, len(list))
	for i, v := range list {
		checked[i] = w.value(fmt.Sprintf("%s[%d]", path, i), one, nil, v)
	}
	return checked
}

// text checks a string by what it stands for.
func (w *writing) text(path string, f field, text string) any {
	switch f.kind {
	case kindWord:
		if !slices.Contains(f.words, text) {
			w.wrong(path, "is none of "+strings.Join(f.words, ", "))
		}
	case kindInstant:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			w.wrong(path, "must be a time such as 2026-03-01T08:30:00Z")
		}
		return t
	case kindDay:
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			w.wrong(path, "must be a day such as 2026-03-01")
		}
	default:
		if len(text) > maxText {
			w.wrong(path, fmt.Sprintf("must not be longer than %d bytes", maxText))
		}
	}
	return text
}

// number checks a number and keeps its digits.
func (w *writing) number(path string, f field, given any) any {
	n, ok := given.(json.Number)
	if !ok {
		w.wrong(path, "must be a number")
		return nil
	}
	if f.kind == kindWhole {
		if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil {
			w.wrong(path, "must be a whole number")
		}
	} else if _, err := n.Float64(); err != nil {
		w.wrong(path, "must be a number that is not out of range")
	}
	return n
}

// ref checks that what is referred to exists.
func (w *writing) ref(path string, f field, given any) any {
	id := refID(given)
	if id == 0 {
		w.wrong(path, `must be an id, or an object such as {"id": 17}`)
		return nil
	}
	if w.step.find(f.to, id) == nil {
		w.wrong(path, fmt.Sprintf("refers to %s %d, which does not exist", f.to, id))
	}
	return id
}

// lines merges each given line into the old one of its id; one without an id is
// new. Their order is that in which they are given.
func (w *writing) lines(path string, f field, old any, given []any) []any {
	before := make(map[int64]fields)
	var last int64
	for _, one := range listOf(old) {
		line := one.(fields)
		id := wholeOf(line["id"])
		before[id], last = line, max(last, id)
	}
	merged := make([]any, 0, len(given))
	for i, one := range given {
		at := fmt.Sprintf("%s[%d]", path, i)
		line, ok := one.(fields)
		if !ok {
			w.wrong(at, "must be an object")
			continue
		}
		line = maps.Clone(line)
		id := wholeOf(line["id"])
		earlier, known := before[id]
		if line["id"] != nil && !known {
			w.wrong(at+".id", "is the id of no line of this record, or is given twice")
			continue
		}
		delete(before, id)
		delete(line, "id")
		delete(line, "pos")
		if !known {
			last++
			id = last
		}
		line = w.merge(at+".", f.of, earlier, line)
		line["id"], line["pos"] = id, i+1
		merged = append(merged, line)
	}
	return merged
}

// sameJSON says whether two decoded values are written alike.
func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && string(x) == string(y)
}
