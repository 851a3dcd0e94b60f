package plugin

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// Reporter is whose work a report is about.
type Reporter struct {
	Connector  host.ConnectorName
	System     host.SystemName
	Connection host.ConnectionID
}

// Call is one call that a connector made to its system.
type Call struct {
	At       time.Time
	Method   string
	Path     string // a template, without ids where the connector names one
	Status   int    // 0: no answer came
	Duration time.Duration
	Bytes    int64
	Error    string
}

// Budget is what a system still allows.
type Budget struct {
	Remaining    int64
	ResetsAt     time.Time // zero: not told
	BlockedUntil time.Time // zero: it is not blocked
}

// Progress is how far something long came.
type Progress struct {
	Entity host.EntityName
	Done   int64
	Total  int64 // 0: not known
	Words  string
}

// lateReports is how many closed connections are remembered: what they did last
// is reported after they have closed.
const lateReports = 256

// closed notes that a handle is no longer open. It is called with the slot's mu
// held.
func (l *live) closed(handle string) {
	if l.late = append(l.late, handle); len(l.late) > lateReports {
		delete(l.handles, l.late[0])
		l.late = l.late[1:]
	}
}

// follow takes what a process reports of its work until it ends. A connector
// that reports nothing is as good as one that does.
func (s *slot) follow(l *live) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.host.tasks.Go(func() {
		select {
		case <-l.process.exited:
			cancel()
		case <-ctx.Done():
		}
	})
	stream, err := l.rpc.Reports(ctx, &connectorv1.ReportsRequest{})
	if err != nil {
		return
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return
		}
		s.mu.Lock()
		of, known := l.handles[m.GetHandle()]
		s.mu.Unlock()
		if what := reportOf(m); known && what != nil {
			s.host.onReport(of, what)
		}
	}
}

// reportOf reads a report; nil for one of a kind that is not known here.
func reportOf(m *connectorv1.ReportsResponse) any {
	switch {
	case m.GetCall() != nil:
		c := m.GetCall()
		return Call{
			At: c.GetAt().AsTime(), Method: c.GetMethod(), Path: c.GetPath(), Status: int(c.GetStatus()),
			Duration: time.Duration(c.GetMilliseconds() * float64(time.Millisecond)), Bytes: c.GetBytes(), Error: c.GetError(),
		}
	case m.GetBudget() != nil:
		b := m.GetBudget()
		return Budget{b.GetRemaining(), timeOf(b.GetResetsAt()), timeOf(b.GetBlockedUntil())}
	case m.GetProgress() != nil:
		p := m.GetProgress()
		return Progress{host.EntityName(p.GetEntity()), p.GetDone(), p.GetTotal(), p.GetWords()}
	}
	return nil
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
