package host

import (
	"errors"
	"fmt"
	"time"
)

// Code is the machine's half of an error. Programs act upon the code, people
// read the message.
type Code string

// Codes that a connector answers with (they cross the wire), and codes of the
// host itself. Each stands for one thing a caller can do about it.
const (
	CodeAuthRequired     Code = "auth_required"     // the system refuses the login: someone must give new credentials
	CodeTokenExpired     Code = "token_expired"     // the access token ran out: renew it and repeat once
	CodePermissionDenied Code = "permission_denied" // the login may not do this
	CodeRateLimited      Code = "rate_limited"      // too many calls: come back at RetryAt
	CodeUnavailable      Code = "unavailable"       // not reachable now: try again later
	CodeNotFound         Code = "not_found"         // there is no such thing
	CodeInvalid          Code = "invalid"           // the request is wrong: Path names the part
	CodeConflict         Code = "conflict"          // somebody changed it in between
	CodeUnsupported      Code = "unsupported"       // the connector has no such power
	CodeInternal         Code = "internal"          // a fault of ours or of the connector: the operator's log tells more
	CodeAddressRefused   Code = "address_refused"   // the system stands where the connection may not reach

	CodeCursorExpired         Code = "cursor_expired"           // the cursor is older than what is kept: start again
	CodeInvalidCursor         Code = "invalid_cursor"           // not a cursor of ours, or one for another list
	CodeUnauthorized          Code = "unauthorized"             // no token, or one that opens nothing
	CodeForbidden             Code = "forbidden"                // the token's role or access does not cover this
	CodeConnectionAuth        Code = "connection_auth_required" // the connection waits for new credentials
	CodeConnectionOffline     Code = "connection_offline"       // the system behind the connection is not reachable
	CodeConnectionDetached    Code = "connection_detached"      // the connection's block is gone from the configuration
	CodeConnectionInvalid     Code = "connection_invalid"       // the connection's block has a mistake
	CodeTooLarge              Code = "too_large"                // over a bound of section "Bounds"
	CodeIdempotencyKeyReused  Code = "idempotency_key_reused"   // same key, another request
	CodeIdempotencyInProgress Code = "idempotency_in_progress"  // same key, the first request still runs
	CodePluginCrashed         Code = "plugin_crashed"           // the connector's process ended in the middle of a call
	CodeOutOfMemory           Code = "out_of_memory"            // the connector's process was stopped for its memory
	CodeBadRecords            Code = "too_many_bad_records"     // more than the tolerated share of records were unusable
	CodeCanceled              Code = "canceled"                 // stopped on request or because the host stops
	CodeStorage               Code = "storage"                  // the store could not be read or written
)

// Error is an error meant for people: a code for machines, a message that says
// what is wrong and what to do, and, where known, the part it is about.
//
// Any other error that reaches an edge (API, CLI, event) is shown as
// "internal error" and logged for the operator.
type Error struct {
	Code    Code
	Message string
	// Path names the setting, field or parameter that is at fault
	// ("settings.url"); empty when no single part is.
	Path string
	// RetryAt is when to come back; zero when the system did not say.
	RetryAt time.Time
	// Err is the cause, for the operator's log only.
	Err error
}

// Error returns the message alone: the code is for machines.
func (e *Error) Error() string {
	if e.Message == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with the code and the formatted message. A %w verb
// sets the cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// CodeOf returns the code of the first Error in err's chain, CodeInternal for
// an error without one, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return e.Code
	}
	return CodeInternal
}

// MessageOf returns what a person outside may read of err: the message of the
// first Error in its chain, "internal error" for an error without one.
func MessageOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Error()
	}
	return "internal error"
}

// RetryAtOf returns when the system asked to come back, or the zero time.
func RetryAtOf(err error) time.Time {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}
