package badger

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// unseenCache keeps the marks of the pass that was asked for last, sorted: its
// caller asks again and again, for the next part.
type unseenCache struct {
	mu    sync.Mutex
	pass  passID
	marks []state.Mark
}

type passID struct {
	stream streamID
	fence  host.Fence
	page   int64
}

// Unseen returns ids of living records that a full pass has not met.
func (e *Engine) Unseen(ctx context.Context, p host.Partition, s state.PageStep, after host.RecordID, limit int) ([]host.RecordID, error) {
	var out []host.RecordID
	err := e.view(ctx, p, func(v view) error {
		l, known, err := v.life(s.Connection)
		if err != nil {
			return err
		}
		if known && l.Number == 0 {
			return fmt.Errorf("connection %s: %w", s.Connection, state.ErrPurged)
		}
		_, st, err := v.stream(s.Connection, s.Entity)
		if err != nil {
			return err
		}
		if st == nil {
			return fmt.Errorf("run %s: %w", s.Run, state.ErrFenced)
		}
		if err := st.Held(s.Run, s.Fence); err != nil {
			return err
		}
		if st.Pass.First {
			return nil // there was nothing that it could have missed
		}
		marks, err := e.unseen.of(v, l, st)
		if err != nil {
			return err
		}
		out, err = v.unseen(l, st, marks, after, limit)
		return err
	})
	return out, err
}

func (v view) unseen(l life, st *stream, marks []state.Mark, after host.RecordID, limit int) ([]host.RecordID, error) {
	var out []host.RecordID
	prefix := ofStream(v.p, tableHead, l.Number, st.Number)
	from := last(append(key(nil), prefix...), after)
	err := v.scan(prefix, from, func(k []byte, item *badger.Item) (bool, error) {
		if len(out) == limit {
			return false, nil
		}
		if bytes.Equal(k, from) {
			return true, nil
		}
		var h state.Head
		if err := item.Value(func(b []byte) (err error) {
			h, err = state.DecodeHead(b)
			return err
		}); err != nil {
			return false, err
		}
		if h.Operation == host.Deleted || h.Sequence > st.Pass.StartSequence {
			return true, nil
		}
		id := host.RecordID(k[streamPrefix:])
		if _, met := slices.BinarySearchFunc(marks, state.MarkOf(id), compareMarks); !met {
			out = append(out, id)
		}
		return true, nil
	})
	return out, err
}

func compareMarks(a, b state.Mark) int { return bytes.Compare(a[:], b[:]) }

// of returns the marks of the running pass, sorted.
func (u *unseenCache) of(v view, l life, st *stream) ([]state.Mark, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := passID{streamID{v.p, l.Number, st.Number}, st.Fence, st.Page}
	if u.pass == id {
		return u.marks, nil
	}
	var marks []state.Mark
	prefix := ofStream(v.p, tableMarks, l.Number, st.Number)
	from := append(key(nil), prefix...).uint64(uint64(st.Pass.StartSequence))
	err := v.scan(prefix, from, func(_ []byte, item *badger.Item) (bool, error) {
		return true, item.Value(func(b []byte) error {
			if len(b) == 0 || b[0] != valueVersion || (len(b)-1)%len(state.Mark{}) != 0 {
				return errMalformed
			}
			for m := range slices.Chunk(b[1:], len(state.Mark{})) {
				marks = append(marks, state.Mark(m))
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(marks, compareMarks)
	u.pass, u.marks = id, marks
	return marks, nil
}

// drop lets the marks of a pass go once it is over.
func (u *unseenCache) drop(id streamID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pass.stream == id {
		u.pass, u.marks = passID{}, nil
	}
}
