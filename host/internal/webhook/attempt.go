package webhook

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/sdk/reach"
)

// outcome is what an attempt came to.
type outcome struct {
	ok      bool
	gone    bool      // the receiver wants nothing any more
	lost    bool      // the outcome could not be written: the delivery is as it was
	at      time.Time // it began
	due     time.Time // of the next attempt; zero: none
	trouble string    // why it failed
}

// attempt sends a delivery and settles what came of it.
func (s *Sender) attempt(ctx context.Context, t *target, d host.Delivery) outcome {
	e, err := s.Store.Event(ctx, d.Sequence)
	switch {
	case errors.Is(err, state.ErrNotFound):
		return s.giveUp(ctx, d, "its event is no longer kept")
	case err != nil:
		s.trouble(ctx, "read an event", t.endpoint.ID, err)
		return outcome{lost: true}
	}
	body, err := s.bodies.of(ctx, &e)
	if err != nil {
		s.trouble(ctx, "make the body of a delivery", t.endpoint.ID, err)
		return outcome{lost: true}
	}
	if len(body) > host.MaxEventBytes {
		return s.giveUp(ctx, d, fmt.Sprintf("its body has %d bytes; at most %d are sent", len(body), host.MaxEventBytes))
	}
	a := host.Attempt{Delivery: d.ID, Number: d.Attempts + 1, StartedAt: time.Now().UTC()}
	r := t.send(ctx, s.Version, e.ID, a.StartedAt, body)
	a.Took, a.Status, a.Error, a.Response = time.Since(a.StartedAt), r.status, r.trouble, r.response
	if ctx.Err() != nil && r.status == 0 {
		return outcome{lost: true} // the host stops: as if it had not begun
	}
	o := outcome{ok: r.trouble == "", gone: r.status == http.StatusGone, at: a.StartedAt, trouble: r.trouble}
	d.Attempts++
	if d.FirstAt.IsZero() {
		d.FirstAt = a.StartedAt
	}
	d.LastStatus, d.Reason, d.DueAt = r.status, r.trouble, time.Time{}
	switch {
	case o.ok:
		d.End(host.DeliveryDelivered, time.Now(), "")
	case o.gone:
		d.Status = host.DeliveryHeld
	default:
		due, more := t.endpoint.Retry.Next(d.FirstAt, a.StartedAt, r.notBefore, spread())
		if more {
			d.DueAt, o.due = due.UTC(), due
		} else {
			d.End(host.DeliveryDead, time.Now(), fmt.Sprintf("%d attempts failed, and the schedule has ended; the last one: %s", d.Attempts, r.trouble))
		}
	}
	s.Attempted(d.Endpoint, outcomeWord(o.ok, d.Status), a.Took)
	return s.settle(ctx, o, state.Settlement{Delivery: d, Attempt: a})
}

func outcomeWord(ok bool, st host.DeliveryStatus) string {
	switch {
	case ok:
		return "succeeded"
	case st == host.DeliveryDead:
		return "dead"
	}
	return "failed"
}

// giveUp makes a delivery dead without an attempt.
func (s *Sender) giveUp(ctx context.Context, d host.Delivery, why string) outcome {
	d.End(host.DeliveryDead, time.Now(), why)
	return s.settle(ctx, outcome{ok: true}, state.Settlement{Delivery: d})
}

// settle writes an outcome; once more where it is unclear whether it was.
func (s *Sender) settle(ctx context.Context, o outcome, st state.Settlement) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout) // what happened is written, also while the host stops
	defer cancel()
	err := s.Store.Settle(ctx, []state.Settlement{st})
	if err != nil && ctx.Err() == nil && !errors.Is(err, state.ErrClosed) {
		err = s.Store.Settle(ctx, []state.Settlement{st})
	}
	if err != nil {
		s.trouble(ctx, "settle a delivery", st.Delivery.Endpoint, err)
		return outcome{lost: true}
	}
	if d := &st.Delivery; d.Status == host.DeliveryDead {
		s.Log.Warn("delivery is dead", "delivery", d.ID, "event", d.Event, "endpoint", d.Endpoint, "attempts", d.Attempts, "reason", d.Reason)
	}
	return o
}

// reply is what a receiver answered.
type reply struct {
	status    int
	trouble   string // why it counts as a failure; empty: it does not
	response  []byte
	notBefore time.Time
}

// send makes one HTTP request.
func (t *target) send(ctx context.Context, version string, id host.EventID, at time.Time, body []byte) reply {
	ctx, cancel := context.WithTimeout(ctx, t.endpoint.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return reply{trouble: "the endpoint's URL cannot be used"}
	}
	for name, v := range t.headers {
		req.Header.Set(name, v)
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Dinrail/"+version)
	h.Set("Webhook-Id", string(id))
	h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Webhook-Signature", signature(t.current(at), id, at, body))
	if v := t.headers["Host"]; v != "" {
		req.Host = v
	}
	res, err := t.client.Do(req)
	if err != nil {
		return reply{trouble: words(err, t.endpoint.Timeout)}
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode, response: beginning(res.Body)}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
	case res.StatusCode >= 300 && res.StatusCode < 400:
		r.trouble = fmt.Sprintf("it answered %d, a redirect, which is not followed; give the endpoint the address it leads to", res.StatusCode)
	case res.StatusCode == http.StatusGone:
		r.trouble = "it answered 410: it wants nothing any more"
	default:
		r.trouble = strings.TrimSpace(fmt.Sprintf("it answered %d %s", res.StatusCode, http.StatusText(res.StatusCode)))
		if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
			r.notBefore = retryAfter(res.Header.Get("Retry-After"), time.Now())
		}
	}
	return r
}

// current returns the keys that sign at a time.
func (t *target) current(at time.Time) [][]byte {
	out := make([][]byte, 0, len(t.keys))
	for i := len(t.keys) - 1; i >= 0; i-- { // the newest first
		if k := &t.keys[i]; k.until.IsZero() || at.Before(k.until) {
			out = append(out, k.bytes)
		}
	}
	return out
}

// beginning reads as much of an answer as is kept; one that does not end is cut
// off there, or where the attempt's time ends.
func beginning(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, host.MaxResponseBytes)) // what came until it broke off is kept
	return b
}

// retryAfter returns when a receiver wants to be asked again (RFC 9110, section
// 10.2.3); zero where it does not say.
func retryAfter(v string, now time.Time) time.Time {
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return now.Add(time.Duration(n) * time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return t
	}
	return time.Time{}
}

// words says why there was no answer. The URL, which may hold a secret, is not
// in it.
func words(err error, timeout time.Duration) string {
	if refused, ok := errors.AsType[*reach.RefusedError](err); ok {
		return refused.Reason
	}
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var expired x509.CertificateInvalidError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", timeout)
	case errors.As(err, &dns):
		return "its host name is not known: " + dns.Name
	case errors.As(err, &authority):
		return "its certificate is not from an authority that is trusted here; give its ca or fingerprint in a network block"
	case errors.As(err, &name):
		return "its certificate is for another name"
	case errors.As(err, &expired):
		return "its certificate is not valid: " + expired.Error()
	case strings.Contains(err.Error(), "connection refused"):
		return "it refuses connections; is the receiver running?"
	case strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return "it speaks http, not https"
	}
	for u := errors.Unwrap(err); u != nil; u = errors.Unwrap(u) {
		err = u // the innermost says what happened, without the URL
	}
	return "it could not be reached: " + err.Error()
}

// equalJSON says whether two values are written alike.
func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
