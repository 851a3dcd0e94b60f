package sdk_test

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// snippet is a Go file of the README, under its name.
var snippet = regexp.MustCompile("(?s)(?:<!-- (\\S+) -->\n)?```go\n(.*?)```\n")

// The README's connector is what its reader copies: it stands in a module of
// its own, builds, and passes the acceptance suite that it shows.
func TestReadmesConnectorPassesItsOwnTest(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := snippet.FindAllStringSubmatch(string(text), -1)
	if len(found) < 5 {
		t.Fatalf("%d snippets", len(found))
	}
	for _, s := range found {
		if s[1] == "" {
			t.Errorf("a snippet has no name, so that nobody builds it:\n%s", s[2])
			continue
		}
		if formatted, err := format.Source([]byte(s[2])); err != nil || string(formatted) != s[2] {
			t.Errorf("%s is not formatted (%v)", s[1], err)
		}
		write(s[1], s[2])
	}
	// Its requirements are this module's, and this module stands where it is.
	own, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/dinrail/dinrail"
	write("go.mod", strings.Replace(string(own), "module "+module, "module example.com/dinrail-plugin-stock", 1)+
		"\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	write("go.sum", string(sums))
	for _, args := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
