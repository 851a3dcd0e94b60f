package expr

import (
	"fmt"

	"github.com/agext/levenshtein"
)

// DidYouMean suggests the nearest of the known names, or nothing.
func DidYouMean(given string, known []string) string {
	best, at := "", 4
	for _, k := range known {
		d := levenshtein.Distance(given, k, nil)
		if d < at && d < len(k) {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}
