package daemon

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
)

// linesKept is how many of the log's last lines are kept for `dinrail logs`.
const linesKept = 4096

// logBook keeps the log's last lines, in memory. It is a sink of the log.
type logBook struct {
	level func() hclog.Level // what the log itself writes

	mu    sync.Mutex
	lines [linesKept]api.LogLine // ring, by number
	last  uint64                 // number of the last line; the first is 1
	more  chan struct{}
}

func newLogBook(level func() hclog.Level) *logBook {
	return &logBook{level: level, more: make(chan struct{})}
}

// Accept implements hclog.SinkAdapter.
func (b *logBook) Accept(name string, level hclog.Level, message string, args ...any) {
	if level < b.level() {
		return
	}
	line := api.LogLine{Time: host.FormatTime(time.Now()), Level: level.String(), Part: name, Message: message, Fields: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			line.Fields[name] = fmt.Sprint(args[i+1])
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	line.Number = b.last
	b.lines[b.last%linesKept] = line
	close(b.more)
	b.more = make(chan struct{})
}

// After implements api.Logs.
func (b *logBook) After(number uint64, c host.ConnectionID, limit int) ([]api.LogLine, uint64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if oldest := b.last - min(b.last, linesKept); number < oldest || number > b.last {
		number = oldest // of an earlier run, or so long ago that lines are gone
	}
	var out []api.LogLine
	for number < b.last && len(out) < limit {
		number++
		if line := b.lines[number%linesKept]; c == "" || line.Fields["connection"] == string(c) {
			out = append(out, line)
		}
	}
	return out, number, b.more
}
