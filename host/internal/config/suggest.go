package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// didYouMean suggests the nearest of the known names, or nothing.
func didYouMean(given string, known []string) string {
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

// quoteAll lists names for people.
func quoteAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range slices.Sorted(slices.Values(names)) {
		out[i] = strconv.Quote(n)
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
