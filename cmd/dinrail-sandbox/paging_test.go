package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// Ensure a list comes in the order of ids, whole, with its total.
func TestPagesById(t *testing.T) {
	t.Parallel()
	c := setup(t, func(o *options) { o.orders = 250 })
	var ids []int64
	path := "/api/workOrders?pageSize=100"
	for next := path; next != ""; {
		l := c.list(next)
		if l.Total != 250 {
			t.Errorf("total is %d", l.Total)
		}
		for _, item := range l.Items {
			ids = append(ids, wholeOf(item["id"]))
		}
		next = ""
		if l.NextCursor != nil {
			next = path + "&cursor=" + *l.NextCursor
		}
	}
	if len(ids) != 250 || !slices.IsSorted(ids) || len(slices.Compact(ids)) != 250 {
		t.Errorf("%d ids, sorted %v", len(ids), slices.IsSorted(ids))
	}
}

// Ensure a cursor of one list is refused by another.
func TestCursorBelongsToItsList(t *testing.T) {
	t.Parallel()
	c := setup(t)
	cursor := "&cursor=" + *c.list("/api/workOrders?pageSize=1").NextCursor
	c.refused("GET", "/api/jobs?pageSize=1"+cursor, nil, http.StatusBadRequest, "badCursor")
	c.refused("GET", "/api/workOrders?changedSince=2026-01-01T00:00:00Z"+cursor, nil, http.StatusBadRequest, "badCursor")
}

// Ensure a reader who follows changedSince, while records are made, changed and
// deleted between his pages, ends with what the plant has; with equal stamps
// too. The seed of the walk is printed when it fails.
func TestFollowingChangesMissesNothing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	c := setup(t, func(o *options) { o.orders = 40 })
	copied := make(map[int64]int64) // revision by id
	since := noon.AddDate(0, 0, -30).Format(time.RFC3339)
	follow := func(disturb bool) {
		path := "/api/workOrders?pageSize=7&changedSince=" + url.QueryEscape(since)
		for next := path; next != ""; {
			l := c.list(next)
			for _, item := range l.Items {
				copied[wholeOf(item["id"])] = wholeOf(item["revision"])
				since = max(since, str(item, "changedAt"))
			}
			next = ""
			if l.NextCursor != nil {
				next = path + "&cursor=" + *l.NextCursor
			}
			if disturb {
				c.disturb(rng)
			}
		}
	}
	for range 30 {
		follow(true)
		if rng.IntN(3) == 0 {
			c.clock.Add(time.Duration(rng.IntN(5)) * time.Millisecond)
		}
	}
	follow(false)
	for _, item := range c.all("workOrders") {
		id, revision := wholeOf(item["id"]), wholeOf(item["revision"])
		if copied[id] != revision {
			t.Fatalf("seed %d: the copy of %d has revision %d, the plant %d", seed, id, copied[id], revision)
		}
	}
}

// disturb changes something, often several records in one step.
func (c *caller) disturb(rng *rand.Rand) {
	c.t.Helper()
	items := c.list("/api/workOrders?pageSize=500").Items
	id := wholeOf(items[rng.IntN(len(items))]["id"])
	switch rng.IntN(5) {
	case 0:
		c.control("/create", fields{"collection": "workOrders", "count": 1 + rng.IntN(9), "fields": fields{"title": "One of many"}})
	case 1:
		c.control("/delete", fields{"collection": "workOrders", "id": id})
	case 2, 3:
		c.control("/change", fields{"collection": "workOrders", "id": id})
	}
}

// Ensure records of one step share a stamp, that paging goes through them, and
// that asking from that very stamp gives all of them.
func TestEqualStamps(t *testing.T) {
	t.Parallel()
	c := setup(t, func(o *options) { o.orders = 10 })
	c.control("/create", fields{"collection": "workOrders", "count": 25, "fields": fields{"title": "One of many"}})
	items := c.all("workOrders")
	stamp := str(items[len(items)-1], "changedAt")
	path := fmt.Sprintf("/api/workOrders?pageSize=10&changedSince=%s", stamp)
	seen := 0
	for next := path; next != ""; {
		l := c.list(next)
		for _, item := range l.Items {
			seen++
			if str(item, "changedAt") != stamp {
				t.Errorf("stamp %v, want %s", item["changedAt"], stamp)
			}
		}
		next = ""
		if l.NextCursor != nil {
			next = path + "&cursor=" + *l.NextCursor
		}
	}
	if seen != 25 {
		t.Errorf("%d records have the stamp, want 25", seen)
	}
}

// Ensure stamps go up although the clock stands still or goes back.
func TestStampsNeverGoBack(t *testing.T) {
	t.Parallel()
	c := setup(t)
	last := ""
	for i := range 5 {
		got := str(c.control("/change", fields{"collection": "places", "id": 1 + i}), "changedAt")
		if got <= last {
			t.Errorf("stamp %s after %s", got, last)
		}
		last = got
		c.clock.Add(-time.Second)
	}
}

// Ensure a deleted record leaves no trace, and its id is not given again.
func TestDeletionLeavesNoTrace(t *testing.T) {
	t.Parallel()
	c := setup(t, func(o *options) { o.orders = 5 })
	c.control("/delete", fields{"collection": "workOrders", "id": 10005})
	if l := c.list("/api/workOrders?changedSince=2020-01-01T00:00:00Z"); l.Total != 4 {
		t.Errorf("total is %d", l.Total)
	}
	var made fields
	if c.call("POST", "/api/workOrders", fields{"title": "Next"}, &made); wholeOf(made["id"]) != 10006 {
		t.Errorf("the next id is %v", made["id"])
	}
	c.refused("POST", "/control/delete", fields{"collection": "workOrders", "id": 10005}, http.StatusNotFound, "notFound")
}
