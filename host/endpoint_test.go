package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
)

func TestDefaultScheduleIsThirteenAttempts(t *testing.T) {
	t.Parallel()
	want := []string{
		"30s", "1m30s", "3m30s", "7m30s", "15m30s", "31m30s", "1h3m30s", "2h7m30s", "4h15m30s", "8h31m30s", "17h3m30s", "24h0m0s",
	}
	got := host.DefaultRetry().Offsets()
	if len(got) != len(want) {
		t.Fatalf("%d attempts after the first: %v", len(got), got)
	}
	for i := range want {
		if got[i].String() != want[i] {
			t.Errorf("attempt %d is due at %s, want %s", i+2, got[i], want[i])
		}
	}
}

func TestNextAttempt(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	short := host.Retry{First: time.Second, Factor: 3, Limit: 10 * time.Second}
	listed := host.Retry{Schedule: []time.Duration{time.Minute, time.Hour}}
	for _, c := range []struct {
		name      string
		retry     host.Retry
		last      time.Duration // since the first attempt
		notBefore time.Duration // 0: none
		spread    float64
		want      time.Duration // -1: none
	}{
		{"the second", host.DefaultRetry(), 0, 0, 0, 30 * time.Second},
		{"the second, spread", host.DefaultRetry(), 0, 0, 1, 33 * time.Second},
		{"the third after a late second", host.DefaultRetry(), 33 * time.Second, 0, 0.5, 93 * time.Second},
		{"the last is spread by five minutes at most", host.DefaultRetry(), 18 * time.Hour, 0, 1, 24*time.Hour + 5*time.Minute},
		{"none after the last", host.DefaultRetry(), 24*time.Hour + time.Minute, 0, 0, -1},
		{"what was missed is not caught up with", host.DefaultRetry(), 3 * time.Hour, 0, 0, 4*time.Hour + 15*time.Minute + 30*time.Second},
		{"a later wish wins", host.DefaultRetry(), 0, 10 * time.Minute, 0, 10 * time.Minute},
		{"and is spread too", host.DefaultRetry(), 0, 10 * time.Minute, 1, 11 * time.Minute},
		{"an earlier one does not", host.DefaultRetry(), 0, time.Second, 0, 30 * time.Second},
		{"one past the end does not pass it", host.DefaultRetry(), time.Hour, 48 * time.Hour, 0, 24 * time.Hour},
		{"another factor", short, time.Second, 0, 0, 4 * time.Second},
		{"its last is the limit", short, 4 * time.Second, 0, 0, 10 * time.Second},
		{"a list", listed, time.Minute, 0, 0, time.Hour + time.Minute},
		{"and its end", listed, time.Hour + time.Minute, 0, 0, -1},
		{"a limit alone", host.Retry{Limit: time.Hour}, 0, 0, 0, time.Hour},
	} {
		var notBefore time.Time
		if c.notBefore > 0 {
			notBefore = first.Add(c.notBefore)
		}
		at, ok := c.retry.Next(first, first.Add(c.last), notBefore, c.spread)
		got := at.Sub(first)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFactorNearOneEnds(t *testing.T) {
	t.Parallel()
	if n := len((host.Retry{First: time.Millisecond, Factor: 1, Limit: 24 * time.Hour}).Offsets()); n > 1000 {
		t.Fatalf("%d attempts", n)
	}
}

func TestEndpointWants(t *testing.T) {
	t.Parallel()
	e := host.Endpoint{Events: []string{"sync.*", "trigger.low-stock"}, Connections: []string{"plant-*"}}
	for _, c := range []struct {
		t    host.EventType
		c    host.ConnectionID
		want bool
	}{
		{"sync.completed", "plant-7", true},
		{"sync.completed", "office", false},
		{"sync.completed", "", true},
		{"syncs.completed", "plant-7", false},
		{"trigger.low-stock", "plant-7", true},
		{"trigger.low-stocks", "plant-7", false},
		{"connection.online", "plant-7", false},
	} {
		if got := e.Wants(c.t, c.c); got != c.want {
			t.Errorf("%s of %q: %t", c.t, c.c, got)
		}
	}
	if !(&host.Endpoint{Events: []string{"*"}}).Wants("custom.x", "any") {
		t.Error("* does not name every type")
	}
	if (&host.Endpoint{Events: []string{"*"}}).Wants("record.updated", "any") || !(&host.Endpoint{Events: []string{"record.*"}}).Wants("record.updated", "any") {
		t.Error("events of records are for those who name them")
	}
}

func TestSigningSecret(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef01234567")
	text := host.FormatSigningSecret(key).Reveal()
	if got, err := host.ParseSigningSecret(text); err != nil || string(got) != string(key) {
		t.Fatalf("%q, %v", got, err)
	}
	if got, err := host.ParseSigningSecret(strings.TrimRight(text, "=")); err != nil || string(got) != string(key) {
		t.Fatalf("without padding: %q, %v", got, err)
	}
	for _, bad := range []string{"", "secret", "whsec_", "whsec_short", "whsec_%%%%", host.FormatSigningSecret(make([]byte, 65)).Reveal()} {
		_, err := host.ParseSigningSecret(bad)
		if host.CodeOf(err) != host.CodeInvalid || len(bad) > 6 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
