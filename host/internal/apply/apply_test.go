package apply_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/apply"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// vault seals by putting the place in front: enough to see that everything is
// sealed for and opened at its own place.
type vault struct{}

func (vault) Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error) {
	return slices.Concat([]byte(c), []byte{0}, additional, []byte{0}, plain), nil
}

func (vault) Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, slices.Concat([]byte(c), []byte{0}, additional, []byte{0}))
	if !ok {
		return nil, errors.New("sealed elsewhere")
	}
	return plain, nil
}

func (v vault) AppendOpen(dst []byte, c host.ConnectionID, sealed, additional []byte) ([]byte, error) {
	plain, err := v.Open(c, sealed, additional)
	return append(dst, plain...), err
}

func (vault) Forget(host.ConnectionID) {}

// rig is a store and the configuration that is applied to it.
type rig struct {
	*testing.T
	params apply.Params
	now    time.Time
	dir    string
}

func setup(t *testing.T) *rig {
	t.Helper()
	engine := memory.New()
	t.Cleanup(func() { _ = engine.Close() })
	r := &rig{T: t, now: time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC), dir: t.TempDir()}
	n := 0
	r.params = apply.Params{
		Store: state.NewStore(engine, vault{}), Sealer: vault{}, Now: func() time.Time { return r.now },
		Moved: func(context.Context, host.ConnectionID, host.ConnectionID) ([]byte, error) { return nil, nil },
		NewID: func(prefix string) string { n++; return fmt.Sprintf("%s%06d", prefix, n) },
	}
	return r
}

// apply applies a configuration and returns the plan that was told before.
func (r *rig) apply(hcl string) apply.Plan {
	r.Helper()
	file := filepath.Join(r.dir, "dinrail.hcl")
	if err := os.WriteFile(file, []byte(hcl), 0o600); err != nil {
		r.Fatal(err)
	}
	cfg, diags := config.Load([]string{file})
	if config.Fatal(diags) {
		r.Fatal(diags)
	}
	plan, err := apply.MakePlan(context.Background(), r.params, cfg)
	if err != nil {
		r.Fatal(err)
	}
	if err := apply.Apply(context.Background(), r.params, cfg); err != nil {
		r.Fatal(err)
	}
	again, err := apply.MakePlan(context.Background(), r.params, cfg)
	if err != nil {
		r.Fatal(err)
	}
	if !again.Empty() {
		r.Fatalf("applied, and still to do: %s", again)
	}
	return plan
}

func (r *rig) get(id string) (host.Connection, host.Sequence) {
	r.Helper()
	c, rev, err := state.Get[host.Connection](context.Background(), r.params.Store, state.KindConnection, id)
	if err != nil {
		r.Fatalf("read connection %s: %v", id, err)
	}
	return c, rev
}

// set writes a connection as a stage would.
func (r *rig) set(id string, edit func(c *host.Connection)) {
	r.Helper()
	c, rev := r.get(id)
	edit(&c)
	put, err := state.PutOf(state.KindConnection, id, rev, c)
	if err == nil {
		_, err = r.params.Store.Commit(context.Background(), r.now, []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) login(id string) map[string]string {
	r.Helper()
	c, _ := r.get(id)
	plain, err := vault{}.Open("", c.Credentials, apply.Place(c.ID))
	if err != nil {
		r.Fatal(err)
	}
	m, err := host.CredentialsFrom(plain)
	if err != nil {
		r.Fatal(err)
	}
	return m
}

func (r *rig) events() []string {
	r.Helper()
	all, err := r.params.Store.Events(context.Background(), 0, 100)
	if err != nil {
		r.Fatal(err)
	}
	var out []string
	for _, e := range all {
		var d struct{ Previous, Status, System string }
		if err := json.Unmarshal(e.Data, &d); err != nil {
			r.Fatal(err)
		}
		out = append(out, strings.TrimRight(fmt.Sprintf("%s %s %s%s", e.Type, e.Connection, d.System, strings.Trim(d.Previous+">"+d.Status, ">")), " "))
	}
	return out
}

func (r *rig) want(what string, got, want any) {
	r.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		r.Errorf("%s is %s, want %s", what, g, w)
	}
}

const plant = `
connection "plant" {
  system      = "sandbox"
  settings    = { url = "http://a.example.com" }
  credentials = { username = "u", password = "one" }
}
`

func TestNewConnectionIsPendingWithItsEvent(t *testing.T) {
	t.Parallel()
	r := setup(t)
	plan := r.apply(plant)
	r.want("added", plan.Added, []string{"plant"})
	c, rev := r.get("plant")
	r.want("status", c.Status, host.StatusPending)
	r.want("runnable", c.Runnable(), true)
	r.want("events", r.events(), []string{"connection.created plant sandbox"})
	if strings.Contains(fmt.Sprintf("%+v %s", plan, plan), "one") {
		t.Error("the plan tells a secret")
	}
	plan = r.apply(plant)
	_, after := r.get("plant")
	r.want("revision after nothing changed", after, rev)
	r.want("plan", plan, "nothing changes\n")
}

func TestCredentialsThatAPersonRenewedWinUntilTheFilesOwnChange(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.set("plant", func(c *host.Connection) {
		c.Credentials, _ = vault{}.Seal("", []byte(`{"username":"u","password":"renewed"}`), apply.Place("plant"))
		c.CredentialsRevision, c.Status = 2, host.StatusOnline
	})
	plan := r.apply(strings.Replace(plant, "system ", "label = \"Plant\"\n  system ", 1))
	r.want("changed", plan.Changed, []string{"plant"})
	r.want("restarted", plan.Restarted, []string{})
	r.want("password", r.login("plant")["password"], "renewed")
	c, _ := r.get("plant")
	r.want("status after a new label", c.Status, host.StatusOnline)

	r.set("plant", func(c *host.Connection) { c.Status = host.StatusAuthRequired })
	plan = r.apply(strings.Replace(plant, `"one"`, `"two"`, 1))
	r.want("restarted", plan.Restarted, []string{"plant"})
	r.want("password", r.login("plant")["password"], "two")
	c, _ = r.get("plant")
	r.want("status after new credentials", c.Status, host.StatusPending)
	r.want("credentials revision", c.CredentialsRevision, 3)
}

func TestPersonsLoginStaysBesideAChangedSecretSetting(t *testing.T) {
	t.Setenv("PLANT_URL", "http://a.example.com")
	r := setup(t)
	const block = `connection "plant" {
  system   = "sandbox"
  settings = { url = env("PLANT_URL") }
}`
	r.apply(block)
	r.set("plant", func(c *host.Connection) {
		c.Credentials, _ = vault{}.Seal("", []byte(`{"username":"u","setting.url":"http://a.example.com"}`), apply.Place("plant"))
	})
	t.Setenv("PLANT_URL", "http://b.example.com")
	r.apply(block)
	settings, login := host.OpenedSettings(nil, r.login("plant"))
	r.want("settings", settings, map[string]any{"url": "http://b.example.com"})
	r.want("login", login, map[string]string{"username": "u"})
}

func TestGoneBlockDetachesAndComesBackWithItsLife(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	was, _ := r.get("plant")
	plan := r.apply("")
	r.want("removed", plan.Removed, []string{"plant"})
	c, _ := r.get("plant")
	r.want("status", c.Status, host.StatusDetached)

	r.now = r.now.Add(29 * 24 * time.Hour)
	r.want("plan before 30 days", r.apply(""), "nothing changes\n")
	r.apply(plant)
	c, _ = r.get("plant")
	r.want("status back", c.Status, host.StatusPending)
	r.want("detached at", c.DetachedAt.IsZero(), true)
	r.want("reason back", c.Reason, "")
	r.want("incarnation", c.Incarnation, was.Incarnation)
	r.want("events", r.events(), []string{
		"connection.created plant sandbox",
		"connection.status_changed plant pending>detached",
		"connection.status_changed plant detached>pending",
	})
}

func TestDetachedForLongIsPurged(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.apply("")
	r.now = r.now.Add(host.DetachedFor)
	plan := r.apply("")
	r.want("purged", plan.Purged, []string{"plant"})
	if _, _, err := state.Get[host.Connection](context.Background(), r.params.Store, state.KindConnection, "plant"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("purged, and reading it gives %v", err)
	}
}

func TestMistakeKeepsTheConnectionAndItsLogin(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.apply(strings.Replace(plant, "settings ", "setings ", 1))
	c, _ := r.get("plant")
	r.want("status", c.Status, host.StatusInvalid)
	if !strings.Contains(c.Invalid, `dinrail.hcl:4: `) || !strings.Contains(c.Invalid, `Did you mean "settings"?`) {
		t.Errorf("reason: %s", c.Invalid)
	}
	r.want("settings", c.Settings, map[string]any{"url": "http://a.example.com"})
	r.apply(plant)
	c, _ = r.get("plant")
	r.want("status after the correction", c.Status, host.StatusPending)
	r.want("credentials revision", c.CredentialsRevision, 1)
}

func TestForEachWithAMistakeDetachesNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	const each = `connection "plant" {
  for_each = { a = "1", b = "2" }
  system   = "sandbox"
}`
	r.want("added", r.apply(each).Added, []string{"plant-a", "plant-b"})
	plan := r.apply(strings.Replace(each, `{ a = "1", b = "2" }`, "local.missing", 1))
	r.want("removed", plan.Removed, []string{})
	c, _ := r.get("plant-a")
	r.want("status", c.Status, host.StatusInvalid)
}

func TestAnotherSystemIsANewLife(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	was, _ := r.get("plant")
	plan := r.apply(strings.Replace(plant, `"sandbox"`, `"tryton"`, 1))
	r.want("restarted", plan.Restarted, []string{"plant"})
	c, _ := r.get("plant")
	if c.Incarnation == was.Incarnation || c.System != "tryton" {
		t.Errorf("incarnation %s of system %s", c.Incarnation, c.System)
	}
}

func TestConnectionsOfTheAPIAreLeftAlone(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.set("plant", func(c *host.Connection) { c.ManagedBy = host.ManagedByAPI })
	_, rev := r.get("plant")
	plan := r.apply("")
	r.want("removed", plan.Removed, []string{})
	plan = r.apply(plant)
	if len(plan.Refused) != 1 || !strings.Contains(plan.Refused[0], "dinrail.hcl:2: ") || !strings.Contains(plan.String(), "! ") {
		t.Errorf("refused: %v", plan.Refused)
	}
	_, after := r.get("plant")
	r.want("revision", after, rev)
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(plant)
	r.apply(strings.Replace(plant, "system ", "paused = true\n  system ", 1))
	c, _ := r.get("plant")
	r.want("status", c.Status, host.StatusPaused)
	r.apply(plant)
	c, _ = r.get("plant")
	r.want("status", c.Status, host.StatusPending)
}

func TestMoreThanOneStep(t *testing.T) {
	t.Parallel()
	r := setup(t)
	plan := r.apply(`connection "c" {
  for_each = toset([for i in range(1000) : format("%d", i)])
  system   = "sandbox"
}`)
	r.want("added", len(plan.Added), 1000)
	all, err := state.All[host.Connection](context.Background(), r.params.Store, state.KindConnection)
	if err != nil {
		t.Fatal(err)
	}
	r.want("stored", len(all), 1000)
}
