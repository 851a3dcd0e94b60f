package badger

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// Every key is partition (2 bytes), table (1 byte), and what the table says.
// A name that something follows is escaped and ended, so that keys sort as
// their names do and no name can run into the next; a name at the end stands as
// it is. Numbers are big endian.
//
//	table        key after it                  value
//	tableMeta                                  meta
//	tableDoc     kind, id                      document
//	tableOwned   connection, kind, id          –
//	tableLife    connection                    life; life 0: removed
//	tableLeft    connection, life              sequence of the removal
//	tableStream  life, entity                  stream
//	tableHead    life, stream, record id       state.Head
//	tableRecord  life, stream, sequence        stored record
//	tableMarks   life, stream, sequence        marks of one page
//	tableRun     life, run                     state.RunState
//	tableRunOf   life, stream, run             –
//	tableEvent   sequence                      event
//	tableEventID event                         sequence
//	tableTime    microseconds                  sequence
//	tablePos     position                      sequence
//	tableDeliv   delivery                      host.Delivery
//	tableOfEnd   endpoint, status, delivery    –
//	tableDue     endpoint, retry, due, delivery –
//	tableCounts  endpoint                      deliveries by status
//	tableAttempt delivery, number              host.Attempt
//	tableFollow  sequence                      state.Followed
//
// A life is what a connection has between being made and being removed: its
// number stands in the keys instead of its name, so that to remove it is to
// forget the number, whatever there is to sweep.
type table byte

const (
	tableMeta    table = 'z'
	tableDoc     table = 'd'
	tableOwned   table = 'o'
	tableLife    table = 'c'
	tableLeft    table = 'g'
	tableStream  table = 'e'
	tableHead    table = 'h'
	tableRecord  table = 'r'
	tableMarks   table = 'u'
	tableRun     table = 'n'
	tableRunOf   table = 'm'
	tableEvent   table = 'v'
	tableEventID table = 'i'
	tableTime    table = 't'
	tablePos     table = 'p'
	tableDeliv   table = 'l'
	tableOfEnd   table = 'x'
	tableDue     table = 'q'
	tableCounts  table = 'k'
	tableAttempt table = 'a'
	tableFollow  table = 'f'
)

// formatKey holds the version of this layout, in a partition of its own.
var formatKey = []byte{0xff, 0xff, 'f'}

// key is a key that is built up part by part.
type key []byte

func newKey(p host.Partition, t table) key {
	return key{byte(p >> 8), byte(p), byte(t)}
}

// name returns the key with a name behind it that something follows. Like all
// that add to a key it leaves the key itself alone: transactions keep keys.
func name[T ~string](k key, s T) key {
	k = slices.Grow(k[:len(k):len(k)], len(s)+16)
	for i := range len(s) {
		if s[i] == 0 {
			k = append(k, 0, 0xff)
		} else {
			k = append(k, s[i])
		}
	}
	return append(k, 0, 1)
}

// takeName reads a name off the front of a key.
func takeName(k []byte) (s string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i < len(k); i++ {
		if k[i] != 0 {
			out = append(out, k[i])
			continue
		}
		if i+1 == len(k) {
			return "", nil, false
		}
		switch k[i+1] {
		case 0xff:
			out = append(out, 0)
			i++
		case 1:
			return string(out), k[i+2:], true
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// last returns the key with a name behind it that nothing follows.
func last[T ~string](k key, s T) key { return append(k[:len(k):len(k)], s...) }

func (k key) uint32(n uint32) key { return binary.BigEndian.AppendUint32(k[:len(k):len(k)], n) }
func (k key) uint64(n uint64) key { return binary.BigEndian.AppendUint64(k[:len(k):len(k)], n) }

// time returns the key with a time behind it, so that earlier ones, also those before 1970, sort first.
func (k key) time(t time.Time) key { return k.uint64(uint64(t.UnixMicro()) ^ 1<<63) }

func timeOfKey(b []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b) ^ 1<<63)).UTC()
}

// after returns the first key behind k and all that k is a prefix of.
func (k key) after() key {
	out := append(key(nil), k...)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil
}

func docKey(p host.Partition, kind state.Kind, id string) key {
	return last(name(newKey(p, tableDoc), kind), id)
}

func ownedKey(p host.Partition, c host.ConnectionID, kind state.Kind, id string) key {
	return last(name(name(newKey(p, tableOwned), c), kind), id)
}

func lifeKey(p host.Partition, c host.ConnectionID) key { return last(newKey(p, tableLife), c) }

func leftKey(p host.Partition, c host.ConnectionID, life uint32) key {
	return name(newKey(p, tableLeft), c).uint32(life)
}

// ofLife is the beginning of a life's keys in a table.
func ofLife(p host.Partition, t table, life uint32) key { return newKey(p, t).uint32(life) }

// ofStream is the beginning of a stream's keys in a table.
func ofStream(p host.Partition, t table, life, stream uint32) key {
	return newKey(p, t).uint32(life).uint32(stream)
}

// streamPrefix is the length of what ofStream returns.
const streamPrefix = 3 + 4 + 4

func eventKey(p host.Partition, n host.Sequence) key {
	return newKey(p, tableEvent).uint64(uint64(n))
}

func followKey(p host.Partition, n host.Sequence) key {
	return newKey(p, tableFollow).uint64(uint64(n))
}

func statusCode(s host.DeliveryStatus) byte {
	switch s {
	case host.DeliveryPending:
		return 1
	case host.DeliveryDelivered:
		return 2
	case host.DeliveryHeld:
		return 3
	case host.DeliveryDead:
		return 4
	}
	return 0
}

func ofEndpointKey(p host.Partition, d *host.Delivery) key {
	return last(append(name(newKey(p, tableOfEnd), d.Endpoint), statusCode(d.Status)), d.ID)
}

// dueKey is a pending delivery's place among those that are due: first attempts
// before retries, then by time.
func dueKey(p host.Partition, d *host.Delivery) key {
	return last(append(name(newKey(p, tableDue), d.Endpoint), byte(min(d.Attempts, 1))).time(d.DueAt), d.ID)
}

func attemptKey(p host.Partition, id host.DeliveryID, number int) key {
	return name(newKey(p, tableAttempt), id).uint32(uint32(number))
}
