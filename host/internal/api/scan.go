package api

import "strings"

// textOf returns a member of a JSON object as it stands, if it is a string.
func textOf(object []byte, member string) []byte {
	for i := blanks(object, 0) + 1; ; {
		for i = blanks(object, i); i < len(object) && object[i] == ','; i = blanks(object, i+1) {
		}
		if i >= len(object) || object[i] != '"' {
			return nil
		}
		start := i
		i = endOfText(object, i)
		name := object[start+1 : i-1]
		v := valueAt(object, i)
		i = endOfValue(object, i)
		if string(name) == member {
			if v < i && object[v] == '"' {
				return object[v:endOfText(object, v)]
			}
			return nil
		}
	}
}

// valueAt returns where the value after a member's name begins.
func valueAt(b []byte, i int) int {
	if i = blanks(b, i); i < len(b) && b[i] == ':' {
		i = blanks(b, i+1)
	}
	return i
}

// span is a part of a text; an end of 0: none.
type span struct{ from, to int }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// missing says whether the member is not there or null.
func (s span) missing(b []byte) bool { return s.to == 0 || string(s.of(b)) == "null" }

// scan goes over JSON once and tells of each object that has an entity and an
// id, both strings.
type scan struct {
	text  []byte
	found func(entity, id, number, name span)
}

// deepest is how deep an object may lie to be looked at.
const deepest = 16

// fields goes over the members of a record from i on; those of its mapping are
// no references, whatever they hold.
func (s *scan) fields(i int) {
	s.members(i, func(name []byte, v int) int {
		if string(name) == "custom" || string(name) == "raw" {
			return endOfValue(s.text, v)
		}
		return s.value(v, 0)
	})
}

// members hands each member's name and where its value begins to value, which
// returns where it ends, and returns where the members end.
func (s *scan) members(i int, value func(name []byte, v int) int) int {
	for {
		for i = blanks(s.text, i); i < len(s.text) && s.text[i] == ','; i = blanks(s.text, i+1) {
		}
		if i >= len(s.text) || s.text[i] != '"' {
			return i
		}
		start := i
		i = endOfText(s.text, i)
		i = value(s.text[start+1:i-1], valueAt(s.text, i))
	}
}

// value goes over the value at i and returns where it ends.
func (s *scan) value(i, depth int) int {
	if i >= len(s.text) || depth > deepest {
		return endOfValue(s.text, i)
	}
	switch s.text[i] {
	case '{':
		var entity, id, number, name span
		i = s.members(i+1, func(member []byte, v int) int {
			end := s.value(v, depth+1)
			into := &span{}
			switch string(member) {
			case "entity":
				into = &entity
			case "id":
				into = &id
			case "number":
				into = &number
			case "name":
				into = &name
			}
			*into = span{v, end}
			return end
		})
		if entity.to > 0 && id.to > 0 && s.text[entity.from] == '"' && s.text[id.from] == '"' {
			s.found(entity, id, number, name)
		}
		return min(i+1, len(s.text))
	case '[':
		for i = blanks(s.text, i+1); i < len(s.text) && s.text[i] != ']'; i = blanks(s.text, i) {
			if s.text[i] == ',' {
				i++
				continue
			}
			end := s.value(i, depth+1)
			if end <= i {
				return len(s.text) // no JSON
			}
			i = end
		}
		return min(i+1, len(s.text))
	case '"':
		return endOfText(s.text, i)
	default:
		for i < len(s.text) && !strings.ContainsRune(",]} \t\r\n", rune(s.text[i])) {
			i++
		}
		return i
	}
}
