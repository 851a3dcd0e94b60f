package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// leaveOut skips a suite that cannot run here, and says so where `make test`
// tells what it left out.
func leaveOut(t testing.TB, suite, why string) {
	t.Helper()
	if f := os.Getenv("DINRAIL_LEFT_OUT"); f != "" {
		w, err := os.OpenFile(f, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatalf("tell that %s is left out: %v", suite, err)
		}
		defer w.Close()
		if _, err := fmt.Fprintf(w, "%s: %s\n", suite, why); err != nil {
			t.Fatalf("tell that %s is left out: %v", suite, err)
		}
	}
	t.Skipf("LEFT OUT: %s: %s", suite, why)
}

// needDebian leaves a suite out where its Debian packages cannot be installed.
func needDebian(t testing.TB, suite string) {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil {
		leaveOut(t, suite, "it is installed from Debian's packages, and this is no Debian")
	}
	if os.Geteuid() != 0 {
		leaveOut(t, suite, "its packages are installed by root")
	}
}
