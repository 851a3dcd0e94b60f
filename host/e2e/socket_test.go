package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The control socket asks for no token, so nobody but the host's own user and
// root may speak through it: folder and file keep others away, and who comes by
// all the same is looked at.
func TestControlSocketIsForTheHostsUserAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, "")
	h.start()
	data := filepath.Join(h.dir, "data")
	socket := filepath.Join(data, "dinrail.sock")
	for path, want := range map[string]fs.FileMode{data: 0o700, socket: 0o600} {
		if s, err := os.Stat(path); err != nil || s.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want mode %o", path, s.Mode(), err, want)
		}
	}
	if os.Geteuid() != 0 {
		leaveOut(t, "another user at the control socket", "only root can be somebody else")
	}
	for path := h.dir; path != filepath.Clean(os.TempDir()) && path != "/"; path = filepath.Dir(path) {
		s, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, s.Mode().Perm()|0o011); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]fs.FileMode{data: 0o711, socket: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if got := askAs(0, socket); !strings.Contains(got, "200 OK") {
		t.Errorf("root is answered %q", got)
	}
	if got := askAs(65534, socket); got != "" {
		t.Errorf("another user is answered %q", got)
	}
}

// askAs asks for the status as a user: with a thread that is that user's, and
// that nobody uses afterwards.
func askAs(uid uintptr, socket string) string {
	answer := make(chan string)
	go func() {
		runtime.LockOSThread() // and never unlocks it: the thread ends here
		answer <- func() string {
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uid, uid, uid); errno != 0 {
				return fmt.Sprint("become another user: ", errno)
			}
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				return err.Error()
			}
			defer func() { _ = syscall.Close(fd) }()
			if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: socket}); err != nil {
				return "connect: " + err.Error()
			}
			if _, err := syscall.Write(fd, []byte("GET /v1/admin/status HTTP/1.0\r\nHost: dinrail\r\n\r\n")); err != nil {
				return ""
			}
			b := make([]byte, 4096)
			n, _ := syscall.Read(fd, b)
			return string(b[:max(n, 0)])
		}()
	}()
	return <-answer
}
