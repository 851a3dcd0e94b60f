package state

import (
	"context"
	"sync"

	"github.com/dinrail/dinrail/host"
)

// Ref names something that a change wrote.
type Ref struct {
	Kind Kind // KindRun for a queued run
	ID   string
}

// KindRun marks, in a Ref, a run that was queued; the ID is its connection.
const KindRun Kind = "run"

// recent remembers what the last commits through this Store wrote, so that a
// stage looks at those documents alone instead of listing all of them.
type recent struct {
	mu    sync.Mutex
	refs  []Ref // ring, refs[n%len] is number n
	next  uint64
	awake chan struct{}
}

const recentSize = 8192

func newRecent() *recent {
	return &recent{refs: make([]Ref, recentSize), next: 1, awake: make(chan struct{})}
}

func (r *recent) add(puts []Put, queue []host.Run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range puts {
		r.push(Ref{p.Kind, p.ID})
	}
	for i := range queue {
		r.push(Ref{KindRun, string(queue[i].Connection)})
	}
	close(r.awake)
	r.awake = make(chan struct{})
}

func (r *recent) push(ref Ref) {
	r.refs[r.next%recentSize] = ref
	r.next++
}

// Changes returns what was committed through this Store after a position, in
// order, and the position to continue from; it waits until there is something.
// Position 0 is before the Store was opened: it answers at once. Complete is
// false where the caller was away so long that some was forgotten: it must
// then list everything again. It does not tell of records and events.
func (s *Store) Changes(ctx context.Context, after uint64) (refs []Ref, next uint64, complete bool, err error) {
	r := s.recent
	for {
		r.mu.Lock()
		switch {
		case after == 0 || r.next-after > recentSize:
			next = r.next
			r.mu.Unlock()
			return nil, next, false, nil
		case after < r.next:
			for n := after; n < r.next; n++ {
				refs = append(refs, r.refs[n%recentSize])
			}
			next = r.next
			r.mu.Unlock()
			return refs, next, true, nil
		}
		awake := r.awake
		r.mu.Unlock()
		select {
		case <-awake:
		case <-ctx.Done():
			return nil, after, true, ctx.Err()
		}
	}
}
