package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/dinrail/dinrail/host"
)

// LogLine is one line of the host's log. Secrets are hidden in it as they are
// in the log itself.
type LogLine struct {
	Number  uint64            `json:"number"` // grows; there are gaps where lines were not asked for
	Time    string            `json:"time"`
	Level   string            `json:"level"`
	Part    string            `json:"part"` // of the host: dinrail.syncer
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

// Logs hands out the log's last lines.
type Logs interface {
	// After returns kept lines after a number, oldest first, at most limit, of one
	// connection or of all (""), the number to go on from, and what is closed
	// when there is more.
	After(number uint64, c host.ConnectionID, limit int) (lines []LogLine, next uint64, more <-chan struct{})
}

// logs answers the log's last lines, oldest first; with wait it waits for more.
func (a *API) logs(c *call) error {
	q := c.q
	limit, wait, place := q.limit(), q.duration("wait", longestWait), c.place()
	of := host.ConnectionID(q.values.Get("connection"))
	if err := q.err(); err != nil {
		return err
	}
	if a.Logs == nil {
		return host.Errorf(host.CodeUnsupported, "this host keeps no log lines")
	}
	if of != "" && !c.who.Covers(of) {
		return noConnection(of)
	}
	if of == "" && c.who.Limited() {
		return faults{{"query.connection", "this token is limited to some connections: name one of them"}}
	}
	var number uint64
	if place != "" {
		var err error
		if number, err = strconv.ParseUint(place, 10, 64); err != nil {
			return errNoCursor
		}
	}
	out := list[LogLine]{Data: []LogLine{}}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for waiting := wait > 0; ; {
		lines, next, more := a.Logs.After(number, of, limit)
		number, out.HasMore = next, len(lines) == limit
		if out.Data = append(out.Data, lines...); len(out.Data) > 0 || !waiting {
			break
		}
		select {
		case <-more:
		case <-timer.C:
			waiting = false
		case <-a.stop:
			waiting = false
		case <-c.Context().Done():
			return c.Context().Err()
		}
	}
	out.NextCursor = c.cursorOf(strconv.FormatUint(number, 10))
	a.write(c, http.StatusOK, out)
	return nil
}
