//go:build linux || darwin || freebsd

package badger

import "golang.org/x/sys/unix"

// freeBytes returns how much of the folder's disk this user may still fill.
func freeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
