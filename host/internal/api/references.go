package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// A reference in a record of a unified entity names its target by entity and
// id. Where the system did not send what people call the target, number and
// name come from the copy: they are looked up when a record is read, once a page
// for each target, and put into the answer's bytes. Nothing is decoded for it,
// and a record without references costs one search for a word.

// target is the record that a reference points to.
type target struct {
	entity host.EntityName
	id     host.RecordID
}

// called is what people call a record, as JSON; nil where nothing is known.
type called struct{ number, name []byte }

// hole is a place in an answer that a target's number or name belongs into.
type hole struct {
	span
	of     int    // of the filling's targets
	member string // number, name
	absent bool   // the member itself is missing, not only its value
}

// filling is what an answer's references lack, and what is known of it.
type filling struct {
	ctx   context.Context //nolint:containedctx // of the one request that it is for
	store *state.Store
	names *names
	conn  *host.Connection
	holes []hole

	targets []target // each once
	called  []called // of those that were looked up: the first ones
	place   map[host.EntityName]map[host.RecordID]int
}

func (a *API) filling(ctx context.Context, c *host.Connection) *filling {
	return &filling{ctx: ctx, store: a.Store, names: &a.names, conn: c}
}

// names keeps what people call records as it was last read, with the sequence
// that it was read at: a record that has not changed since is not opened again.
type names struct {
	mu   sync.RWMutex
	kept map[namesKey]named
}

type namesKey struct {
	incarnation string
	target
}

type named struct {
	sequence host.Sequence
	called
}

// namesKept bounds what is kept.
const namesKept = 20_000

// reference is how most connectors begin one. In JSON these bytes stand nowhere
// else: within a string each quote has a backslash before it.
var (
	reference = []byte(`{"entity":"`)
	entity    = []byte(`"entity"`)
)

// note looks for holes in what was written of a record's fields from an offset
// on; custom says that those of its mapping are among them.
func (f *filling) note(b *bytes.Buffer, from int, e host.EntityName, custom bool) {
	text := b.Bytes()
	n := 0
	if !e.Native() {
		n = bytes.Count(text[from:], entity)
	}
	if n == 0 {
		return
	}
	s := scan{text: text, found: func(entity, id, number, name span) { f.hole(text, e, entity, id, number, name) }}
	if custom || n != bytes.Count(text[from:], reference) {
		s.fields(from)
		return
	}
	for at := from; ; {
		next := bytes.Index(text[at:], reference)
		if next < 0 {
			return
		}
		at = s.value(at+next, 0)
	}
}

// hole notes what is missing in a reference.
func (f *filling) hole(text []byte, in host.EntityName, entity, id, number, name span) {
	if !number.missing(text) && !name.missing(text) {
		return
	}
	of, ok := f.target(unquoted(entity.of(text)), unquoted(id.of(text)))
	if !ok {
		return
	}
	for _, m := range []struct {
		name string
		span
	}{{"number", number}, {"name", name}} {
		switch {
		case m.to == 0 && f.excludes(in): // it may be what is not to be seen
		case m.to == 0:
			f.holes = append(f.holes, hole{span{id.to, id.to}, of, m.name, true})
		case m.missing(text):
			f.holes = append(f.holes, hole{m.span, of, m.name, false})
		}
	}
}

// target returns the place of a target among all, if the connection has its
// entity.
func (f *filling) target(entity, id []byte) (int, bool) {
	i := slices.IndexFunc(f.conn.Entities, func(e host.Entity) bool { return string(e.Name) == string(entity) })
	if i < 0 || len(id) == 0 {
		return 0, false
	}
	e := f.conn.Entities[i].Name
	if n, known := f.place[e][host.RecordID(id)]; known {
		return n, true
	}
	if f.place == nil {
		f.place = map[host.EntityName]map[host.RecordID]int{}
	}
	if f.place[e] == nil {
		f.place[e] = map[host.RecordID]int{}
	}
	n := len(f.targets)
	f.targets = append(f.targets, target{e, host.RecordID(id)})
	f.place[e][f.targets[n].id] = n
	return n, true
}

// unquoted reads a JSON string.
func unquoted(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b[1 : len(b)-1]
	}
	var s string
	_ = json.Unmarshal(b, &s) // what is no string names nothing
	return []byte(s)
}

func (f *filling) excludes(e host.EntityName) bool {
	for _, x := range f.conn.Exclude {
		if strings.HasPrefix(x, string(e)+".") {
			return true
		}
	}
	return false
}

// fill returns the text with its holes filled, as far as the copy knows.
func (f *filling) fill(text []byte) ([]byte, error) {
	if len(f.holes) == 0 {
		return text, nil
	}
	slices.SortStableFunc(f.holes, func(a, b hole) int { return a.from - b.from })
	if err := f.lookUp(); err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(text)+24*len(f.holes))
	at := 0
	for i := range f.holes {
		h := &f.holes[i]
		v := f.called[h.of].word(h.member)
		if v == nil {
			continue
		}
		out = append(out, text[at:h.from]...)
		if h.absent {
			out = append(append(append(out, `,"`...), h.member...), `":`...)
		}
		out = append(out, v...)
		at = h.to
	}
	return append(out, text[at:]...), nil
}

// lookUp finds out what people call those targets that were not looked up yet.
func (f *filling) lookUp() error {
	from := len(f.called)
	f.called = append(f.called, make([]called, len(f.targets)-from)...)
	ids := map[host.EntityName][]host.RecordID{}
	for _, t := range f.targets[from:] {
		ids[t.entity] = append(ids[t.entity], t.id)
	}
	for e, of := range ids {
		if err := f.read(e, of); err != nil {
			return err
		}
	}
	return nil
}

// read finds out what people call records of an entity.
func (f *filling) read(e host.EntityName, ids []host.RecordID) error {
	heads, _, err := f.store.Heads(f.ctx, f.conn.ID, e, ids)
	if err != nil {
		return err
	}
	place := f.place[e]
	f.names.mu.RLock()
	for i, id := range ids {
		n, kept := f.names.kept[namesKey{f.conn.Incarnation, target{e, id}}]
		switch {
		case heads[i].Operation == host.Deleted:
			heads[i].Sequence = 0 // a tombstone is called nothing
		case kept && n.sequence == heads[i].Sequence:
			f.called[place[id]], heads[i].Sequence = n.called, 0
		}
	}
	f.names.mu.RUnlock()
	for i, id := range ids {
		if heads[i].Sequence == 0 {
			continue
		}
		r, err := f.store.Record(f.ctx, f.conn.ID, e, id)
		if errors.Is(err, state.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		c := called{textOf(r.Body, "number"), textOf(r.Body, "name")}
		f.names.keep(namesKey{f.conn.Incarnation, target{e, id}}, named{r.Sequence, c})
		f.called[place[id]] = c
	}
	return nil
}

func (n *names) keep(k namesKey, v named) {
	v.number, v.name = bytes.Clone(v.number), bytes.Clone(v.name) // not the record that they stand in
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept == nil || len(n.kept) >= namesKept {
		n.kept = map[namesKey]named{}
	}
	n.kept[k] = v
}

// word returns the number or the name.
func (c called) word(member string) []byte {
	if member == "name" {
		return c.name
	}
	return c.number
}

// word returns what the copy knows of a decoded reference's number or name; nil
// for nothing. A store that cannot be read is told when the page is read.
func (f *filling) word(reference map[string]any, member string) any {
	entity, _ := reference["entity"].(string)
	id, _ := reference["id"].(string)
	n, ok := f.target([]byte(entity), []byte(id))
	if !ok || f.lookUp() != nil {
		return nil
	}
	var text any
	if v := f.called[n].word(member); v == nil || json.Unmarshal(v, &text) != nil {
		return nil
	}
	return text
}
