package seal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/seal"
)

func (s *shelf) ReplaceKey(_ context.Context, c host.ConnectionID, before, sealed []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return false, errFull
	}
	if s.kept[c] == nil || !bytes.Equal(s.kept[c], before) {
		return false, nil
	}
	s.kept[c] = sealed
	return true, nil
}

var errFull = errors.New("the disk is full")

func (s *shelf) Connections(_ context.Context, after host.ConnectionID, limit int) ([]host.ConnectionID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []host.ConnectionID
	for c := range s.kept {
		if c > after {
			all = append(all, c)
		}
	}
	slices.Sort(all)
	return all[:min(limit, len(all))], nil
}

func TestRotationSealsWithANewKeyAndOpensWithTheOnesBefore(t *testing.T) {
	t.Parallel()
	p, s := setup(t)
	k := open(t, p)
	if err := os.Chmod(p.File, 0o640); err != nil {
		t.Fatal(err)
	}
	first, own := k.Key(), sealed(t, k, "", "secret", "here")
	data := sealed(t, k, "plant-7", "record", "there")
	keyBefore := bytes.Clone(s.kept["plant-7"])
	thief := open(t, seal.Params{Text: host.NewSecret(read(t, p.File)), Shelf: s}) // has a copy of the first key

	if err := k.Rotate(); err != nil {
		t.Fatal(err)
	}
	if k.Key() == first || k.Older() != 1 {
		t.Fatalf("key %s after %s, %d older", k.Key(), first, k.Older())
	}
	if n, err := k.RenewDataKeys(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d data keys renewed, %v", n, err)
	}
	if n, err := k.RenewDataKeys(t.Context()); n != 0 || err != nil {
		t.Fatalf("done again: %d data keys renewed, %v", n, err)
	}
	fresh, err := k.Renew(own, []byte("here"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := k.Renew(fresh, []byte("here")); err != nil || !bytes.Equal(again, fresh) {
		t.Fatalf("renewed twice: %v", err)
	}
	if _, err := k.Renew(own, []byte("elsewhere")); err == nil {
		t.Fatal("a value was renewed for another place")
	}
	later := sealed(t, k, "plant-7", "later", "there")
	for _, k := range []*seal.Keys{k, open(t, p)} {
		wantOpen(t, k, "", own, "here", "secret")
		wantOpen(t, k, "", fresh, "here", "secret")
		wantOpen(t, k, "plant-7", data, "there", "record")
		wantOpen(t, k, "plant-7", later, "there", "later")
	}
	// The first key, also with a copy of the data key that it opens, opens nothing
	// that was sealed since.
	wantRefused(t, thief, "", fresh, "here")
	wantRefused(t, thief, "plant-7", later, "there")
	s.kept["plant-7"] = keyBefore
	wantRefused(t, open(t, p), "plant-7", later, "there")

	st, err := os.Stat(p.File)
	if err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("the key file has mode %v, %v", st.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(p.File)); len(files) != 1 {
		t.Errorf("beside the key file lie %v", files)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRotationThatWasInterruptedGoesOn(t *testing.T) {
	t.Parallel()
	p, s := setup(t)
	k := open(t, p)
	data := sealed(t, k, "plant-7", "record", "there")
	if err := k.Rotate(); err != nil {
		t.Fatal(err)
	}
	s.full = true
	if _, err := k.RenewDataKeys(t.Context()); !errors.Is(err, errFull) {
		t.Fatalf("got %v", err)
	}
	wantOpen(t, k, "plant-7", data, "there", "record")
	s.full = false
	k = open(t, p)
	if k.Older() != 1 {
		t.Fatalf("%d older keys", k.Older())
	}
	if n, err := k.RenewDataKeys(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d data keys renewed, %v", n, err)
	}
	wantOpen(t, k, "plant-7", data, "there", "record")
}

func TestRotationOfAGivenKeyIsMadeWhereItIsGiven(t *testing.T) {
	t.Parallel()
	_, s := setup(t)
	line := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }
	given := func(lines ...string) seal.Params {
		return seal.Params{Text: host.NewSecret(strings.Join(lines, "\n")), Shelf: s}
	}
	k := open(t, given(line(1)))
	data := sealed(t, k, "plant-7", "record", "there")
	if he, ok := errors.AsType[*host.Error](k.Rotate()); !ok || he.Code != host.CodeInvalid || !strings.Contains(he.Message, "first line") {
		t.Fatalf("got %v", he)
	}
	k = open(t, given(line(2), line(1)))
	if n, err := k.RenewDataKeys(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d data keys renewed, %v", n, err)
	}
	// Then the first key is of no use any more.
	wantOpen(t, open(t, given(line(2))), "plant-7", data, "there", "record")
	if _, err := seal.Open(t.Context(), given(line(1))); err == nil {
		t.Fatal("the key before still opens")
	}
	if _, err := seal.Open(t.Context(), given(line(2), line(2))); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Fatalf("the same key twice: %v", err)
	}
}

func TestRotationThatCannotWriteItsFileChangesNothing(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	k := open(t, p)
	before, first := read(t, p.File), k.Key()
	for name, spoil := range map[string]func() func(){
		"another key": func() func() {
			other, _ := setup(t)
			open(t, other)
			must(t, os.WriteFile(p.File, []byte(read(t, other.File)), 0o600))
			return func() { must(t, os.WriteFile(p.File, []byte(before), 0o600)) }
		},
		"no key": func() func() {
			must(t, os.WriteFile(p.File, []byte("{"), 0o600))
			return func() { must(t, os.WriteFile(p.File, []byte(before), 0o600)) }
		},
		"no file": func() func() {
			must(t, os.Remove(p.File))
			return func() { must(t, os.WriteFile(p.File, []byte(before), 0o600)) }
		},
	} {
		mend := spoil()
		err := k.Rotate()
		if he, ok := errors.AsType[*host.Error](err); !ok || he.Path != "host.key_file" {
			t.Errorf("%s: got %v", name, err)
		}
		mend()
		if k.Key() != first {
			t.Fatalf("%s: another key seals", name)
		}
	}
	// Through a link, its target is replaced.
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(p.File, link))
	linked := p
	linked.File = link
	k = open(t, linked)
	must(t, k.Rotate())
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", st.Mode(), err)
	}
	if open(t, p).Key() != k.Key() {
		t.Error("what the link leads to was not replaced")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
