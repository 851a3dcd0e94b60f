package web

import "encoding/json"

// elements returns the elements of the list at a path of a JSON text that is
// known to be well-formed, as they stand there: a record is kept as it was
// received. It returns nil where there is no list.
func elements(text []byte, keys []string) []json.RawMessage {
	s := scanner{text: text}
	s.space()
	for _, key := range keys {
		if !s.enter(key) {
			return nil
		}
	}
	if s.at >= len(text) || text[s.at] != '[' {
		return nil
	}
	s.at++
	var out []json.RawMessage
	for {
		s.space()
		if s.at >= len(text) || text[s.at] == ']' {
			return out
		}
		if text[s.at] == ',' {
			s.at++
			continue
		}
		start := s.at
		s.value()
		out = append(out, text[start:s.at:s.at])
	}
}

// scanner walks through well-formed JSON.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// enter goes to the value of an object's member. Of several of one name it takes
// the last, as decoding does.
func (s *scanner) enter(key string) bool {
	if s.at >= len(s.text) || s.text[s.at] != '{' {
		return false
	}
	found := -1
	s.at++
	for {
		s.space()
		if s.at >= len(s.text) || s.text[s.at] == '}' {
			break
		}
		if s.text[s.at] == ',' {
			s.at++
			continue
		}
		start := s.at
		s.value()
		var name string
		if json.Unmarshal(s.text[start:s.at], &name) != nil {
			return false
		}
		s.space()
		s.at++ // the colon
		s.space()
		if name == key {
			found = s.at
		}
		s.value()
	}
	s.at = found
	return found >= 0
}

// value goes past a value.
func (s *scanner) value() {
	depth := 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '"':
			for s.at++; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
				if s.text[s.at] == '\\' {
					s.at++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return
			}
		case ' ', '\t', '\r', '\n':
			if depth == 0 {
				return
			}
		}
		s.at++
		if depth == 0 && s.at <= len(s.text) {
			if c := s.text[s.at-1]; c == '"' || c == '}' || c == ']' {
				return
			}
		}
	}
	s.at = min(s.at, len(s.text))
}
