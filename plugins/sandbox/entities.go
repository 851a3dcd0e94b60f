package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/dinrail/dinrail/sdk"
)

// entity is one unified entity: the plant's collection that it is read from,
// and how one record becomes another.
type entity struct {
	name, label string
	collection  string
	record      func(r record) any
}

// entities are all that this connector reads, one table an area.
var entities = slices.Concat(maintenance, materials, production, quality)

func known() []sdk.Entity {
	out := make([]sdk.Entity, len(entities))
	for i, e := range entities {
		out[i] = sdk.Entity{Name: e.name, Label: e.label, Key: []string{"id"}, Incremental: true}
	}
	return out
}

func lookup(name string) (entity, bool) {
	i := slices.IndexFunc(entities, func(e entity) bool { return e.name == name })
	if i < 0 {
		return entity{}, false
	}
	return entities[i], true
}

// read turns a record as received into one to send. It also tells when it was
// changed, in the plant's own words; what is wrong with it is told instead.
func (e entity) read(raw json.RawMessage) (rec sdk.Record, changedAt string, wrong *fault) {
	r, wrong := parse(raw)
	if wrong != nil {
		return sdk.Record{}, "", wrong
	}
	rec = sdk.Record{ID: string(r.id()), CreatedAt: r.time("createdAt").Time, UpdatedAt: r.time("changedAt").Time, Raw: raw}
	rec.Fields = e.record(r)
	if *r.wrong != nil {
		return sdk.Record{ID: rec.ID}, "", *r.wrong
	}
	if rec.UpdatedAt.IsZero() {
		return sdk.Record{ID: rec.ID}, "", &fault{"changedAt", "it is missing"}
	}
	return rec, rec.UpdatedAt.UTC().Format(time.RFC3339Nano), nil
}
