package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// literal writes a value as it stands in a filter; false: the type cannot be
// compared.
func literal(typ, v string, old bool) (string, bool) {
	switch typ {
	case "Edm.String":
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", true
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Boolean":
		return v, true
	}
	if !old {
		switch typ {
		case "Edm.Guid", "Edm.Int64", "Edm.Decimal", "Edm.DateTimeOffset", "Edm.Date":
			return v, true
		}
		return "", false
	}
	switch typ {
	case "Edm.Guid":
		return "guid'" + v + "'", true
	case "Edm.Int64":
		return v + "L", true
	case "Edm.Decimal":
		return v + "M", true
	case "Edm.DateTime":
		return "datetime'" + strings.TrimSuffix(v, "Z") + "'", true
	case "Edm.DateTimeOffset":
		return "datetimeoffset'" + v + "'", true
	}
	return "", false
}

// oldTime is how V2 writes times: milliseconds, and minutes of offset for show.
var oldTime = regexp.MustCompile(`^/Date\((-?\d+)(?:[+-]\d+)?\)/$`)

// textOf is a JSON value as a text: what stands in an id, and in filters. A
// time of V2's is written as everyone else's. False: there is none.
func textOf(v json.RawMessage) (string, bool) {
	if len(v) == 0 || bytes.Equal(v, []byte("null")) || v[0] == '{' || v[0] == '[' {
		return "", false
	}
	if v[0] != '"' {
		return string(v), true
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return "", false
	}
	if m := oldTime.FindStringSubmatch(s); m != nil {
		if ms, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z"), true
		}
	}
	return s, true
}

// timeOf reads a change field's time; zero where it is none.
func timeOf(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// fieldsOf is a record without what the protocol adds to it.
func (s *set) fieldsOf(row map[string]json.RawMessage) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(row))
	for name, v := range row {
		if name == "__metadata" || strings.Contains(name, "@") {
			continue
		}
		if s.old && len(v) > 0 {
			if v[0] == '{' {
				var part struct {
					Deferred json.RawMessage `json:"__deferred"`
					Results  json.RawMessage `json:"results"`
				}
				if json.Unmarshal(v, &part) == nil && part.Deferred != nil {
					continue
				} else if part.Results != nil {
					v = part.Results
				}
			}
			if bytes.HasPrefix(v, []byte(`"\/Date(`)) || bytes.HasPrefix(v, []byte(`"/Date(`)) {
				if text, ok := textOf(v); ok {
					v = json.RawMessage(strconv.Quote(text))
				}
			}
		}
		out[name] = v
	}
	return out
}

// joinable keeps a part that holds a ~ from being taken for two.
var joinable = strings.NewReplacer("%", "%25", "~", "%7E")

// idOf is a record's id: the key's parts joined by ~.
func idOf(key []string) string {
	if len(key) == 1 {
		return key[0]
	}
	parts := make([]string, len(key))
	for i, k := range key {
		parts[i] = joinable.Replace(k)
	}
	return strings.Join(parts, "~")
}
