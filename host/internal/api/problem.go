package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// problem is an error as it is answered (RFC 9457).
type problem struct {
	Type      string    `json:"type,omitempty"`
	Title     string    `json:"title"`
	Status    int       `json:"status"`
	Detail    string    `json:"detail"`
	Code      host.Code `json:"code"`
	RequestID string    `json:"request_id"`
	Errors    []fault   `json:"errors,omitempty"`
}

// fault is one mistake in a request.
type fault struct {
	Location string `json:"location"` // "query.limit", "body.settings.url"
	Message  string `json:"message"`
}

// faults are the mistakes of one request.
type faults []fault

// Error implements error.
func (f faults) Error() string {
	words := make([]string, len(f))
	for i, x := range f {
		words[i] = x.Location + ": " + x.Message
	}
	return strings.Join(words, "; ")
}

// statuses tells which HTTP status a code has; any other is 500.
var statuses = map[host.Code]int{
	host.CodeInvalid:               http.StatusUnprocessableEntity,
	host.CodeInvalidCursor:         http.StatusUnprocessableEntity,
	host.CodeIdempotencyKeyReused:  http.StatusUnprocessableEntity,
	host.CodeUnauthorized:          http.StatusUnauthorized,
	host.CodeConnectionAuth:        http.StatusUnauthorized,
	host.CodeConnectionDetached:    http.StatusUnauthorized,
	host.CodeForbidden:             http.StatusForbidden,
	host.CodePermissionDenied:      http.StatusForbidden,
	host.CodeNotFound:              http.StatusNotFound,
	host.CodeConflict:              http.StatusConflict,
	host.CodeIdempotencyInProgress: http.StatusConflict,
	codeOutcomeUnknown:             http.StatusConflict,
	codeMediaType:                  http.StatusUnsupportedMediaType,
	host.CodeCursorExpired:         http.StatusGone,
	host.CodeTooLarge:              http.StatusRequestEntityTooLarge,
	host.CodeRateLimited:           http.StatusTooManyRequests,
	host.CodeAddressRefused:        http.StatusUnprocessableEntity,
	host.CodeUnsupported:           http.StatusNotImplemented,
	host.CodeUnavailable:           http.StatusServiceUnavailable,
	host.CodeConnectionOffline:     http.StatusServiceUnavailable,
	host.CodePluginCrashed:         http.StatusBadGateway,
	host.CodeOutOfMemory:           http.StatusBadGateway,
	host.CodeAuthRequired:          http.StatusBadGateway,
	host.CodeConnectionInvalid:     http.StatusConflict,
}

// problem writes every error that the API answers.
func (a *API) problem(c *call, err error) {
	if c.Request != nil && c.Context().Err() != nil {
		return // nobody reads it
	}
	var bad faults
	var tooLarge *http.MaxBytesError
	p := problem{RequestID: c.id}
	switch {
	case errors.As(err, &bad):
		p.Code, p.Detail, p.Errors = host.CodeInvalid, "the request has mistakes: "+bad.Error(), bad
	case errors.As(err, &tooLarge):
		p.Code, p.Detail = host.CodeTooLarge, "the request has more than "+strconv.Itoa(maxBody)+" bytes"
	case errors.Is(err, state.ErrClosed):
		p.Code, p.Detail = host.CodeUnavailable, "the host stops"
	default:
		p.Code, p.Detail = host.CodeOf(err), host.MessageOf(err)
	}
	p.Status = statuses[p.Code]
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
		a.Log.Error("request failed", "request", c.id, "error", err)
		if host.CodeOf(err) == host.CodeInternal {
			p.Detail = "internal error; the log tells more under request " + c.id
		}
	}
	p.Title = http.StatusText(p.Status)
	if p.Status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="dinrail"`)
	}
	if at := host.RetryAtOf(err); !at.IsZero() {
		seconds := int(at.Sub(a.Clock()).Seconds()) + 1
		c.w.Header().Set("Retry-After", strconv.Itoa(max(seconds, 1)))
	}
	var own *host.Error
	if errors.As(err, &own) && own.Path != "" && p.Errors == nil {
		p.Errors = []fault{{Location: own.Path, Message: own.Message}}
	}
	a.write(c, p.Status, p)
}

// write writes an answer as JSON.
func (a *API) write(c *call, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		a.Log.Error("encode an answer", "request", c.id, "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"status":500,"code":"internal","title":"Internal Server Error"}`)
	}
	kind := "application/json"
	if _, ok := v.(problem); ok {
		kind = "application/problem+json"
	}
	c.w.Header().Set("Content-Type", kind)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(append(b, '\n')) // a caller who went away is no error of ours
}
