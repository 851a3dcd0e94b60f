package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// The host's bounds of a page.
const (
	pageRecords = 1000
	pageBytes   = 1 << 20
	recordID    = 512
	recordBytes = 900 << 10 // with its raw form
)

// window of a read that is watched closely.
const window = 2

// patience is how long a connector is given to send a page that it may not.
const patience = 100 * time.Millisecond

// page is what a page brought.
type page struct {
	ids        []string
	checkpoint []byte
}

// reading is a read from where its start says to its end.
type reading struct {
	start *connectorv1.ReadStart
	// watched: the window is held shut for a moment once it is full.
	watched bool
	// after is called with each page, before it is acknowledged; an error ends
	// the read and is returned.
	after func(p page) error
}

// run returns the pages of the whole read.
func (r reading) run(ctx context.Context, s *session) (pages []page, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.Read(ctx)
	if err != nil {
		return nil, err
	}
	r.start.Window, r.start.PageRecords = window, pageRecords
	if err := stream.Send(&connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Start{Start: r.start}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	incoming := receive(ctx, stream)
	acknowledged := int64(0)
	due := func() bool { // an acknowledgement
		if r.watched {
			return int64(len(pages))-acknowledged >= window
		}
		return int64(len(pages)) > acknowledged
	}
	var early *received // what came while the window was watched
	for held := false; ; {
		for due() {
			if r.watched && !held {
				held = true // twice would tell no more than once
				if early, err = silent(incoming); err != nil {
					return nil, err
				}
			}
			acknowledged++
			ack := &connectorv1.ReadRequest{Message: &connectorv1.ReadRequest_Ack{Ack: &connectorv1.ReadAck{Page: acknowledged}}}
			if err := stream.Send(ack); err != nil && !errors.Is(err, io.EOF) {
				return nil, err // io.EOF: what is received tells how it ended
			}
		}
		var m received
		if early != nil {
			m, early = *early, nil
		} else {
			m = <-incoming
		}
		switch {
		case errors.Is(m.err, io.EOF):
			return nil, errors.New("the read ended without saying that it was whole")
		case m.err != nil:
			return nil, m.err
		case m.message.GetEnd() != nil:
			if n := m.message.GetEnd().GetPages(); n != int64(len(pages)) {
				return nil, fmt.Errorf("the end counts %d pages, but %d came", n, len(pages))
			}
			return pages, nil
		case m.message.GetPage() == nil:
			return nil, errors.New("a message is neither page nor end")
		}
		p, err := checkPage(m.message.GetPage())
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", len(pages)+1, err)
		}
		pages = append(pages, p)
		if r.after != nil {
			if err := r.after(p); err != nil {
				return pages, err
			}
		}
	}
}

type received struct {
	message *connectorv1.ReadResponse
	err     error
}

// receive hands over what the stream brings; its goroutine ends with ctx.
func receive(ctx context.Context, stream connectorv1.ConnectorService_ReadClient) <-chan received {
	incoming := make(chan received)
	go func() {
		for {
			m, err := stream.Recv()
			select {
			case incoming <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return incoming
}

// silent makes sure that no page comes while none may. An end or a failure may
// come at any time, and is returned.
func silent(incoming <-chan received) (*received, error) {
	select {
	case m := <-incoming:
		if m.message.GetPage() != nil {
			return nil, fmt.Errorf("a page came although %d are not acknowledged", window)
		}
		return &m, nil
	case <-time.After(patience):
		return nil, nil
	}
}

func checkPage(p *connectorv1.Page) (page, error) {
	if n := len(p.GetRecords()); n > pageRecords {
		return page{}, fmt.Errorf("it has %d records; at most %d are allowed", n, pageRecords)
	}
	out := page{checkpoint: p.GetCheckpoint()}
	size := 0
	for _, r := range p.GetRecords() {
		if size > pageBytes {
			return page{}, fmt.Errorf("it goes on after %d bytes", pageBytes)
		}
		size += len(r.GetRecord()) + len(r.GetRaw())
		if err := checkRecord(r); err != nil {
			return page{}, err
		}
		out.ids = append(out.ids, r.GetId())
	}
	for _, b := range p.GetBad() {
		if b.GetReason() == "" {
			return page{}, fmt.Errorf("the bad record %q has no reason", b.GetId())
		}
		out.ids = append(out.ids, "bad:"+b.GetId())
	}
	return out, nil
}

func checkRecord(r *connectorv1.Record) error {
	switch id := r.GetId(); {
	case id == "":
		return errors.New("a record has no id")
	case len(id) > recordID || !utf8.ValidString(id):
		return fmt.Errorf("the id %q is not at most %d bytes of UTF-8", id, recordID)
	case r.GetDeleted():
		return nil
	}
	if n := len(r.GetRecord()) + len(r.GetRaw()); n > recordBytes {
		return fmt.Errorf("the record %q has %d bytes; at most %d are kept, so it is to be told as a bad one", r.GetId(), n, recordBytes)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.GetRecord(), &fields); err != nil || fields == nil {
		return fmt.Errorf("the record %q is not a JSON object", r.GetId())
	}
	if raw := r.GetRaw(); len(raw) > 0 && !json.Valid(raw) {
		return fmt.Errorf("the raw form of record %q is not JSON", r.GetId())
	}
	return nil
}
