package definition_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dinrail/dinrail/sdk/definition"
)

// FuzzRead: whatever a file holds, reading it ends, with a system or with
// mistakes that are told.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.hcl")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, []byte(`{"id":1,"state":"OPEN","tags":[1,{}],"asset":{"no":2}}`))
	}
	f.Fuzz(func(t *testing.T, content, raw []byte) {
		s, diags := definition.Read("full.hcl", content, definition.Beside(os.DirFS("testdata"), "."))
		if (s == nil) != diags.HasErrors() {
			t.Fatalf("system %v, %v", s != nil, diags)
		}
		if s == nil {
			return
		}
		v, err := definition.Decode(raw)
		if err != nil {
			return
		}
		for _, e := range s.Entities {
			if _, err := e.Mapper(s.WithDefaults(nil)).Map(v, nil); err != nil {
				continue
			}
		}
	})
}
