package daemon

import (
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/catalog"
	"github.com/dinrail/dinrail/host/internal/config"
)

// CheckSystem reads a system's file, without any host, and writes every mistake
// with its lines to out. The error says why the file cannot be read; of one with
// mistakes the system is not ok.
func CheckSystem(file string, out io.Writer) (s host.System, ok bool, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return s, false, err
	}
	s, diags := catalog.Check(file, b, os.DirFS(filepath.Dir(file)))
	sources := map[string]*hcl.File{}
	if f, _ := hclsyntax.ParseConfig(b, file, hcl.InitialPos); f != nil {
		sources[file] = f
	}
	if err := config.Render(out, diags, sources); err != nil {
		return s, false, err
	}
	return s, !diags.HasErrors(), nil
}
