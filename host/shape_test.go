package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
)

func TestShapeLeavesOutAndAdds(t *testing.T) {
	t.Parallel()
	s := host.NewShape("people", []string{"people.email", "people.contact.phone", "items.name"}, func(raw []byte) ([]byte, error) {
		if strings.Contains(string(raw), "a@example.com") {
			return nil, errors.New("the mapping saw what is never kept")
		}
		return []byte(`{"badge":7}`), nil
	})
	r := host.Received{
		ID:   "1",
		Body: []byte(`{"name":"Ann","email":"a@example.com","contact":{"phone":"1","city":"X"},"rate":12.50}`),
		Raw:  []byte(`{"email":"a@example.com","x":[{"contact":{"phone":"2"}}],"n":1e400}`),
	}
	if err := s.Apply(&r); err != nil {
		t.Fatal(err)
	}
	if got := string(r.Body); got != `{"contact":{"city":"X"},"name":"Ann","rate":12.50,"custom":{"badge":7}}` {
		t.Errorf("%s", got)
	}
	if got := string(r.Raw); strings.Contains(got, "example.com") || !strings.Contains(got, "1e400") {
		t.Errorf("%s", got)
	}
	plain := host.Received{Body: []byte(`{"a":1}`), Raw: []byte(`{}`)}
	if err := (host.Shape{}).Apply(&plain); err != nil || string(plain.Body) != `{"a":1}` {
		t.Errorf("%s, %v", plain.Body, err)
	}
	bad := host.Received{Body: []byte(`[]`), Raw: []byte(`{}`)}
	if err := host.NewShape("people", nil, func([]byte) ([]byte, error) { return []byte(`{}`), nil }).Apply(&bad); err == nil {
		t.Error("a body that is no object took fields")
	}
}
