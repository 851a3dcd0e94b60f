package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

const (
	firstSecret  = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	secondSecret = "whsec_OTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMy"
)

func (r *rig) endpoint(id string) (host.Endpoint, bool) {
	r.Helper()
	e, _, err := state.Get[host.Endpoint](context.Background(), r.params.Store, state.KindEndpoint, id)
	if errors.Is(err, state.ErrNotFound) {
		return e, false
	}
	if err != nil {
		r.Fatal(err)
	}
	return e, true
}

func TestWebhookBlocksBecomeEndpoints(t *testing.T) {
	r := setup(t)
	block := func(more string) string {
		return "webhook \"app\" {\n  url = \"https://app.example.com/hooks\"\n" + more + "\n}\n"
	}
	plan := r.apply(block(`headers = { X-Plant = "7" }`))
	if len(plan.Webhooks) != 1 || !strings.HasPrefix(plan.Webhooks[0], "+ webhook app") {
		t.Fatalf("%v", plan.Webhooks)
	}
	e, ok := r.endpoint("app")
	if !ok || len(e.Secrets) != 1 || e.Headers == nil || e.ManagedBy != host.ManagedByFile || !e.AllowPrivate || e.Source == "" {
		t.Fatalf("%+v", e)
	}
	minted := string(e.Secrets[0].Sealed)

	// The same again disturbs nothing; the file's own secret takes over, and the
	// one before signs along for a day.
	if plan := r.apply(block(`headers = { X-Plant = "7" }`)); !plan.Empty() {
		t.Fatalf("%s", plan)
	}
	r.apply(block(`secret = "` + firstSecret + `"`))
	e, _ = r.endpoint("app")
	if len(e.Secrets) != 2 || string(e.Secrets[0].Sealed) != minted || !e.Secrets[0].Until.Equal(r.now.Add(host.RotationOverlap)) || !e.Secrets[1].Until.IsZero() || e.Headers != nil {
		t.Fatalf("%+v", e)
	}
	r.apply(block(`secret = "` + secondSecret + `"`))
	if e, _ = r.endpoint("app"); len(e.Secrets) != 3 {
		t.Fatalf("%d secrets", len(e.Secrets))
	}
	// What a person did to it stays.
	e.Disabled = &host.Disabled{At: r.now, Reason: "by a person"}
	put, err := state.PutOf(state.KindEndpoint, "app", state.Any, &e)
	if err == nil {
		_, err = r.params.Store.Commit(context.Background(), r.now, []state.Put{put}, nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.apply(block(`secret = "` + secondSecret + `"` + "\n  timeout = \"3s\""))
	if e, _ = r.endpoint("app"); e.Disabled == nil || e.Timeout.Seconds() != 3 {
		t.Fatalf("%+v", e)
	}
	// A block with a mistake is not taken for one that is gone.
	r.apply(block(`evnets = ["*"]`))
	if _, ok := r.endpoint("app"); !ok {
		t.Fatal("an endpoint whose block has a mistake is gone")
	}
	if plan := r.apply(""); len(plan.Webhooks) != 1 || !strings.HasPrefix(plan.Webhooks[0], "- webhook app") {
		t.Fatalf("%v", plan.Webhooks)
	}
	if _, ok := r.endpoint("app"); ok {
		t.Fatal("an endpoint without a block is still there")
	}
}
