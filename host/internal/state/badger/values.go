package badger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Every value begins with the version of its form. Nouns that are written
// rarely are JSON behind it, so that they may gain fields; what is written by
// the thousand is fixed.
const valueVersion = 1

var errMalformed = errors.New("a stored value is damaged")

// meta is where a partition stands.
type meta struct {
	Last   host.Sequence `json:"last"`
	LastAt int64         `json:"last_at"` // microseconds; of the last arrival
	Lives  uint32        `json:"lives"`   // given so far
	Epoch  uint32        `json:"epoch"`
}

// life is what a connection's name stands for now.
type life struct {
	Number  uint32 // 0: the connection was removed
	Streams uint32 // given so far
}

func (l life) encode() []byte {
	b := make([]byte, 0, 9)
	b = append(b, valueVersion)
	b = binary.BigEndian.AppendUint32(b, l.Number)
	return binary.BigEndian.AppendUint32(b, l.Streams)
}

func decodeLife(b []byte) (life, error) {
	if len(b) != 9 || b[0] != valueVersion {
		return life{}, errMalformed
	}
	return life{binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[5:])}, nil
}

// stream is an entity of a life.
type stream struct {
	state.Standing
	Number uint32 `json:"number"`
	fresh  bool   // not kept yet
}

func encodeJSON(v any) ([]byte, error) {
	j, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return append([]byte{valueVersion}, j...), nil
}

func decodeJSON(b []byte, v any) error {
	if len(b) == 0 || b[0] != valueVersion {
		return errMalformed
	}
	if err := json.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return nil
}

// document is version, revision, length of the connection it goes with (at
// most 64 bytes), the connection, and the body.
type document struct {
	revision   host.Sequence
	connection host.ConnectionID
	body       []byte
}

func (d document) encode() []byte {
	b := make([]byte, 0, 10+len(d.connection)+len(d.body))
	b = append(b, valueVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(d.revision))
	b = binary.AppendUvarint(b, uint64(len(d.connection)))
	b = append(b, d.connection...)
	return append(b, d.body...)
}

// decodeDocument returns a document whose body is a part of b.
func decodeDocument(b []byte) (document, error) {
	if len(b) < 10 || b[0] != valueVersion {
		return document{}, errMalformed
	}
	d := document{revision: host.Sequence(binary.BigEndian.Uint64(b[1:]))}
	n, w := binary.Uvarint(b[9:])
	b = b[9:]
	if w <= 0 || uint64(len(b)-w) < n {
		return document{}, errMalformed
	}
	d.connection = host.ConnectionID(b[w : w+int(n)])
	d.body = b[w+int(n):]
	return d, nil
}

func encodeSequence(n host.Sequence) []byte {
	return binary.BigEndian.AppendUint64([]byte{valueVersion}, uint64(n))
}

func decodeSequence(b []byte) (host.Sequence, error) {
	if len(b) != 9 || b[0] != valueVersion {
		return 0, errMalformed
	}
	return host.Sequence(binary.BigEndian.Uint64(b[1:])), nil
}

// An event is version, length of its head, its head, and its sealed data.
func encodeEvent(e *state.Event) []byte {
	var room [256]byte
	head := state.AppendEvent(room[:0], &e.Event)
	b := make([]byte, 0, 1+binary.MaxVarintLen32+len(head)+len(e.Sealed))
	b = append(b, valueVersion)
	b = binary.AppendUvarint(b, uint64(len(head)))
	b = append(b, head...)
	return append(b, e.Sealed...)
}

// decodeEvent returns an event that keeps nothing of b.
func decodeEvent(b []byte) (e state.Event, err error) {
	if len(b) == 0 || b[0] != valueVersion {
		return e, errMalformed
	}
	b = bytes.Clone(b[1:])
	n, w := binary.Uvarint(b)
	if w <= 0 || uint64(len(b)-w) < n {
		return e, errMalformed
	}
	head, sealed := b[w:w+int(n)], b[w+int(n):]
	if err := state.DecodeEvent(head, &e.Event); err != nil {
		return e, fmt.Errorf("%w: %w", errMalformed, err)
	}
	e.Sealed = sealed
	return e, nil
}

// encodeNoun puts the version before what append writes.
func encodeNoun[T any](v *T, form func([]byte, *T) []byte) []byte {
	return form(append(make([]byte, 0, 256), valueVersion), v)
}

// decodeNoun reads what encodeNoun wrote, or the JSON that was written first.
func decodeNoun[T any](b []byte, v *T, form func([]byte, *T) error) error {
	if len(b) == 0 || b[0] != valueVersion {
		return errMalformed
	}
	return form(b[1:], v)
}

func microsOf(t time.Time) int64 { return t.UnixMicro() }
