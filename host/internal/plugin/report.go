package plugin

import (
	"context"
	"time"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// follow takes what a process reports of its calls until it ends. A connector
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
		id, ok := l.handles[m.GetHandle()]
		s.mu.Unlock()
		if !ok {
			continue // of a connection that is closed
		}
		if b := m.GetBudget(); b != nil {
			log := s.host.log.With("connector", s.key.connector, "connection", id, "remaining", b.GetRemaining())
			if at := b.GetBlockedUntil(); at != nil {
				log = log.With("blocked_until", host.FormatTime(at.AsTime()))
			}
			log.Debug("the system's rate budget")
		}
		if p := m.GetProgress(); p != nil {
			s.host.log.Debug("progress", "connector", s.key.connector, "connection", id, "entity", p.GetEntity(), "done", p.GetDone(), "total", p.GetTotal(), "words", p.GetWords())
		}
		call := m.GetCall()
		if call == nil {
			continue
		}
		s.host.onCall(id, Call{
			Connector: s.key.connector, At: call.GetAt().AsTime(), Method: call.GetMethod(), Path: call.GetPath(), Status: int(call.GetStatus()),
			Duration: time.Duration(call.GetMilliseconds() * float64(time.Millisecond)), Bytes: call.GetBytes(), Error: call.GetError(),
		})
	}
}
