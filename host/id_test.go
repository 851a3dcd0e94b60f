package host_test

import (
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
)

func TestTimesAreWrittenAsTheirFormatSays(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 2*60*60)
	for _, at := range []time.Time{
		time.Date(2026, 11, 9, 8, 7, 6, 543_987_654, time.UTC), time.Date(2026, 1, 1, 0, 30, 0, 0, zone),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(1, 2, 3, 4, 5, 6, 7_000_000, time.UTC),
		time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(-1, 999_000_000),
	} {
		if got, want := host.FormatTime(at), at.UTC().Format(host.TimeFormat); got != want {
			t.Errorf("%s is written as %s", want, got)
		}
	}
	if host.FormatTime(time.Time{}) != "" {
		t.Error("no time is written as something")
	}
}
