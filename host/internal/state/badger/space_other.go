//go:build !(linux || darwin || freebsd)

package badger

import "math"

// freeBytes says that there is always room, where the system is not asked.
func freeBytes(string) (int64, error) { return math.MaxInt64, nil }
