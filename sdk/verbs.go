package sdk

import (
	"context"
	"errors"
	"io"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// Get implements the verb.
func (s *server) Get(ctx context.Context, r *connectorv1.GetRequest) (*connectorv1.GetResponse, error) {
	p, err := power[Getter](s, r.GetHandle())
	if err != nil {
		return nil, err
	}
	rec, err := p.Get(ctx, r.GetEntity(), r.GetId())
	if err != nil {
		return nil, err
	}
	m, err := recordMessage(rec)
	return &connectorv1.GetResponse{Record: m}, err
}

// Write implements the verb.
func (s *server) Write(ctx context.Context, r *connectorv1.WriteRequest) (*connectorv1.WriteResponse, error) {
	p, err := power[Writer](s, r.GetHandle())
	if err != nil {
		return nil, err
	}
	operations := map[connectorv1.WriteOperation]string{
		connectorv1.WriteOperation_WRITE_OPERATION_CREATE: "create", connectorv1.WriteOperation_WRITE_OPERATION_UPDATE: "update",
		connectorv1.WriteOperation_WRITE_OPERATION_DELETE: "delete", connectorv1.WriteOperation_WRITE_OPERATION_ACT: "act",
	}
	rec, err := p.Write(ctx, WriteRequest{
		Entity: r.GetEntity(), Operation: operations[r.GetOperation()], ID: r.GetId(), Action: r.GetAction(),
		Fields: r.GetRecord(), Expect: r.GetExpect(), IdempotencyKey: r.GetIdempotencyKey(),
	})
	if err != nil {
		return nil, err
	}
	m, err := recordMessage(rec)
	return &connectorv1.WriteResponse{Record: m}, err
}

// Passthrough implements the verb.
func (s *server) Passthrough(ctx context.Context, r *connectorv1.PassthroughRequest) (*connectorv1.PassthroughResponse, error) {
	p, err := power[Passthrougher](s, r.GetHandle())
	if err != nil {
		return nil, err
	}
	res, err := p.Passthrough(ctx, PassthroughRequest{Method: r.GetMethod(), Path: r.GetPath(), Query: r.GetQuery(), Headers: r.GetHeaders(), Body: r.GetBody()})
	return &connectorv1.PassthroughResponse{Status: int32(res.Status), Headers: res.Headers, Body: res.Body}, err
}

// chunkBytes is how much of an attachment one message carries.
const chunkBytes = 64 << 10

// Content implements the verb.
func (s *server) Content(r *connectorv1.ContentRequest, stream connectorv1.ConnectorService_ContentServer) error {
	p, err := power[Opener](s, r.GetHandle())
	if err != nil {
		return err
	}
	mediaType, body, err := p.OpenContent(stream.Context(), r.GetEntity(), r.GetId())
	if err != nil {
		return err
	}
	defer body.Close() // read only
	message := &connectorv1.ContentResponse{ContentType: mediaType}
	chunk := make([]byte, chunkBytes)
	for {
		n, err := io.ReadFull(body, chunk)
		if n > 0 || message.ContentType != "" {
			message.Chunk = chunk[:n]
			if err := stream.Send(message); err != nil {
				return err
			}
			message = &connectorv1.ContentResponse{}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Watch implements the verb.
func (s *server) Watch(r *connectorv1.WatchRequest, stream connectorv1.ConnectorService_WatchServer) error {
	p, err := power[Watcher](s, r.GetHandle())
	if err != nil {
		return err
	}
	return p.Watch(stream.Context(), r.GetEntities(), func(c Change) error {
		m, err := changeMessage(c)
		if err != nil {
			return err
		}
		return stream.Send(m)
	})
}

// Receive implements the verb.
func (s *server) Receive(ctx context.Context, r *connectorv1.ReceiveRequest) (*connectorv1.ReceiveResponse, error) {
	p, err := power[Receiver](s, r.GetHandle())
	if err != nil {
		return nil, err
	}
	res, err := p.Receive(ctx, ReceiveRequest{Method: r.GetMethod(), Path: r.GetPath(), Headers: r.GetHeaders(), Body: r.GetBody()})
	if err != nil {
		return nil, err
	}
	out := &connectorv1.ReceiveResponse{Status: int32(res.Status), Body: res.Body}
	for _, c := range res.Changes {
		m, err := changeMessage(c)
		if err != nil {
			return nil, err
		}
		out.Changes = append(out.Changes, m)
	}
	return out, nil
}

func changeMessage(c Change) (*connectorv1.WatchResponse, error) {
	m := &connectorv1.WatchResponse{Entity: c.Entity}
	for _, rec := range c.Records {
		rm, err := recordMessage(rec)
		if err != nil {
			return nil, Failf(CodeInternal, "the record %q of %s cannot be told: %s", rec.ID, c.Entity, err)
		}
		m.Records = append(m.Records, rm)
	}
	return m, nil
}

// errEnough ends a Read of which only the beginning was wanted.
var errEnough = errors.New("enough was read")

// mostPreviewed bounds a preview.
const mostPreviewed = 100

// Preview implements the verb: the beginning of a full read, which nobody keeps.
func (s *server) Preview(ctx context.Context, r *connectorv1.PreviewRequest) (*connectorv1.PreviewResponse, error) {
	o, err := s.find(r.GetHandle())
	if err != nil {
		return nil, err
	}
	limit := min(max(int(r.GetLimit()), 1), mostPreviewed)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &connectorv1.PreviewResponse{}
	w := &PageWriter{ctx: ctx, records: limit, window: 1 << 30, page: &connectorv1.Page{}}
	w.send = func(m *connectorv1.ReadResponse) error {
		out.Records = append(out.Records, m.GetPage().GetRecords()...)
		out.Bad = append(out.Bad, m.GetPage().GetBad()...)
		if len(out.Records)+len(out.Bad) >= limit {
			cancel() // for one that does not look at errors
			return errEnough
		}
		return nil
	}
	err = o.conn.Read(ctx, ReadRequest{Entity: r.GetEntity(), Full: true}, w)
	if err == nil {
		err = w.end()
	}
	if err != nil && len(out.Records)+len(out.Bad) < limit {
		return nil, err
	}
	out.Records = out.Records[:min(len(out.Records), limit)]
	out.Bad = out.Bad[:min(len(out.Bad), limit)]
	return out, nil
}
