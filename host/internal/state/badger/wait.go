package badger

import (
	"context"
	"sync"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// wakers wakes who waits for a partition. All that wait share one channel,
// which exists only while someone does: a step costs nothing where nobody
// waits, and one close where thousands do.
type wakers struct {
	mu         sync.Mutex
	partitions map[host.Partition]*waker
	closed     chan struct{}
}

type waker struct {
	last  host.Sequence // of what readers see
	epoch uint32
	woken chan struct{} // nil: nobody waits
}

func (w *wakers) init(metas map[host.Partition]meta) {
	w.partitions = map[host.Partition]*waker{}
	w.closed = make(chan struct{})
	for p, m := range metas {
		w.partitions[p] = &waker{last: m.Last, epoch: m.Epoch}
	}
}

func (w *wakers) close() { close(w.closed) }

// at returns a partition's waker. The caller holds the lock.
func (w *wakers) at(p host.Partition) *waker {
	k := w.partitions[p]
	if k == nil {
		k = &waker{}
		w.partitions[p] = k
	}
	return k
}

// moved tells that a partition's readers see everything up to m.
func (w *wakers) moved(p host.Partition, m meta) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.at(p)
	k.last, k.epoch = m.Last, m.Epoch
	if k.woken != nil {
		close(k.woken)
		k.woken = nil
	}
}

func (w *wakers) position(p host.Partition) (host.Sequence, uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.at(p)
	return k.last, k.epoch
}

// Wait returns the last sequence as soon as it is larger than after.
func (e *Engine) Wait(ctx context.Context, p host.Partition, after host.Sequence) (host.Sequence, error) {
	w := &e.wakers
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		select {
		case <-w.closed:
			return 0, state.ErrClosed
		default:
		}
		w.mu.Lock()
		k := w.at(p)
		if last := k.last; last > after {
			w.mu.Unlock()
			return last, nil
		}
		if k.woken == nil {
			k.woken = make(chan struct{})
		}
		woken := k.woken
		w.mu.Unlock()
		select {
		case <-woken:
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-w.closed:
			return 0, state.ErrClosed
		}
	}
}

// Position returns the last sequence and the epoch.
func (e *Engine) Position(ctx context.Context, p host.Partition) (host.Sequence, uint32, error) {
	if err := e.enter(ctx); err != nil {
		return 0, 0, err
	}
	defer e.users.Done()
	n, epoch := e.wakers.position(p)
	return n, epoch, nil
}

// known returns the partitions that something is in.
func (w *wakers) known() []host.Partition {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []host.Partition
	for p := range w.partitions {
		out = append(out, p)
	}
	return out
}
