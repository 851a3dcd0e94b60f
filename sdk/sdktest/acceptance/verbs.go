package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// What no system has.
const (
	noEntity = "native/no-such-entity"
	noID     = "no-such-record"
)

// checkVerbs calls each optional verb for something that is not there: what the
// connector cannot do it says, and what it can it does not do to the wrong
// thing.
func checkVerbs(ctx context.Context, o Options) error {
	return with(ctx, o, func(s *session, handle string) error {
		for _, v := range []struct {
			name string
			call func(ctx context.Context) error
		}{
			{"get", func(ctx context.Context) error {
				_, err := s.Get(ctx, &connectorv1.GetRequest{Handle: handle, Entity: noEntity, Id: noID})
				return err
			}},
			{"write", func(ctx context.Context) error {
				_, err := s.Write(ctx, &connectorv1.WriteRequest{Handle: handle, Entity: noEntity, Id: noID, Operation: connectorv1.WriteOperation_WRITE_OPERATION_DELETE})
				return err
			}},
			{"content", func(ctx context.Context) error {
				stream, err := s.Content(ctx, &connectorv1.ContentRequest{Handle: handle, Entity: noEntity, Id: noID})
				if err == nil {
					_, err = stream.Recv()
				}
				return err
			}},
			{"watch", func(ctx context.Context) error {
				stream, err := s.Watch(ctx, &connectorv1.WatchRequest{Handle: handle, Entities: []string{noEntity}})
				if err == nil {
					_, err = stream.Recv()
				}
				return err
			}},
			{"passthrough", func(ctx context.Context) error {
				_, err := s.Passthrough(ctx, &connectorv1.PassthroughRequest{Handle: handle, Method: "GET", Path: "/" + noID})
				return err
			}},
			{"receive", func(ctx context.Context) error {
				_, err := s.Receive(ctx, &connectorv1.ReceiveRequest{Handle: handle, Method: "POST", Path: "/", Body: []byte("no message of any system")})
				return err
			}},
			{"preview", func(ctx context.Context) error {
				_, err := s.Preview(ctx, &connectorv1.PreviewRequest{Handle: handle, Entity: noEntity, Limit: 1})
				return err
			}},
		} {
			if err := s.asked(ctx, v.name, v.call); err != nil {
				return err
			}
			if _, err := s.Entities(ctx, &connectorv1.EntitiesRequest{Handle: handle}); err != nil {
				return fmt.Errorf("it is of no use after %s: %w", v.name, err)
			}
		}
		return nil
	})
}

// answerTime is how long a verb may take; one that goes on until it is ended,
// as watch does, is ended then.
const answerTime = 10 * time.Second

// asked calls a verb and looks at the form of its failure. A passthrough's
// answer and a webhook's are the system's own, and may be anything.
func (s *session) asked(ctx context.Context, verb string, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := call(ctx)
	f, ok := wire.FailureOf(err)
	switch {
	case ok && f.Message == "":
		return fmt.Errorf("%s: the failure %s has no words for a person", verb, f.Code)
	case ok, errors.Is(err, io.EOF), status.Code(err) == codes.Unimplemented:
		return nil
	case err == nil && (verb == "passthrough" || verb == "receive"):
		return nil
	case verb == "watch" && ctx.Err() != nil:
		return nil
	case err == nil:
		return fmt.Errorf("%s: it answers for an entity that is not there", verb)
	default:
		return fmt.Errorf("%s: what it cannot do is to be %s, not: %w", verb, wire.Unsupported, err)
	}
}

// checkCheckpoint gives the connector a checkpoint that is none of its own, as
// an upgrade or another system behind the same address would.
func checkCheckpoint(ctx context.Context, o Options) error {
	return each(ctx, o, func(s *session, handle string, e *connectorv1.Entity) error {
		pages, err := reading{start: full(handle, e.GetName(), nil)}.run(ctx, s)
		if err != nil {
			return err
		}
		rest, err := reading{start: full(handle, e.GetName(), []byte("\x00{no checkpoint of yours"))}.run(ctx, s)
		if err != nil {
			if f, ok := wire.FailureOf(err); !ok || f.Message == "" {
				return fmt.Errorf("a checkpoint that is not its own is to be a failure with words, not: %w", err)
			}
		} else if err := whole(idsOf(pages), nil, idsOf(rest)); err != nil {
			return fmt.Errorf("from a checkpoint that is not its own it reads on as if it were: %w", err)
		}
		if _, err := s.Entities(ctx, &connectorv1.EntitiesRequest{Handle: handle}); err != nil {
			return fmt.Errorf("it is of no use after a checkpoint that is not its own: %w", err)
		}
		return nil
	})
}
