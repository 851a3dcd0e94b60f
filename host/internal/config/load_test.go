package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dinrail/dinrail/configs"
	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/config"
)

var update = flag.Bool("update", false, "write the expected messages anew")

// The secrets of the tests. None of them may appear in anything rendered.
const (
	secretOfEnv   = "s3cr3t-of-the-environment"
	secretLiteral = "hunter2-literal"
	adminToken    = "dra_0123456789abcdef0123456789abcdef"
	hookSecret    = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
)

func environment(t *testing.T) {
	t.Helper()
	t.Setenv("TEST_PASSWORD", secretOfEnv)
	t.Setenv("TEST_ADMIN_TOKEN", adminToken)
	t.Setenv("TEST_HOOK_SECRET", hookSecret)
	cert, key := pair(t)
	t.Setenv("TEST_CERT", cert)
	t.Setenv("TEST_KEY", key)
}

// pair writes a certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"connect.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "server.pem"), filepath.Join(t.TempDir(), "server.key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: bytes}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// render is all that people can get to see of a configuration.
func render(t *testing.T, cfg *config.Config, diags []string) string {
	t.Helper()
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d)
	}
	for _, c := range cfg.Connections {
		if c.Invalid != "" {
			b.WriteString("invalid: " + string(c.ID) + ": " + c.Invalid + "\n")
		}
	}
	return b.String()
}

func load(t *testing.T, paths ...string) (*config.Config, string, bool) {
	t.Helper()
	cfg, diags := config.Load(paths)
	var b bytes.Buffer
	if err := config.Render(&b, diags, cfg.Sources()); err != nil {
		t.Fatal(err)
	}
	text := filepath.ToSlash(render(t, cfg, []string{b.String()}))
	for _, s := range []string{secretOfEnv, secretLiteral, adminToken, hookSecret} {
		if strings.Contains(text, s) {
			t.Errorf("a secret is shown:\n%s", text)
		}
		for _, p := range cfg.Problems {
			if strings.Contains(p.Summary+p.Detail, s) {
				t.Errorf("a problem tells a secret: %+v", p)
			}
		}
	}
	return cfg, text, diags.HasErrors()
}

func TestBadFilesAreToldInWords(t *testing.T) {
	environment(t)
	files, err := filepath.Glob("testdata/*.bad.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, got, failed := load(t, file)
			if !failed {
				t.Error("loaded without an error")
			}
			want := strings.TrimSuffix(file, ".hcl") + ".want"
			if *update {
				if err := os.WriteFile(want, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(b) {
				t.Errorf("got:\n%s\nwant:\n%s", got, b)
			}
		})
	}
}

func TestFatalAreFilesThatDoNotParseAndTheHostBlock(t *testing.T) {
	environment(t)
	for file, want := range map[string]bool{"host": true, "broken": true, "others": true, "connection": false, "foreach": false, "secrets": false} {
		cfg, diags := config.Load([]string{"testdata/" + file + ".bad.hcl"})
		if got := config.Fatal(diags); got != want {
			t.Errorf("%s: fatal is %v, want %v", file, got, want)
		}
		if len(cfg.Problems) == 0 {
			t.Errorf("%s: no problems", file)
		}
	}
	if _, diags := config.Load([]string{"testdata/nowhere.hcl"}); !config.Fatal(diags) {
		t.Error("a file that is not there is not fatal")
	}
}

func TestEverythingThatCanBeSaid(t *testing.T) {
	environment(t)
	cfg, text, failed := load(t, "testdata/everything.good.hcl")
	if failed {
		t.Fatal(text)
	}
	h := cfg.Host
	if h.RatePerSecond != 10 || h.EncryptData || h.Drain != 90*time.Second || !h.Watch || h.LogLevel != "debug" || len(h.KeyCommand) != 3 {
		t.Errorf("host: %+v", h)
	}
	if l := cfg.Listeners; len(l) != 2 || l[0].URL() != "http://127.0.0.1:7420" || !l[0].Serves(config.ServeAdmin) ||
		l[1].URL() != "https://connect.example.com" || l[1].Serves(config.ServeAdmin) || !l[1].Serves(config.ServeConnect) || len(l[1].TrustedProxies) != 1 || l[1].Cert == "" {
		t.Errorf("listeners: %+v", l)
	}
	if len(cfg.AdminTokens) != 2 || cfg.AdminTokens[0].Role != host.RoleAdmin || cfg.AdminTokens[0].Value.Reveal() != adminToken || cfg.AdminTokens[1].Role != host.RoleOperator {
		t.Errorf("admin tokens: %+v", cfg.AdminTokens)
	}
	if c := cfg.Connectors["tryton"]; c.Memory != 512<<20 || c.Isolation != config.IsolationConnection || c.Source != "dinrail-plugin-tryton" {
		t.Errorf("connector: %+v", c)
	}
	var ids []string
	for _, c := range cfg.Connections {
		ids = append(ids, string(c.ID))
	}
	if got := strings.Join(ids, " "); got != "plant-7-erp plant-8 plant-9" {
		t.Fatalf("connections: %s", got)
	}
	erp := cfg.Connections[0]
	if o := erp.Syncs["purchase_orders"]; o.Every != 15*time.Minute || o.Full != 24*time.Hour || o.History != 90*24*time.Hour {
		t.Errorf("sync: %+v", o)
	}
	if o := erp.Syncs["native/party.party"]; o.Every != host.DefaultEvery || o.Full != 0 || o.History != 0 {
		t.Errorf("sync: %+v", o)
	}
	if erp.Network == nil || erp.Network.Proxy == "" || erp.Credentials["password"].Reveal() != secretOfEnv || erp.Source != "testdata/everything.good.hcl:53" {
		t.Errorf("connection: %+v", erp.Connection)
	}
	if got, err := erp.Map["purchase_orders"].Apply([]byte(`{"x_cost_center":12}`)); err != nil || string(got) != `{"cost_center":12}` {
		t.Errorf("map: %s, %v", got, err)
	}
	if eight := cfg.Connections[1]; eight.Settings["url"] != "https://erp8.example.com" || eight.Settings["database"] != "plant8" {
		t.Errorf("plant-8: %+v", eight.Settings)
	}
	if len(cfg.Webhooks) != 1 || len(cfg.Triggers) != 2 {
		t.Fatalf("%d webhooks, %d triggers", len(cfg.Webhooks), len(cfg.Triggers))
	}
	if w := cfg.Webhooks[0]; w.ID != "maintenance-app" || w.URL != "https://app.example.com/hooks" || len(w.Events) != 4 || w.Timeout != 10*time.Second || w.Rate != 50 ||
		!w.EmptySyncs || !w.AllowPrivate || w.Headers["X-Plant"].Reveal() != "7" || w.Secret.Reveal() != hookSecret || w.Retry.First != 30*time.Second || w.Retry.Factor != 2 || w.Retry.Limit != 24*time.Hour {
		t.Errorf("webhook: %+v", w)
	}
	if a, b := cfg.Triggers[0], cfg.Triggers[1]; a.Name != "low-stock" || a.Entity != "inventory_levels" || a.Limit != 1000 || a.Level || a.Data == nil || b.Every != time.Hour || b.Data != nil {
		t.Errorf("triggers: %+v %+v", a, b)
	}
	if got := erp.Webhooks["maintenance-app"]; len(got) != 2 || got[1] != "connection.*" {
		t.Errorf("the connection's own choice of events: %v", erp.Webhooks)
	}
	if n := strings.Count(text, "Not available yet"); n != 0 {
		t.Errorf("%d blocks and attributes are not available yet:\n%s", n, text)
	}
}

func TestDefaultsOfAnEmptyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "empty.hcl")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, text, failed := load(t, file)
	if failed || cfg.Host.Listen != "127.0.0.1:7420" || cfg.Host.DataDir != "./data" || !cfg.Host.EncryptData || cfg.Host.Drain != 20*time.Second {
		t.Errorf("%+v %s", cfg.Host, text)
	}
}

func TestSensitiveSettingsAreKeptAmongTheCredentials(t *testing.T) {
	environment(t)
	file := filepath.Join(t.TempDir(), "a.hcl")
	src := `connection "a" {
  system   = "tryton"
  settings = { url = env("TEST_PASSWORD"), database = plain(env("TEST_PASSWORD")) }
}`
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Load([]string{file})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	c := cfg.Connections[0]
	if _, ok := c.Settings["url"]; ok || c.Credentials["setting.url"].Reveal() != secretOfEnv {
		t.Errorf("settings %v", c.Settings)
	}
	if c.Settings["database"] != secretOfEnv {
		t.Errorf("plain did not take the mark off")
	}
}

func TestExamplesLoad(t *testing.T) {
	t.Setenv("DINRAIL_ADMIN_TOKEN", adminToken)
	for _, name := range []string{"TRYTON_PASSWORD", "PG_PASSWORD", "MARIADB_PASSWORD", "ODATA_PASSWORD"} {
		t.Setenv(name, secretOfEnv)
	}
	t.Setenv("DINRAIL_WEBHOOK_SECRET", hookSecret)
	dir := t.TempDir()
	n := 0
	err := fs.WalkDir(configs.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(configs.Files, path)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(file, b, 0o600); err != nil {
			return err
		}
		n++
		cfg, text, failed := load(t, file)
		if failed || len(cfg.Connections) == 0 {
			t.Errorf("%s has %d connections:\n%s", path, len(cfg.Connections), text)
		}
		if got := config.Format(b); !bytes.Equal(got, b) {
			t.Errorf("%s is not formatted", path)
		}
		return nil
	})
	if err != nil || n < 2 {
		t.Errorf("%d examples, %v", n, err)
	}
}

func TestFormatLeavesWhatDoesNotParse(t *testing.T) {
	t.Parallel()
	if got := string(config.Format([]byte("host {\nlisten=\"a\"\n}\n"))); got != "host {\n  listen = \"a\"\n}\n" {
		t.Errorf("formatted: %q", got)
	}
	if got := string(config.Format([]byte("host {"))); got != "host {" {
		t.Errorf("broken source changed to %q", got)
	}
}

// FuzzLoad looks for input that makes Load or Render panic. Programs are not
// run: an input that names command is left out.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.hcl")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	file := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, src []byte) {
		if bytes.Contains(bytes.ReplaceAll(src, []byte("key_command"), nil), []byte("command")) {
			return
		}
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := config.Load([]string{file})
		diags = append(diags, cfg.Check(nil)...)
		var b bytes.Buffer
		if err := config.Render(&b, diags, cfg.Sources()); err != nil {
			t.Fatal(err)
		}
		config.Format(src)
	})
}
