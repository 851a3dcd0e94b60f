package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/model"
)

// rule is one line of a mapping.
type rule struct {
	ours, theirs string
	kind         string // "", ref, named, words, amount, sum, text, place, places, list
	arg          string // entity or line table
	words        map[string]string
}

// entity is one unified entity and where the plant keeps it.
type entity struct {
	name, collection string
	rules            []rule
}

func table(parts ...string) []entity {
	out := make([]entity, 0, len(parts)/2)
	for i := 0; i+1 < len(parts); i += 2 {
		name, collection, _ := strings.Cut(parts[i], " = ")
		out = append(out, entity{name, collection, rules(parts[i+1])})
	}
	return out
}

// rules reads the lines of a mapping. A mistake in them is one of this program,
// so it ends it.
func rules(text string) []rule {
	var out []rule
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '|' }) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		ours, rest, ok := strings.Cut(line, " = ")
		theirs, kind, _ := strings.Cut(rest, " ")
		r := rule{ours: ours, theirs: theirs}
		switch {
		case !ok:
			panic("mapping: " + line)
		case kind == "amount", kind == "sum", kind == "text", kind == "place", kind == "places", kind == "":
			r.kind = kind
		case strings.HasPrefix(kind, "->"):
			r.kind, r.arg = "ref", kind[2:]
		case strings.HasPrefix(kind, "named:"):
			r.kind, r.arg = "named", kind[len("named:"):]
		case strings.HasPrefix(kind, "["):
			r.kind, r.arg = "list", strings.Trim(kind, "[]")
		case strings.HasPrefix(kind, "("):
			r.kind, r.words = "words", map[string]string{}
			for pair := range strings.SplitSeq(strings.Trim(kind, "()"), ", ") {
				from, to, _ := strings.Cut(pair, ":")
				r.words[from] = to
			}
		default:
			panic("mapping: " + line)
		}
		out = append(out, r)
	}
	return out
}

func lookup(name string) (*entity, bool) {
	for i := range entities {
		if entities[i].name == name {
			return &entities[i], true
		}
	}
	return nil, false
}

// unreadable is why a record cannot be kept.
type unreadable struct{ id, field, reason string }

// record maps a record as received. The mapped fields are read into the model's
// type, which refuses a value of the wrong kind and adds what is null.
func (e *entity) record(raw json.RawMessage) (sdk.Record, *unreadable) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var theirs map[string]any
	if err := d.Decode(&theirs); err != nil {
		return sdk.Record{}, &unreadable{reason: "it is no JSON object"}
	}
	id := fmt.Sprint(theirs["id"])
	if theirs["id"] == nil {
		return sdk.Record{}, &unreadable{reason: "it has no id"}
	}
	currency, _ := theirs["currency"].(string)
	ours := apply(e.rules, theirs, currency)
	if key, ok := theirs["externalKey"]; ok {
		ours["external_reference"] = key
	}
	text, err := json.Marshal(ours)
	if err != nil {
		return sdk.Record{}, &unreadable{id: id, reason: err.Error()}
	}
	fields := model.New(e.name)
	if err := json.Unmarshal(text, fields); err != nil {
		field, reason := e.misfit(ours)
		return sdk.Record{}, &unreadable{id, field, reason}
	}
	return sdk.Record{ID: id, CreatedAt: stamp(theirs["createdAt"]), UpdatedAt: stamp(theirs["changedAt"]), Fields: fields, Raw: raw}, nil
}

// misfit finds the field whose value is of the wrong kind.
func (e *entity) misfit(ours map[string]any) (field, reason string) {
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		text, err := json.Marshal(map[string]any{name: ours[name]})
		if err == nil {
			err = json.Unmarshal(text, model.New(e.name))
		}
		if err != nil {
			value, _ := json.Marshal(ours[name]) // it came from JSON
			return name, fmt.Sprintf("it cannot be %.60s", value)
		}
	}
	return "", "it is of the wrong kind"
}

func stamp(v any) time.Time {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func apply(rules []rule, theirs map[string]any, currency string) map[string]any {
	ours := make(map[string]any, len(rules))
	for i := range rules {
		r := &rules[i]
		v := theirs[r.theirs]
		if v == nil {
			continue
		}
		switch r.kind {
		case "ref":
			v = reference(r.arg, v)
		case "named":
			v = map[string]any{"entity": r.arg, "name": v}
		case "words":
			native := fmt.Sprint(v)
			ours[r.ours+"_native"] = native
			v = "unknown"
			if w, ok := r.words[native]; ok {
				v = w
			}
		case "amount":
			if m, ok := v.(map[string]any); ok {
				v = map[string]any{"amount": m["value"], "currency": m["currency"]}
			}
		case "sum":
			v = map[string]any{"amount": v, "currency": currency}
		case "text":
			v = fmt.Sprint(v)
		case "place":
			v = address(v)
		case "places":
			v = []any{address(v)}
		case "list":
			v = lines(r.arg, v, currency)
		}
		ours[r.ours] = v
	}
	return ours
}

func address(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	return map[string]any{
		"name": m["name"], "line1": m["street"], "city": m["town"], "region": m["region"],
		"postal_code": m["zip"], "country": m["countryCode"],
	}
}

// reference maps one or a list of them. A line that names a person has an id of
// its own beside the person's.
func reference(entity string, v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = reference(entity, x)
		}
		return out
	case map[string]any:
		id := v["id"]
		if person, ok := v["personId"]; ok {
			id = person
		}
		return map[string]any{"entity": entity, "id": fmt.Sprint(id), "number": v["code"], "name": v["name"]}
	default:
		return v
	}
}

func lines(table string, v any, currency string) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	out := make([]any, 0, len(list))
	for i, x := range list {
		m, ok := x.(map[string]any)
		if !ok {
			return v
		}
		line := apply(lineTables[table], m, currency)
		line["id"], line["position"] = fmt.Sprint(m["id"]), i+1
		out = append(out, line)
	}
	return out
}
