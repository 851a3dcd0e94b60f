package seal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/dinrail/dinrail/host"
)

// Rotate makes a new master key and writes it into the key file, beside those
// before, which go on to open what they sealed. The file changes whole or not
// at all, and what is sealed from then on is sealed with the new key. What was
// sealed before is brought under it by Renew and RenewDataKeys.
//
// It refuses keys that did not come from a file: who gave them changes them.
func (k *Keys) Rotate() error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	if k.file == "" {
		return &host.Error{Code: host.CodeInvalid, Path: "host.key", Message: "the master key is given as host.key or by host.key_command, so it is changed there: " +
			"put the new key in the first line and the one before in the next, then start dinrail again; it seals anew what the older one sealed"}
	}
	file, err := filepath.EvalSymlinks(k.file) // what a link leads to is replaced, not the link
	if err != nil {
		return keyError(err, "look at the master key file %s: %v", k.file, pathless(err))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return keyError(err, "read the master key file %s: %v", k.file, pathless(err))
	}
	h, err := parse(b)
	if err != nil {
		return keyError(err, "the master key file %s holds no key: %v; put the right file in its place", k.file, err)
	}
	if r, err := masterRing(h, "in "+k.file); err != nil {
		return err
	} else if r.primary.id != k.master.Load().primary.id {
		return keyError(errOpen, "the master key file %s is not the one that dinrail started with; start it again before you rotate", k.file)
	}
	if h, err = withNewKey(h); err != nil {
		return err
	}
	r, err := newRing(formMaster, h)
	if err != nil {
		return err
	}
	text, err := textOf(h)
	if err != nil {
		return err
	}
	if err := replace(file, text); err != nil {
		return keyError(err, "write the master key file %s: %v; nothing was rotated. The user that runs dinrail must be able to write in its folder", k.file, pathless(err))
	}
	k.master.Store(r)
	return nil
}

// Key names the master key that seals now, by the number that Tink gave it.
func (k *Keys) Key() string { return fmt.Sprintf("%08x", k.master.Load().primary.id) }

// Older tells how many master keys are kept to open what they sealed.
func (k *Keys) Older() int { return len(k.master.Load().all) - 1 }

// Renew returns what the host sealed for itself sealed with the present master
// key. It returns the same bytes where that key has sealed them.
func (k *Keys) Renew(sealed, additional []byte) ([]byte, error) {
	m := k.master.Load()
	if m.current(sealed) {
		return sealed, nil
	}
	plain, err := m.open(nil, sealed, additional)
	if err != nil {
		return nil, err
	}
	return m.seal(plain, additional), nil
}

// RenewDataKeys brings the data keys that an older master key sealed, and the
// key check, under the present one, and returns how many data keys those were.
// Each gets a new key for what is sealed from then on; the ones before still
// open. It may be stopped at any point and done again.
func (k *Keys) RenewDataKeys(ctx context.Context) (int, error) {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	var renewed int
	for after := host.ConnectionID(""); ; {
		all, err := k.shelf.Connections(ctx, after, shelfPage)
		if err != nil {
			return renewed, fmt.Errorf("list the data keys: %w", err)
		}
		for _, c := range all {
			done, err := k.renewDataKey(ctx, c)
			if err != nil {
				return renewed, err
			}
			if done {
				renewed++
			}
		}
		if len(all) < shelfPage {
			break
		}
		after = all[len(all)-1]
	}
	check, err := k.shelf.Key(ctx, "")
	if err != nil {
		return renewed, fmt.Errorf("read the key check: %w", err)
	}
	fresh, err := k.Renew(check, known)
	if err != nil {
		return renewed, fmt.Errorf("open the key check: %w", err)
	}
	if _, err := k.shelf.ReplaceKey(ctx, "", check, fresh); err != nil {
		return renewed, fmt.Errorf("keep the key check: %w", err)
	}
	return renewed, nil
}

const shelfPage = 500

func (k *Keys) renewDataKey(ctx context.Context, c host.ConnectionID) (bool, error) {
	m := k.master.Load()
	for {
		sealed, err := k.shelf.Key(ctx, c)
		if err != nil {
			return false, fmt.Errorf("read the data key of connection %s: %w", c, err)
		}
		if sealed == nil || m.current(sealed) {
			return false, nil // removed in the meantime, or nothing to do
		}
		b, err := m.open(nil, sealed, placeOf(c))
		if err != nil {
			return false, fmt.Errorf("open the data key of connection %s: %w", c, err)
		}
		h, err := unmarshal(b)
		if err != nil {
			return false, fmt.Errorf("open the data key of connection %s: %w", c, err)
		}
		if h, err = withNewKey(h); err != nil {
			return false, err
		}
		if b, err = marshal(h); err != nil {
			return false, err
		}
		done, err := k.shelf.ReplaceKey(ctx, c, sealed, m.seal(b, placeOf(c)))
		if err != nil {
			return false, fmt.Errorf("keep the data key of connection %s: %w", c, err)
		}
		if done {
			k.Forget(c) // the next who needs it reads the new one
			return true, nil
		}
	}
}

// current says whether the primary key sealed the bytes.
func (r *ring) current(sealed []byte) bool {
	return len(sealed) >= prefix && sealed[0] == r.form && binary.BigEndian.Uint32(sealed[2:]) == r.primary.id
}

// withNewKey returns the keyset with one more key, which is the primary one.
func withNewKey(h *keyset.Handle) (*keyset.Handle, error) {
	params, err := parameters()
	if err != nil {
		return nil, err
	}
	m := keyset.NewManagerFromHandle(h)
	id, err := m.AddNewKeyFromParameters(params)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	return m.Handle()
}

// textOf returns a keyset as it stands in a key file.
func textOf(h *keyset.Handle) ([]byte, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("write a keyset: %w", err)
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// replace puts new bytes in the place of a file, with its owner and mode: a
// reader, also one after a loss of power, finds the old ones or the new ones.
func replace(file string, b []byte) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, keepOwner(f, st), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(file))
}

func keepOwner(f *os.File, st os.FileInfo) error {
	own, err := f.Stat()
	if err != nil {
		return err
	}
	want, ok := st.Sys().(*syscall.Stat_t)
	have, ok2 := own.Sys().(*syscall.Stat_t)
	if ok && ok2 && (want.Uid != have.Uid || want.Gid != have.Gid) {
		if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(st.Mode().Perm())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
