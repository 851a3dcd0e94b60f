package host_test

import (
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "1d12h": 36 * time.Hour, "1.5d": 36 * time.Hour, "-2d": -48 * time.Hour, "30s": 30 * time.Second, "0s": 0} {
		if got, err := host.ParseDuration(s); err != nil || got != want {
			t.Errorf("%s is %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "d", "5", "1d-2h", "1w", "9999999d", "1h2d"} {
		if got, err := host.ParseDuration(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}
