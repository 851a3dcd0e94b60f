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

func TestTriggerOnAFieldThatNoSystemHasIsLeftOutWithItsPlace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "triggers.hcl")
	if err := os.WriteFile(file, []byte(`trigger "good" {
  entity = "items"
  when   = record.on_hand < old.on_hand && record.custom.limit == 1 && connection.metadata.customer == "4711"
}

trigger "typo" {
  entity = "items"
  when   = record.onhand < 1
  data   = { who = connection.lable }
}

trigger "native" {
  entity = "native/anything"
  when   = record.whatever == 1
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Load([]string{file})
	diags = append(diags, cfg.Check([]host.System{{Name: "x", Entities: []host.Entity{{Name: "items", Fields: []host.Field{{Name: "on_hand"}, {Name: "item"}}}}}})...)
	var b bytes.Buffer
	if err := config.Render(&b, diags, cfg.Sources()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"triggers.hcl:8", `Items has no field "onhand". Did you mean "on_hand"?`, "triggers.hcl:9", `"lable". Did you mean "label"?`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not told:\n%s", want, b.String())
		}
	}
	var names []string
	for _, tr := range cfg.Triggers {
		names = append(names, tr.Name)
	}
	if got := strings.Join(names, " "); got != "good native" {
		t.Errorf("triggers in use: %s\n%s", got, b.String())
	}
}
