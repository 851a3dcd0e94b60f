package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// errOpen is returned for bytes that were not sealed with these keys, for this
// place. It says no more: there is no more to know.
var errOpen = errors.New("the bytes were not sealed with this key for this place")

// The first byte of a sealed value.
const (
	formPlain  = 0 // as it is
	formMaster = 1 // by the master keyset
	formData   = 2 // by the data key of the connection
)

// After the first byte stand, as Tink writes them: a byte of one, the key's
// number, the nonce, and the encrypted bytes with their tag.
const (
	tinkByte  = 1
	prefix    = 1 + 1 + 4
	nonceSize = 12
	tagSize   = 16
)

// ring is a keyset, ready to use. Tink's own primitive would copy every value
// twice more and look its key up by a string; the bytes are the same.
type ring struct {
	form    byte
	primary member
	all     map[uint32]cipher.AEAD
}

type member struct {
	id   uint32
	aead cipher.AEAD
}

func newRing(form byte, h *keyset.Handle) (*ring, error) {
	r := &ring{form: form, all: map[uint32]cipher.AEAD{}}
	for i := range h.Len() {
		e, err := h.Entry(i)
		if err != nil {
			return nil, err
		}
		if e.KeyStatus() != keyset.Enabled {
			continue
		}
		k, ok := e.Key().(*aesgcm.Key)
		if !ok {
			return nil, fmt.Errorf("key %d is not an AES-GCM key", e.KeyID())
		}
		if p := k.OutputPrefix(); len(p) != prefix-1 || p[0] != tinkByte {
			return nil, fmt.Errorf("key %d does not name itself in what it seals (output prefix TINK)", e.KeyID())
		}
		block, err := aes.NewCipher(k.KeyBytes().Data(insecuresecretdataaccess.Token{}))
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		r.all[e.KeyID()] = gcm
		if e.IsPrimary() {
			r.primary = member{e.KeyID(), gcm}
		}
	}
	if r.primary.aead == nil {
		return nil, errors.New("the keyset has no primary key in use")
	}
	return r, nil
}

func (r *ring) seal(plain, additional []byte) []byte {
	out := make([]byte, prefix, prefix+nonceSize+len(plain)+tagSize)
	out[0], out[1] = r.form, tinkByte
	binary.BigEndian.PutUint32(out[2:], r.primary.id)
	return r.primary.aead.Seal(out, nil, plain, additional)
}

func (r *ring) open(dst, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < prefix+nonceSize+tagSize || sealed[0] != r.form || sealed[1] != tinkByte {
		return nil, errOpen
	}
	gcm := r.all[binary.BigEndian.Uint32(sealed[2:])]
	if gcm == nil {
		return nil, errOpen
	}
	body := sealed[prefix:]
	plain, err := gcm.Open(dst, nil, body, additional)
	if err != nil {
		return nil, errOpen
	}
	return plain, nil
}

// parameters of every key: AES-256-GCM, naming itself in what it seals.
func parameters() (*aesgcm.Parameters, error) {
	return aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: 32, IVSizeInBytes: nonceSize, TagSizeInBytes: tagSize, Variant: aesgcm.VariantTink,
	})
}

// newKeyset returns a keyset with one new key.
func newKeyset() (*keyset.Handle, error) {
	params, err := parameters()
	if err != nil {
		return nil, err
	}
	m := keyset.NewManager()
	id, err := m.AddNewKeyFromParameters(params)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, err
	}
	return m.Handle()
}

// marshal returns a keyset's bytes, in clear.
func marshal(h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&b)); err != nil {
		return nil, fmt.Errorf("write a keyset: %w", err)
	}
	return b.Bytes(), nil
}

func unmarshal(b []byte) (*keyset.Handle, error) {
	h, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(b)))
	if err != nil {
		return nil, fmt.Errorf("read a keyset: %w", err)
	}
	return h, nil
}
