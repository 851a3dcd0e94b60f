package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dinrail/dinrail/configs"
	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/catalog"
)

const file = `
system %q {
  label     = "Acme CMMS"
  vendor    = "Acme"
  category  = "cmms"
  connector = %q
  guide     = file("acme.md")
  setting "url" {
    label = "URL"
  }
  auth "basic" {}
  request {
    base = setting.url
  }
  page "none" {}
  entity "vendors" {
    id = raw.id
    list {
      path    = "/vendors"
      records = body
    }
    map {
      name = raw.name
    }
  }
}
`

func folder(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{"acme.md": {Data: []byte("1. Log in.")}}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestFilesJoinTheCatalog(t *testing.T) {
	t.Parallel()
	embedded, diags := catalog.Read(folder(map[string]string{"acme.hcl": fmt.Sprintf(file, "acme", "rest"), "erp.hcl": fmt.Sprintf(file, "erp", "rest"), "far.hcl": fmt.Sprintf(file, "far", "jsonrpc")}), "configs/systems")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	// One's own file stands before the embedded one; a mistake leaves its own file
	// out and no other.
	own, diags := catalog.Read(folder(map[string]string{
		"acme.hcl":   strings.Replace(fmt.Sprintf(file, "acme", "rest"), "Acme CMMS", "Our Acme", 1),
		"broken.hcl": strings.Replace(fmt.Sprintf(file, "broken", "rest"), "raw.name", "rawr.name", 1),
		"notes.txt":  "no system",
	}), "systems")
	if len(own) != 1 || !diags.HasErrors() || diags[0].Subject.Filename != "systems/broken.hcl" || !strings.Contains(diags.Error(), "raw") {
		t.Fatalf("%d systems, %v", len(own), diags)
	}
	c, problems := catalog.New([]catalog.Described{{Connector: "rest"}, {Connector: "go", Systems: []host.System{{Name: "erp", Label: "in Go"}}}}, embedded, own)
	acme, ok := c.Lookup("acme")
	if !ok || acme.Label != "Our Acme" || acme.Connector != "rest" || acme.Guide != "1. Log in." || len(acme.Entities) != 1 || len(acme.Auth) != 1 || acme.Definition != "acme.hcl" {
		t.Errorf("acme: %+v", acme)
	}
	if d := c.Definition("acme"); d == nil || d.Name != "systems/acme.hcl" || string(d.Files["acme.md"]) != "1. Log in." {
		t.Errorf("its file: %+v", d)
	}
	if erp, _ := c.Lookup("erp"); erp.Label != "in Go" || c.Definition("erp") != nil || len(problems) != 1 || !strings.Contains(problems[0].Message, "erp.hcl") {
		t.Errorf("erp: %+v, %v", erp, problems)
	}
	if _, ok := c.Lookup("far"); ok || len(c.Missing()) != 1 {
		t.Error("a system was listed whose connector is not there")
	}
	if none, diags := catalog.Read(fstest.MapFS{}, "nowhere"); len(none) != 0 || diags.HasErrors() {
		t.Errorf("an empty folder: %v", diags)
	}
}

// Every file that comes with the program is a system without a mistake or a
// warning, and says what was proven of it.
func TestEmbeddedSystemsAreRight(t *testing.T) {
	t.Parallel()
	all, diags := catalog.Read(configs.Systems(), "configs/systems")
	if len(diags) > 0 {
		t.Error(diags)
	}
	if len(all) == 0 {
		t.Fatal("there is none")
	}
	for _, d := range all {
		if d.System.Proof == "" || d.System.Vendor == "" || d.System.Guide == "" || len(d.System.Entities) == 0 {
			t.Errorf("%s lacks its vendor, guide, proof or entities", d.Definition.Name)
		}
	}
}

// Two thousand systems are read and listed beside one.
func BenchmarkTwoThousandSystems(b *testing.B) {
	files := map[string]string{}
	for i := range 2000 {
		name := fmt.Sprintf("acme-%d", i)
		files[name+".hcl"] = fmt.Sprintf(file, name, "rest")
	}
	fsys := folder(files)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			all, diags := catalog.Read(fsys, "systems")
			if len(all) != 2000 || diags.HasErrors() {
				b.Fatal(diags)
			}
		}
	})
	all, _ := catalog.Read(fsys, "systems")
	c, _ := catalog.New([]catalog.Described{{Connector: "rest"}}, all)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if len(c.List()) != 2000 {
				b.Fatal("not all are listed")
			}
		}
	})
}
