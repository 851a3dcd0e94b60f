package badger

import (
	"hash/maphash"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// recentPages remembers which records the last pages of the running syncs
// changed, so that the expectations of the pages behind them need no looking
// up. It only ever spares a look: forgetting is always right, and so is to
// take one id for another.
type recentPages struct {
	seed    maphash.Seed
	streams map[streamID]*window
}

type streamID struct {
	partition    host.Partition
	life, stream uint32
}

// window is two generations of changed ids, so that there is always a good
// number of them.
type window struct {
	seed     maphash.Seed
	now, old generation
}

// generation is all ids that were changed after a sequence.
type generation struct {
	from host.Sequence
	ids  map[uint64]struct{}
}

const (
	generationSize = 10 * host.MaxPageRecords // more than a syncer has in flight
	streamsKept    = 256
)

func newRecentPages() recentPages {
	return recentPages{seed: maphash.MakeSeed(), streams: map[streamID]*window{}}
}

// since returns what changed after a sequence, and whether that is all.
func (r *recentPages) since(id streamID, n host.Sequence) (*window, bool) {
	w := r.streams[id]
	if w == nil {
		return nil, false
	}
	from := w.now.from
	if w.old.ids != nil {
		from = w.old.from
	}
	return w, n >= from
}

func (w *window) has(id host.RecordID) bool {
	h := maphash.String(w.seed, string(id))
	if _, ok := w.now.ids[h]; ok {
		return true
	}
	_, ok := w.old.ids[h]
	return ok
}

// add remembers a page on an entity that was last changed before.
func (r *recentPages) add(id streamID, before host.Sequence, p *state.Page) {
	if len(p.Stored) == 0 {
		return
	}
	w := r.streams[id]
	if w == nil {
		if len(r.streams) >= streamsKept {
			r.clear()
		}
		w = &window{seed: r.seed, now: generation{before, map[uint64]struct{}{}}}
		r.streams[id] = w
	}
	if len(w.now.ids) >= generationSize {
		w.old, w.now = w.now, generation{before, make(map[uint64]struct{}, generationSize)}
	}
	for i := range p.Stored {
		w.now.ids[maphash.String(r.seed, string(p.Stored[i].ID))] = struct{}{}
	}
}

func (r *recentPages) forget(id streamID) { delete(r.streams, id) }

func (r *recentPages) clear() { clear(r.streams) }
