package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) system() *cobra.Command {
	return group(&cobra.Command{Use: "system", Aliases: []string{"systems"}, Short: "What can be connected"},
		c.systemList(), c.systemShow(), c.systemCheck())
}

func (c *cli) systemCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check the files of systems, without a host",
		Long: "Reads a system's HCL file whole: its blocks, every expression, every field and word of the common model that it fills.\n" +
			"Each mistake is told with its lines. What the file fills is told, too.",
		Args: between(1, 1000),
		RunE: func(_ *cobra.Command, files []string) error {
			wrong := 0
			for _, file := range files {
				s, ok, err := daemon.CheckSystem(file, c.err)
				if err != nil {
					return err
				}
				if !ok {
					wrong++
					continue
				}
				fmt.Fprintf(c.out, "%s: %s (%s) is right; run by the connector %s.\n", file, s.Name, oneLine(s.Label), s.Connector)
				for _, e := range s.Entities {
					line := fmt.Sprintf("  %s: %d fields", e.Name, len(e.Fields))
					if can := strings.Join(powers(e), ", "); can != "" {
						line += "; " + can
					}
					fmt.Fprintln(c.out, oneLine(line))
				}
			}
			if wrong > 0 {
				return fmt.Errorf("%d of %d files have mistakes", wrong, len(files))
			}
			return nil
		},
	}
}

func (c *cli) systemList() *cobra.Command {
	return lister[host.System](c, "List the systems that can be connected", func() request { return request{segments: admin("systems")} },
		[]string{"SYSTEM", "LABEL", "VENDOR", "CATEGORY", "CONNECTOR"},
		func(s host.System) []string {
			return []string{string(s.Name), s.Label, or(s.Vendor), or(s.Category), or(string(s.Connector))}
		})
}

func (c *cli) systemShow() *cobra.Command {
	return shower(c, "show SYSTEM", "Show what a system asks for and what it has",
		func(args []string) []string { return admin("systems", args[0]) }, c.systemText)
}

func (c *cli) systemText(s host.System) error {
	fmt.Fprintf(c.out, "%s  %s\n", s.Name, oneLine(s.Label))
	for _, line := range [][2]string{{"vendor", s.Vendor}, {"category", s.Category}, {"website", s.Website}, {"connector", string(s.Connector)}} {
		if line[1] != "" {
			fmt.Fprintf(c.out, "  %-10s %s\n", line[0], oneLine(line[1]))
		}
	}
	c.fields("\nSettings", s.Settings)
	for _, a := range s.Auth {
		c.fields("\nLogin "+strings.TrimSpace(a.Name+"  "+a.Label), a.Fields)
	}
	if len(s.Entities) > 0 {
		fmt.Fprintln(c.out, "\nEntities")
		for _, e := range s.Entities {
			fmt.Fprintf(c.out, "  %s\n", oneLine(strings.TrimSpace(string(e.Name)+"  "+strings.Join(powers(e), ", "))))
		}
	}
	if s.Guide != "" {
		fmt.Fprintf(c.out, "\n%s\n", strings.TrimSpace(clean(s.Guide)))
	}
	return nil
}

// powers names what an entity can do beyond being read.
func powers(e host.Entity) []string {
	var all []string
	for _, p := range []struct {
		can  bool
		word string
	}{{e.Incremental, "incremental"}, {e.Creatable, "create"}, {e.Updatable, "update"}, {e.Deletable, "delete"}} {
		if p.can {
			all = append(all, p.word)
		}
	}
	return append(all, e.Actions...)
}

func (c *cli) fields(heading string, fields []host.Setting) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintln(c.out, heading)
	for _, f := range fields {
		notes := []string{}
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Secret {
			notes = append(notes, "secret")
		}
		if f.Default != "" {
			notes = append(notes, "default "+f.Default)
		}
		if len(f.Choices) > 0 {
			notes = append(notes, "one of "+strings.Join(f.Choices, " "))
		}
		fmt.Fprintf(c.out, "  %-14s %s\n", f.Name, oneLine(strings.Join(slices.DeleteFunc([]string{f.Label, strings.Join(notes, ", "), f.Help}, empty), " · ")))
	}
}

func empty(s string) bool { return s == "" }

// lister makes a command that writes a whole list as a table or as JSON.
func lister[T any](c *cli, short string, from func() request, heading []string, row func(T) []string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: short,
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			return show(command, c, target, from(), 0, asJSON, heading, row)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

// show writes a list as a table or as JSON.
func show[T any](command *cobra.Command, c *cli, target *client, r request, most int, asJSON bool, heading []string, row func(T) []string) error {
	raw, all, err := items[T](command.Context(), target, r, most)
	if err != nil {
		return err
	}
	if asJSON {
		return c.json(raw)
	}
	rows := [][]string{heading}
	for _, v := range all {
		rows = append(rows, row(v))
	}
	return c.table(rows)
}

// shower makes a command that writes one thing as text or as JSON.
func shower[T any](c *cli, use, short string, path func(args []string) []string, text func(T) error) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			r := request{method: http.MethodGet, segments: path(args)}
			if asJSON {
				var v any
				r.into = &v
				if err := target.do(command.Context(), r); err != nil {
					return err
				}
				return c.json(v)
			}
			var v T
			r.into = &v
			if err := target.do(command.Context(), r); err != nil {
				return err
			}
			return text(v)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}
