package state

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/dinrail/dinrail/host"
)

// A stored record is these bytes, in a step as in an engine:
//
//	 1  version (high six bits) and operation (low two)
//	16  hash
//	 8  created at, 8 updated at, 8 synced at: microseconds, big endian
//	    length of the id (uvarint), id
//	    sealed body and raw, to the end
//
// Its sequence is the place where it is kept, and its entity the index that it
// is kept in; so neither is repeated.
const (
	storedVersion = 1
	storedFixed   = 1 + 16 + 3*8
)

var operations = [...]host.Operation{1: host.Created, 2: host.Updated, 3: host.Deleted}

// operationCode returns the stored form of an operation, 0 for a word that is
// none.
func operationCode(o host.Operation) byte {
	switch o {
	case host.Created:
		return 1
	case host.Updated:
		return 2
	case host.Deleted:
		return 3
	}
	return 0
}

// appendStored appends the stored form of a record that arrived in the step.
func appendStored(b []byte, s *PageStep, r *RecordPut) []byte {
	b = append(b, storedVersion<<2|operationCode(r.Operation))
	b = append(b, r.Hash[:]...)
	b = appendTime(b, r.CreatedAt)
	b = appendTime(b, r.UpdatedAt)
	b = appendTime(b, s.At)
	b = appendString(b, r.ID)
	return append(b, r.Sealed...)
}

// storedSize returns how many bytes appendStored appends.
func storedSize(r *RecordPut) int {
	return storedFixed + uvarintSize(uint64(len(r.ID))) + len(r.ID) + len(r.Sealed)
}

func uvarintSize(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// DecodeStored reads the stored form of a record into st: all but entity and
// sequence. The id and the sealed bytes are parts of b, not copies.
func DecodeStored(b []byte, st *Stored) error {
	r := reader{b: b}
	head := r.byte()
	if head>>2 != storedVersion || head&3 == 0 {
		return errMalformed
	}
	st.Operation = operations[head&3]
	copy(st.Hash[:], r.take(len(st.Hash)))
	st.CreatedAt, st.UpdatedAt, st.SyncedAt = r.time(), r.time(), r.time()
	st.ID = str[host.RecordID](&r)
	st.Sealed = r.b
	return r.err
}

// HeadSize is the size of a stored head.
const HeadSize = 1 + 8 + 16

// PutHead writes the stored form of a head into b, which has HeadSize bytes:
// version and operation, sequence, hash.
func PutHead(b []byte, h Head) {
	b[0] = storedVersion<<2 | operationCode(h.Operation)
	binary.BigEndian.PutUint64(b[1:], uint64(h.Sequence))
	copy(b[9:HeadSize], h.Hash[:])
}

// DecodeHead reads the stored form of a head.
func DecodeHead(b []byte) (Head, error) {
	if len(b) != HeadSize || b[0]>>2 != storedVersion || b[0]&3 == 0 {
		return Head{}, errMalformed
	}
	h := Head{Sequence: host.Sequence(binary.BigEndian.Uint64(b[1:])), Operation: operations[b[0]&3]}
	copy(h.Hash[:], b[9:])
	return h, nil
}

// Mark stands for the id of a record that a full pass met unchanged: a digest,
// so that a million of them fit into 16 MB whatever their ids look like.
type Mark [16]byte

// MarkOf returns the mark of a record's id.
func MarkOf(id host.RecordID) Mark {
	sum := sha256.Sum256([]byte(id))
	return Mark(sum[:16])
}
