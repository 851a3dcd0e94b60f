package acceptance

import (
	"fmt"
	"os"
	"path/filepath"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// mostBeside bounds a file that is sent with a definition.
const mostBeside = 1 << 20

// definition reads the system's file and what stands beside it; nil where the
// connector needs none.
func (o Options) definition() (*connectorv1.Definition, error) {
	if o.Definition == "" {
		return nil, nil
	}
	content, err := os.ReadFile(o.Definition)
	if err != nil {
		return nil, fmt.Errorf("read Options.Definition: %w", err)
	}
	d := &connectorv1.Definition{Name: filepath.Base(o.Definition), Content: content, Files: map[string][]byte{}}
	beside, err := os.ReadDir(filepath.Dir(o.Definition))
	if err != nil {
		return nil, fmt.Errorf("read what stands beside Options.Definition: %w", err)
	}
	for _, f := range beside {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > mostBeside || filepath.Ext(f.Name()) == ".hcl" {
			continue
		}
		if d.Files[f.Name()], err = os.ReadFile(filepath.Join(filepath.Dir(o.Definition), f.Name())); err != nil {
			return nil, fmt.Errorf("read what stands beside Options.Definition: %w", err)
		}
	}
	return d, nil
}
