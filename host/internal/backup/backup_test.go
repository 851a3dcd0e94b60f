package backup_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host/internal/backup"
)

func written(t *testing.T, content []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := backup.NewWriter(&file, "v1", time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for rest := content; len(rest) > 0; {
		n := min(len(rest), 300_000)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 1 << 20, 3<<20 + 7} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * 7)
		}
		r, err := backup.NewReader(bytes.NewReader(written(t, content)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content) || r.Header.Version != "v1" {
			t.Errorf("%d bytes: %d came, %v", size, len(got), err)
		}
	}
}

// Whatever byte is changed, and wherever the file is cut, it is refused.
func TestDamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	file := written(t, bytes.Repeat([]byte("record "), 400_000))
	for range 300 {
		changed := bytes.Clone(file)
		at := rand.IntN(len(changed))
		changed[at] ^= 1 << rand.IntN(8)
		if _, err := backup.Verify(bytes.NewReader(changed)); err == nil {
			t.Fatalf("byte %d was changed, and nobody noticed", at)
		}
		if _, err := backup.Verify(bytes.NewReader(file[:rand.IntN(len(file))])); err == nil {
			t.Fatal("a part was taken for the whole")
		}
	}
	if _, err := backup.Verify(bytes.NewReader(append(bytes.Clone(file), 'x'))); err == nil {
		t.Error("more than the whole was taken for it")
	}
	if _, err := backup.Verify(strings.NewReader("PK\x03\x04")); err == nil || !strings.Contains(err.Error(), "no backup") {
		t.Errorf("another file: %v", err)
	}
}
