package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Limits of what is taken of a connector's log.
const (
	logLines      = 50      // kept for people
	logLineBytes  = 4 << 10 // of one line; the rest is cut
	logLinesInSec = 200     // past that, lines of the same second are counted only
)

// logRing takes a connector's standard error line by line: the last lines are
// kept, all are handed to the host's log, and a flood is cut.
type logRing struct {
	log hclog.Logger

	mu      sync.Mutex
	partial []byte
	cut     bool // the partial line was cut at its bound
	lines   []string
	second  time.Time
	inSec   int
	dropped int
}

// Write implements io.Writer; it never fails.
func (l *logRing) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := b; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		part := rest
		if end >= 0 {
			part = rest[:end]
		}
		if room := logLineBytes - len(l.partial); len(part) > room {
			part, l.cut = part[:room], true
		}
		l.partial = append(l.partial, part...)
		if end < 0 {
			break
		}
		l.line()
		rest = rest[end+1:]
	}
	return len(b), nil
}

// line takes the partial line, which is complete now.
func (l *logRing) line() {
	text := string(bytes.TrimRight(l.partial, "\r"))
	if l.cut {
		text += " …"
	}
	l.partial, l.cut = l.partial[:0], false
	if text == "" {
		return
	}
	now := time.Now().Truncate(time.Second)
	if now != l.second {
		if l.dropped > 0 {
			l.log.Warn("the connector floods its log", "dropped", l.dropped)
		}
		l.second, l.inSec, l.dropped = now, 0, 0
	}
	if l.inSec++; l.inSec > logLinesInSec {
		l.dropped++
		return
	}
	level, message, fields := parseLine(text)
	shown := message
	for i := 0; i+1 < len(fields); i += 2 {
		shown += fmt.Sprintf(" %v=%v", fields[i], fields[i+1])
	}
	if len(l.lines) == logLines {
		l.lines = append(l.lines[:0], l.lines[1:]...)
	}
	l.lines = append(l.lines, shown)
	l.log.Log(level, message, fields...)
}

// parseLine reads a line of hclog's JSON; any other text is a debug message.
func parseLine(text string) (hclog.Level, string, []any) {
	var m map[string]any
	if text[0] != '{' || json.Unmarshal([]byte(text), &m) != nil {
		return hclog.Debug, text, nil
	}
	level := hclog.LevelFromString(fmt.Sprint(m["@level"]))
	if level == hclog.NoLevel {
		level = hclog.Debug
	}
	message, _ := m["@message"].(string)
	var fields []any
	for k, v := range m {
		if k[0] != '@' {
			fields = append(fields, k, v)
		}
	}
	return level, message, fields
}

// last returns the last lines.
func (l *logRing) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}
