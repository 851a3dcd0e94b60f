// Package wire holds what both ends of the connector protocol must agree on
// beside the messages: the handshake, the protocol's version, sizes, metadata
// keys, and how a failure travels.
//
// It promises that a failure arrives with the code, words and path with which
// it left. It imports neither host nor sdk: a connector in another language
// finds here all that it has to match.
package wire

import (
	"errors"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// Protocol is the version of the protocol. A later one is added beside it, and
// go-plugin negotiates the highest that both have.
const Protocol = 1

// PluginName is the one plugin that a connector serves.
const PluginName = "connector"

// MaxMessage is the largest message in bytes: a page of 1 MB may end with one
// record over it, and a record may have 900 KB twice (record and raw).
const MaxMessage = 16 << 20

// Metadata keys.
const (
	// TraceParent carries the W3C trace context of a call.
	TraceParent = "traceparent"
)

// Handshake tells a connector that a host has started it. It is a courtesy to
// people who start a plugin by hand, not a protection.
var Handshake = plugin.HandshakeConfig{
	ProtocolVersion:  Protocol,
	MagicCookieKey:   "DINRAIL_PLUGIN",
	MagicCookieValue: "connector",
}

// Codes of failures.
const (
	AuthRequired     = "auth_required"
	TokenExpired     = "token_expired"
	PermissionDenied = "permission_denied"
	RateLimited      = "rate_limited"
	Unavailable      = "unavailable"
	NotFound         = "not_found"
	Invalid          = "invalid"
	Conflict         = "conflict"
	Unsupported      = "unsupported"
	Internal         = "internal"
	AddressRefused   = "address_refused"
)

// grpcCode is what a generic gRPC client sees of a failure.
var grpcCode = map[string]codes.Code{
	AuthRequired:     codes.Unauthenticated,
	TokenExpired:     codes.Unauthenticated,
	PermissionDenied: codes.PermissionDenied,
	RateLimited:      codes.ResourceExhausted,
	Unavailable:      codes.Unavailable,
	NotFound:         codes.NotFound,
	Invalid:          codes.InvalidArgument,
	Conflict:         codes.Aborted,
	Unsupported:      codes.Unimplemented,
	Internal:         codes.Internal,
	AddressRefused:   codes.FailedPrecondition,
}

// ValidCode says whether code is one of the codes of failures.
func ValidCode(code string) bool { _, ok := grpcCode[code]; return ok }

// Failure is a failure as it travels.
type Failure struct {
	Code    string
	Message string    // for a person
	Path    string    // the setting or field at fault; empty: none
	RetryAt time.Time // zero: not told
}

// Status returns the failure as the gRPC error that carries it. A code that is
// not one of ours travels as internal.
func (f Failure) Status() error {
	if !ValidCode(f.Code) {
		f.Code = Internal
	}
	detail := &connectorv1.Failure{Code: f.Code, Message: f.Message, Path: f.Path}
	if !f.RetryAt.IsZero() {
		detail.RetryAt = timestamppb.New(f.RetryAt)
	}
	st := status.New(grpcCode[f.Code], f.Message)
	if with, err := st.WithDetails(detail); err == nil {
		st = with
	}
	return st.Err()
}

// FailureOf returns the failure that a gRPC error carries, and whether it
// carries one: an error of gRPC itself (the peer is gone) does not.
func FailureOf(err error) (Failure, bool) {
	if err == nil {
		return Failure{}, false
	}
	var withStatus interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &withStatus) {
		return Failure{}, false
	}
	for _, d := range withStatus.GRPCStatus().Details() {
		if f, ok := d.(*connectorv1.Failure); ok && ValidCode(f.GetCode()) {
			out := Failure{Code: f.GetCode(), Message: f.GetMessage(), Path: f.GetPath()}
			if f.GetRetryAt() != nil {
				out.RetryAt = f.GetRetryAt().AsTime()
			}
			return out, true
		}
	}
	return Failure{}, false
}
