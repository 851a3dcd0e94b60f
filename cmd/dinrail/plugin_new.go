package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

// template is the connector of sdk/README.md, file by file.
//
//go:embed template
var template embed.FS

// ourModule is the module that a connector is built against.
const ourModule = "github.com/dinrail/dinrail"

var connectorName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func (c *cli) pluginNew() *cobra.Command {
	var label, sdk string
	command := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the beginning of a connector",
		Long: "Writes a module of its own into ./NAME: a small connector that builds and passes the acceptance suite, to be\n" +
			"changed piece by piece into yours. sdk/README.md explains each part.",
		Example: "  dinrail plugin new acme-cmms --label \"Acme CMMS\"\n  cd acme-cmms && go test ./...",
		Args:    between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			name := args[0]
			if !connectorName.MatchString(name) {
				return wrong(command, "%q cannot be a connector's name: it has small letters, digits and dashes, 40 at most, and begins with a letter", name)
			}
			if label == "" {
				label = strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " ")
			}
			if strings.ContainsAny(label, "\"`\\%\n\r") {
				return wrong(command, "the label cannot have quotes, backslashes, percent signs or line breaks")
			}
			files, err := moduleFiles(name, sdk)
			if err != nil {
				return err
			}
			if err := templateFiles(name, label, files); err != nil {
				return err
			}
			if err := writeNew(name, files); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s is a connector that passes. See it do so:\n  cd %s && go test ./...\n", name, name)
			return nil
		},
	}
	command.Flags().StringVar(&label, "label", "", "`NAME` of the system for people (else made of NAME)")
	command.Flags().StringVar(&sdk, "sdk", "", "`CHECKOUT` of Dinrail to build against (else the one that this program or folder stands in, else the release of this program)")
	return command
}

// templateFiles adds the connector under its own name.
func templateFiles(name, label string, files map[string]string) error {
	rename := strings.NewReplacer("dinrail-plugin-stock", "dinrail-plugin-"+name, `"stock"`, `"`+name+`"`, "stock.example.com", name+".example.com", "Stock keeper", label)
	return fs.WalkDir(template, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := template.ReadFile(path)
		files[strings.TrimSuffix(d.Name(), ".txt")] = rename.Replace(string(text))
		return err
	})
}

// moduleFiles makes go.mod, and go.sum where it is known. Built against a
// checkout, the module has the checkout's own requirements, so that it builds
// without a network.
func moduleFiles(name, sdk string) (map[string]string, error) {
	module := "example.com/dinrail-plugin-" + name
	if sdk == "" {
		sdk = checkout()
	}
	if sdk == "" {
		if !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(version) {
			return nil, fmt.Errorf("this build of dinrail (%s) is no release that a module could name; give a checkout of its source by --sdk", or(version))
		}
		_, release, _ := strings.Cut(runtime.Version(), "go")
		release, _, _ = strings.Cut(release, " ")
		return map[string]string{"go.mod": fmt.Sprintf("module %s\n\ngo %s\n\nrequire %s %s\n", module, release, ourModule, version)}, nil
	}
	sdk, err := filepath.Abs(sdk)
	if err != nil {
		return nil, err
	}
	own, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil || !strings.HasPrefix(string(own), "module "+ourModule+"\n") {
		return nil, fmt.Errorf("%s is no checkout of Dinrail: its go.mod is not that of %s", sdk, ourModule)
	}
	sums, err := os.ReadFile(filepath.Join(sdk, "go.sum"))
	if err != nil {
		return nil, fmt.Errorf("read the checkout: %w", err)
	}
	return map[string]string{
		"go.mod": strings.Replace(string(own), "module "+ourModule, "module "+module, 1) + fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", ourModule, ourModule, sdk),
		"go.sum": string(sums),
	}, nil
}

// checkout finds the source that this program was built in, or that one stands
// in; "" where there is none.
func checkout() string {
	var from []string
	if program, err := os.Executable(); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			from = append(from, filepath.Dir(program))
		}
	}
	if here, err := os.Getwd(); err == nil {
		from = append(from, here)
	}
	for _, dir := range from {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module "+ourModule+"\n") {
				return dir
			}
		}
	}
	return ""
}

// writeNew writes files into a folder that is not there yet.
func writeNew(dir string, files map[string]string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already; nothing was written", dir)
		}
		return fmt.Errorf("make the connector's folder: %w", err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the connector: %w", err)
		}
	}
	return nil
}
