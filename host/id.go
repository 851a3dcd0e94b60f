package host

import (
	"regexp"
	"strings"
	"time"
)

// Identifiers have a type each, so that arguments cannot be swapped.
type (
	// ConnectionID names a connection; the operator or the API's caller chose
	// it. It is a valid ID by ValidID.
	ConnectionID string
	// SystemName names a system of the catalog ("tryton").
	SystemName string
	// ConnectorName names a connector ("tryton", "rest"); its plugin's binary is
	// dinrail-plugin-<name>.
	ConnectorName string
	// EntityName names an entity: a unified one by its plain name
	// ("work_orders"), a native one as "native/NAME".
	EntityName string
	// RecordID is the system's own id of a record: at most MaxRecordID bytes of
	// valid UTF-8.
	RecordID string
	// RunID names a run. Runs, events and deliveries have prefixed ULIDs (run_, evt_,
	// dlv_), so that they sort by their time of making.
	RunID string
	// EventID names an event; it is the webhook-id of its deliveries.
	EventID string
	// DeliveryID names a delivery.
	DeliveryID string
	// EndpointID names an endpoint of webhooks.
	EndpointID string
	// TokenID names a token without opening anything.
	TokenID string
	// SessionID names a connect session without opening it.
	SessionID string
	// SignInID names a sign-in to the dashboard without opening it.
	SignInID string
	// WishID names a wish.
	WishID string
	// Sequence is the place of a change in its partition. Sequences increase and
	// have gaps; only larger and smaller mean something. Zero is before all.
	Sequence uint64
	// Partition is what changes together and lives together in a state engine.
	// On one machine everything lives in partition 0.
	Partition uint16
	// Fence is the number that a run's holder shows with each write; a new
	// holder gets a new one, and the old one is refused from then on.
	Fence uint64
)

// NativePrefix stands before the names of native entities.
const NativePrefix = "native/"

// Native says whether the entity is one of the system's own rather than one of
// the unified model.
func (e EntityName) Native() bool { return strings.HasPrefix(string(e), NativePrefix) }

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidID says whether s can be the id of a connection, endpoint, event or
// token: 1 to 64 characters of A-Z a-z 0-9 _ -.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// TimeFormat is how times are written wherever people or programs outside see
// them: RFC 3339, UTC, milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// FormatTime writes t in TimeFormat; the zero time is "".
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return string(AppendTime(make([]byte, 0, len(TimeFormat)), t))
}

// AppendTime appends t in TimeFormat. Lists are full of times: this writes one
// in a third of what reading the format each time takes.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, TimeFormat)
	}
	hour, minute, second := t.Clock()
	milli := t.Nanosecond() / int(time.Millisecond)
	digit := func(n int) byte { return byte('0' + n%10) }
	return append(b,
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-', digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day),
		'T', digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second),
		'.', digit(milli/100), digit(milli/10), digit(milli), 'Z')
}
