// Package backup is the form of a backup's file: a line that says what it is,
// the store's own stream in parts, and a checksum over all of it.
//
// It promises that a file which was cut off, or changed in one bit, is refused
// with the reason, and that a reader is told so only after the last byte: who
// reads must not use what they were given before the end was right.
//
// It refuses to know what the stream holds: it is sealed, and an engine's.
package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/dinrail/dinrail/host"
)

// Header says what a backup is.
type Header struct {
	Form    int       `json:"dinrail_backup"` // of the file
	Version string    `json:"version"`        // of the host that wrote it
	At      time.Time `json:"at"`
}

// form is the version of the file's form.
const form = 1

const (
	partSize   = 1 << 20
	maxHeader  = 4 << 10
	sumSize    = sha256.Size
	lengthSize = 4
)

// Writer writes a backup. Close ends it; without that the file is none.
type Writer struct {
	to   io.Writer
	sum  hash.Hash
	part []byte
}

// NewWriter writes the header.
func NewWriter(to io.Writer, version string, at time.Time) (*Writer, error) {
	sum := sha256.New()
	w := &Writer{to: io.MultiWriter(to, sum), sum: sum, part: make([]byte, 0, partSize)}
	b, err := json.Marshal(Header{form, version, at.UTC()})
	if err != nil {
		return nil, err
	}
	_, err = w.to.Write(append(b, '\n'))
	return w, err
}

// Write implements io.Writer.
func (w *Writer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		room := min(partSize-len(w.part), len(b))
		w.part = append(w.part, b[:room]...)
		b = b[room:]
		if len(w.part) == partSize {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (w *Writer) flush() error {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(w.part))) //nolint:gosec // bounded by partSize
	if _, err := w.to.Write(length); err != nil {
		return err
	}
	_, err := w.to.Write(w.part)
	w.part = w.part[:0]
	return err
}

// Close writes what is left, the end, and the checksum.
func (w *Writer) Close() error {
	if len(w.part) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil { // an empty part is the end
		return err
	}
	_, err := w.to.Write(w.sum.Sum(nil))
	return err
}

// Reader reads the stream of a backup. io.EOF tells that it was whole.
type Reader struct {
	Header Header
	from   *bufio.Reader
	sum    hash.Hash
	left   int
	done   bool
}

// NewReader reads the header.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{from: bufio.NewReaderSize(from, 64<<10), sum: sha256.New()}
	line, err := r.from.ReadSlice('\n')
	if err != nil || len(line) > maxHeader || json.Unmarshal(line, &r.Header) != nil || r.Header.Form == 0 {
		return nil, host.Errorf(host.CodeInvalid, "this is no backup of dinrail")
	}
	if r.Header.Form > form {
		return nil, host.Errorf(host.CodeInvalid, "this backup was written by a newer dinrail (%s): restore it with that version", r.Header.Version)
	}
	r.sum.Write(line)
	return r, nil
}

func errCut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return host.Errorf(host.CodeInvalid, "the backup is cut off: it ends before its checksum. Nothing of it can be used; take another")
	}
	return fmt.Errorf("read the backup: %w", err)
}

// Read implements io.Reader.
func (r *Reader) Read(b []byte) (int, error) {
	if r.done {
		return 0, io.EOF
	}
	if r.left == 0 {
		var length [lengthSize]byte
		if _, err := io.ReadFull(r.from, length[:]); err != nil {
			return 0, errCut(err)
		}
		r.sum.Write(length[:])
		n := binary.BigEndian.Uint32(length[:])
		if n > partSize {
			return 0, errChanged
		}
		if n == 0 {
			return 0, r.end()
		}
		r.left = int(n)
	}
	n, err := r.from.Read(b[:min(len(b), r.left)])
	r.sum.Write(b[:n])
	r.left -= n
	if err != nil {
		return n, errCut(err)
	}
	return n, nil
}

var errChanged = host.Errorf(host.CodeInvalid, "the backup is damaged: its checksum does not fit. Nothing of it can be used; take another")

// end checks the checksum, and that nothing follows it.
func (r *Reader) end() error {
	var sum [sumSize]byte
	if _, err := io.ReadFull(r.from, sum[:]); err != nil {
		return errCut(err)
	}
	if !bytes.Equal(sum[:], r.sum.Sum(nil)) {
		return errChanged
	}
	if _, err := r.from.ReadByte(); !errors.Is(err, io.EOF) {
		return errChanged
	}
	r.done = true
	return io.EOF
}

// Verify reads a whole backup and says what it is.
func Verify(from io.Reader) (Header, error) {
	r, err := NewReader(from)
	if err != nil {
		return Header{}, err
	}
	_, err = io.Copy(io.Discard, r)
	return r.Header, err
}
