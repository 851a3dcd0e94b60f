package syncer

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// stepBytes is how much sealed data goes into one step; what a page has beyond
// it follows in further steps, the earlier ones with the checkpoint before.
const stepBytes = host.MaxStepBytes - 256<<10

// keptBad is how many bad records a step tells of; all are counted.
const keptBad = 20

// pageScratch is memory used again from page to page.
type pageScratch struct {
	ids   []host.RecordID
	place map[host.RecordID]int
}

// item is a received record on its way into the store.
type item struct {
	r      *host.Received
	hash   host.Hash
	sealed []byte // made once, when first needed
}

// commit makes a page durable. Identical records are counted, not rewritten.
func (r *runner) commit(ctx context.Context, p host.Page) error {
	items, bad := r.accept(p)
	r.counts.Read += int64(len(p.Records) + len(p.Bad))
	r.counts.Bad += int64(len(bad))
	if r.counts.Read >= host.BadRecordsAfter && float64(r.counts.Bad) > host.BadRecordsShare*float64(r.counts.Read) {
		return host.Errorf(host.CodeBadRecords, "%d of %d records of %s could not be kept, which is more than %g %%; the last: %s",
			r.counts.Bad, r.counts.Read, r.entity.Name, host.BadRecordsShare*100, badWords(bad))
	}
	read := host.Counts{Read: int64(len(p.Records) + len(p.Bad)), Bad: int64(len(bad))}
	// A bad record that has an id is still there in the system.
	var there []host.RecordID
	for _, b := range bad {
		if b.ID == "" {
			r.unknown++ // state counts it too, for a run that goes on with the pass
		} else {
			there = append(there, b.ID)
		}
	}
	for try := 0; ; try++ {
		err := r.store(ctx, items, there, bad, read, p)
		if !errors.Is(err, state.ErrChanged) || try == 5 {
			return err
		}
	}
}

// accept takes what can be kept: the last of several records with the same id,
// shaped by the connection's own mapping and exclusions.
func (r *runner) accept(p host.Page) ([]item, []host.BadRecord) {
	bad := p.Bad
	items := make([]item, 0, len(p.Records))
	if r.scratch.place == nil {
		r.scratch.place = make(map[host.RecordID]int, len(p.Records))
	}
	clear(r.scratch.place)
	for i := range p.Records {
		rec := &p.Records[i]
		if reason := r.unfit(rec); reason != "" {
			id := rec.ID
			if len(id) > host.MaxRecordID || !utf8.ValidString(string(id)) {
				id = ""
			}
			bad = append(bad, host.BadRecord{ID: id, Reason: reason})
			continue
		}
		it := item{r: rec, hash: state.HashOf(rec)}
		if at, twice := r.scratch.place[rec.ID]; twice {
			items[at] = it
			continue
		}
		r.scratch.place[rec.ID] = len(items)
		items = append(items, it)
	}
	return items, bad
}

// unfit shapes the record and returns why it cannot be kept; "" if it can.
func (r *runner) unfit(rec *host.Received) string {
	switch {
	case rec.ID == "":
		return "the record has no id"
	case len(rec.ID) > host.MaxRecordID:
		return fmt.Sprintf("its id has %d bytes; at most %d are kept", len(rec.ID), host.MaxRecordID)
	case !utf8.ValidString(string(rec.ID)):
		return "its id is not valid UTF-8"
	}
	if rec.Deleted {
		rec.Body, rec.Raw = nil, nil
		return ""
	}
	if n := len(rec.Body) + len(rec.Raw); n > host.MaxValueBytes {
		return fmt.Sprintf("it has %d bytes; at most %d are kept", n, host.MaxValueBytes)
	}
	if err := r.shape.Apply(rec); err != nil {
		return err.Error()
	}
	return ""
}

// store compares with what is there and commits the difference, in as many
// steps as the bounds ask for.
func (r *runner) store(ctx context.Context, items []item, there []host.RecordID, bad []host.BadRecord, read host.Counts, p host.Page) error {
	ids := r.scratch.ids[:0]
	for i := range items {
		ids = append(ids, items[i].r.ID)
	}
	r.scratch.ids = ids
	heads, readAt, err := r.s.Store.Heads(ctx, r.doc.ID, r.entity.Name, ids)
	if err != nil {
		return storage("read", err)
	}
	marking := r.run.Mode == host.Full && !r.run.First
	step := r.step(p.Total)
	if step.Follow, err = r.s.Follows(ctx, &r.doc, r.entity.Name, r.lease.Sync.LastSuccessAt.IsZero()); err != nil {
		return storage("read", err)
	}
	step.ReadAt, step.Counts = readAt, read
	step.Bad = bad[:min(len(bad), keptBad)]
	if marking {
		step.Unchanged = append(step.Unchanged, there...)
	}
	step.Records = make([]state.RecordPut, 0, len(items))
	size := 0
	for i := range items {
		it, head := &items[i], &heads[i]
		put := state.RecordPut{ID: it.r.ID, Expect: head.Sequence, Hash: it.hash, CreatedAt: it.r.CreatedAt, UpdatedAt: it.r.UpdatedAt}
		gone := head.Sequence == 0 || head.Operation == host.Deleted
		switch {
		case it.r.Deleted && gone:
			step.Counts.Unchanged++
			continue
		case it.r.Deleted:
			put.Operation = host.Deleted
			step.Counts.Deleted++
		case !gone && head.Hash == it.hash:
			step.Counts.Unchanged++
			if marking {
				step.Unchanged = append(step.Unchanged, it.r.ID)
			}
			continue
		case gone:
			put.Operation = host.Created
			step.Counts.Created++
		default:
			put.Operation = host.Updated
			step.Counts.Updated++
		}
		if it.sealed == nil {
			if it.sealed, err = r.s.Store.SealRecord(r.doc.ID, r.entity.Name, it.r); err != nil {
				return storage("seal", err)
			}
		}
		if size+len(it.sealed) > stepBytes {
			if err := r.put(ctx, &step, nil); err != nil {
				return err
			}
			next := r.step(p.Total)
			next.ReadAt, next.Follow, next.Records = step.ReadAt, step.Follow, step.Records[:0]
			step, size = next, 0
		}
		put.Sealed = it.sealed
		size += len(it.sealed)
		step.Records = append(step.Records, put)
	}
	mark := p.Checkpoint
	if mark == nil {
		mark = []byte{}
	}
	return r.put(ctx, &step, mark)
}

// step returns the next step, empty.
func (r *runner) step(total int64) state.PageStep {
	return state.PageStep{
		Connection: r.doc.ID, Entity: r.entity.Name, Run: r.run.ID, Fence: r.lease.Fence,
		Number: r.page + 1, At: time.Now(), Total: total,
	}
}

// put commits a step; mark nil leaves the checkpoint as it is.
func (r *runner) put(ctx context.Context, step *state.PageStep, mark []byte) error {
	step.Checkpoint = mark
	if _, err := r.s.Store.CommitPage(ctx, *step); err != nil {
		if errors.Is(err, state.ErrChanged) || errors.Is(err, state.ErrFenced) || errors.Is(err, state.ErrPurged) {
			return err
		}
		return storage("write", err)
	}
	r.page = step.Number
	if mark != nil {
		r.mark = mark
	}
	c := step.Counts
	r.counts.Created += c.Created
	r.counts.Updated += c.Updated
	r.counts.Deleted += c.Deleted
	r.counts.Unchanged += c.Unchanged
	return nil
}

// sweep turns what a full pass has not met into tombstones. It is called only
// after the read provably reached its end.
func (r *runner) sweep(ctx context.Context) error {
	if r.unknown > 0 {
		r.s.Log.Warn("no deletions concluded: records without a readable id were skipped", "connection", r.doc.ID, "entity", r.entity.Name, "run", r.run.ID, "bad", r.unknown)
		return nil
	}
	var after host.RecordID
	for {
		ids, err := r.s.Store.Unseen(ctx, r.step(-1), after, host.MaxPageRecords)
		if err != nil {
			return storage("read", err)
		}
		if len(ids) == 0 {
			return nil
		}
		gone := make([]host.Received, len(ids))
		for i, id := range ids {
			gone[i] = host.Received{ID: id, Deleted: true}
		}
		items := make([]item, len(gone))
		for i := range gone {
			items[i] = item{r: &gone[i], hash: state.HashOf(&gone[i])}
		}
		for try := 0; ; try++ {
			err := r.store(ctx, items, nil, nil, host.Counts{}, host.Page{Checkpoint: r.mark, Total: -1})
			if err == nil {
				break
			}
			if !errors.Is(err, state.ErrChanged) || try == 5 {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

func storage(what string, err error) error {
	if errors.Is(err, state.ErrFenced) || errors.Is(err, state.ErrPurged) || errors.Is(err, context.Canceled) {
		return err
	}
	return host.Errorf(host.CodeStorage, "the store could not %s records: %w", what, err)
}

func badWords(bad []host.BadRecord) string {
	if len(bad) == 0 {
		return "see the run's bad records"
	}
	b := bad[len(bad)-1]
	words := b.Reason
	if b.Field != "" {
		words = b.Field + ": " + words
	}
	if b.ID != "" {
		words = "record " + string(b.ID) + ": " + words
	}
	return words
}
