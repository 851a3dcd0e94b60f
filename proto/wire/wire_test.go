package wire_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dinrail/dinrail/proto/wire"
)

func TestFailureArrivesAsItLeft(t *testing.T) {
	for _, code := range []string{
		wire.AuthRequired, wire.TokenExpired, wire.PermissionDenied, wire.RateLimited, wire.Unavailable,
		wire.NotFound, wire.Invalid, wire.Conflict, wire.Unsupported, wire.Internal,
	} {
		left := wire.Failure{Code: code, Message: "words", Path: "settings.url", RetryAt: time.Unix(1_700_000_000, 0).UTC()}
		err := left.Status()
		if c := status.Code(err); c == codes.OK || c == codes.Unknown {
			t.Errorf("%s is %s to a generic client", code, c)
		}
		if got, ok := wire.FailureOf(fmt.Errorf("call: %w", err)); !ok || got != left {
			t.Errorf("%+v arrived as %+v", left, got)
		}
	}
}

func TestUnknownCodeTravelsAsInternal(t *testing.T) {
	if got, ok := wire.FailureOf(wire.Failure{Code: "odd", Message: "words"}.Status()); !ok || got.Code != wire.Internal || got.Message != "words" {
		t.Errorf("got %+v", got)
	}
}

func TestErrorsOfOthersCarryNoFailure(t *testing.T) {
	for _, err := range []error{nil, errors.New("plain"), status.Error(codes.Unavailable, "the peer is gone")} {
		if f, ok := wire.FailureOf(err); ok {
			t.Errorf("%v carries %+v", err, f)
		}
	}
}
