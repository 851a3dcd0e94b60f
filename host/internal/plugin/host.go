// Package plugin finds, verifies, starts, supervises and stops connector
// programs, and hands out one interface per open connection.
//
// It promises that a program which crashes, hangs, floods its log, answers
// nonsense or uses too much memory harms only the connections in it; that what
// was checked is what runs; that secrets reach a program only through the call
// that opens a connection; and that no program outlives the host, however the
// host ends.
//
// It refuses to retry: a call that fails says why, and whoever made it decides.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
)

// Isolation says how many connections share a process.
const (
	IsolationSystem     = "system"     // a process per connector and system
	IsolationShared     = "shared"     // one process for all systems of the connector
	IsolationConnection = "connection" // a process per connection
)

// Options are what the configuration says of a connector.
type Options struct {
	Source    string   // path, or name in the plugin folder; empty: dinrail-plugin-<name>
	SHA256    string   // refuse any other binary
	Env       []string // names of variables of the host's environment that it sees
	Memory    int64    // bytes of anonymous resident memory; 0: DefaultMemory
	Isolation string   // empty: IsolationSystem
}

// DefaultMemory is how much memory a process may use where nothing is said.
const DefaultMemory = 512 << 20

// Params are what a Host needs.
type Params struct {
	Dir        string // where the programs are
	RunDir     string // for sockets and process files; made with mode 0700
	Log        hclog.Logger
	Connectors map[host.ConnectorName]Options
	Report     func(host.Process) // told each change of a process; called one at a time
	// OnReport is told what connectors report of their work: a Call, a Budget or
	// a Progress. It may be called concurrently and must not block. Nil: nobody is
	// told.
	OnReport func(Reporter, any)
	Clock    func() time.Time // nil: time.Now
}

// parallelStarts bounds how many programs start at once.
const parallelStarts = 4

// Host runs connector programs.
type Host struct {
	dir    string
	runDir string
	self   fileID // of this program
	log    hclog.Logger
	starts chan struct{}

	clock    func() time.Time
	onReport func(Reporter, any)

	reports  sync.Mutex
	reporter func(host.Process)

	mu          sync.Mutex
	options     map[host.ConnectorName]Options
	slots       map[slotKey]*slot
	quarantined map[host.ConnectionID]bool
	crashes     map[host.ConnectionID]int // crashes that a connection was in flight at
	described   map[host.ConnectorName]cachedDescription
	describing  map[*slot]bool // processes that are only asked what they are
	stopped     bool
	cancel      context.CancelFunc
	watch       sync.WaitGroup // supervise
	tasks       sync.WaitGroup // what goes on beside a process, until it has ended
}

// New returns a Host that has started nothing.
func New(p Params) (*Host, error) {
	if p.RunDir == "" || p.Log == nil {
		return nil, errors.New("new plugin host: RunDir and Log are required")
	}
	if p.Report == nil {
		p.Report = func(host.Process) {}
	}
	if p.OnReport == nil {
		p.OnReport = func(Reporter, any) {}
	}
	if p.Clock == nil {
		p.Clock = time.Now
	}
	return &Host{
		clock: p.Clock, onReport: p.OnReport, describing: map[*slot]bool{},
		dir: p.Dir, runDir: p.RunDir, log: p.Log, reporter: p.Report, options: p.Connectors,
		starts:      make(chan struct{}, parallelStarts),
		slots:       map[slotKey]*slot{},
		quarantined: map[host.ConnectionID]bool{},
		crashes:     map[host.ConnectionID]int{},
		described:   map[host.ConnectorName]cachedDescription{},
	}, nil
}

// Start makes the run folder, ends what an earlier host has left behind, and
// begins to supervise. Programs are started when they are needed.
func (h *Host) Start(ctx context.Context) error {
	if err := os.MkdirAll(h.runDir, 0o700); err != nil {
		return fmt.Errorf("make the run folder: %w", err)
	}
	abs, err := filepath.Abs(h.runDir)
	if err != nil {
		return err
	}
	h.runDir = abs
	if err := h.sweep(); err != nil {
		return err
	}
	h.loadDescribed()
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.watch.Go(func() { h.supervise(ctx) })
	return nil
}

// Stop ends all programs. It may be called twice, and before Start.
func (h *Host) Stop() {
	h.mu.Lock()
	h.stopped = true
	slots := make([]*slot, 0, len(h.slots))
	for _, s := range h.slots {
		slots = append(slots, s)
	}
	for s := range h.describing {
		slots = append(slots, s)
	}
	h.mu.Unlock()
	if h.cancel != nil {
		h.cancel()
	}
	h.watch.Wait()
	for _, s := range slots {
		s.retire("the host stops")
	}
	h.tasks.Wait()
}

// Configure takes what the configuration says now. A connector whose options
// changed is stopped and starts again with the next call.
func (h *Host) Configure(options map[host.ConnectorName]Options) {
	h.mu.Lock()
	old := h.options
	h.options = options
	var changed []*slot
	for key, s := range h.slots {
		if !sameOptions(old[key.connector], options[key.connector]) {
			changed = append(changed, s)
			delete(h.slots, key)
			delete(h.described, key.connector)
		}
	}
	h.mu.Unlock()
	for _, s := range changed {
		s.retire("its configuration changed")
	}
}

func sameOptions(a, b Options) bool {
	if len(a.Env) != len(b.Env) {
		return false
	}
	for i := range a.Env {
		if a.Env[i] != b.Env[i] {
			return false
		}
	}
	return a.Source == b.Source && a.SHA256 == b.SHA256 && a.Memory == b.Memory && a.Isolation == b.Isolation
}

func (h *Host) optionsOf(name host.ConnectorName) Options {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.options[name]
}

// slotKey names what a process serves.
type slotKey struct {
	connector  host.ConnectorName
	system     host.SystemName   // "" with shared isolation and for descriptions
	connection host.ConnectionID // set where it serves one connection alone
}

func (k slotKey) String() string {
	s := string(k.connector)
	if k.system != "" {
		s += "." + string(k.system)
	}
	if k.connection != "" {
		s += "." + string(k.connection)
	}
	return s
}

// slot returns the place of the process that serves a connection.
func (h *Host) slot(name host.ConnectorName, system host.SystemName, connection host.ConnectionID) (*slot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, host.Errorf(host.CodeCanceled, "the host stops")
	}
	key := slotKey{connector: name}
	quarantined := h.quarantined[connection]
	switch isolation := h.options[name].Isolation; {
	case isolation == IsolationConnection || quarantined:
		key.system, key.connection = system, connection
	case isolation != IsolationShared:
		key.system = system
	}
	s := h.slots[key]
	if s == nil {
		s = newSlot(h, key, quarantined)
		h.slots[key] = s
	}
	return s, nil
}

// crashed counts a crash for every connection that was in flight at it; those
// in flight at two get a process of their own from now on.
func (h *Host) crashed(key slotKey, inFlight []host.ConnectionID) {
	if key.connection != "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range inFlight {
		if h.crashes[c]++; h.crashes[c] >= 2 && !h.quarantined[c] {
			h.quarantined[c] = true
			h.log.Warn("connection quarantined: it was in flight at two crashes and gets a process of its own", "connection", c, "connector", key.connector)
		}
	}
}

// succeeded forgets the crashes of a connection that has got on without one.
func (h *Host) succeeded(c host.ConnectionID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.crashes, c)
}

func (h *Host) report(now func() host.Process) {
	h.reports.Lock()
	defer h.reports.Unlock()
	h.reporter(now())
}

// supervise looks at all processes every second.
func (h *Host) supervise(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.mu.Lock()
			slots := make([]*slot, 0, len(h.slots))
			for _, s := range h.slots {
				slots = append(slots, s)
			}
			h.mu.Unlock()
			for _, s := range slots {
				s.look(h.clock())
			}
		}
	}
}
