package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// journal is the file that keeps the plant: one JSON value a line, each a whole
// step. A line is written before the step is visible, so what was answered is
// in the file. Cut off in mid-line, the file loses that step and no other.
type journal struct {
	path     string
	file     *os.File
	size     int64 // bytes in the file
	base     int64 // bytes after the latest compaction
	password string
}

// entry is one line.
type entry struct {
	Put      []keptRecord     `json:"put,omitempty"`
	Delete   []key            `json:"delete,omitempty"`
	Password *string          `json:"password,omitempty"`
	Next     map[string]int64 `json:"next,omitempty"` // ids to go on with
	Last     int64            `json:"last,omitempty"` // latest stamp
}

// keptRecord is a version of a record in the file.
type keptRecord struct {
	Collection string          `json:"c"`
	Record     json.RawMessage `json:"r"`
}

// entry is the line that keeps a step.
func (s *step) entry() entry {
	var e entry
	for _, k := range s.order {
		if r := s.pending[k]; r != nil {
			e.Put = append(e.Put, keptRecord{k.Collection, r.body})
		} else {
			e.Delete = append(e.Delete, k)
		}
	}
	return e
}

// openJournal reads the folder's file into an empty plant. found says whether
// there was one. Writing begins with compact.
func openJournal(dir string, p *plant) (j *journal, found bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("open data: %w", err)
	}
	j = &journal{path: filepath.Join(dir, "plant.jsonl")}
	content, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("open data: %w", err)
	}
	defer content.Close()
	if err := j.load(content, p); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", j.path, err)
	}
	return j, true, nil
}

// load replays all lines; a last one without its end is dropped.
func (j *journal) load(from io.Reader, p *plant) error {
	lines := bufio.NewReaderSize(from, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := j.replay(e, p); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// replay does one line's step again.
func (j *journal) replay(e entry, p *plant) error {
	for _, kept := range e.Put {
		t, ok := p.tables[kept.Collection]
		if !ok {
			return fmt.Errorf("no collection is called %q", kept.Collection)
		}
		f, err := decodeObject(kept.Record)
		if err != nil {
			return err
		}
		r := encoder{resolve: func(string, int64) (string, string, bool) { return "", "", false }}.record(t.collection, f)
		t.put(r)
		p.last = max(p.last, r.changed)
	}
	for _, k := range e.Delete {
		if t, ok := p.tables[k.Collection]; ok {
			t.remove(k.ID)
		}
	}
	for name, next := range e.Next {
		if t, ok := p.tables[name]; ok {
			t.next = max(t.next, next)
		}
	}
	if e.Password != nil {
		j.password = *e.Password
	}
	p.last = max(p.last, e.Last)
	return nil
}

// append writes a line. What could be written only in part is taken back.
func (j *journal) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if e.Password != nil {
		j.password = *e.Password
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(line)) + 1
	return nil
}

// isLong says that the file holds far more than the plant does.
func (j *journal) isLong() bool { return j.size > 3*j.base+16<<20 }

// compact writes the plant as it is into a new file and puts that in the old
// one's place in one move.
func (j *journal) compact(p *plant) error {
	next := j.path + ".next"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	size, err := j.snapshot(file, p)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	if err := j.close(); err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	if err := os.Rename(next, j.path); err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	if j.file, err = os.OpenFile(j.path, os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return fmt.Errorf("write data: %w", err)
	}
	j.size, j.base = size, size
	return nil
}

// snapshot writes every record, a line each, after what else must be known.
func (j *journal) snapshot(to io.Writer, p *plant) (int64, error) {
	out := bufio.NewWriterSize(to, 1<<20)
	head := entry{Next: make(map[string]int64), Last: p.last}
	if j.password != "" {
		head.Password = &j.password
	}
	for name, t := range p.tables {
		head.Next[name] = t.next
	}
	line, err := json.Marshal(head)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for name, r := range p.everything() {
		n, err := out.Write(append(line, '\n'))
		if err != nil {
			return 0, err
		}
		size += int64(n)
		line = fmt.Appendf(line[:0], `{"put":[{"c":%q,"r":%s}]}`, name, r.body)
	}
	n, err := out.Write(append(line, '\n'))
	return size + int64(n), errors.Join(err, out.Flush())
}

// everything goes through all records, table by table.
func (p *plant) everything() iter.Seq2[string, *record] {
	return func(yield func(string, *record) bool) {
		for _, name := range p.order {
			for _, r := range p.tables[name].byID {
				if !yield(name, r) {
					return
				}
			}
		}
	}
}

// close ends writing; twice is fine.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}
