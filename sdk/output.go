package sdk

import (
	"bufio"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"sort"
	"strings"
	"sync"
)

// maxPrinted bounds one printed line; a longer one becomes several.
const maxPrinted = 4 << 10

// guardOutput leads what is printed into the log, line by line and redacted.
// It runs with the first call: by then the handshake has been written, and
// nothing of the connector has run.
func (s *server) guardOutput() {
	for name, file := range map[string]**os.File{"standard output": &os.Stdout, "standard error": &os.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			s.log.Error("guard the output", "error", err)
			continue
		}
		*file = w
		go func() { // as long as the program runs
			lines := bufio.NewReaderSize(r, maxPrinted)
			for {
				line, _, err := lines.ReadLine()
				if len(line) > 0 {
					s.log.Info("printed", "to", name, "line", string(line))
				}
				if err != nil {
					return
				}
			}
		}()
	}
}

// redactor knows the values that must not be seen.
type redactor struct {
	mu       sync.RWMutex
	values   map[string]bool
	replacer *strings.Replacer
}

// add takes values in the forms in which they turn up: as they are, inside
// JSON, and inside a URL. Values of fewer than four bytes would hide half of
// every line.
func (r *redactor) add(values map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[string]bool{}
	}
	for name, v := range values {
		if len(v) < 4 || name == "username" {
			continue
		}
		r.values[v] = true
		r.values[url.QueryEscape(v)] = true
		r.values[url.PathEscape(v)] = true
		if b, err := json.Marshal(v); err == nil {
			r.values[string(b[1:len(b)-1])] = true
		}
	}
	all := make([]string, 0, len(r.values))
	for v := range r.values {
		all = append(all, v)
	}
	// The longest first: one secret may be the beginning of another.
	sort.Slice(all, func(i, j int) bool { return len(all[i]) > len(all[j]) })
	pairs := make([]string, 0, 2*len(all))
	for _, v := range all {
		pairs = append(pairs, v, "***")
	}
	r.replacer = strings.NewReplacer(pairs...)
}

func (r *redactor) hide(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.replacer == nil {
		return s
	}
	return r.replacer.Replace(s)
}

// redacting writes lines without the values that must not be seen.
type redacting struct {
	out     io.Writer
	secrets *redactor
}

func (w *redacting) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.out, w.secrets.hide(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
