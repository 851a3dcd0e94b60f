package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) validate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration and tell every mistake in it",
		Long:  "Reads the configuration as serve would, starts nothing, and tells every mistake with its place and what to do. Exits 1 on any.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			ok, err := daemon.Validate(command.Context(), daemon.Options{Config: c.paths(), Version: versionName(), Log: c.err}, c.err)
			if err != nil {
				return err
			}
			if !ok {
				return exit(exitFailed)
			}
			fmt.Fprintln(c.out, "The configuration is valid.")
			return nil
		},
	}
}

func (c *cli) fmt() *cobra.Command {
	var check bool
	command := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Format configuration files",
		Long: "Rewrites the files, or the *.hcl of the folders, in the one usual form, and names those it changed.\n" +
			"Without a path it takes the configuration; - reads standard input and writes standard output.",
		Args: between(0, -1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "-" {
				source, err := io.ReadAll(c.in)
				if err != nil {
					return fmt.Errorf("read standard input: %w", err)
				}
				formatted := daemon.Format(source)
				if check {
					if !bytes.Equal(source, formatted) {
						return exit(exitFailed)
					}
					return nil
				}
				_, err = c.out.Write(formatted)
				return err
			}
			if len(args) == 0 {
				args = c.paths()
			}
			files, err := hclFiles(args)
			if err != nil {
				return err
			}
			return c.format(files, check)
		},
	}
	command.Flags().BoolVar(&check, "check", false, "change nothing; name what is not formatted and exit 1 if anything is")
	return command
}

// format rewrites the files, or with check only names those it would change.
func (c *cli) format(files []string, check bool) error {
	changed := false
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		formatted := daemon.Format(source)
		if bytes.Equal(source, formatted) {
			continue
		}
		changed = true
		fmt.Fprintln(c.out, name)
		if check {
			continue
		}
		if err := replace(name, formatted); err != nil {
			return fmt.Errorf("write the formatted configuration: %w", err)
		}
	}
	if check && changed {
		return exit(exitFailed)
	}
	return nil
}

// replace writes a file whole or not at all, and keeps its mode.
func replace(name string, body []byte) error {
	was, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".dinrail-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := f.Chmod(was.Mode().Perm()); err != nil {
		return err
	}
	if _, err := f.Write(body); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// hclFiles are the files that paths name: each file, and of a folder its *.hcl.
func hclFiles(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		stat, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("find the configuration: %w", err)
		}
		if !stat.IsDir() {
			files = append(files, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, fmt.Errorf("list the configuration: %w", err)
		}
		for _, e := range entries {
			if !e.IsDir() && filepath.Ext(e.Name()) == ".hcl" {
				files = append(files, filepath.Join(p, e.Name()))
			}
		}
	}
	return files, nil
}

// planned is what a reload would do, as the API tells it: names of connections.
type planned struct {
	Added     []string `json:"added"`
	Changed   []string `json:"changed"`
	Removed   []string `json:"removed"`
	Purged    []string `json:"purged"`
	Restarted []string `json:"restarted"` // of Changed: their syncs start again
	Moved     []string `json:"moved"`     // "from -> to"
	Webhooks  []string `json:"webhooks"`  // lines
	Restart   []string `json:"restart"`   // attributes
	Refused   []string `json:"refused"`   // sentences
}

func (p planned) empty() bool {
	return len(p.Added)+len(p.Changed)+len(p.Removed)+len(p.Purged)+len(p.Moved)+len(p.Webhooks)+len(p.Restart) == 0
}

func (c *cli) plan() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "plan",
		Short: "Tell what a reload would do",
		Long:  "Compares the configuration's files with what the host runs. Exits 2 when a reload would change something.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var p planned
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("plan"), into: &p}); err != nil {
				return err
			}
			if asJSON {
				if err := c.json(p); err != nil {
					return err
				}
			} else {
				c.changes(p, "A reload would change nothing.")
			}
			if !p.empty() {
				return exit(exitUsage)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) reload() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration again",
		Long:  "Brings the running host in line with its files. What did not change is not disturbed; with any mistake all stays as it was.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var p planned
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("reload"), into: &p}); err != nil {
				return err
			}
			c.changes(p, "Reloaded; nothing was different.")
			return nil
		},
	}
}

// changes writes a plan line by line.
func (c *cli) changes(p planned, none string) {
	if p.empty() {
		fmt.Fprintln(c.out, none)
	}
	lines := func(sign string, names []string, what func(name string) string) {
		for _, name := range names {
			fmt.Fprintln(c.out, oneLine(sign+" connection "+name+": "+what(name)))
		}
	}
	lines(">", p.Moved, func(string) string { return "renamed; its data, tokens and cursors stay" })
	lines("+", p.Added, func(string) string { return "added" })
	lines("~", p.Changed, func(name string) string {
		if slices.Contains(p.Restarted, name) {
			return "changed; its syncs start again from their checkpoints"
		}
		return "changed"
	})
	lines("-", p.Removed, func(string) string { return "detached; its tokens answer 401, its data stays 30 days" })
	lines("-", p.Purged, func(string) string { return "purged with its data and tokens" })
	for _, line := range p.Webhooks {
		fmt.Fprintln(c.out, oneLine(line))
	}
	for _, name := range p.Restart {
		fmt.Fprintln(c.out, oneLine("~ "+name+": takes effect when the host is started again"))
	}
	for _, reason := range p.Refused {
		fmt.Fprintln(c.out, "! "+oneLine(reason))
	}
}
