package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// entityPath is where an entity's records stand; a native one's name has a
// slash.
func entityPath(entity string, more ...string) []string {
	return append(append([]string{"v1"}, strings.SplitN(entity, "/", 2)...), more...)
}

func (c *cli) record() *cobra.Command {
	return group(&cobra.Command{Use: "record", Aliases: []string{"records"}, Short: "The synced records of a connection"},
		c.recordList(), c.recordGet(), c.recordExport())
}

// filters are the flags that choose records.
type filters struct {
	where   []string
	include []string
}

func (f *filters) on(command *cobra.Command) {
	command.Flags().StringArrayVar(&f.where, "where", nil, "`FIELD=VALUE` or FIELD[gte]=VALUE that a record must match; repeatable")
	command.Flags().StringSliceVar(&f.include, "include", nil, "also `raw` or deleted, or both")
}

func (f *filters) query(command *cobra.Command) (url.Values, error) {
	query := url.Values{}
	for _, w := range f.where {
		field, value, ok := strings.Cut(w, "=")
		if !ok || field == "" {
			return nil, wrong(command, "--where %s is not FIELD=VALUE", w)
		}
		query.Add(field, value)
	}
	if len(f.include) > 0 {
		query.Set("include", strings.Join(f.include, ","))
	}
	return query, nil
}

// shownFields are fields worth a column, where the records have them.
var shownFields = []string{"number", "name", "status", "updated_at"}

func (c *cli) recordList() *cobra.Command {
	var chosen filters
	var most int
	var asJSON bool
	command := &cobra.Command{
		Use:   "list CONNECTION ENTITY",
		Short: "List records, oldest arrival first",
		Args:  between(2, 2),
		RunE: func(command *cobra.Command, args []string) error {
			if most < 1 {
				return wrong(command, "--limit is 1 or more; record export gives all")
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			query, err := chosen.query(command)
			if err != nil {
				return err
			}
			heading := []string{"ID"}
			for _, f := range shownFields {
				heading = append(heading, strings.ToUpper(strings.ReplaceAll(f, "_", " ")))
			}
			return show(command, c, target, request{segments: entityPath(args[1]), query: query, connection: args[0]}, most, asJSON, heading,
				func(r map[string]any) []string {
					row := []string{fmt.Sprint(r["id"])}
					for _, f := range shownFields {
						text, _ := r[f].(string)
						row = append(row, or(text))
					}
					return row
				})
		},
	}
	chosen.on(command)
	command.Flags().IntVar(&most, "limit", 100, "at most so many")
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) recordGet() *cobra.Command {
	var live bool
	command := &cobra.Command{
		Use:   "get CONNECTION ENTITY ID",
		Short: "Write one record as JSON",
		Args:  between(3, 3),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			query := url.Values{}
			if live {
				query.Set("live", "true")
			}
			var record json.RawMessage
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: entityPath(args[1], args[2]), query: query, connection: args[0], into: &record}); err != nil {
				return err
			}
			return c.json(record)
		},
	}
	command.Flags().BoolVar(&live, "live", false, "ask the system itself, not the synced copy")
	return command
}

func (c *cli) recordExport() *cobra.Command {
	var chosen filters
	var file string
	command := &cobra.Command{
		Use:   "export CONNECTION ENTITY",
		Short: "Write all records, one JSON object a line",
		Args:  between(2, 2),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			query, err := chosen.query(command)
			if err != nil {
				return err
			}
			out := c.out
			if file != "" {
				f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
				if err != nil {
					return fmt.Errorf("write the records: %w", err)
				}
				defer f.Close()
				out = f
			}
			n, err := export(command, target, request{segments: entityPath(args[1]), query: query, connection: args[0]}, out)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%d records.\n", n)
			return nil
		},
	}
	chosen.on(command)
	command.Flags().StringVar(&file, "output", "", "`FILE` to write (else standard output)")
	return command
}

func export(command *cobra.Command, target *client, r request, out io.Writer) (n int, err error) {
	w := bufio.NewWriter(out)
	var line bytes.Buffer
	err = each(command.Context(), target, r, 0, func(record json.RawMessage) error {
		n++
		line.Reset()
		if err := json.Compact(&line, record); err != nil {
			return fmt.Errorf("write the records: %w", err)
		}
		line.WriteByte('\n')
		if _, err := w.Write(escaped(line.Bytes())); err != nil {
			return fmt.Errorf("write the records: %w", err)
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if err := w.Flush(); err != nil {
		return n, fmt.Errorf("write the records: %w", err)
	}
	return n, nil
}
