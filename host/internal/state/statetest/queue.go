package statetest

import (
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// deliveryOf is a pending delivery, due at a minute of the hour.
func deliveryOf(id host.DeliveryID, to host.EndpointID, attempts, minute int) host.Delivery {
	return host.Delivery{
		ID: id, Event: "evt_1", EventType: "custom.test", Endpoint: to, Status: host.DeliveryPending, Attempts: attempts,
		CreatedAt: minuteOf(0), DueAt: minuteOf(minute),
	}
}

func minuteOf(n int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
}

func (f *fixture) push(from, to host.Sequence, ds ...host.Delivery) {
	f.Helper()
	f.must(f.Push(f.ctx, 0, state.Push{Position: "dispatch", From: from, To: to, At: f.now(), Deliveries: ds}))
}

func (f *fixture) claim(to host.EndpointID, minute, limit int) string {
	f.Helper()
	ids, _ := f.claimNext(to, minute, limit)
	return ids
}

// claimNext claims, and tells when there is more by its minute ("": never).
func (f *fixture) claimNext(to host.EndpointID, minute, limit int) (ids, next string) {
	f.Helper()
	ds, at, err := f.Claim(f.ctx, 0, state.Claim{Endpoint: to, Now: minuteOf(minute), Until: minuteOf(minute + 5), Limit: limit})
	f.must(err)
	if !at.IsZero() {
		next = at.UTC().Format("15:04")
	}
	return idsOf(ds), next
}

func idsOf(ds []host.Delivery) string {
	ids := make([]string, len(ds))
	for i, d := range ds {
		ids[i] = string(d.ID)
	}
	return fmt.Sprint(ids)
}

// settled is a delivery after one more attempt.
func settled(d host.Delivery, status host.DeliveryStatus, due int) state.Settlement {
	d.Attempts++
	d.Status, d.DueAt = status, minuteOf(due)
	return state.Settlement{Delivery: d, Attempt: host.Attempt{Delivery: d.ID, Number: d.Attempts, StartedAt: minuteOf(0), Status: 503}}
}

func (f *fixture) deliveries(to host.EndpointID, st host.DeliveryStatus, before host.DeliveryID, limit int) (string, string) {
	f.Helper()
	ds, counts, err := f.Deliveries(f.ctx, 0, to, st, before, limit)
	f.must(err)
	return idsOf(ds), fmt.Sprint(counts[host.DeliveryPending], counts[host.DeliveryDelivered], counts[host.DeliveryHeld], counts[host.DeliveryDead])
}

var queue = []promise{
	{"PushMovesItsPositionOnce", func(f *fixture) {
		f.push(0, 5, deliveryOf("dlv_1", "a", 0, 1))
		f.push(0, 5, deliveryOf("dlv_1", "a", 0, 1))
		err := f.Push(f.ctx, 0, state.Push{Position: "dispatch", From: 0, To: 6, Deliveries: []host.Delivery{deliveryOf("dlv_2", "a", 0, 1)}})
		f.refused(err, state.ErrChanged)
		err = f.Push(f.ctx, 0, state.Push{Position: "dispatch", From: 4, To: 6})
		f.refused(err, state.ErrChanged)
		f.crash()
		f.push(5, 6, deliveryOf("dlv_3", "a", 0, 1))
		ids, counts := f.deliveries("", "", "", 10)
		equal(f, "deliveries", ids, "[dlv_3 dlv_1]")
		equal(f, "counts", counts, "2 0 0 0")
	}},
	{"ClaimReturnsWhatIsDue", func(f *fixture) {
		f.push(0, 1,
			deliveryOf("dlv_1", "a", 2, 1), deliveryOf("dlv_2", "b", 0, 3), deliveryOf("dlv_3", "a", 0, 2),
			deliveryOf("dlv_4", "a", 0, 9), deliveryOf("dlv_5", "b", 1, 0), deliveryOf("dlv_6", "a", 0, 2))
		equal(f, "nothing yet", f.claim("", -1, 9), "[]")
		equal(f, "of one, first attempts first", f.claim("a", 2, 9), "[dlv_3 dlv_6 dlv_1]")
		equal(f, "of any, what is left", f.claim("", 3, 9), "[dlv_2 dlv_5]")
		equal(f, "claimed", f.claim("", 4, 9), "[]")
	}},
	{"ClaimIsForOneCaller", func(f *fixture) {
		f.push(0, 1, deliveryOf("dlv_1", "a", 0, 0), deliveryOf("dlv_2", "a", 0, 0), deliveryOf("dlv_3", "a", 0, 0))
		equal(f, "first", f.claim("a", 1, 2), "[dlv_1 dlv_2]")
		equal(f, "second", f.claim("", 2, 2), "[dlv_3]")
		equal(f, "until it ends", f.claim("a", 6, 9), "[dlv_1 dlv_2]")
	}},
	{"ClaimEndsWithItsHolder", func(f *fixture) {
		f.push(0, 1, deliveryOf("dlv_1", "a", 0, 0))
		equal(f, "claimed", f.claim("a", 1, 2), "[dlv_1]")
		before := f.position()
		f.crash()
		equal(f, "a claim is not a step", f.position(), before)
	}},
	{"ClaimTellsWhenThereIsMore", func(f *fixture) {
		f.push(0, 1, deliveryOf("dlv_1", "a", 0, 1), deliveryOf("dlv_2", "a", 0, 2), deliveryOf("dlv_3", "a", 1, 7), deliveryOf("dlv_4", "b", 0, 5))
		told := func(what string, to host.EndpointID, minute, limit int, ids, next string) {
			f.Helper()
			gotIDs, gotNext := f.claimNext(to, minute, limit)
			equal(f, what, gotIDs, ids)
			equal(f, what+", next", gotNext, next)
		}
		told("none is due yet", "a", 0, 9, "[]", "12:01")
		told("the limit leaves one out", "a", 3, 1, "[dlv_1]", "12:03")
		told("what is claimed does not count", "a", 3, 9, "[dlv_2]", "12:07")
		told("any", "", 3, 9, "[]", "12:05")
		told("the last ones", "", 7, 9, "[dlv_4 dlv_3]", "")
		told("of nobody", "none", 7, 9, "[]", "")
	}},
	{"ADeliveryChangesOnlyAsItWasRead", func(f *fixture) {
		d := deliveryOf("dlv_1", "a", 0, 0)
		f.push(0, 1, d)
		held := d
		held.Status = host.DeliveryHeld
		f.must(f.Settle(f.ctx, 0, []state.Settlement{settled(d, host.DeliveryDelivered, 0)}))
		f.must(f.Settle(f.ctx, 0, []state.Settlement{{Delivery: held}})) // read before the attempt
		got, attempts, err := f.Delivery(f.ctx, 0, "dlv_1")
		f.must(err)
		equal(f, "status", got.Status, host.DeliveryDelivered)
		equal(f, "attempts", len(attempts), 1)
	}},
	{"PrunedDeliveriesAreGoneWithTheirAttempts", func(f *fixture) {
		var ds []host.Delivery
		for i := range 6 {
			ds = append(ds, deliveryOf(host.DeliveryID(fmt.Sprintf("dlv_%d", i)), host.EndpointID("ab"[i%2:i%2+1]), 0, i))
		}
		f.push(0, 1, ds...)
		for _, i := range []int{0, 1, 2, 5} {
			f.must(f.Settle(f.ctx, 0, []state.Settlement{settled(ds[i], host.DeliveryDead, 0)}))
		}
		prune := state.Prune{IDs: []host.DeliveryID{"dlv_0", "dlv_2", "dlv_3", "dlv_none"}} // dlv_3 is pending
		f.must(f.Prune(f.ctx, 0, prune))
		f.must(f.Prune(f.ctx, 0, prune))
		f.crash()
		ids, counts := f.deliveries("", "", "", 10)
		equal(f, "left", ids, "[dlv_5 dlv_4 dlv_3 dlv_1]")
		equal(f, "counts", counts, "2 0 0 2")
		_, _, err := f.Delivery(f.ctx, 0, "dlv_2")
		f.refused(err, state.ErrNotFound)
		owed, err := f.Owed(f.ctx, 0)
		f.must(err)
		equal(f, "owed", fmt.Sprint(owed), "map[a:map[pending:1] b:map[dead:2 pending:1]]")
	}},
	{"SettledAttemptCountsOnce", func(f *fixture) {
		d := deliveryOf("dlv_1", "a", 0, 0)
		f.push(0, 1, d)
		f.claim("a", 1, 1)
		one := settled(d, host.DeliveryPending, 2)
		f.must(f.Settle(f.ctx, 0, []state.Settlement{one}))
		equal(f, "due again", f.claim("a", 2, 9), "[dlv_1]")
		two := settled(one.Delivery, host.DeliveryDelivered, 0)
		f.must(f.Settle(f.ctx, 0, []state.Settlement{two}))
		f.must(f.Settle(f.ctx, 0, []state.Settlement{one})) // repeated as it was
		f.crash()
		got, attempts, err := f.Delivery(f.ctx, 0, "dlv_1")
		f.must(err)
		equal(f, "status", got.Status, host.DeliveryDelivered)
		equal(f, "attempts", len(attempts), 2)
		equal(f, "number", attempts[1].Number, 2)
		equal(f, "nothing is due", f.claim("a", 60, 9), "[]")
		_, counts := f.deliveries("a", "", "", 9)
		equal(f, "counts", counts, "0 1 0 0")
	}},
	{"HeldDeliveriesWaitUntilTheyArePending", func(f *fixture) {
		d := deliveryOf("dlv_1", "a", 0, 0)
		f.push(0, 1, d)
		d.Status = host.DeliveryHeld
		f.must(f.Settle(f.ctx, 0, []state.Settlement{{Delivery: d}}))
		equal(f, "held", f.claim("a", 60, 9), "[]")
		d.Status = host.DeliveryPending
		f.must(f.Settle(f.ctx, 0, []state.Settlement{{Delivery: d}, {Delivery: deliveryOf("dlv_none", "a", 0, 0)}}))
		equal(f, "pending", f.claim("a", 60, 9), "[dlv_1]")
		_, _, err := f.Delivery(f.ctx, 0, "dlv_none")
		f.refused(err, state.ErrNotFound)
	}},
	{"DeliveriesAreListedNewestFirst", func(f *fixture) {
		var ds []host.Delivery
		for i := range 9 {
			ds = append(ds, deliveryOf(host.DeliveryID(fmt.Sprintf("dlv_%d", i)), host.EndpointID("abc"[i%3:i%3+1]), 0, i))
		}
		f.push(0, 1, ds...)
		f.must(f.Settle(f.ctx, 0, []state.Settlement{
			settled(ds[0], host.DeliveryDead, 0), settled(ds[4], host.DeliveryDelivered, 0), settled(ds[6], host.DeliveryDead, 0),
		}))
		for _, c := range []struct {
			endpoint host.EndpointID
			status   host.DeliveryStatus
			before   host.DeliveryID
			limit    int
			ids, of  string
		}{
			{"", "", "", 3, "[dlv_8 dlv_7 dlv_6]", "6 1 0 2"},
			{"", "", "dlv_6", 3, "[dlv_5 dlv_4 dlv_3]", "6 1 0 2"},
			{"a", "", "", 9, "[dlv_6 dlv_3 dlv_0]", "1 0 0 2"},
			{"a", "", "dlv_6", 1, "[dlv_3]", "1 0 0 2"},
			{"", host.DeliveryDead, "", 9, "[dlv_6 dlv_0]", "6 1 0 2"},
			{"b", host.DeliveryDelivered, "", 9, "[dlv_4]", "2 1 0 0"},
			{"b", host.DeliveryDead, "", 9, "[]", "2 1 0 0"},
			{"none", "", "", 9, "[]", "0 0 0 0"},
		} {
			ids, of := f.deliveries(c.endpoint, c.status, c.before, c.limit)
			equal(f, fmt.Sprintf("%+v", c), ids, c.ids)
			equal(f, fmt.Sprintf("counts of %+v", c), of, c.of)
		}
	}},
}
