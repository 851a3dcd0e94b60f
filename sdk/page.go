package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// pageBytes bounds a page. One that grows past it is sent by itself, with the
// checkpoint before it.
const pageBytes = 1 << 20

// PageWriter takes the records of a read and sends them in pages. It is used
// by one goroutine. Each method returns an error when the read is over for a
// reason that Read should return as it is.
type PageWriter struct {
	ctx     context.Context
	send    func(*connectorv1.ReadResponse) error
	acks    <-chan int64
	window  int64
	records int

	page  *connectorv1.Page
	size  int
	mark  []byte // checkpoint of the last flushed page
	total *int64
	sent  int64
	acked int64
}

// Upsert adds a record. It is sent with the next Flush, or earlier if the page
// is full.
func (w *PageWriter) Upsert(r Record) error {
	m, err := recordMessage(r)
	if err != nil {
		return w.Bad(r.ID, "", err.Error())
	}
	size := len(m.GetRecord()) + len(m.GetRaw()) + len(m.GetId()) + 32
	if len(w.page.GetRecords()) > 0 && (len(w.page.GetRecords()) >= w.records || w.size+size > pageBytes) {
		if err := w.flush(w.mark); err != nil {
			return err
		}
	}
	w.page.Records = append(w.page.Records, m)
	w.size += size
	return nil
}

// Delete adds a record's deletion.
func (w *PageWriter) Delete(id string) error { return w.Upsert(Record{ID: id, Deleted: true}) }

// Bad tells of a record that cannot be read. It is skipped, counted and shown;
// the read goes on.
func (w *PageWriter) Bad(id, field, reason string) error {
	if len(w.page.GetBad()) >= w.records {
		if err := w.flush(w.mark); err != nil {
			return err
		}
	}
	w.page.Bad = append(w.page.Bad, &connectorv1.BadRecord{
		Id: strings.ToValidUTF8(id[:min(len(id), maxID)], "�"), Field: strings.ToValidUTF8(field, "�"), Reason: strings.ToValidUTF8(reason, "�"),
	})
	return nil
}

// Total tells how many records the whole read has.
func (w *PageWriter) Total(n int64) { w.total = &n }

// Flush sends what was added, with the checkpoint from which the read goes on
// once it is durable. It waits while the host has too many pages to commit.
func (w *PageWriter) Flush(checkpoint []byte) error {
	w.mark = checkpoint
	return w.flush(checkpoint)
}

func (w *PageWriter) flush(checkpoint []byte) error {
	for w.sent-w.acked >= w.window {
		select {
		case n, ok := <-w.acks:
			if !ok {
				return w.over()
			}
			w.acked = max(w.acked, n)
		case <-w.ctx.Done():
			return w.over()
		}
	}
	for drained := false; !drained; {
		select {
		case n, ok := <-w.acks:
			if !ok {
				return w.over()
			}
			w.acked = max(w.acked, n)
		default:
			drained = true
		}
	}
	w.page.Checkpoint = checkpoint
	w.page.Total = w.total
	if err := w.send(&connectorv1.ReadResponse{Message: &connectorv1.ReadResponse_Page{Page: w.page}}); err != nil {
		return err
	}
	w.sent++
	w.page, w.size = &connectorv1.Page{}, 0
	return nil
}

func (w *PageWriter) over() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return context.Canceled
}

// end sends what is left and says that nothing was left out.
func (w *PageWriter) end() error {
	if len(w.page.GetRecords()) > 0 || len(w.page.GetBad()) > 0 {
		if err := w.flush(w.mark); err != nil {
			return err
		}
	}
	return w.send(&connectorv1.ReadResponse{Message: &connectorv1.ReadResponse_End{End: &connectorv1.ReadEnd{Pages: w.sent}}})
}

func recordMessage(r Record) (*connectorv1.Record, error) {
	switch {
	case r.ID == "":
		return nil, errors.New("it has no id")
	case len(r.ID) > maxID || !utf8.ValidString(r.ID):
		return nil, fmt.Errorf("its id is not at most %d bytes of UTF-8", maxID)
	}
	m := &connectorv1.Record{Id: r.ID, CreatedAt: micros(r.CreatedAt), UpdatedAt: micros(r.UpdatedAt), Deleted: r.Deleted}
	if r.Deleted {
		return m, nil
	}
	switch f := r.Fields.(type) {
	case json.RawMessage:
		m.Record = f
	case []byte:
		m.Record = f
	default:
		b, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("it cannot be encoded: %w", err)
		}
		m.Record = b
	}
	m.Raw = r.Raw
	if n := proto.Size(m); n > maxRecord {
		return nil, fmt.Errorf("it has %d bytes; at most %d are kept", n, maxRecord)
	}
	return m, nil
}

// The host's bounds of a record with its raw form, and of its id.
const (
	maxRecord = 900 << 10
	maxID     = 512
)

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
