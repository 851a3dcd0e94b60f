package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dinrail/dinrail/host/internal/expr"
)

// didYouMean suggests the nearest of the known names, or nothing.
func didYouMean(given string, known []string) string { return expr.DidYouMean(given, known) }

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
