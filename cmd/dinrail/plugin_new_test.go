package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What `plugin new` writes is what sdk/README.md explains.
func TestTemplateIsTheReadmesConnector(t *testing.T) {
	text, err := os.ReadFile("../../sdk/README.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)<!-- (\\S+) -->\n```go\n(.*?)```\n").FindAllStringSubmatch(string(text), -1) {
		explained[m[1]] = m[2]
	}
	written := map[string]string{}
	if err := templateFiles("stock", "Stock keeper", written); err != nil {
		t.Fatal(err)
	}
	for name := range explained {
		if written[name] == "" {
			t.Errorf("%s is not in the template", name)
		}
	}
	for name, text := range written {
		if text != explained[name] {
			t.Errorf("template/%s.txt differs from sdk/README.md", name)
		}
	}
}

// The module stands alone: it builds, and passes the suite, under any name.
func TestNewConnectorBuildsAndPasses(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if code, out, text := called("", "plugin", "new", "acme-cmms", "--label", "Acme CMMS", "--sdk", root); code != 0 || out != "" || !strings.Contains(text, "cd acme-cmms") {
		t.Fatalf("exit %d: %s%s", code, out, text)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}, {"build", "-o", "connector", "."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = "acme-cmms"
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if code, out, text := called("", "plugin", "check", "acme-cmms/connector"); code != 0 {
		t.Errorf("exit %d: %s%s", code, out, text)
	}
	err = fs.WalkDir(os.DirFS("acme-cmms"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(filepath.Join("acme-cmms", path))
		if strings.Contains(strings.ToLower(string(text)), "stock") {
			t.Errorf("%s still speaks of the stock keeper", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, _, text := called("", "plugin", "new", "acme-cmms", "--sdk", root); code != 1 || !strings.Contains(text, "is there already") {
		t.Errorf("exit %d: %s", code, text)
	}
}

func TestWrongNamesOfConnectorsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args  []string
		code  int
		words string
	}{
		{[]string{"../evil"}, 2, "cannot be a connector's name"},
		{[]string{"Acme"}, 2, "small letters"},
		{[]string{"acme", "--label", `A "quoted" one`}, 2, "label cannot have"},
		{[]string{"acme", "--sdk", "."}, 1, "no checkout of Dinrail"},
		{[]string{"acme"}, 1, "give a checkout of its source by --sdk"},
	} {
		code, _, text := called("", append([]string{"plugin", "new"}, c.args...)...)
		if code != c.code || !strings.Contains(text, c.words) {
			t.Errorf("%q: exit %d, want %d with %q: %s", c.args, code, c.code, c.words, text)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
