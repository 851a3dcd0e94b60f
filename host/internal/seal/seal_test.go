package seal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/seal"
)

// shelf keeps keys in a map.
type shelf struct {
	mu    sync.Mutex
	kept  map[host.ConnectionID][]byte
	reads int
	full  bool // nothing more can be written
}

func newShelf() *shelf { return &shelf{kept: map[host.ConnectionID][]byte{}} }

func (s *shelf) Key(_ context.Context, c host.ConnectionID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.kept[c], nil
}

func (s *shelf) KeepKey(_ context.Context, c host.ConnectionID, sealed []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[c] == nil {
		s.kept[c] = sealed
	}
	return s.kept[c], nil
}

func (s *shelf) destroy(c host.ConnectionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, c)
}

func open(t testing.TB, p seal.Params) *seal.Keys {
	t.Helper()
	k, err := seal.Open(t.Context(), p)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return k
}

func setup(t testing.TB) (seal.Params, *shelf) {
	s := newShelf()
	return seal.Params{File: filepath.Join(t.TempDir(), "keys", "master.key"), Shelf: s}, s
}

func sealed(t testing.TB, k *seal.Keys, c host.ConnectionID, plain, place string) []byte {
	t.Helper()
	b, err := k.Seal(c, []byte(plain), []byte(place))
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return b
}

func wantOpen(t testing.TB, k *seal.Keys, c host.ConnectionID, b []byte, place, want string) {
	t.Helper()
	got, err := k.Open(c, b, []byte(place))
	if err != nil || string(got) != want {
		t.Fatalf("open: got %q, %v, want %q", got, err, want)
	}
}

func wantRefused(t testing.TB, k *seal.Keys, c host.ConnectionID, b []byte, place string) {
	t.Helper()
	if got, err := k.Open(c, b, []byte(place)); err == nil {
		t.Fatalf("open: got %q, want a refusal", got)
	}
}

func TestSealedBytesOpenAtTheirPlaceOnly(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	k := open(t, p)
	for _, c := range []host.ConnectionID{"", "plant-7"} {
		b := sealed(t, k, c, "secret", "here")
		if bytes.Contains(b, []byte("secret")) {
			t.Fatal("the sealed form shows what was sealed")
		}
		wantOpen(t, k, c, b, "here", "secret")
		wantRefused(t, k, c, b, "there")
		for i := range b {
			damaged := bytes.Clone(b)
			damaged[i] ^= 1
			wantRefused(t, k, c, damaged, "here")
		}
		for n := range b {
			wantRefused(t, k, c, b[:n], "here")
		}
	}
	b := sealed(t, k, "plant-7", "secret", "here")
	sealed(t, k, "plant-8", "secret", "here")
	wantRefused(t, k, "plant-8", b, "here")
	wantRefused(t, k, "", b, "here")
	wantOpen(t, k, "plant-7", sealed(t, k, "", "for the host", "here"), "here", "for the host")
	if bytes.Equal(b, sealed(t, k, "plant-7", "secret", "here")) {
		t.Fatal("the same bytes sealed twice look the same")
	}
}

func TestKeysOutliveTheProcess(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	b := sealed(t, open(t, p), "plant-7", "secret", "here")
	st, err := os.Stat(p.File)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v, want mode 0600", st, err)
	}
	wantOpen(t, open(t, p), "plant-7", b, "here", "secret")

	text, err := os.ReadFile(p.File)
	if err != nil {
		t.Fatal(err)
	}
	fromText := seal.Params{Text: host.NewSecret(string(text)), Shelf: p.Shelf}
	wantOpen(t, open(t, fromText), "plant-7", b, "here", "secret")
}

func TestDestroyedKeyOpensNothing(t *testing.T) {
	t.Parallel()
	p, s := setup(t)
	k := open(t, p)
	b := sealed(t, k, "plant-7", "secret", "here")
	s.destroy("plant-7")
	k.Forget("plant-7")
	wantRefused(t, k, "plant-7", b, "here")
	if s.kept["plant-7"] != nil {
		t.Fatal("to open made a new key")
	}
	again := sealed(t, k, "plant-7", "new", "here")
	wantOpen(t, k, "plant-7", again, "here", "new")
	wantRefused(t, k, "plant-7", b, "here")
}

func TestDataKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	p, s := setup(t)
	k := open(t, p)
	before := s.reads
	var all sync.WaitGroup
	values := make([][]byte, 64)
	for i := range values {
		all.Go(func() {
			b, err := k.Seal("plant-7", []byte("secret"), nil)
			if err != nil {
				t.Errorf("seal: %v", err)
			}
			values[i] = b
		})
	}
	all.Wait()
	other := open(t, p)
	for _, b := range values {
		wantOpen(t, other, "plant-7", b, "", "secret")
	}
	if n := s.reads - before; n > 3 {
		t.Fatalf("the shelf was read %d times", n)
	}
}

func TestUnencryptedDataIsStillSealedForTheHost(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	old := sealed(t, open(t, p), "plant-7", "secret", "here")
	p.Plain = true
	k := open(t, p)
	b := sealed(t, k, "plant-7", "readable", "here")
	if !bytes.Contains(b, []byte("readable")) {
		t.Fatal("the data is not readable")
	}
	wantOpen(t, k, "plant-7", b, "here", "readable")
	wantOpen(t, k, "plant-7", old, "here", "secret")
	if b := sealed(t, k, "", "password", "here"); bytes.Contains(b, []byte("password")) {
		t.Fatal("the host's own is readable")
	}
	p.Plain = false
	wantOpen(t, open(t, p), "plant-7", b, "here", "readable")
	wantRefused(t, k, "", b, "here")
}

func TestBareKeyInBase64(t *testing.T) {
	t.Parallel()
	s := newShelf()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	b := sealed(t, open(t, seal.Params{Text: host.NewSecret(key), Shelf: s}), "plant-7", "secret", "here")
	k := open(t, seal.Params{Text: host.NewSecret(" " + strings.TrimRight(key, "=") + "\n"), Shelf: s})
	wantOpen(t, k, "plant-7", b, "here", "secret")
}

func TestOlderKeysOpen(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	b := sealed(t, open(t, p), "", "secret", "here")

	f, err := os.Open(p.File)
	if err != nil {
		t.Fatal(err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
	if err != nil {
		t.Fatal(err)
	}
	m := keyset.NewManagerFromHandle(h)
	old, err := h.Primary()
	if err != nil {
		t.Fatal(err)
	}
	id, err := m.AddNewKeyFromParameters(old.Key().Parameters())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetPrimary(id); err != nil {
		t.Fatal(err)
	}
	both, err := m.Handle()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(both, keyset.NewJSONWriter(&text)); err != nil {
		t.Fatal(err)
	}
	k := open(t, seal.Params{Text: host.NewSecret(text.String()), Shelf: p.Shelf})
	wantOpen(t, k, "", b, "here", "secret")
	k2 := open(t, p)
	wantRefused(t, k2, "", sealed(t, k, "", "by the new one", "here"), "here")
}

func TestSealedFormIsTinks(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	b := sealed(t, open(t, p), "", "secret", "here")
	f, err := os.Open(p.File)
	if err != nil {
		t.Fatal(err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Primary()
	if err != nil {
		t.Fatal(err)
	}
	a, err := aesgcm.NewAEAD(e.Key().(*aesgcm.Key))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Decrypt(b[1:], []byte("here")); err != nil || string(got) != "secret" {
		t.Fatalf("Tink reads %q, %v", got, err)
	}
}

func TestWrongKeysAreToldAndNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	used, _ := setup(t)
	sealed(t, open(t, used), "plant-7", "secret", "here")
	other, _ := setup(t)
	open(t, other)
	write := func(text string, mode os.FileMode) string {
		file := filepath.Join(t.TempDir(), "k")
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	ok, err := os.ReadFile(used.File)
	if err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "gone", "master.key")
	for name, c := range map[string]struct {
		p    seal.Params
		want string
	}{
		"another file":    {seal.Params{File: other.File}, "is not the one that the stored data was sealed with"},
		"another text":    {seal.Params{Text: host.NewSecret(strings.Repeat("A", 43))}, "host.key"},
		"lost file":       {seal.Params{File: gone}, "is gone"},
		"empty file":      {seal.Params{File: write("", 0o600)}, "holds no key: it is empty"},
		"damaged file":    {seal.Params{File: write(string(ok[:len(ok)/2]), 0o600)}, "not a keyset in JSON"},
		"not a key":       {seal.Params{Text: host.NewSecret("hunter2")}, "32 random bytes in base64"},
		"readable by all": {seal.Params{File: write(string(ok), 0o644)}, "chmod 600"},
		"a folder":        {seal.Params{File: t.TempDir()}, "master key file"},
	} {
		c.p.Shelf = used.Shelf
		_, err := seal.Open(t.Context(), c.p)
		if he, ok := errors.AsType[*host.Error](err); !ok || !strings.Contains(he.Message, c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the key", name)
		}
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new key was made where one was lost: %v", err)
	}
	if now, err := os.ReadFile(used.File); err != nil || !bytes.Equal(now, ok) {
		t.Errorf("the key file changed: %v", err)
	}
}

func TestKeyFileThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := seal.Open(t.Context(), seal.Params{File: filepath.Join(file, "master.key"), Shelf: newShelf()})
	if _, ok := errors.AsType[*host.Error](err); !ok {
		t.Fatalf("got %v, want a *host.Error", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	p, _ := setup(b)
	k := open(b, p)
	plain, place := make([]byte, 300), []byte("work_orders\x0010042")
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.Seal("plant-7", plain, place); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		s := sealed(b, k, "plant-7", string(plain), string(place))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.Open("plant-7", s, place); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tink", func(b *testing.B) {
		f, err := os.Open(p.File)
		if err != nil {
			b.Fatal(err)
		}
		h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(f))
		if err != nil {
			b.Fatal(err)
		}
		e, err := h.Primary()
		if err != nil {
			b.Fatal(err)
		}
		a, err := aesgcm.NewAEAD(e.Key().(*aesgcm.Key))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Encrypt(plain, place); err != nil {
				b.Fatal(err)
			}
		}
	})
}
