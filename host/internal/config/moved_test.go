package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMovesThatCannotBeAreTold(t *testing.T) {
	t.Parallel()
	moved := func(from, to string) string {
		return "moved {\n  from = \"" + from + "\"\n  to   = \"" + to + "\"\n}\n"
	}
	for text, want := range map[string]string{
		"connection \"a\" {\n  system = \"sandbox\"\n}\n" + moved("a", "b"): "Moved, but still there",
		moved("a", "b") + moved("b", "c") + moved("c", "a"):                 "Moved in a circle",
		moved("a", "b") + moved("a", "c"):                                   "moved from \"a\"",
		moved("a", "a"):                                                     "Moved to itself",
		moved("a b", "c"):                                                   "Wrong id",
	} {
		file := filepath.Join(t.TempDir(), "dinrail.hcl")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, got, _ := load(t, file); !strings.Contains(got, want) || !strings.Contains(got, "dinrail.hcl:") {
			t.Errorf("%s\nis told as %s\nwant %s", text, got, want)
		}
	}
}
