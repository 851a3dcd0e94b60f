package state

import (
	"sync"

	"github.com/dinrail/dinrail/host"
)

// fresh keeps the events that were committed last, in clear: what is delivered
// at once is not read and opened again.
type fresh struct {
	mu     sync.Mutex
	events [freshEvents]host.Event // ring, by sequence
}

const (
	freshEvents    = 1024
	freshEventSize = 8 << 10 // larger ones are read again
)

// add keeps events that were given consecutive sequences, the last of them at.
func (f *fresh) add(events []host.Event, at host.Sequence) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range events {
		e := events[i]
		if e.Sequence = at - host.Sequence(len(events)-1-i); len(e.Data) <= freshEventSize {
			f.events[e.Sequence%freshEvents] = e
		}
	}
}

// find returns the event at a sequence, if it is kept.
func (f *fresh) find(n host.Sequence) (host.Event, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.events[n%freshEvents]
	return e, e.Sequence == n && n != 0
}

// forget drops what is kept of a connection, which was removed.
func (f *fresh) forget(c host.ConnectionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.events {
		if f.events[i].Connection == c && f.events[i].Type != host.EventConnectionRemoved {
			f.events[i] = host.Event{}
		}
	}
}
