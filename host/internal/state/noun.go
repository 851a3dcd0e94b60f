package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/dinrail/dinrail/host"
)

// What is written with each event has a form of its own: a version byte and
// the fields in their order. A field that comes to be is added at the end;
// where bytes end early, the rest is zero. Bytes that begin with a brace are
// JSON, the form that was written first.
const nounVersion = 1

var deliveryStatuses = [...]host.DeliveryStatus{
	1: host.DeliveryPending, 2: host.DeliveryDelivered, 3: host.DeliveryHeld, 4: host.DeliveryDead,
}

func deliveryCode(s host.DeliveryStatus) byte {
	for code := 1; code < len(deliveryStatuses); code++ {
		if deliveryStatuses[code] == s {
			return byte(code)
		}
	}
	return 0
}

// noun begins to read a noun: an error, or the reader behind the version. It
// says whether the bytes were JSON and have been read into v.
func noun(b []byte, v any) (r reader, done bool) {
	r.b = b
	if len(b) > 0 && b[0] == '{' {
		if json.Unmarshal(b, v) != nil {
			r.fail()
		}
		return r, true
	}
	if r.byte() != nounVersion {
		r.fail()
	}
	return r, r.err != nil
}

// AppendDelivery appends the stored form of a delivery.
func AppendDelivery(b []byte, d *host.Delivery) []byte {
	b = append(b, nounVersion, deliveryCode(d.Status))
	b = appendString(b, d.ID)
	b = appendString(b, d.Event)
	b = appendString(b, d.EventType)
	b = binary.AppendUvarint(b, uint64(d.Sequence))
	b = appendString(b, d.Endpoint)
	b = appendString(b, d.Connection)
	b = binary.AppendVarint(b, int64(d.Attempts))
	b = appendTime(b, d.CreatedAt)
	b = appendTime(b, d.FirstAt)
	b = appendTime(b, d.DueAt)
	b = appendTime(b, d.EndedAt)
	b = binary.AppendVarint(b, int64(d.LastStatus))
	return appendString(b, d.Reason)
}

// DecodeDelivery reads the stored form of a delivery. It keeps nothing of b.
func DecodeDelivery(b []byte, d *host.Delivery) error { return decodeDelivery(bytes.Clone(b), d) }

// decodeDelivery keeps parts of b.
func decodeDelivery(b []byte, d *host.Delivery) error {
	r, done := noun(b, d)
	if done {
		return r.err
	}
	code := r.byte()
	if code == 0 || int(code) >= len(deliveryStatuses) {
		return errMalformed
	}
	*d = host.Delivery{
		Status: deliveryStatuses[code], ID: str[host.DeliveryID](&r), Event: str[host.EventID](&r), EventType: str[host.EventType](&r),
		Sequence: host.Sequence(r.uvarint()), Endpoint: str[host.EndpointID](&r), Connection: str[host.ConnectionID](&r), Attempts: int(r.varint()),
		CreatedAt: r.time(), FirstAt: r.time(), DueAt: r.time(), EndedAt: r.time(), LastStatus: int(r.varint()), Reason: str[string](&r),
	}
	return r.err
}

// AppendAttempt appends the stored form of an attempt.
func AppendAttempt(b []byte, a *host.Attempt) []byte {
	b = append(b, nounVersion)
	b = appendString(b, a.Delivery)
	b = binary.AppendVarint(b, int64(a.Number))
	b = appendTime(b, a.StartedAt)
	b = binary.AppendVarint(b, int64(a.Took))
	b = binary.AppendVarint(b, int64(a.Status))
	b = appendString(b, a.Error)
	return appendBytes(b, a.Response)
}

// DecodeAttempt reads the stored form of an attempt. It keeps nothing of b.
func DecodeAttempt(b []byte, a *host.Attempt) error { return decodeAttempt(bytes.Clone(b), a) }

// decodeAttempt keeps parts of b.
func decodeAttempt(b []byte, a *host.Attempt) error {
	r, done := noun(b, a)
	if done {
		return r.err
	}
	*a = host.Attempt{
		Delivery: str[host.DeliveryID](&r), Number: int(r.varint()), StartedAt: r.time(), Took: time.Duration(r.varint()),
		Status: int(r.varint()), Error: str[string](&r), Response: r.bytes(),
	}
	return r.err
}

// AppendEvent appends the stored form of an event: all but its data and its
// sequence.
func AppendEvent(b []byte, e *host.Event) []byte {
	var quiet byte
	if e.Quiet {
		quiet = 1
	}
	b = append(b, nounVersion, quiet)
	b = appendString(b, e.ID)
	b = appendString(b, e.Type)
	b = appendTime(b, e.Time)
	b = appendString(b, e.Connection)
	return appendString(b, e.Endpoint)
}

// DecodeEvent reads the stored form of an event. It keeps parts of b.
func DecodeEvent(b []byte, e *host.Event) error {
	r, done := noun(b, e)
	if done {
		e.Data, e.Sequence = nil, 0
		return r.err
	}
	*e = host.Event{
		Quiet: r.byte() == 1, ID: str[host.EventID](&r), Type: str[host.EventType](&r), Time: r.time(),
		Connection: str[host.ConnectionID](&r), Endpoint: str[host.EndpointID](&r),
	}
	return r.err
}

// framed appends what f appends behind its length in four bytes.
func framed(b []byte, f func([]byte) []byte) []byte {
	at := len(b)
	b = f(append(b, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// frame reads what framed wrote.
func (r *reader) frame() []byte {
	if n := r.take(4); n != nil {
		return r.take(int(binary.BigEndian.Uint32(n)))
	}
	return nil
}

// deliveries reads deliveries behind their count.
func (r *reader) deliveries() []host.Delivery {
	n := r.count(4)
	if n == 0 {
		return nil
	}
	out := make([]host.Delivery, n)
	for i := range out {
		if decodeDelivery(r.frame(), &out[i]) != nil {
			r.fail()
			return nil
		}
	}
	return out
}

// push reads a Push in its own form.
func (r *reader) push() *Push {
	p := &Push{Drop: r.byte() == 1, Position: str[string](r), From: host.Sequence(r.uvarint()), To: host.Sequence(r.uvarint()), At: r.time()}
	p.Deliveries = r.deliveries()
	p.Events = r.events()
	return p
}

// settle reads settlements in their own form.
func (r *reader) settle() *Settle {
	s := &Settle{Settlements: make([]Settlement, r.count(8))}
	for i := range s.Settlements {
		x := &s.Settlements[i]
		d, a := r.frame(), r.frame()
		if r.err == nil && (decodeDelivery(d, &x.Delivery) != nil || decodeAttempt(a, &x.Attempt) != nil) {
			r.fail()
			return s
		}
	}
	return s
}
