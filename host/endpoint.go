package host

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"time"
)

// Endpoint is a receiver of webhooks: where events go, which ones, and how
// they are signed and repeated. What its HCL block says is written here when
// configuration is loaded, so that stages and API need state alone.
type Endpoint struct {
	ID          EndpointID `json:"id"`
	URL         string     `json:"url"`
	ManagedBy   ManagedBy  `json:"managed_by"`
	Events      []string   `json:"events"`                // types, "sync.*" for all that begin so, "*" for all
	Connections []string   `json:"connections,omitempty"` // patterns; empty: all
	// Headers is a sealed JSON object of strings, sent along with each attempt;
	// nil where there are none.
	Headers      []byte        `json:"headers,omitempty"`
	Timeout      time.Duration `json:"timeout"`
	Rate         float64       `json:"rate,omitempty"` // attempts a second; 0: no limit
	Retry        Retry         `json:"retry"`
	EmptySyncs   bool          `json:"empty_syncs"`   // false: no event of a run that changed nothing, unless the one before failed
	AllowPrivate bool          `json:"allow_private"` // addresses of private networks may be called
	Network      *Network      `json:"network,omitempty"`
	// Secrets sign; the last is the current one, the others sign along until they
	// end.
	Secrets []SigningSecret `json:"secrets"`
	// FileSecret is the digest of the secret that the file gave last: it tells a
	// change of the file from a rotation.
	FileSecret []byte    `json:"file_secret,omitempty"`
	Source     string    `json:"source,omitempty"` // file:line of its block
	CreatedAt  time.Time `json:"created_at"`

	Disabled *Disabled `json:"disabled,omitempty"` // nil while it is served
	// FailingSince is the first failure since the last success; zero while it is
	// well. Recovering says that it was disabled and has not succeeded since.
	FailingSince time.Time `json:"failing_since,omitzero"`
	Recovering   bool      `json:"recovering,omitempty"`
}

// Disabled says since when and why an endpoint is not served.
type Disabled struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Asked  bool      `json:"asked,omitempty"` // a person wanted it
}

// SigningSecret is one key that signs deliveries.
type SigningSecret struct {
	Sealed []byte    `json:"sealed"`         // the key's bytes
	Until  time.Time `json:"until,omitzero"` // zero: it does not end
}

// Defaults and bounds of endpoints.
const (
	DefaultTimeout    = 10 * time.Second
	RotationOverlap   = 24 * time.Hour      // both secrets sign so long after a rotation
	DisabledAfter     = 5 * 24 * time.Hour  // without a success
	DeadKeptFor       = 30 * 24 * time.Hour // dead and held deliveries
	DeliveredKeptFor  = 7 * 24 * time.Hour  // deliveries that succeeded
	MaxEventBytes     = 256 << 10           // of a delivery's body
	MaxResponseBytes  = 16 << 10            // of an answer that is kept
	defaultRetryFirst = 30 * time.Second
	defaultRetryLimit = 24 * time.Hour
)

// SecretPlace and HeadersPlace bind what is sealed to the endpoint and its use:
// the additional data that it is sealed and opened with.
func (e *Endpoint) SecretPlace() []byte { return []byte("endpoint/" + e.ID + "/secret") }

// HeadersPlace is SecretPlace for the headers.
func (e *Endpoint) HeadersPlace() []byte { return []byte("endpoint/" + e.ID + "/headers") }

// Rotate makes a sealed secret the current one. The one before signs along for
// RotationOverlap; those whose time has ended go.
func (e *Endpoint) Rotate(sealed []byte, at time.Time) {
	var kept []SigningSecret
	for _, s := range e.Secrets {
		if s.Until.IsZero() {
			s.Until = at.Add(RotationOverlap)
		}
		if at.Before(s.Until) {
			kept = append(kept, s)
		}
	}
	e.Secrets = append(kept, SigningSecret{Sealed: sealed})
}

// Wants says whether the endpoint asked for events of the type from the
// connection ("": of none).
func (e *Endpoint) Wants(t EventType, c ConnectionID) bool {
	return MatchesType(e.Events, t) && e.Covers(c)
}

// Takes says whether the endpoint is to have an event: own are what the event's
// connection asks for in the place of its endpoints.
func (e *Endpoint) Takes(ev *Event, own map[EndpointID][]string) bool {
	switch {
	case ev.Type == EventWebhookTest:
		return ev.Endpoint == e.ID
	case ev.Endpoint == e.ID && ev.Endpoint != "":
		return false // it is about the endpoint itself, for the others
	case ev.Quiet && !e.EmptySyncs:
		return false
	}
	if types, ok := own[e.ID]; ok {
		return MatchesType(types, ev.Type)
	}
	return e.Wants(ev.Type, ev.Connection)
}

// Covers says whether the endpoint is for the connection. What belongs to no
// connection is for every endpoint.
func (e *Endpoint) Covers(c ConnectionID) bool {
	if len(e.Connections) == 0 || c == "" {
		return true
	}
	return slices.ContainsFunc(e.Connections, func(p string) bool {
		ok, err := path.Match(p, string(c))
		return ok && err == nil
	})
}

// MatchesType says whether one of the patterns names the type. Events of single
// records are many: only a pattern that says so names them.
func MatchesType(patterns []string, t EventType) bool {
	record := strings.HasPrefix(string(t), recordPrefix)
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, all := strings.CutSuffix(p, "*")
		return p == string(t) || all && strings.HasPrefix(string(t), prefix) && (!record || strings.HasPrefix(prefix, recordPrefix))
	})
}

const recordPrefix = "record."

// A signing secret is 24 to 64 random bytes, written in base64 behind this
// prefix (Standard Webhooks 1.0, "Symmetric signatures").
const (
	secretPrefix   = "whsec_"
	minSecretBytes = 24
	maxSecretBytes = 64
)

// ParseSigningSecret returns the key's bytes. The error is an *Error that does
// not repeat the text.
func ParseSigningSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return nil, Errorf(CodeInvalid, "a signing secret starts with %s, and what follows is base64 of %d to %d random bytes; leave it out to have one made", secretPrefix, minSecretBytes, maxSecretBytes)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		key, err = base64.RawStdEncoding.DecodeString(encoded)
	}
	if err != nil || len(key) < minSecretBytes || len(key) > maxSecretBytes {
		return nil, Errorf(CodeInvalid, "what follows %s in a signing secret is not base64 of %d to %d bytes; leave the secret out to have one made", secretPrefix, minSecretBytes, maxSecretBytes)
	}
	return key, nil
}

// FormatSigningSecret writes a key as its receiver wants it.
func FormatSigningSecret(key []byte) Secret {
	return NewSecret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// Retry says when a delivery that failed is tried again. Either Schedule is
// given, the delays one after the other, or First, Factor and Limit.
type Retry struct {
	First    time.Duration   `json:"first,omitempty"`
	Factor   float64         `json:"factor,omitempty"`
	Limit    time.Duration   `json:"limit,omitempty"` // since the first attempt; the last one is due then
	Schedule []time.Duration `json:"schedule,omitempty"`
}

// DefaultRetry is 30 s doubling, the last attempt at 24 h.
func DefaultRetry() Retry {
	return Retry{First: defaultRetryFirst, Factor: 2, Limit: defaultRetryLimit}
}

const (
	// maxSpread bounds how much later than it is due an attempt is made.
	maxSpread = 5 * time.Minute
	// maxAttempts bounds what a factor near one could ask for.
	maxAttempts = 1000
)

// Offsets returns when the attempts after the first are due, counted from the
// start of the first, ascending.
func (r Retry) Offsets() []time.Duration {
	var out []time.Duration
	var at time.Duration
	for _, d := range r.Schedule {
		at += d
		out = append(out, at)
	}
	if len(out) > 0 {
		return out
	}
	for delay := float64(r.First); r.First > 0 && len(out) < maxAttempts-1; delay *= max(r.Factor, 1) {
		if at += time.Duration(delay); at >= r.Limit {
			break
		}
		out = append(out, at)
	}
	return append(out, r.Limit)
}

// Next returns when a delivery is due again after an attempt that failed, and
// false where that was its last. First and last are when its first and its
// last attempt began. A notBefore that is later than the schedule wins, up to
// the schedule's end; zero: the receiver named none. An attempt is made up to
// a tenth of the delay before it later than it is due, at most five minutes,
// and never earlier, so that what failed together does not come back together;
// spread, from 0 to 1, chooses where.
func (r Retry) Next(first, last, notBefore time.Time, spread float64) (time.Time, bool) {
	offsets := r.Offsets()
	end := offsets[len(offsets)-1]
	passed := last.Sub(first)
	i := slices.IndexFunc(offsets, func(at time.Duration) bool { return at > passed })
	if i < 0 {
		return time.Time{}, false
	}
	at, before := offsets[i], time.Duration(0)
	if i > 0 {
		before = offsets[i-1]
	}
	if wanted := notBefore.Sub(first); wanted > at && !notBefore.IsZero() {
		at, before = min(wanted, end), passed
	}
	return first.Add(at + time.Duration(spread*float64(min((at-before)/10, maxSpread)))), true
}
