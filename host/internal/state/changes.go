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
	refs := make([]Ref, 0, len(puts)+len(queue))
	for _, p := range puts {
		refs = append(refs, Ref{p.Kind, p.ID})
	}
	for i := range queue {
		refs = append(refs, Ref{KindRun, string(queue[i].Connection)})
	}
	r.addRefs(refs)
}

func (r *recent) addRefs(refs []Ref) {
	if len(refs) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ref := range refs {
		r.push(ref)
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
	for {
		refs, next, complete, awake := s.recent.since(after)
		if next != after {
			return refs, next, complete, nil
		}
		select {
		case <-awake:
		case <-ctx.Done():
			return nil, after, true, ctx.Err()
		}
	}
}

// ChangesNow is Changes without waiting: next is after where there is nothing.
// What a commit wrote is there as soon as the commit has returned.
func (s *Store) ChangesNow(after uint64) (refs []Ref, next uint64, complete bool) {
	refs, next, complete, _ = s.recent.since(after)
	return refs, next, complete
}

func (r *recent) since(after uint64) (refs []Ref, next uint64, complete bool, awake <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if after == 0 || r.next-after > recentSize {
		return nil, r.next, false, r.awake
	}
	for n := after; n < r.next; n++ {
		refs = append(refs, r.refs[n%recentSize])
	}
	return refs, r.next, true, r.awake
}
