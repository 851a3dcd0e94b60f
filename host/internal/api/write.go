package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/dinrail/dinrail/host"
)

// writeRecord writes a record as the API answers it. Its fields are taken as
// they are stored, without decoding them; what its references lack is noted, to
// be filled once the page is whole.
func writeRecord(b *bytes.Buffer, r *host.Record, raw bool, f *filling) {
	text := func(name string, v []byte) {
		b.WriteString(`,"`)
		b.WriteString(name)
		b.WriteString(`":`)
		b.Write(v)
	}
	var scratch [64]byte
	b.WriteString(`{"id":`)
	b.Write(quote(scratch[:0], string(r.ID)))
	text("entity", quote(scratch[:0], string(r.Entity)))
	text("sequence", strconv.AppendUint(scratch[:0], uint64(r.Sequence), 10))
	text("version", strconv.AppendQuote(scratch[:0], strconv.FormatUint(uint64(r.Sequence), 36)))
	text("created_at", timeOrNull(scratch[:0], r.CreatedAt))
	text("updated_at", timeOrNull(scratch[:0], r.UpdatedAt))
	text("synced_at", timeOrNull(scratch[:0], r.SyncedAt))
	text("deleted", strconv.AppendBool(scratch[:0], r.Deleted()))
	text("deleted_at", timeOrNull(scratch[:0], r.DeletedAt))
	if r.Deleted() {
		b.WriteString(`,"custom":{}`)
	} else {
		from := b.Len()
		custom := writeFields(b, r.Body)
		f.note(b, from, r.Entity, custom)
		if !custom {
			b.WriteString(`,"custom":{}`)
		}
		if raw {
			if len(r.Raw) > 0 {
				text("raw", r.Raw)
			} else {
				b.WriteString(`,"raw":null`)
			}
		}
	}
	b.WriteByte('}')
}

func timeOrNull(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = host.AppendTime(b, t)
	return append(b, '"')
}

// quote appends a string as JSON.
func quote(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string is always encoded
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// reserved are the members of a record that are not the system's: fields of
// these names would stand in one object twice.
func reserved(name []byte) bool {
	switch string(name) {
	case "id", "entity", "sequence", "version", "created_at", "updated_at", "synced_at", "deleted", "deleted_at", "raw":
		return true
	}
	return false
}

// writeFields writes the members of a JSON object, each after a comma, but for
// the reserved ones, and says whether custom was among them. It goes over the
// bytes once, at the first level alone, and decodes nothing. What is no object
// has no members.
func writeFields(b *bytes.Buffer, body []byte) (custom bool) {
	i := blanks(body, 0)
	if i >= len(body) || body[i] != '{' {
		return false
	}
	from := -1 // start of what is to be written and was not yet
	flush := func(to int) {
		if from >= 0 {
			b.WriteByte(',')
			b.Write(bytes.TrimRight(body[from:to], ", \t\r\n"))
		}
		from = -1
	}
	for i++; ; {
		for i = blanks(body, i); i < len(body) && body[i] == ','; i = blanks(body, i+1) {
		}
		if i >= len(body) || body[i] != '"' {
			flush(i)
			return custom
		}
		start := i
		i = endOfText(body, i)
		name := body[start+1 : i-1]
		if reserved(name) {
			flush(start)
		} else {
			if from < 0 {
				from = start
			}
			custom = custom || string(name) == "custom"
		}
		i = endOfValue(body, i)
	}
}

// blanks returns where the blanks from i end.
func blanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// endOfText returns the index after the string that begins at i.
func endOfText(b []byte, i int) int {
	for i++; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			break
		}
		i += n + 1
		slashes := 0
		for j := i - 2; b[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return len(b)
}

// endOfValue returns where the value after a member's name ends: at the comma
// or brace after it.
func endOfValue(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = endOfText(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
