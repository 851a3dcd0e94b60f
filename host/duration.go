package host

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

var days = regexp.MustCompile(`^([+-]?)(\d+(?:\.\d+)?)d(.*)$`)

var errDuration = errors.New(`not a duration; write for example "30s", "15m", "12h" or "90d"`)

// ParseDuration reads Go's durations, and days before them: "90d", "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	m := days.FindStringSubmatch(s)
	if m == nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errDuration
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(m[2], 64)
	if err != nil || n > 100_000 {
		return 0, errDuration
	}
	d := time.Duration(n * float64(24*time.Hour))
	if m[3] != "" {
		rest, err := time.ParseDuration(m[3])
		if err != nil || rest < 0 {
			return 0, errDuration
		}
		d += rest
	}
	if m[1] == "-" {
		d = -d
	}
	return d, nil
}
