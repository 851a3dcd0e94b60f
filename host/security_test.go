package host_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// SECURITY.md names the tests that hold each guard: every row has one, and each
// of them is there.
func TestSecuritysGuardsAreHeldByTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, name := range ownFiles(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range declared.FindAllStringSubmatch(string(code), -1) {
			there[d[1]] = true
		}
	}
	named, rows := regexp.MustCompile("`(Test\\w+)`"), 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat") {
			continue
		}
		rows++
		tests := named.FindAllStringSubmatch(cells[2], -1)
		if len(tests) == 0 {
			t.Errorf("no test holds %q", cells[1])
		}
		for _, n := range tests {
			if !there[n[1]] {
				t.Errorf("there is no %s, which is to hold %q", n[1], cells[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows were found", rows)
	}
}
