package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/auth"
	"github.com/dinrail/dinrail/host/internal/credential"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// clear seals nothing: what stands in the store can be looked at.
type clear struct{}

func (clear) Seal(_ host.ConnectionID, plain, _ []byte) ([]byte, error) {
	return bytes.Clone(plain), nil
}

func (clear) Open(_ host.ConnectionID, sealed, _ []byte) ([]byte, error) {
	return bytes.Clone(sealed), nil
}

func (clear) AppendOpen(dst []byte, _ host.ConnectionID, sealed, _ []byte) ([]byte, error) {
	return append(dst, sealed...), nil
}

func (clear) Forget(host.ConnectionID) {}

const (
	plant = host.ConnectionID("plant-7")
	other = host.ConnectionID("plant-8")
	root  = "dra_0123456789012345678901234567890123456789"
)

// erp is the system of the tests: a secret setting, a pattern, a login.
var erp = host.System{
	Name: "erp", Label: "ERP", Category: "erp", Connector: "erp",
	Settings: []host.Setting{
		{Name: "url", Type: "url", Label: "Instance URL", Required: true},
		{Name: "company", Type: "string", Label: "Company", Pattern: "[a-z]+"},
		{Name: "pin", Type: "string", Label: "PIN", Secret: true},
	},
	Auth: []host.AuthMethod{{Name: "basic", Fields: []host.Setting{
		{Name: "username", Type: "string", Label: "User name", Required: true},
		{Name: "password", Type: "string", Label: "Password", Required: true, Secret: true},
	}}},
}

// rig is an API on the memory engine.
type rig struct {
	testing.TB
	store *state.Store
	auth  *auth.Auth
	api   *api.API
	token string // of plant
	runs  int

	mu     sync.Mutex
	log    bytes.Buffer
	offset time.Duration
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.offset)
}

// later lets time pass.
func (r *rig) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offset += d
}

// Write takes the log.
func (r *rig) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func setup(t testing.TB, edit ...func(*api.Params)) *rig {
	t.Helper()
	engine := memory.New()
	t.Cleanup(func() { _ = engine.Close() })
	r := &rig{TB: t, store: state.NewStore(engine, clear{})}
	var err error
	r.auth, err = auth.New(auth.Params{Store: r.store, Clock: r.now, AdminTokens: []auth.AdminToken{{Name: "root", Hash: sha256.Sum256([]byte(root)), Role: host.RoleAdmin}}})
	if err != nil {
		t.Fatal(err)
	}
	p := api.Params{
		Store: r.store, Auth: r.auth, Credentials: credential.New(clear{}), Systems: func() []host.System { return []host.System{erp} },
		Version: "1.2.3", Clock: r.now, Log: hclog.New(&hclog.LoggerOptions{Output: r, Level: hclog.Trace}),
	}
	for _, e := range edit {
		e(&p)
	}
	if r.api, err = api.New(p); err != nil {
		t.Fatal(err)
	}
	r.token = r.connect(plant)
	return r
}

// connect stores an online connection with two entities and mints its token.
func (r *rig) connect(id host.ConnectionID) string {
	r.Helper()
	c := host.Connection{
		ID: id, System: "erp", Label: string(id), ManagedBy: host.ManagedByAPI, Auth: "basic", Credentials: []byte(`{"username":"u","password":"p"}`),
		Settings: map[string]any{"url": "https://erp.example.com"}, CheckEvery: time.Minute, CreatedAt: r.now(), Status: host.StatusOnline, Since: r.now(), Incarnation: string(id) + "-1",
		Entities: []host.Entity{{Name: "items", Unified: true, Incremental: true}, {Name: "native/Bin", Fields: []host.Field{{Name: "id", Type: "number"}, {Name: "code", Type: "string"}}}},
	}
	put, err := state.PutOf(state.KindConnection, string(id), state.Absent, &c)
	if err != nil {
		r.Fatal(err)
	}
	token, err := r.auth.MintConnection(context.Background(), id, "default", host.AccessWrite, time.Time{}, auth.Step{Puts: []state.Put{put}})
	if err != nil {
		r.Fatal(err)
	}
	return token
}

// connection reads a stored connection.
func (r *rig) connection(id host.ConnectionID) (host.Connection, host.Sequence) {
	r.Helper()
	c, rev, err := state.Get[host.Connection](context.Background(), r.store, state.KindConnection, string(id))
	if err != nil {
		r.Fatal(err)
	}
	return c, rev
}

// edit changes a stored connection.
func (r *rig) edit(id host.ConnectionID, f func(*host.Connection)) {
	r.Helper()
	c, rev := r.connection(id)
	f(&c)
	put, err := state.PutOf(state.KindConnection, string(id), rev, &c)
	if err == nil {
		_, err = r.store.Commit(context.Background(), r.now(), []state.Put{put}, nil, nil)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// record is a record to be stored; an empty body makes a tombstone.
type record struct{ id, body string }

// put stores records by a run, as the syncer does.
func (r *rig) put(c host.ConnectionID, e host.EntityName, records ...record) {
	r.Helper()
	ctx := context.Background()
	r.runs++
	run := host.Run{ID: host.RunID(fmt.Sprintf("run_%06d", r.runs)), Connection: c, Entity: e, Mode: host.Incremental, Trigger: "manual"}
	lease, err := r.store.BeginRun(ctx, state.Begin{Run: run, Holder: "test", At: r.now()})
	if err != nil {
		r.Fatal(err)
	}
	ids := make([]host.RecordID, len(records))
	for i := range records {
		ids[i] = host.RecordID(records[i].id)
	}
	heads, readAt, err := r.store.Heads(ctx, c, e, ids)
	if err != nil {
		r.Fatal(err)
	}
	step := state.PageStep{Connection: c, Entity: e, Run: run.ID, Fence: lease.Fence, Number: lease.Page + 1, At: r.now(), ReadAt: readAt, Checkpoint: []byte("c"), Total: -1}
	for i, rec := range records {
		got := host.Received{ID: ids[i], Body: json.RawMessage(rec.body), Raw: json.RawMessage(`{"secret_column":1}`), UpdatedAt: r.now()}
		sealed, err := r.store.SealRecord(c, e, &got)
		if err != nil {
			r.Fatal(err)
		}
		p := state.RecordPut{ID: got.ID, Expect: heads[i].Sequence, Operation: host.Updated, Hash: state.HashOf(&got), UpdatedAt: got.UpdatedAt, Sealed: sealed}
		switch {
		case rec.body == "":
			p.Operation = host.Deleted
		case heads[i].Sequence == 0 || heads[i].Operation == host.Deleted:
			p.Operation = host.Created
		}
		step.Records = append(step.Records, p)
	}
	if _, err := r.store.CommitPage(ctx, step); err != nil {
		r.Fatal(err)
	}
	if err := r.store.EndRun(ctx, state.Outcome{Connection: c, Entity: e, Run: run.ID, Fence: lease.Fence, At: r.now(), Status: host.RunCompleted}, nil); err != nil {
		r.Fatal(err)
	}
}

// answer is what a call was answered with.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// ask makes a call. A header is written "Name: value".
func (r *rig) ask(method, path, token, content string, headers ...string) answer {
	r.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(content))
	req.RemoteAddr = "192.0.2.1:1234"
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		req.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	text, err := io.ReadAll(w.Body)
	if err != nil {
		r.Fatal(err)
	}
	a := answer{status: w.Code, header: w.Header(), text: string(text)}
	if strings.Contains(a.header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &a.body); err != nil {
			r.Fatalf("the answer is no JSON: %v\n%s", err, text)
		}
	}
	return a
}

// code is the problem's code.
func (a answer) code() string { c, _ := a.body["code"].(string); return c }

// data are a list's entries.
func (a answer) data() []map[string]any {
	all, _ := a.body["data"].([]any)
	out := make([]map[string]any, len(all))
	for i := range all {
		out[i], _ = all[i].(map[string]any)
	}
	return out
}

func (a answer) cursor() string { c, _ := a.body["next_cursor"].(string); return c }

// ids are the ids of a list's entries, joined.
func (a answer) ids() string {
	var ids []string
	for _, d := range a.data() {
		if rec, ok := d["record"].(map[string]any); ok {
			d = rec
		}
		ids = append(ids, fmt.Sprint(d["id"]))
	}
	return strings.Join(ids, " ")
}

func (r *rig) want(what string, got, want any) {
	r.Helper()
	if got != want {
		r.Errorf("%s: got %v, want %v", what, got, want)
	}
}
