package badger_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// What the bounds of a step allow fits in one transaction, also where every
// name is as long as it may be and every value just too small for the value
// log, which is when a transaction has most to carry.
func TestLargestStepsFit(t *testing.T) {
	e := open(t, t.TempDir())
	defer e.Close() //nolint:errcheck // of a test
	ctx, at := t.Context(), time.Unix(1.8e9, 0)
	long := func(prefix string, n, size int) string {
		s := fmt.Sprintf("%s%d_", prefix, n)
		return s + strings.Repeat("x", size-len(s))
	}
	const name = 64
	fits := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	for what, size := range map[string]struct{ id, sealed int }{
		"long ids":     {host.MaxRecordID, 100},
		"small values": {40, 170},
	} {
		run := host.Run{ID: host.RunID(long("run", size.id, name)), Connection: "plant", Entity: host.EntityName(what[:4]), Mode: host.Full}
		l, err := e.BeginRun(ctx, 0, state.Begin{Run: run, Holder: "h", At: at})
		fits("begin", err)
		var before host.Sequence
		for number, op := range []host.Operation{host.Created, host.Updated} {
			s := state.PageStep{Connection: "plant", Entity: run.Entity, Run: run.ID, Fence: l.Fence, Number: int64(number + 1), At: at, Follow: true, Total: -1}
			s.ReadAt, _, err = e.Position(ctx, 0)
			fits("position", err)
			for i := range host.MaxStepItems {
				put := state.RecordPut{ID: host.RecordID(long("WO", i, size.id)), Operation: op, Sealed: bytes.Repeat([]byte{byte(i)}, size.sealed)}
				if before != 0 {
					put.Expect = before - host.MaxStepItems + host.Sequence(i) + 1
				}
				s.Records = append(s.Records, put)
			}
			before, err = e.CommitPage(ctx, 0, s)
			fits("a page with "+what, err)
		}
	}

	_, err := e.Commit(ctx, 0, state.Change{At: at, Puts: []state.Put{state.Delete(state.KindConnection, "plant", state.Any)}})
	fits("a removal", err)
	for more := true; more; {
		more, err = e.Purge(ctx, 0, "plant")
		fits("a sweep", err)
	}

	var push state.Push
	var settled []state.Settlement
	for i := range host.MaxStepItems {
		d := host.Delivery{
			ID: host.DeliveryID(fmt.Sprintf("%s%026d", host.DeliveryPrefix, i)), Event: host.EventID(long("evt", i, 30)), EventType: "custom.x",
			Endpoint: host.EndpointID(long("end", i, name)), Status: host.DeliveryPending, CreatedAt: at, DueAt: at,
		}
		push.Deliveries = append(push.Deliveries, d)
		d.Attempts = 1
		d.End(host.DeliveryDead, at, "")
		settled = append(settled, state.Settlement{Delivery: d, Attempt: host.Attempt{Delivery: d.ID, Number: 1, StartedAt: at, Response: bytes.Repeat([]byte("r"), 100)}})
	}
	push.Position, push.To = "dispatch", 1
	fits("a push", e.Push(ctx, 0, push))
	fits("settlements", e.Settle(ctx, 0, settled))

	var change state.Change
	for range 2 { // the second time each has one to take the place of
		change.Puts = nil
		for i := range host.MaxStepItems {
			change.Puts = append(change.Puts, state.Put{
				Kind: state.KindToken, ID: long("tok", i, name), Expect: state.Any, Connection: host.ConnectionID(long("plant", i, name)),
				Body: fmt.Appendf(nil, `"%0*d"`, 170, len(change.Puts)),
			})
		}
		_, err := e.Commit(ctx, 0, change)
		fits("a change", err)
		change.At = at
	}
}
