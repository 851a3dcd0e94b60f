package sdk_test

import (
	"testing"

	"github.com/dinrail/dinrail/sdk"
)

func TestSettingsAreTextAsAPersonWroteThem(t *testing.T) {
	t.Parallel()
	s := sdk.Settings{"text": "plant7", "number": float64(1_000_000), "fraction": 0.25, "large": float64(1 << 53), "flag": true, "none": nil}
	for name, want := range map[string]string{
		"text": "plant7", "number": "1000000", "fraction": "0.25", "large": "9007199254740992", "flag": "true", "none": "", "missing": "",
	} {
		if got := s.String(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
