package sdk

import (
	"context"
	"encoding/json"
	"io"
)

// A connection has an optional power when it implements the power's interface;
// without it the host is told CodeUnsupported. Preview is no power: it is the
// beginning of a Read.

// Getter is a connection that can read one record.
type Getter interface {
	Get(ctx context.Context, entity, id string) (Record, error)
}

// Writer is a connection that can create, update, delete and act.
type Writer interface {
	// Write answers with the record as the system has it afterwards.
	Write(ctx context.Context, r WriteRequest) (Record, error)
}

// Renewer is a connection that takes a new access token while it is open.
type Renewer interface {
	Renew(ctx context.Context, credentials map[string]string) error
}

// Opener is a connection whose records have attachments that can be read.
type Opener interface {
	// OpenContent returns an attachment's media type and its bytes.
	OpenContent(ctx context.Context, entity, id string) (mediaType string, body io.ReadCloser, err error)
}

// Watcher is a connection whose system tells changes as they happen.
type Watcher interface {
	// Watch tells changed records until ctx ends or changed returns an error,
	// and returns that error.
	Watch(ctx context.Context, entities []string, changed func(Change) error) error
}

// Receiver is a connection that understands its system's webhooks.
type Receiver interface {
	Receive(ctx context.Context, r ReceiveRequest) (ReceiveResponse, error)
}

// Passthrougher is a connection that makes calls of the API caller's own.
type Passthrougher interface {
	Passthrough(ctx context.Context, r PassthroughRequest) (PassthroughResponse, error)
}

// Change is changed records of one entity.
type Change struct {
	Entity  string
	Records []Record
}

// ReceiveRequest is an inbound HTTP request of the system.
type ReceiveRequest struct {
	Method, Path string
	Headers      map[string]string
	Body         []byte
}

// ReceiveResponse is what it means, and how to answer the system.
type ReceiveResponse struct {
	Status  int
	Body    []byte
	Changes []Change
}

// WriteRequest changes one record.
type WriteRequest struct {
	Entity         string
	Operation      string // create update delete act
	ID             string
	Action         string
	Fields         json.RawMessage // for update an RFC 7396 patch
	Expect         string          // the system's own mark of the version expected
	IdempotencyKey string
}

// PassthroughRequest is a call of the API caller's own.
type PassthroughRequest struct {
	Method, Path, Query string
	Headers             map[string]string
	Body                []byte
}

// PassthroughResponse is the system's own answer.
type PassthroughResponse struct {
	Status  int
	Headers map[string]string
	Body    []byte
}
