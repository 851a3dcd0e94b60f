package apply_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/apply"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestMovedConnectionKeepsItsLife(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	was, _ := r.get("plant")
	r.set("plant", func(c *host.Connection) { c.Status = host.StatusOnline })
	renamed := strings.Replace(plant, `connection "plant"`, `connection "works"`, 1)
	plan := r.apply(renamed + "\nmoved {\n  from = \"plant\"\n  to   = \"works\"\n}\n")
	r.want("moved", plan.Moved, []string{"plant -> works"})
	r.want("added", plan.Added, []string{})
	r.want("removed", plan.Removed, []string{})
	c, _ := r.get("works")
	r.want("incarnation", c.Incarnation, was.Incarnation)
	r.want("status", c.Status, host.StatusOnline)
	r.want("revision of its credentials", c.CredentialsRevision, was.CredentialsRevision)
	r.want("login", r.login("works")["username"], "u")
	// The block may stay, and the next move goes on from it.
	again := strings.Replace(plant, `connection "plant"`, `connection "site"`, 1)
	plan = r.apply(again + "\nmoved {\n  from = \"plant\"\n  to   = \"works\"\n}\nmoved {\n  from = \"works\"\n  to   = \"site\"\n}\n")
	r.want("moved", plan.Moved, []string{"works -> site"})
	c, _ = r.get("site")
	r.want("incarnation", c.Incarnation, was.Incarnation)
}

func TestMoveToATakenNameIsToldAndHarmsNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant + strings.Replace(plant, `connection "plant"`, `connection "works"`, 1))
	plan := r.apply(strings.Replace(plant, `connection "plant"`, `connection "works"`, 1) + "\nmoved {\n  from = \"plant\"\n  to   = \"works\"\n}\n")
	if len(plan.Moved) != 0 || len(plan.Refused) != 1 || !strings.Contains(plan.Refused[0], "there is a connection works already") {
		t.Errorf("%+v", plan)
	}
	c, _ := r.get("plant")
	r.want("status", c.Status, host.StatusDetached)
}

func TestDetachedIsPurgedByItselfAfterThirtyDays(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.apply("")
	for _, days := range []int{29, 30} {
		r.now = r.now.Add(time.Duration(days) * 24 * time.Hour)
		purged, err := apply.PurgeDetached(t.Context(), r.params)
		if err != nil {
			t.Fatal(err)
		}
		r.want("purged", len(purged), days-29)
		r.now = r.now.Add(-time.Duration(days) * 24 * time.Hour)
	}
	if _, _, err := state.Get[host.Connection](t.Context(), r.params.Store, state.KindConnection, "plant"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
