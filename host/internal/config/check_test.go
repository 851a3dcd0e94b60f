package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
)

var systems = []host.System{
	{
		Name: "tryton", Settings: []host.Setting{
			{Name: "url", Type: "url", Label: "Address", Required: true, Placeholder: "https://erp.example.com"},
			{Name: "database", Type: "string", Pattern: "[a-z0-9]+"},
			{Name: "port", Type: "number"},
			{Name: "mode", Type: "string", Choices: []string{"fast", "safe"}},
			{Name: "salt", Type: "string", Secret: true},
		},
		Auth: []host.AuthMethod{
			{Name: "basic", Fields: []host.Setting{{Name: "username", Required: true, Label: "User name"}, {Name: "password", Required: true, Label: "Password", Secret: true}}},
			{Name: "api_key", Fields: []host.Setting{{Name: "code", Required: true, Label: "Code", Secret: true}}},
		},
	},
	{Name: "open", Auth: []host.AuthMethod{{Name: "none"}}},
}

func TestCheckHoldsConnectionsAgainstTheirSystem(t *testing.T) {
	environment(t)
	for name, c := range map[string]struct{ block, want string }{
		"fine":             {`system = "tryton", settings = { url = "https://a.example.com" }, auth = "basic", credentials = { username = "u", password = env("TEST_PASSWORD") }`, ""},
		"login later":      {`system = "tryton", settings = { url = "https://a.example.com" }`, ""},
		"no login":         {`system = "open"`, ""},
		"unknown system":   {`system = "trytn"`, `No connector serves the system "trytn"; known are: "open", "tryton". Did you mean "tryton"?`},
		"missing setting":  {`system = "tryton"`, `The system "tryton" needs the setting "url" (Address).`},
		"unknown setting":  {`system = "tryton", settings = { url = "https://a.example.com", databse = "x" }`, `has no setting "databse"`},
		"suggested":        {`system = "tryton", settings = { url = "https://a.example.com", databse = "x" }`, `Did you mean "database"?`},
		"pattern":          {`system = "tryton", settings = { url = "https://a.example.com", database = "A B" }`, `"settings.database" ("A B") does not have the form [a-z0-9]+.`},
		"number":           {`system = "tryton", settings = { url = "https://a.example.com", port = "x" }`, `"settings.port" must be a number ("x").`},
		"choice":           {`system = "tryton", settings = { url = "https://a.example.com", mode = "save" }`, `Did you mean "safe"?`},
		"url":              {`system = "tryton", settings = { url = "a.example.com" }`, `"settings.url" must be a whole URL`},
		"sensitive url":    {`system = "tryton", settings = { url = env("TEST_PASSWORD") }`, `"settings.url" must be a whole URL`},
		"which auth":       {`system = "tryton", settings = { url = "https://a.example.com" }, credentials = { username = "u" }`, `name one with auth: "api_key", "basic"`},
		"unknown auth":     {`system = "tryton", settings = { url = "https://a.example.com" }, auth = "basik"`, `Did you mean "basic"?`},
		"missing login":    {`system = "tryton", settings = { url = "https://a.example.com" }, auth = "basic", credentials = { username = "u" }`, `needs "password" (Password)`},
		"unknown login":    {`system = "tryton", settings = { url = "https://a.example.com" }, auth = "api_key", credentials = { code = env("TEST_PASSWORD"), kode = "hunter2-literal" }`, `takes no "kode"`},
		"sensitive choice": {`system = "tryton", settings = { url = "https://a.example.com", mode = env("TEST_PASSWORD") }`, `"settings.mode" must be one of "fast", "safe".`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "a.hcl")
			src := "connection \"plant\" {\n" + strings.ReplaceAll(strings.ReplaceAll(c.block, ", settings", "\nsettings"), ", auth", "\nauth") + "\n}\n"
			src = strings.ReplaceAll(src, ", credentials", "\ncredentials")
			if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, diags := config.Load([]string{file})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			diags = cfg.Check(systems)
			var b bytes.Buffer
			if err := config.Render(&b, diags, cfg.Sources()); err != nil {
				t.Fatal(err)
			}
			conn := cfg.Connections[0]
			if c.want == "" {
				if diags.HasErrors() || conn.Invalid != "" {
					t.Errorf("refused: %s", b.String())
				}
				return
			}
			if !strings.Contains(b.String(), c.want) || !strings.Contains(conn.Invalid, "a.hcl:") || len(cfg.Problems) == 0 {
				t.Errorf("want %s\ngot %s\ninvalid: %s", c.want, b.String(), conn.Invalid)
			}
			for _, s := range []string{secretOfEnv, secretLiteral} {
				if strings.Contains(b.String()+conn.Invalid, s) {
					t.Errorf("a secret is shown: %s", b.String())
				}
			}
		})
	}
}

func TestCheckSealsSecretSettingsAndFillsWhatIsClear(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.hcl")
	src := `connection "a" {
  system   = "tryton"
  settings = { url = "https://a.example.com", salt = "hunter2-literal" }
}
connection "b" { system = "open" }
`
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _ := config.Load([]string{file})
	diags := cfg.Check(systems)
	a, b := cfg.Connections[0], cfg.Connections[1]
	if _, ok := a.Settings["salt"]; ok || a.Credentials["setting.salt"].Reveal() != secretLiteral {
		t.Errorf("settings %v", a.Settings)
	}
	if len(diags) != 1 || diags[0].Summary != "Literal secret" {
		t.Errorf("diagnostics %v", diags)
	}
	if b.Credentials == nil || b.Auth != "none" {
		t.Errorf("a system without a login waits for one: %v, auth %q", b.Credentials, b.Auth)
	}
}
