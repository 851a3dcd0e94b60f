package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/sdk/definition"
)

// Definition is a system's file as a connector is given it: with the files
// beside it that it reads.
type Definition struct {
	Name    string
	Content []byte
	Files   map[string][]byte
}

// Equal says whether two are the same, byte by byte.
func (d *Definition) Equal(other *Definition) bool {
	if d == nil || other == nil {
		return d == other
	}
	return d.Name == other.Name && bytes.Equal(d.Content, other.Content) && maps.EqualFunc(d.Files, other.Files, bytes.Equal)
}

// Defined is a system that a file describes.
type Defined struct {
	System     host.System // its Connector runs the file
	Definition *Definition
}

// Read reads the systems' files of a folder, each *.hcl one; shown is what the
// folder is called in mistakes. A file with a mistake is left out, and its
// mistakes tell file and line. A folder that is not there has none.
func Read(fsys fs.FS, shown string) ([]Defined, hcl.Diagnostics) {
	entries, err := fs.ReadDir(fsys, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable folder", Detail: fmt.Sprintf("The systems in %s cannot be read: %s.", shown, reason(err))}}
	}
	var out []Defined
	var diags hcl.Diagnostics
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".hcl") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file := path.Join(shown, e.Name())
		content, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unreadable file", Detail: fmt.Sprintf("%s cannot be read: %s.", file, reason(err))})
			continue
		}
		s, wrong := definition.Read(file, content, definition.Beside(fsys, "."))
		diags = append(diags, wrong...)
		if s != nil {
			out = append(out, Defined{systemOf(s), &Definition{Name: file, Content: content, Files: s.Files}})
		}
	}
	return out, diags
}

// Check reads one system's file, with what stands beside it.
func Check(file string, content []byte, beside fs.FS) (host.System, hcl.Diagnostics) {
	s, diags := definition.Read(file, content, definition.Beside(beside, "."))
	if s == nil {
		return host.System{}, diags
	}
	return systemOf(s), diags
}

func reason(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// systemOf is a compiled file in the words of the catalog.
func systemOf(s *definition.System) host.System {
	out := host.System{
		Name: host.SystemName(s.Name), Label: s.Label, Vendor: s.Vendor, Category: s.Category, Website: s.Website,
		Connector: host.ConnectorName(s.Connector), Definition: path.Base(s.Range.Filename), Guide: s.Guide, Settings: settingsOf(s.Settings), Proof: s.Proof.String(),
	}
	for _, a := range s.Auth {
		m := host.AuthMethod{Name: a.Kind, Label: a.Label, Fields: settingsOf(a.Fields)}
		if o := a.OAuth; o != nil {
			m.OAuth = &host.OAuth{Grants: o.Grants, AuthorizeURL: s.Template(o.AuthorizeURL), TokenURL: s.Template(o.TokenURL), Scopes: o.Scopes, Parameters: o.Parameters}
		}
		out.Auth = append(out.Auth, m)
	}
	for _, e := range s.Entities {
		entity := host.Entity{
			Name: host.EntityName(e.Name), Label: e.Label, Key: []string{"id"}, Incremental: e.Incremental(), TellsDeletions: e.TellsDeletions(),
			Creatable: e.Create != nil, Updatable: e.Update != nil, Deletable: e.Delete != nil,
		}
		for _, f := range e.Fields() {
			entity.Fields = append(entity.Fields, host.Field{Name: f.Name, Type: f.Type, Readable: f.Readable, Writable: f.Writable})
		}
		out.Entities = append(out.Entities, entity)
	}
	return out
}

func settingsOf(all []definition.Field) []host.Setting {
	out := make([]host.Setting, len(all))
	for i, f := range all {
		out[i] = host.Setting(f)
	}
	return out
}

// join adds what files describe to what connectors do. A connector's own system
// stands before a file's, and a file of a later folder before one of an earlier:
// an operator's own mends the one that comes with the program.
func (c *Catalog) join(folders [][]Defined, connectors []host.ConnectorName) []host.Problem {
	var problems []host.Problem
	own := len(c.systems)
	files := map[host.SystemName]Defined{}
	for _, folder := range folders {
		for _, d := range folder {
			files[d.System.Name] = d
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d := files[name]
		switch {
		case slices.ContainsFunc(c.systems[:own], func(s host.System) bool { return s.Name == name }):
			problems = append(problems, host.Problem{Code: host.CodeConflict, Message: fmt.Sprintf(
				"a connector serves the system %q already; the file %s is left out: give it another name", name, d.Definition.Name)})
			continue
		case !slices.Contains(connectors, d.System.Connector):
			c.missing = append(c.missing, d.System)
			continue
		}
		c.systems = append(c.systems, d.System)
		c.definitions[name] = d.Definition
	}
	return problems
}
