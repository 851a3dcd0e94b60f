package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// terminal is where a call reads and writes. out carries what was asked for and
// nothing else, so that it can be piped; what is said about it goes to err.
type terminal struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// interactive says whether a person sees out while it is written.
func (t terminal) interactive() bool { return isTerminal(t.out) }

// answers says whether a person can be asked.
func (t terminal) answers() bool { return isTerminal(t.in) && isTerminal(t.err) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ask reads one line; a secret one is not shown while it is typed.
func (t terminal) ask(label string, secret bool) (string, error) {
	fmt.Fprintf(t.err, "%s: ", label)
	if secret {
		f := t.in.(*os.File)
		line, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(t.err)
		return string(line), err
	}
	return t.line()
}

// line reads byte by byte, so that nothing of the next answer is swallowed.
func (t terminal) line() (string, error) {
	var line strings.Builder
	one := make([]byte, 1)
	for {
		n, err := t.in.Read(one)
		if n == 1 && one[0] == '\n' || err == io.EOF && line.Len() > 0 {
			return strings.TrimSpace(line.String()), nil
		}
		if n == 1 {
			line.WriteByte(one[0])
		}
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
	}
}

// json writes v for programs.
func (t terminal) json(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := t.out.Write(escaped(b.Bytes()))
	return err
}

// escaped returns JSON with those control characters escaped that JSON lets
// stand: DEL, and the C1 set, with which a text can drive a terminal too.
func escaped(b []byte) []byte {
	if !bytes.ContainsFunc(b, c1) {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if c1(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

func c1(r rune) bool { return r >= 0x7f && r < 0xa0 }

// table writes rows for people; the first is the heading.
func (t terminal) table(rows [][]string) error {
	w := tabwriter.NewWriter(t.out, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = oneLine(cell)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return w.Flush()
}

// oneLine takes out what would break a table or drive the terminal: the text of
// a foreign system is not trusted.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || c1(r) {
			return ' '
		}
		return r
	}, s)
}

// clean is oneLine for texts of several lines.
func clean(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = oneLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

// when writes a time, or a dash where there is none.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// or returns s, or a dash where it is empty.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
