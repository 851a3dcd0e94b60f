package credential_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/credential"
)

// bound opens only what it sealed for the same place.
type bound struct{}

func (bound) Seal(c host.ConnectionID, plain, additional []byte) ([]byte, error) {
	return bytes.Join([][]byte{[]byte(c), additional, plain}, []byte{0}), nil
}

func (bound) Open(c host.ConnectionID, sealed, additional []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, bytes.Join([][]byte{[]byte(c), additional, nil}, []byte{0}))
	if !ok {
		return nil, errors.New("sealed elsewhere")
	}
	return plain, nil
}

func TestCredentialsOpenForTheirOwnConnectionAlone(t *testing.T) {
	box := credential.New(bound{})
	want := map[string]string{"username": "u", "password": "p"}
	sealed, err := box.Seal("a", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := box.Open(&host.Connection{ID: "a", Credentials: sealed})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := box.Open(&host.Connection{ID: "b", Credentials: sealed}); host.CodeOf(err) != host.CodeAuthRequired {
		t.Errorf("another connection opened them: %v", err)
	}
	if got, err := box.Open(&host.Connection{ID: "a"}); err != nil || len(got) != 0 {
		t.Errorf("nobody gave any: %v, %v", got, err)
	}
}

func TestAnswerOpensForItsOwnRequestAlone(t *testing.T) {
	box := credential.New(bound{})
	sealed, err := box.SealAnswer("one", []byte("drc_x"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := box.OpenAnswer("one", sealed); err != nil || string(got) != "drc_x" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := box.OpenAnswer("two", sealed); err == nil {
		t.Error("another request opened it")
	}
}
