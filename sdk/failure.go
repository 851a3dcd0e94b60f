package sdk

import (
	"fmt"
	"time"

	"github.com/dinrail/dinrail/proto/wire"
)

// Code says what the host can do about a failure.
type Code string

// The codes of failures.
const (
	CodeAuthRequired     Code = wire.AuthRequired     // the system refuses the login
	CodeTokenExpired     Code = wire.TokenExpired     // Renew, then the call is repeated once
	CodePermissionDenied Code = wire.PermissionDenied // the login may not do this
	CodeRateLimited      Code = wire.RateLimited      // too many calls
	CodeUnavailable      Code = wire.Unavailable      // not reachable now
	CodeNotFound         Code = wire.NotFound         // there is no such thing
	CodeInvalid          Code = wire.Invalid          // the request is wrong
	CodeConflict         Code = wire.Conflict         // changed in between
	CodeUnsupported      Code = wire.Unsupported      // no such power
	CodeInternal         Code = wire.Internal         // a fault of the connector or an answer it cannot read
	CodeAddressRefused   Code = wire.AddressRefused   // it stands where this connection may not reach; HTTP and Dial tell
)

// Failure is an error with a code and words for a person. Any other error that
// a connector returns travels as CodeInternal.
type Failure struct {
	Code    Code
	Message string
	Path    string    // the setting or field at fault ("settings.url"); empty: none
	RetryAt time.Time // when to come back; zero: not told
	Err     error     // the cause, for the log
}

// Error returns the words.
func (f *Failure) Error() string { return f.Message }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Failf returns a Failure with the code and the formatted words.
func Failf(code Code, format string, args ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, args...)}
}
