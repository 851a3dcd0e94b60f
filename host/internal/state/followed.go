package state

import (
	"encoding/binary"

	"github.com/dinrail/dinrail/host"
)

// A followed change is these bytes: version, whether no run of the entity
// had completed before (0 or 1), connection, entity, run, sequence of the version before, that
// version in its stored form (nil: there was none), and the version now in its
// stored form, to the end.
const followedVersion = 1

// AppendFollowed appends the stored form of a change that a page made. Before
// is nil where there was no record.
func AppendFollowed(b []byte, p *Page, first bool, was host.Sequence, before, after []byte) []byte {
	b = append(b, followedVersion, 0)
	if first {
		b[len(b)-1] = 1
	}
	b = appendString(b, p.Connection)
	b = appendString(b, p.Entity)
	b = appendString(b, p.Run)
	b = binary.AppendUvarint(b, uint64(was))
	b = appendBytes(b, before)
	return append(b, after...)
}

// DecodeFollowed reads the stored form of a followed change at a sequence into
// f. What it holds are parts of b, not copies.
func DecodeFollowed(b []byte, n host.Sequence, f *Followed) error {
	r := reader{b: b}
	if r.byte() != followedVersion {
		return errMalformed
	}
	*f = Followed{Sequence: n, First: r.byte() == 1}
	f.Connection, f.Entity, f.Run = str[host.ConnectionID](&r), str[host.EntityName](&r), str[host.RunID](&r)
	was := host.Sequence(r.uvarint())
	before := r.bytes()
	if r.err != nil {
		return r.err
	}
	if before != nil {
		f.Before = &Stored{Entity: f.Entity, Sequence: was}
		if err := DecodeStored(before, f.Before); err != nil {
			return err
		}
	}
	f.After.Entity, f.After.Sequence = f.Entity, n
	return DecodeStored(r.b, &f.After)
}

// Settled says whether a settlement has nothing to change any more: its attempt
// was settled before, or, where it has none, another one was since the delivery
// was read.
func Settled(d *host.Delivery, s *Settlement) bool {
	if s.Attempt.Number == 0 {
		return s.Delivery.Attempts != d.Attempts
	}
	return s.Attempt.Number <= d.Attempts
}
