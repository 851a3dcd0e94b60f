package badger_test

import (
	"testing"

	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
	"github.com/dinrail/dinrail/host/internal/state/statetest"
)

// open opens an engine in a folder.
func open(t testing.TB, dir string) *badger.Engine {
	t.Helper()
	e, err := badger.Open(badger.Params{Dir: dir})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return e
}

func TestEngine(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Harness {
		dir := t.TempDir()
		e := open(t, dir)
		return statetest.Harness{Engine: e, Reopen: func() state.Engine {
			if err := e.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			e = open(t, dir)
			return e
		}}
	})
}
