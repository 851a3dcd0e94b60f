package api

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"time"

	"github.com/dinrail/dinrail/host"
)

// cursorLife is how long a cursor can be continued: as long as tombstones are
// kept, or changes would be missed in silence.
const cursorLife = 90 * 24 * time.Hour

const cursorVersion = 1

// cursor is a place in the feed of one connection: version (1), epoch (4),
// incarnation (4), sequence (8), seconds of its making (8), checksum (4).
type cursor struct {
	epoch    uint32
	of       uint32 // which life of which connection
	sequence host.Sequence
	made     int64
}

// incarnationOf tells lives of connections apart: one that is renamed lives on.
func incarnationOf(c *host.Connection) uint32 {
	h := fnv.New32a()
	h.Write([]byte(c.Incarnation))
	return h.Sum32()
}

func (k cursor) String() string {
	b := make([]byte, 0, 32)
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint32(b, k.epoch)
	b = binary.BigEndian.AppendUint32(b, k.of)
	b = binary.BigEndian.AppendUint64(b, uint64(k.sequence))
	b = binary.BigEndian.AppendUint64(b, uint64(k.made))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a cursor and refuses one that cannot be continued.
func parseCursor(text string, epoch uint32, c *host.Connection, now time.Time) (cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 29 || b[0] != cursorVersion || crc32.ChecksumIEEE(b[:25]) != binary.BigEndian.Uint32(b[25:]) {
		return cursor{}, &host.Error{Code: host.CodeInvalidCursor, Path: "query.cursor", Message: "this is no cursor of ours; use next_cursor of an earlier answer, or leave it out to start from the beginning"}
	}
	k := cursor{
		epoch: binary.BigEndian.Uint32(b[1:]), of: binary.BigEndian.Uint32(b[5:]),
		sequence: host.Sequence(binary.BigEndian.Uint64(b[9:])), made: int64(binary.BigEndian.Uint64(b[17:])),
	}
	if k.epoch != epoch || k.of != incarnationOf(c) || now.Sub(time.Unix(k.made, 0)) > cursorLife {
		return cursor{}, host.Errorf(host.CodeCursorExpired, "this cursor cannot be continued without missing changes; start again without one")
	}
	return k, nil
}
