package host_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The guards of the house: who may import whom and why, and what every file
// and folder keeps to. They hold for code that does not exist yet, too: a
// package that the table does not know fails until someone writes down what it
// is for.

const module = "github.com/dinrail/dinrail"

// rule says which of our own packages a package may import. A trailing "/..."
// takes in everything below.
type rule struct {
	pkg     string
	imports []string
	reason  string
}

var rules = []rule{
	{"cmd/dinrail", []string{"host", "host/daemon", "sdk/sdktest/acceptance", "proto/..."}, "words on the terminal; what they mean is behind the daemon and the API, and for a connector's author behind the acceptance suite"},
	{"cmd/dinrail-sandbox", nil, "a foreign system: it must not know Dinrail, or it would prove nothing"},
	{"host", nil, "the nouns come first and drag nothing along"},
	{"host/daemon", []string{"host", "host/internal/...", "configs", "sdk/reach"}, "the composition root wires the host; connectors are other programs"},
	{"host/e2e/...", []string{"host", "sdk", "proto/..."}, "whole programs are tested from outside; its broken plugins are plugins"},
	{"host/internal/config", []string{"host", "host/internal/expr", "sdk/definition"}, "HCL becomes checked structs; nothing runs here"},
	{"host/internal/expr", []string{"host", "sdk/expr"}, "expressions become functions of their arguments; the language is that of systems' files, too"},
	{"host/internal/catalog", []string{"host", "sdk/definition", "configs"}, "what can be connected; it neither stores nor starts anything"},
	{"host/internal/apply", []string{"host", "host/internal/state", "host/internal/config", "host/internal/expr"}, "brings state in line with the configuration, and nothing else knows both"},
	{"host/internal/plugin", []string{"host", "proto/..."}, "processes and the wire; authors' SDK is the other side of it"},
	{"host/internal/syncer", []string{"host", "host/internal/state"}, "a stage speaks nouns and the state contract, to no other stage"},
	{"host/internal/event", []string{"host", "host/internal/state"}, "a stage speaks nouns and the state contract, to no other stage"},
	{"host/internal/webhook", []string{"host", "host/internal/state", "sdk/reach"}, "a stage speaks nouns and the state contract, to no other stage; where it may call is the rule that connectors keep to"},
	{"host/internal/connect", []string{"host", "host/internal/state"}, "a stage speaks nouns and the state contract, to no other stage"},
	{"host/internal/auth", []string{"host", "host/internal/state"}, "finds tokens by their hashes; knows neither who serves nor which engine"},
	{"host/internal/backup", []string{"host"}, "the form of a file; what is in it is an engine's"},
	{"host/internal/seal", []string{"host"}, "bytes in, sealed bytes out"},
	{"host/internal/credential", []string{"host", "host/internal/seal"}, "opens what is sealed; stores nothing"},
	{"host/internal/oauth", []string{"host", "host/internal/state"}, "gets tokens at providers and keeps them; opens and seals by what it is given"},
	{"host/internal/state", []string{"host"}, "the contract knows no engine"},
	{"host/internal/state/memory", []string{"host", "host/internal/state"}, "an engine knows the contract alone"},
	{"host/internal/state/badger", []string{"host", "host/internal/state"}, "an engine knows the contract alone"},
	{"host/internal/state/statetest", []string{"host", "host/internal/state", "host/internal/state/memory"}, "the suite holds every engine against the reference engine"},
	{"host/internal/api", []string{"host", "host/internal/state", "host/internal/auth", "host/internal/credential", "sdk/model", "sdk/reach"}, "asks auth who it is, has credentials sealed, reads state and writes wishes; calls no stage and no engine"},
	{"host/internal/ui", []string{"host", "host/internal/state", "sdk/model"}, "reads state and writes wishes; calls no stage and no engine"},
	{"proto/dinrail/connector/v1", nil, "the wire contract depends on nobody"},
	{"proto/wire", []string{"proto/dinrail/connector/v1"}, "handshake and codes of the wire contract, for both of its sides"},
	{"sdk", []string{"proto/...", "sdk/reach"}, "what an author compiles in stays small, and the host is not in it"},
	{"sdk/model", nil, "a leaf: host and connectors share it"},
	{"sdk/reach", nil, "a leaf: which addresses are reached, and how, is one rule for connectors and for webhooks"},
	{"sdk/expr", nil, "a leaf: one language of expressions for the configuration and for systems' files"},
	{"sdk/definition", []string{"sdk/model", "sdk/expr"}, "used on both sides of the wire, so it knows neither"},
	{"sdk/definition/...", []string{"sdk", "sdk/model", "sdk/expr", "sdk/definition"}, "runs a system's file within a connector"},
	{"sdk/sdktest/...", []string{"proto/..."}, "a suite for any connector, spoken to over the wire"},
	{"plugins/...", []string{"sdk", "sdk/model", "sdk/definition", "sdk/definition/..."}, "a connector is what a stranger could write: SDK and the client of its system"},
	{"configs", nil, "files, embedded"},
}

// generated are folders of written-by-program Go.
var generated = []string{"proto/dinrail/connector/v1"}

// mayImportTesting are packages that are suites although no _test.go files.
var mayImportTesting = []string{"sdk/sdktest", "host/internal/state/statetest"}

// fixedNames are the folders and files that the top level has, and no others.
var fixedNames = []string{
	"cmd", "configs", "host", "plugins", "proto", "sdk", "Makefile", "README.md", "go.mod",
	".ci", ".gitignore", ".golangci.yml", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
	"buf.yaml", "buf.gen.yaml", "go.sum",
}

// listed is what `go list -json` tells of a package.
type listed struct {
	ImportPath   string
	Dir          string
	Name         string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
}

func (p listed) path() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// packages lists every package of the module. A package whose code does not
// compile right now is listed all the same: what it imports is still told.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,Name,GoFiles,TestGoFiles,XTestGoFiles,Imports", module+"/...")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, stderr.Bytes())
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("read the list of packages: %v", err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("go list told %d packages; the guards would guard nothing", len(all))
	}
	return all
}

// root is the module's folder: the one above this package's.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("find the module's folder: %v", err)
	}
	return dir
}

func matches(pattern, pkg string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == below || strings.HasPrefix(pkg, below+"/")
	}
	return pkg == pattern
}

func ruleFor(pkg string) (rule, bool) {
	for _, r := range rules {
		if matches(r.pkg, pkg) {
			return r, true
		}
	}
	return rule{}, false
}

// violations returns which imports of a package break its rule, with the
// reason.
func violations(pkg string, imports []string) []string {
	r, ok := ruleFor(pkg)
	if !ok {
		return []string{pkg + " has no line in the table: write down what it may import, and why"}
	}
	var found []string
	for _, imported := range imports {
		own, ok := strings.CutPrefix(imported, module+"/")
		if !ok {
			continue
		}
		if strings.HasSuffix(r.pkg, "/...") && matches(r.pkg, own) && sameProgram(pkg, own) {
			continue
		}
		if !slices.ContainsFunc(r.imports, func(allowed string) bool { return matches(allowed, own) }) {
			found = append(found, pkg+" imports "+own+", which it may not: "+r.reason)
		}
	}
	return found
}

// sameProgram says whether two packages stand in the same folder of the second
// level: plugins/tryton may have packages of its own, but not import those of
// plugins/sandbox.
func sameProgram(a, b string) bool {
	second := func(p string) string { return strings.Join(strings.SplitN(p+"//", "/", 3)[:2], "/") }
	return second(a) == second(b)
}

func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range packages(t) {
		for _, v := range violations(p.path(), p.Imports) {
			t.Error(v)
		}
	}
}

func TestTheTableCatches(t *testing.T) {
	for _, c := range []struct {
		pkg, imported string
		allowed       bool
	}{
		{"host", "host/internal/state", false},
		{"host/internal/syncer", "host", true},
		{"host/internal/syncer", "host/internal/state/badger", false},
		{"host/internal/api", "host/internal/plugin", false},
		{"cmd/dinrail", "host/internal/config", false},
		{"cmd/dinrail", "host/daemon", true},
		{"sdk", "host", false},
		{"plugins/tryton", "sdk", true},
		{"plugins/tryton", "plugins/sandbox", false},
		{"plugins/tryton", "plugins/tryton/client", true},
		{"plugins/tryton/client", "plugins/tryton", true},
		{"host/internal/novel", "host", false},
	} {
		got := len(violations(c.pkg, []string{module + "/" + c.imported})) == 0
		if got != c.allowed {
			t.Errorf("%s importing %s: allowed %v, want %v", c.pkg, c.imported, got, c.allowed)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(generated, p.path()) || len(p.GoFiles) == 0 {
			continue
		}
		var comments []string
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Errorf("%s: %v", p.path(), err)
				continue
			}
			if file.Doc != nil {
				comments = append(comments, file.Doc.Text())
			}
		}
		switch {
		case len(comments) == 0:
			t.Errorf("%s has no package comment: say what it is for, what it promises, what it refuses", p.path())
		case len(comments) > 1:
			t.Errorf("%s has %d package comments; one file carries it", p.path(), len(comments))
		case !opens(comments[0], p):
			t.Errorf("%s: its package comment begins with %q, not with its name", p.path(), strings.SplitN(comments[0], "\n", 2)[0])
		}
	}
}

func opens(comment string, p listed) bool {
	if p.Name == "main" {
		program := path.Base(p.path())
		return strings.HasPrefix(strings.ToLower(comment), program) || strings.HasPrefix(comment, "Command ") ||
			strings.HasPrefix(comment, "Program ") || strings.HasPrefix(strings.ToLower(comment), "dinrail-plugin-"+program)
	}
	return strings.HasPrefix(comment, "Package "+p.Name+" ")
}

func TestNoTestingOutsideTests(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(mayImportTesting, p.path()) {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "testing" || strings.HasPrefix(imported, "testing/") {
				t.Errorf("%s imports %s outside its tests", p.path(), imported)
			}
		}
	}
}

func TestTopLevelHasTheFixedNamesOnly(t *testing.T) {
	tracked := map[string]bool{}
	for _, name := range ownFiles(t) {
		tracked[strings.SplitN(name, "/", 2)[0]] = true
	}
	for name := range tracked {
		if !slices.Contains(fixedNames, name) {
			t.Errorf("%s stands at the top level; it belongs in one of the folders", name)
		}
	}
}

// ownFiles are the files of the repository, relative to its root; not what
// .gitignore leaves out. Without git (a source archive) every file counts.
func ownFiles(t *testing.T) []string {
	t.Helper()
	dir := root(t)
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-co", "--exclude-standard", "-z")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		names := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
		return slices.DeleteFunc(names, func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name))
			return errors.Is(err, fs.ErrNotExist) // deleted, and not committed yet
		})
	}
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{".git", "bin", "data", "dist"}, name) {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFilesStayShort(t *testing.T) {
	const wall = 600
	for _, name := range ownFiles(t) {
		if path.Ext(name) != ".go" || slices.Contains(generated, path.Dir(name)) {
			continue
		}
		body, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		lines, reasoned := 0, false
		for s := bufio.NewScanner(bytes.NewReader(body)); s.Scan(); lines++ {
			if reason, ok := strings.CutPrefix(s.Text(), "// long: "); ok && lines < 10 && reason != "" {
				reasoned = true
			}
		}
		if lines > wall && !reasoned {
			t.Errorf("%s has %d lines, over %d: split it, or say why in its first ten lines (// long: reason)", name, lines, wall)
		}
	}
}

// forbiddenWords are written so that this file does not hold them itself.
var forbiddenWords = []struct {
	word   *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`\b` + `(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`), "do it, or leave it out"},
	{regexp.MustCompile(`/(wo` + `rk|ro` + `ot)/[a-z.]`), "a path of one machine"},
	{regexp.MustCompile(`/ho` + `me/[a-z]+/`), "a path of one machine"},
}

func TestNoForbiddenWords(t *testing.T) {
	for _, name := range ownFiles(t) {
		switch path.Ext(name) {
		case ".go", ".md", ".hcl", ".proto", ".yml", ".yaml", ".txtar", ".sh", ".html", ".mod", "":
		default:
			continue
		}
		if slices.Contains(generated, path.Dir(name)) && path.Ext(name) == ".go" || name == "LICENSE" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(body, []byte("\n")) {
			for _, f := range forbiddenWords {
				if found := f.word.Find(line); found != nil {
					t.Errorf("%s:%d holds %q: %s", name, i+1, found, f.reason)
				}
			}
		}
	}
}

// forbiddenNames are Go names that say nothing.
var forbiddenNames = []string{"Manager", "Service", "Helper", "Util", "Utils", "Common", "Base", "Impl", "Data", "Info"}

func TestExportedTypesHaveNamesThatSaySomething(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(generated, p.path()) {
			continue
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("%s: %v", p.path(), err)
				continue
			}
			for _, declared := range file.Decls {
				types, ok := declared.(*ast.GenDecl)
				if !ok || types.Tok != token.TYPE {
					continue
				}
				for _, spec := range types.Specs {
					name := spec.(*ast.TypeSpec).Name.Name
					for _, word := range forbiddenNames {
						if name == word || strings.HasSuffix(name, word) && ast.IsExported(name) && word != "Base" && word != "Data" {
							t.Errorf("%s.%s: %s says nothing; name it by what it does", p.path(), name, strconv.Quote(word))
						}
					}
				}
			}
		}
	}
}
