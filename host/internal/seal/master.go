package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"

	"github.com/dinrail/dinrail/host"
)

// readMaster returns the master keyset of a text or, without one, of a file.
// A file that is not there is made where create says so.
func readMaster(p Params, create bool) (*ring, error) {
	if !p.Text.Empty() {
		h, err := parse([]byte(p.Text.Reveal()))
		if err != nil {
			return nil, keyError(err, "the master key given as host.key or by host.key_command is not one: %v; it is the text of a key file, or 32 random bytes in base64, and older keys in further lines", err)
		}
		return masterRing(h, "given as host.key or by host.key_command")
	}
	b, err := os.ReadFile(p.File)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return makeMaster(p.File)
	case errors.Is(err, fs.ErrNotExist):
		return nil, keyError(err, "the master key file %s is gone, and what is stored was sealed with it: put it back from where you keep a copy; nothing can be read without it", p.File)
	case err != nil:
		return nil, keyError(err, "read the master key file %s: %v; it must be readable by the user that runs dinrail", p.File, pathless(err))
	}
	if err := private(p.File); err != nil {
		return nil, err
	}
	h, err := parse(b)
	if err != nil {
		return nil, keyError(err, "the master key file %s holds no key: %v; put the right file in its place", p.File, err)
	}
	return masterRing(h, "in "+p.File)
}

func masterRing(h *keyset.Handle, where string) (*ring, error) {
	r, err := newRing(formMaster, h)
	if err != nil {
		return nil, keyError(err, "the master key %s cannot be used: %v", where, err)
	}
	return r, nil
}

// keyError is an error about host.key_file or host.key. Its cause never holds
// anything of a key.
func keyError(cause error, format string, args ...any) error {
	return &host.Error{Code: host.CodeInvalid, Message: fmt.Sprintf(format, args...), Path: "host.key_file", Err: cause}
}

func pathless(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// private refuses a key file that everybody on the machine may read.
func private(file string) error {
	st, err := os.Stat(file)
	if err != nil {
		return keyError(err, "look at the master key file %s: %v", file, pathless(err))
	}
	if mode := st.Mode().Perm(); mode&0o007 != 0 {
		return keyError(fs.ErrPermission, "the master key file %s may be read by every user of this machine (mode %04o): chmod 600 it", file, mode)
	}
	return nil
}

// parse reads a keyset as Tink writes it in JSON, or bare keys of 32 bytes in
// base64, one a line: the first seals, all open. Its errors tell nothing of the
// text.
func parse(text []byte) (*keyset.Handle, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil, errors.New("it is empty")
	}
	if text[0] == '{' {
		h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
		if err != nil {
			return nil, errors.New("it is not a keyset in JSON")
		}
		return h, nil
	}
	var raw [][]byte
	for line := range strings.FieldsSeq(string(text)) {
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(line, "="))
		if err != nil || len(b) != 32 {
			return nil, errors.New("it is neither a keyset in JSON nor 32 bytes in base64")
		}
		if slices.ContainsFunc(raw, func(other []byte) bool { return bytes.Equal(other, b) }) {
			return nil, errors.New("it names the same key twice")
		}
		raw = append(raw, b)
	}
	return bare(raw)
}

// bare makes a keyset of keys, of which the first is the primary one. Their
// numbers are derived from them, so that a key opens what it has sealed.
func bare(raw [][]byte) (*keyset.Handle, error) {
	params, err := parameters()
	if err != nil {
		return nil, err
	}
	m := keyset.NewManager()
	for i, b := range raw {
		sum := sha256.Sum256(b)
		id := binary.BigEndian.Uint32(sum[:]) | 1
		k, err := aesgcm.NewKey(secretdata.NewBytesFromData(b, insecuresecretdataaccess.Token{}), id, params)
		if err != nil {
			return nil, err
		}
		if _, err := m.AddKey(k); err != nil {
			return nil, err
		}
		if i > 0 {
			continue
		}
		if err := m.SetPrimary(id); err != nil {
			return nil, err
		}
	}
	return m.Handle()
}

// makeMaster makes a new keyset and its file, which appears whole or not at
// all, and never in place of another.
func makeMaster(file string) (*ring, error) {
	h, err := newKeyset()
	if err != nil {
		return nil, err
	}
	text, err := textOf(h)
	if err != nil {
		return nil, err
	}
	if err := place(file, text); err != nil {
		return nil, keyError(err, "make the master key file %s: %v; choose a host.key_file that this user may write", file, pathless(err))
	}
	return newRing(formMaster, h)
}

// place writes a file beside its place, syncs it, and links it there.
func place(file string, b []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), file)
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err != nil {
		return err
	}
	return syncDir(dir)
}
