package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// longestSocketDir leaves room for go-plugin's own part of a socket's path,
// which is bounded by the kernel at 107 bytes.
const longestSocketDir = 60

// socketDir returns a folder of mode 0700 for a process's socket.
func (h *Host) socketDir() (string, error) {
	dir := filepath.Join(h.runDir, "s")
	if len(dir) > longestSocketDir {
		// The same short folder for the same run folder's owner; go-plugin makes
		// a folder of its own in it with mode 0700.
		dir = filepath.Join(os.TempDir(), "dinrail-"+strconv.Itoa(os.Geteuid()))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder for sockets: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(st.Uid) != os.Geteuid() {
		return "", fmt.Errorf("the folder for sockets %s belongs to somebody else or is open to others; remove it", dir)
	}
	return dir, nil
}

// remember writes down a process, so that a later host can end it should this
// one and the kernel's death signal both have failed.
func (h *Host) remember(p *process) string {
	path := filepath.Join(h.runDir, strconv.Itoa(p.pid())+".pid")
	text := fmt.Sprintf("%d %s\n", p.pid(), startOf(p.pid()))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.log.Warn("remember a process", "error", err)
	}
	return path
}

// sweep ends processes that an earlier host has left behind, and removes its
// files.
func (h *Host) sweep() error {
	files, err := filepath.Glob(filepath.Join(h.runDir, "*.pid"))
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("read what an earlier host left: %w", err)
		}
		var pid int
		var start string
		// A number may have been given to another process since: its start tells.
		if _, err := fmt.Sscan(string(b), &pid, &start); err == nil && pid > 1 && start != "" && start == startOf(pid) {
			h.log.Warn("ending a connector that an earlier host left behind", "pid", pid)
			if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d of an earlier host: %w", pid, err)
			}
		}
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(h.runDir, "s"))
}

// startOf returns when a process started, in the kernel's own count; "" if
// there is none.
func startOf(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
