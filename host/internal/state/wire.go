package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// errMalformed is returned when stored or replicated bytes are cut or damaged.
var errMalformed = errors.New("malformed bytes")

// noTime is the stored form of the zero time.
const noTime = math.MinInt64

// micros returns the stored form of a time: microseconds since 1970, which is
// finer than anything that is shown and fits eight bytes.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixMicro()
}

func timeOf(us int64) time.Time {
	if us == noTime {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// appendTime appends a time in eight bytes.
func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(micros(t)))
}

// appendBytes appends bytes behind their length. Nil and empty differ: the
// length is one more, and zero stands for nil.
func appendBytes(b, v []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(v))+1)
	return append(b, v...)
}

func appendString[T ~string](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendJSON appends a noun in JSON behind its length: for what is written
// rarely and gains fields over time.
func appendJSON(b []byte, v any) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return appendBytes(b, j), nil
}

// reader takes values off the front of b. The first mistake is kept in err and
// everything after it is zero, so that callers look once, at the end.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	r.b = nil
	if r.err == nil {
		r.err = errMalformed
	}
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) time() time.Time {
	if v := r.take(8); v != nil {
		return timeOf(int64(binary.BigEndian.Uint64(v)))
	}
	return time.Time{}
}

// count reads the number of items that follow, each of at least size bytes, so
// that damaged bytes cannot ask for memory that they do not fill.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

// bytes returns a part of the bytes that are read, not a copy.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n == 0 || n-1 > uint64(len(r.b)) {
		if n != 0 {
			r.fail()
		}
		return nil
	}
	if n == 1 {
		return []byte{}
	}
	return r.take(int(n - 1))
}

func (r *reader) json(v any) {
	b := r.bytes()
	if r.err != nil {
		return
	}
	if err := json.Unmarshal(b, v); err != nil {
		r.fail()
	}
}

// str returns a string over the bytes that are read, not a copy: steps and
// stored values do not change once they are written.
func str[T ~string](r *reader) T {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	return T(view(r.take(int(n))))
}

// view returns b as a string without copying it. The string is valid as long as
// b is neither changed nor used again.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
