package host_test

import (
	"testing"

	"github.com/dinrail/dinrail/host"
)

func TestWayToLogInIsTheOneThatTheCredentialsFit(t *testing.T) {
	t.Parallel()
	s := host.System{Auth: []host.AuthMethod{
		{Name: "basic", Fields: []host.Setting{{Name: "username", Required: true}, {Name: "password", Required: true, Secret: true}}},
		{Name: "oauth2", Fields: []host.Setting{{Name: "client_id"}, {Name: "client_secret", Secret: true}}},
		{Name: "bearer", Fields: []host.Setting{{Name: "token", Required: true}}},
	}}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"username", "password"}, "basic"}, {[]string{"password", "setting.pin", "username"}, "basic"},
		{[]string{"client_id", "client_secret"}, "oauth2"}, {[]string{"token"}, "bearer"},
		{[]string{"username"}, ""}, {[]string{"username", "token"}, ""}, {nil, "oauth2"},
	} {
		got := ""
		if m := s.Fitting(c.names); m != nil {
			got = m.Name
		}
		if got != c.want {
			t.Errorf("%v fit %q, want %q", c.names, got, c.want)
		}
	}
}
