package daemon

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
)

// clear seals nothing.
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

// watched is a daemon that looks at conditions, and nothing else of it.
type watched struct {
	*testing.T
	d *Daemon
}

func watch(t *testing.T) watched {
	engine := memory.New()
	t.Cleanup(func() { _ = engine.Close() })
	return watched{t, &Daemon{store: state.NewStore(engine, clear{}), log: hclog.NewNullLogger(), fell: map[string]time.Time{}, room: func() (int64, int64, error) { return 2, 1, nil }}}
}

// pass lets minutes go by, with a look at each.
func (w watched) pass(minutes int) {
	w.Helper()
	for range minutes {
		time.Sleep(time.Minute)
		if err := w.d.raiseDisk(w.Context()); err != nil {
			w.Fatal(err)
		}
		if err := w.d.raiseEndpoints(w.Context()); err != nil {
			w.Fatal(err)
		}
		if err := w.d.lookOver(w.Context(), time.Now()); err != nil {
			w.Fatal(err)
		}
	}
}

// told are the events so far, each as "error KEY" or "recovered KEY".
func (w watched) told() string {
	w.Helper()
	events, err := w.d.store.Events(w.Context(), 0, 100)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, e := range events {
		_, key, _ := strings.Cut(string(e.Data), `"key":"`)
		key, _, _ = strings.Cut(key, `"`)
		out = append(out, strings.TrimPrefix(string(e.Type), "system.")+" "+key)
	}
	return strings.Join(out, ", ")
}

func (w watched) want(what, want string) {
	w.Helper()
	if got := w.told(); got != want {
		w.Errorf("%s: told %q, want %q", what, got, want)
	}
}

func TestEndOfAConnectorsProcessIsToldAndThatItIsWellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		process := host.Process{ID: "erp.erp", Connector: "erp", System: "erp", Status: host.ProcessRunning, Since: time.Now()}
		w.d.reportProcess(process)
		w.pass(1)
		w.want("running", "")
		process.Status, process.Reason, process.ReasonCode, process.Since = host.ProcessRestarting, "it ended with signal: killed", host.CodePluginCrashed, time.Now()
		w.d.reportProcess(process)
		w.d.reportProcess(process) // told twice, ended once
		w.want("ended", "error plugin/erp.erp")
		w.pass(20)
		w.want("not started since", "error plugin/erp.erp")
		process.Status, process.Reason, process.ReasonCode, process.Since = host.ProcessRunning, "", "", time.Now()
		w.d.reportProcess(process)
		w.pass(1)
		w.want("started", "error plugin/erp.erp, recovered plugin/erp.erp")
		c, _, err := state.Get[host.Condition](t.Context(), w.d.store, state.KindCondition, "plugin/erp.erp")
		if err != nil || c.Count != 1 {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestEndpointThatIsGivenUpIsToldAndThatItIsWellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		put := func(e host.Endpoint) {
			p, err := state.PutOf(state.KindEndpoint, string(e.ID), state.Any, &e)
			if err == nil {
				_, err = w.d.store.Commit(t.Context(), time.Now(), []state.Put{p}, nil, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 { // a person who disables one knows it
			put(host.Endpoint{ID: host.EndpointID(fmt.Sprint("e", i)), Disabled: &host.Disabled{At: time.Now(), Reason: "it answered 410", Asked: i == 1}})
		}
		w.pass(3)
		w.want("given up", "error endpoint/e0")
		put(host.Endpoint{ID: "e0", Recovering: true})
		w.pass(3)
		w.want("enabled, nothing delivered yet", "error endpoint/e0")
		put(host.Endpoint{ID: "e0"})
		w.pass(3)
		w.want("delivered", "error endpoint/e0, recovered endpoint/e0")
		put(host.Endpoint{ID: "e0", Disabled: &host.Disabled{At: time.Now(), Reason: "it answered 410"}})
		w.pass(30)
		w.want("again within the hour", "error endpoint/e0, recovered endpoint/e0")
		w.pass(30)
		w.want("after the hour", "error endpoint/e0, recovered endpoint/e0, error endpoint/e0")
	})
}

func TestFullDiskIsToldWhileThereIsRoomToWriteItDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t)
		w.pass(1)
		w.want("room", "")
		w.d.room = func() (int64, int64, error) { return 100 << 20, 256 << 20, nil }
		w.pass(30)
		w.want("nearly full", "error state/disk")
		w.d.room = func() (int64, int64, error) { return 300 << 20, 256 << 20, nil }
		w.pass(1)
		w.want("room again", "error state/disk, recovered state/disk")
	})
}
