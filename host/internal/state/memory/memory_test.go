package memory_test

import (
	"testing"

	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/memory"
	"github.com/dinrail/dinrail/host/internal/state/statetest"
)

// The reference engine keeps every promise but durability: its crash is none.
func TestEngine(t *testing.T) {
	statetest.Run(t, func(*testing.T) statetest.Harness {
		e := memory.New()
		return statetest.Harness{Engine: e, Reopen: func() state.Engine { return e }}
	})
}
