package badger_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bare "github.com/dgraph-io/badger/v4"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
	"github.com/dinrail/dinrail/host/internal/state/badger"
)

// wantError ends the test unless the error is for people and says what is
// expected.
func wantError(t *testing.T, err error, says string) {
	t.Helper()
	if he, ok := errors.AsType[*host.Error](err); !ok || he.Code != host.CodeStorage || !strings.Contains(he.Message, says) {
		t.Fatalf("got %v, want a storage error that says %q", err, says)
	}
}

func TestSecondHostIsToldSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir)
	defer e.Close() //nolint:errcheck // looked at by other tests
	_, err := badger.Open(badger.Params{Dir: dir})
	wantError(t, err, "another host uses the data folder "+dir)
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "data")} {
		_, err := badger.Open(badger.Params{Dir: dir})
		wantError(t, err, "choose a data_dir that this user may write to")
	}
}

func TestFolderOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bare.Open(bare.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(txn *bare.Txn) error {
		return txn.Set([]byte{0xff, 0xff, 'f'}, binary.BigEndian.AppendUint32(nil, 2))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = badger.Open(badger.Params{Dir: dir})
	wantError(t, err, "newer dinrail")
}

// What a host with larger memory tables left when it was killed is read.
func TestLargerMemoryTablesAreRead(t *testing.T) {
	t.Parallel()
	killed, left := t.TempDir(), t.TempDir()
	db, err := bare.Open(bare.DefaultOptions(killed).WithLogger(nil).WithValueLogFileSize(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // what it wrote is looked at
	value := make([]byte, 200)
	for n := range uint64(20) {
		if err := db.Update(func(txn *bare.Txn) error {
			var err error
			for i := range uint64(5000) {
				err = errors.Join(err, txn.Set(binary.BigEndian.AppendUint64([]byte("bulk"), n<<32|i), value))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(left, os.DirFS(killed)); err != nil {
		t.Fatal(err)
	}
	if err := open(t, left).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is nearly full stops syncs first: there is still room for what
// is small, and always for what makes room.
func TestNearlyFullDiskStopsSyncs(t *testing.T) {
	t.Parallel()
	full, err := badger.Open(badger.Params{Dir: t.TempDir(), LowSpace: 1 << 62})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // looked at by other tests
	_, err = full.BeginRun(t.Context(), 0, state.Begin{Run: host.Run{ID: "run_1", Connection: "plant", Entity: "items", Mode: host.Full}})
	wantError(t, err, "nearly full")
	_, err = full.Commit(t.Context(), 0, state.Change{Puts: []state.Put{{Kind: state.KindToken, ID: "a", Body: []byte("{}")}}})
	wantError(t, err, "nearly full")
	if _, err := full.Purge(t.Context(), 0, "plant"); err != nil {
		t.Fatalf("purge: %v", err)
	}
}

// Steps that are applied elsewhere, at the sequences that they were given, make
// the same state; and no sequence is given twice.
func TestApplyTakesSequencesAsGiven(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir())
	defer e.Close() //nolint:errcheck // looked at by other tests
	step, err := state.AppendChange(nil, &state.Change{Puts: []state.Put{{Kind: state.KindToken, ID: "a", Body: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
	n, err := e.Apply(t.Context(), 3, 4096, step)
	if err != nil || n != 4096 {
		t.Fatalf("applied at %d, %v", n, err)
	}
	if _, err := e.Apply(t.Context(), 3, 4096, step); err == nil {
		t.Fatal("applied twice at the same sequence")
	}
	d, err := e.Document(t.Context(), 3, state.KindToken, "a")
	if err != nil || d.Revision != 4096 {
		t.Fatalf("revision %d, %v", d.Revision, err)
	}
	if _, err := e.Apply(t.Context(), 3, 5000, []byte{1, 99}); err == nil {
		t.Fatal("applied what is no step")
	}
}
