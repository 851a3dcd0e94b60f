package badger

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// request is a step on its way through the committer.
type request struct {
	partition host.Partition
	at        host.Sequence // 0: the next one
	step      *state.Step
	size      int // of its bytes
	entries   int // that it writes at most
	result    result
	err       error
	done      chan struct{}
}

// result is what a step answers.
type result struct {
	sequence host.Sequence
	lease    state.Lease
	more     bool // a sweep has more to do
}

// submitted sends a step to the committer and waits for its answer. The step's
// bytes are the engine's until then; back says that they are the caller's
// again, which they are not where the context ended first.
func (e *Engine) submitted(ctx context.Context, p host.Partition, at host.Sequence, step []byte) (r result, back bool, err error) {
	if err := e.enter(ctx); err != nil {
		return result{}, true, err
	}
	defer e.users.Done()
	s, err := state.DecodeStep(step)
	if err != nil {
		return result{}, true, err
	}
	q := &request{partition: p, at: at, step: s, size: len(step), entries: entriesOf(s), done: make(chan struct{})}
	select {
	case e.submit <- q:
	case <-ctx.Done():
		return result{}, true, ctx.Err()
	}
	select {
	case <-q.done:
		return q.result, true, q.err
	case <-ctx.Done():
		return result{}, false, ctx.Err()
	}
}

// Apply applies a step's bytes at a sequence larger than the last. It returns
// the step's sequence, which is the last one that it took, or the refusal.
func (e *Engine) Apply(ctx context.Context, p host.Partition, n host.Sequence, step []byte) (host.Sequence, error) {
	r, _, err := e.submitted(ctx, p, n, append([]byte(nil), step...))
	return r.sequence, err
}

// committer applies steps, one transaction of waiting ones after the other. It
// is the only writer, so it alone knows where the partitions stand.
type committer struct {
	e      *Engine
	metas  map[host.Partition]meta
	counts map[owing]map[host.DeliveryStatus]int64 // of deliveries, as they stand in the store
	recent recentPages
	space  space
	failed error // of a commit: what the disk holds is not known any more
}

func newCommitter(e *Engine, metas map[host.Partition]meta) *committer {
	return &committer{e: e, metas: metas, counts: map[owing]map[host.DeliveryStatus]int64{}, recent: newRecentPages(), space: space{dir: e.dir, low: e.low}}
}

// run commits until the engine closes.
func (c *committer) run() {
	var waiting []*request
	for first := range c.e.submit {
		waiting = append(waiting[:0], first)
	gather:
		for len(waiting) < cap(c.e.submit) {
			select {
			case q, ok := <-c.e.submit:
				if !ok {
					break gather
				}
				waiting = append(waiting, q)
			default:
				break gather
			}
		}
		c.commitAll(waiting)
	}
}

func (c *committer) commitAll(steps []*request) {
	for len(steps) > 0 {
		steps = steps[c.commit(steps):]
	}
}

// batch is a transaction that is being filled.
type batch struct {
	txn    *badger.Txn
	metas  map[host.Partition]meta
	counts map[owing]map[host.DeliveryStatus]int64 // how they change
	owed   []*request                              // answered once the transaction is durable
	after  []func()                                // done once it is
	budget budget
}

// budget is how much a transaction still takes.
type budget struct{ entries, bytes int64 }

// commit applies as many of the steps as one transaction takes, commits, and
// returns how many it has answered. A refusal is answered at once.
func (c *committer) commit(steps []*request) int {
	b := c.begin()
	defer b.txn.Discard()
	n := 0
	for _, q := range steps {
		if !b.budget.take(q) && len(b.owed) > 0 {
			break
		}
		n++
		err := c.failed
		if err == nil {
			err = c.apply(b, q)
		}
		switch {
		case err == nil:
			b.owed = append(b.owed, q)
		case refused(err):
			q.answer(err)
		case len(b.owed) == 0:
			c.recent.clear()
			q.answer(err)
			return n
		default:
			// The transaction holds a part of this step. What came before is
			// applied again without it, and the step then by itself.
			b.txn.Discard()
			c.recent.clear()
			c.commitAll(b.owed)
			return n - 1
		}
	}
	if len(b.owed) == 0 {
		return n
	}
	c.finish(b)
	return n
}

func (c *committer) begin() *batch {
	b := &batch{
		txn: c.e.db.NewTransaction(true), metas: map[host.Partition]meta{},
		budget: budget{c.e.db.MaxBatchCount(), c.e.db.MaxBatchSize()},
	}
	return b
}

// take says whether the step fits, counting it.
func (b *budget) take(q *request) bool {
	b.entries -= int64(q.entries)
	b.bytes -= int64(q.size) + int64(q.entries)*entryOverhead
	return b.entries > 0 && b.bytes > 0
}

// entryOverhead is what an entry takes in a transaction besides what stands in
// the step: its key, a small value, and Badger's own bytes.
const entryOverhead = 96

// pruneEntries is what pruning one delivery deletes, with as many attempts as
// most have.
const pruneEntries = 20

// entriesOf returns how many entries a step writes at most.
func entriesOf(s *state.Step) int {
	const rest = 16 // run, sync, time, meta and the like
	switch {
	case s.Change != nil:
		n := rest + 3*len(s.Change.Puts) + 2*len(s.Change.Events) + 7*len(s.Change.Queue)
		for i := range s.Change.Puts {
			if p := &s.Change.Puts[i]; p.Kind == state.KindConnection && p.Body == nil {
				n += 2*sweepItems + 4
			}
		}
		return n
	case s.Begin != nil:
		return rest + sweepItems
	case s.Page != nil && s.Page.Follow:
		return rest + 4*len(s.Page.Stored)
	case s.Page != nil:
		return rest + 3*len(s.Page.Stored)
	case s.End != nil:
		return rest + sweepItems + 2*len(s.End.Events)
	case s.Push != nil:
		return rest + 4*len(s.Push.Deliveries) + 2*len(s.Push.Events) + sweepItems
	case s.Prune != nil:
		return rest + pruneEntries*len(s.Prune.IDs)
	case s.Settle != nil:
		return rest + 7*len(s.Settle.Settlements)
	}
	return rest + 2*sweepItems
}

// finish commits the transaction and answers.
func (c *committer) finish(b *batch) {
	err := c.writeMetas(b)
	if err == nil {
		err = c.writeCounts(b)
	}
	if err == nil {
		err = b.txn.Commit()
	}
	if err != nil {
		err = &host.Error{Code: host.CodeStorage, Message: "the store could not be written; see the host's log, and start the host again", Err: fmt.Errorf("commit: %w", err)}
		c.failed = err
		c.e.log.Error("store stopped", "error", errors.Unwrap(err))
		for _, q := range b.owed {
			q.answer(err)
		}
		return
	}
	for p, m := range b.metas {
		c.metas[p] = m
		c.e.wakers.moved(p, m)
	}
	maps.Copy(c.counts, b.counts)
	for _, f := range b.after {
		f()
	}
	for _, q := range b.owed {
		c.space.wrote(q.size)
		q.answer(nil)
	}
}

func (c *committer) writeMetas(b *batch) error {
	for p, m := range b.metas {
		v, err := encodeJSON(m)
		if err != nil {
			return err
		}
		if err := b.txn.Set(newKey(p, tableMeta), v); err != nil {
			return err
		}
	}
	return nil
}

func (q *request) answer(err error) {
	q.err = err
	close(q.done)
}

// refused says whether err is an answer to the step's sender, with nothing
// written, rather than a trouble of the store.
func refused(err error) bool {
	for _, r := range []error{state.ErrChanged, state.ErrRunning, state.ErrFenced, state.ErrPurged, errStep, errSpace} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// meta returns where a partition stands in the batch.
func (c *committer) meta(b *batch, p host.Partition) (meta, error) {
	if m, ok := b.metas[p]; ok {
		return m, nil
	}
	if m, ok := c.metas[p]; ok {
		return m, nil
	}
	return newMeta()
}
