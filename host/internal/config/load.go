package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/expr"
)

var rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "host"},
	{Type: "listener", LabelNames: []string{"name"}},
	{Type: "admin_token", LabelNames: []string{"name"}},
	{Type: "network", LabelNames: []string{"name"}},
	{Type: "connector", LabelNames: []string{"name"}},
	{Type: "oauth_client", LabelNames: []string{"system"}},
	{Type: "connection", LabelNames: []string{"id"}},
	{Type: "webhook", LabelNames: []string{"name"}},
	{Type: "trigger", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "moved"},
}}

// Load reads the files, and the *.hcl of the folders, together; their order
// does not matter. The Config is never nil: where a diagnostic is Fatal it can
// be shown but not run.
func Load(paths []string) (*Config, hcl.Diagnostics) {
	l := &loader{cfg: &Config{
		Host: DefaultHost(), Networks: map[string]*host.Network{}, Connectors: map[host.ConnectorName]Connector{}, OAuthClients: map[host.SystemName]host.OAuthClient{},
		sources: map[string]*hcl.File{},
	}}
	l.read(paths)
	for _, b := range l.sorted("locals") {
		l.collectLocals(b)
	}
	l.evaluateLocals()
	l.hosts()
	l.listeners()
	l.adminTokens()
	l.networks()
	l.connectors()
	l.oauthClients()
	l.webhooks()
	l.triggers()
	l.connections()
	l.moves()
	inOrder(l.diags)
	return l.cfg, l.diags
}

// inOrder sorts diagnostics by place.
func inOrder(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return cmp.Compare(btoi(a.Subject != nil), btoi(b.Subject != nil))
		}
		return cmp.Or(cmp.Compare(a.Subject.Filename, b.Subject.Filename), cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte), cmp.Compare(a.Summary, b.Summary))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Fatal says whether the host cannot start with these diagnostics.
func Fatal(diags hcl.Diagnostics) bool {
	return slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
		_, fatal := d.Extra.(fatalExtra)
		return fatal && d.Severity == hcl.DiagError
	})
}

// fatalExtra marks a diagnostic with which the host cannot start.
type fatalExtra struct{}

// block is a block and the functions of its file.
type block struct {
	*hcl.Block
	ctx *hcl.EvalContext
}

// name is how problems call the block.
func (b block) name() string {
	if len(b.Labels) == 0 {
		return b.Type
	}
	return fmt.Sprintf("%s %q", b.Type, b.Labels[0])
}

// place is file:line of the block.
func (b block) place() string { return place(b.DefRange) }

func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

type loader struct {
	listenGiven bool // host.listen is not the default
	cfg         *Config
	diags       hcl.Diagnostics
	blocks      []block
	locals      map[string]local
	contexts    []*hcl.EvalContext
	failed      map[string]bool // networks that were left out for a mistake
}

// report adds diagnostics of a block, and the problems that they are.
func (l *loader) report(blockName string, fatal bool, diags hcl.Diagnostics) {
	for _, d := range diags {
		if fatal && d.Severity == hcl.DiagError {
			d.Extra = fatalExtra{}
		}
	}
	l.diags = append(l.diags, diags...)
	l.cfg.addProblems(blockName, fatal, diags)
}

func (c *Config) addProblems(blockName string, fatal bool, diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		p := Problem{Block: blockName, Summary: d.Summary, Detail: d.Detail, Fatal: fatal}
		if d.Subject != nil {
			p.File, p.Line = d.Subject.Filename, d.Subject.Start.Line
		}
		c.Problems = append(c.Problems, p)
	}
}

// read parses every file and collects its blocks.
func (l *loader) read(paths []string) {
	files, diags := list(paths)
	l.report("", true, diags)
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			l.report("", true, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Cannot read configuration", Detail: reason(err), Subject: &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}}})
			continue
		}
		l.cfg.Files = append(l.cfg.Files, name)
		file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		l.cfg.sources[name] = file
		l.report("", true, diags)
		if diags.HasErrors() {
			continue // what a broken file still says would only confuse
		}
		content, diags := file.Body.Content(rootSchema)
		l.report("", false, diags)
		ctx := &hcl.EvalContext{
			Variables: map[string]cty.Value{},
			Functions: expr.Functions(expr.Params{Dir: filepath.Dir(name), Env: os.LookupEnv, Now: time.Now}),
		}
		l.contexts = append(l.contexts, ctx)
		for _, b := range content.Blocks {
			l.blocks = append(l.blocks, block{b, ctx})
		}
	}
}

// list expands folders; the result is sorted and names no file twice.
func list(paths []string) ([]string, hcl.Diagnostics) {
	var files []string
	var diags hcl.Diagnostics
	wrong := func(path, detail string) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No configuration", Detail: detail, Subject: &hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}})
	}
	for _, p := range paths {
		st, err := os.Stat(p)
		switch {
		case err != nil:
			wrong(p, fmt.Sprintf("Cannot read %s: %s. Name a file or a folder with --config or DINRAIL_CONFIG.", p, reason(err)))
		case st.IsDir():
			entries, err := os.ReadDir(p)
			if err != nil {
				wrong(p, fmt.Sprintf("Cannot read the folder %s: %s.", p, reason(err)))
				continue
			}
			n := len(files)
			for _, e := range entries {
				if !e.IsDir() && filepath.Ext(e.Name()) == ".hcl" && !strings.HasPrefix(e.Name(), ".") {
					files = append(files, filepath.Join(p, e.Name()))
				}
			}
			if len(files) == n {
				wrong(p, fmt.Sprintf("The folder %s has no *.hcl file.", p))
			}
		default:
			files = append(files, filepath.Clean(p))
		}
	}
	if len(paths) == 0 {
		wrong("", "Name a file or a folder with --config or DINRAIL_CONFIG.")
	}
	slices.Sort(files)
	return slices.Compact(files), diags
}

// reason is an error of the file system without the path, which stands beside
// it already.
func reason(err error) string {
	if p, ok := err.(*os.PathError); ok { //nolint:errorlint // os returns it unwrapped
		return p.Err.Error()
	}
	return err.Error()
}

// sorted returns the blocks of a type in order of place.
func (l *loader) sorted(kind string) []block {
	var out []block
	for _, b := range l.blocks {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.DefRange.Filename, b.DefRange.Filename), cmp.Compare(a.DefRange.Start.Byte, b.DefRange.Start.Byte))
	})
	return out
}

// unique returns the blocks of a type whose label stands once; the others are
// reported with both places.
func (l *loader) unique(kind string, fatal bool) []block {
	var out []block
	first := map[string]block{}
	for _, b := range l.sorted(kind) {
		if prior, ok := first[b.name()]; ok {
			l.report(b.name(), fatal, hcl.Diagnostics{twice(b.name(), b.DefRange, prior.DefRange)})
			continue
		}
		first[b.name()] = b
		out = append(out, b)
	}
	return out
}

func twice(name string, at, prior hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Named twice", Subject: at.Ptr(),
		Detail: fmt.Sprintf("%s stands at %s and at %s. Rename or remove one of the two.", name, place(prior), place(at)),
	}
}
