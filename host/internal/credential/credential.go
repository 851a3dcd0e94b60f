// Package credential seals what a connector logs in with, and opens it at the
// one place that needs it: when a connection is opened.
//
// It promises that credentials are sealed by the host's own keyset and bound to
// their connection, so that a stored value moved to another one is refused.
package credential

import (
	"encoding/json"
	"fmt"

	"github.com/dinrail/dinrail/host"
)

// Sealer seals with the host's keyset where the connection is "".
type Sealer interface {
	Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error)
	Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error)
}

// Box seals and opens credentials. It may be used concurrently.
type Box struct{ sealer Sealer }

// New returns a Box on the sealer.
func New(s Sealer) *Box { return &Box{s} }

func place(id host.ConnectionID) []byte { return []byte("credentials/" + string(id)) }

// Seal returns the sealed form of a connection's credentials.
func (b *Box) Seal(id host.ConnectionID, credentials map[string]string) ([]byte, error) {
	plain, err := json.Marshal(credentials)
	if err != nil {
		return nil, fmt.Errorf("encode credentials of %s: %w", id, err)
	}
	sealed, err := b.sealer.Seal("", plain, place(id))
	if err != nil {
		return nil, fmt.Errorf("seal credentials of %s: %w", id, err)
	}
	return sealed, nil
}

// Open returns a connection's credentials; none where nobody has given any.
func (b *Box) Open(c *host.Connection) (map[string]string, error) {
	if len(c.Credentials) == 0 {
		return map[string]string{}, nil
	}
	plain, err := b.sealer.Open("", c.Credentials, place(c.ID))
	if err != nil {
		return nil, host.Errorf(host.CodeAuthRequired, "the stored credentials of connection %s cannot be opened with this host's key: %w; give them again", c.ID, err)
	}
	return host.CredentialsFrom(plain)
}

// SealAnswer seals an answer that may hold a token, to be told again where a
// request is repeated. Place binds it to that request.
func (b *Box) SealAnswer(place string, answer []byte) ([]byte, error) {
	sealed, err := b.sealer.Seal("", answer, []byte("answer/"+place))
	if err != nil {
		return nil, fmt.Errorf("seal an answer: %w", err)
	}
	return sealed, nil
}

// OpenAnswer opens what SealAnswer sealed for the same place.
func (b *Box) OpenAnswer(place string, sealed []byte) ([]byte, error) {
	answer, err := b.sealer.Open("", sealed, []byte("answer/"+place))
	if err != nil {
		return nil, fmt.Errorf("open an answer: %w", err)
	}
	return answer, nil
}

// SealSigning seals an endpoint's signing secret.
func (b *Box) SealSigning(e *host.Endpoint, key []byte) ([]byte, error) {
	sealed, err := b.sealer.Seal("", key, e.SecretPlace())
	if err != nil {
		return nil, fmt.Errorf("seal the signing secret of endpoint %s: %w", e.ID, err)
	}
	return sealed, nil
}

// SealHeaders seals the headers that go to an endpoint; none are nil.
func (b *Box) SealHeaders(e *host.Endpoint, headers map[string]string) ([]byte, error) {
	if len(headers) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(headers)
	if err != nil {
		return nil, fmt.Errorf("encode the headers of endpoint %s: %w", e.ID, err)
	}
	sealed, err := b.sealer.Seal("", plain, e.HeadersPlace())
	if err != nil {
		return nil, fmt.Errorf("seal the headers of endpoint %s: %w", e.ID, err)
	}
	return sealed, nil
}

// OpenEndpoint returns an endpoint's signing secrets, in their order, and its
// headers.
func (b *Box) OpenEndpoint(e *host.Endpoint) (keys [][]byte, headers map[string]string, err error) {
	for i := range e.Secrets {
		key, err := b.sealer.Open("", e.Secrets[i].Sealed, e.SecretPlace())
		if err != nil {
			return nil, nil, host.Errorf(host.CodeInvalid, "the signing secret of endpoint %s cannot be opened with this host's key: %w; rotate it", e.ID, err)
		}
		keys = append(keys, key)
	}
	if len(e.Headers) == 0 {
		return keys, nil, nil
	}
	plain, err := b.sealer.Open("", e.Headers, e.HeadersPlace())
	if err == nil {
		err = json.Unmarshal(plain, &headers)
	}
	if err != nil {
		return nil, nil, host.Errorf(host.CodeInvalid, "the headers of endpoint %s cannot be opened with this host's key: %w; give them again", e.ID, err)
	}
	return keys, headers, nil
}
