package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// logLine is a line of the host's log, as the API tells it.
type logLine struct {
	Time    string            `json:"time"`
	Level   string            `json:"level"`
	Part    string            `json:"part"`
	Message string            `json:"message"`
	Fields  map[string]string `json:"fields"`
}

func (l logLine) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-5s %s: %s", l.Time, l.Level, l.Part, l.Message)
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		fmt.Fprintf(&b, " %s=%s", name, l.Fields[name])
	}
	return oneLine(b.String())
}

func (c *cli) logs() *cobra.Command {
	var connection string
	var follow, asJSON bool
	command := &cobra.Command{
		Use:   "logs",
		Short: "The last lines of the host's log",
		Long: "Writes the lines that the host keeps since its start, some thousands, oldest first. Secrets are hidden in them.\n" +
			"With --follow it goes on with what comes, until Ctrl-C.",
		Args: between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			query := url.Values{}
			if connection != "" {
				query.Set("connection", connection)
			}
			return c.tail(command, request{segments: admin("logs"), query: query}, follow, func(raw json.RawMessage) error {
				if asJSON {
					_, err := fmt.Fprintln(c.out, string(escaped(raw)))
					return err
				}
				var l logLine
				if err := json.Unmarshal(raw, &l); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, l)
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&connection, "connection", "", "only what is about this `CONNECTION`")
	flags.BoolVar(&follow, "follow", false, "go on with what comes")
	flags.BoolVar(&asJSON, "json", false, "write a JSON object a line")
	return command
}

// tail hands the entries of a list to visit, page by page, and, where it
// follows, those that come, until the command is interrupted.
func (c *cli) tail(command *cobra.Command, r request, follow bool, visit func(json.RawMessage) error) error {
	target, err := c.dial()
	if err != nil {
		return err
	}
	ctx := command.Context()
	r.method = http.MethodGet
	for {
		var page struct {
			Data       []json.RawMessage `json:"data"`
			NextCursor string            `json:"next_cursor"`
			HasMore    bool              `json:"has_more"`
		}
		r.into = &page
		if err := target.do(ctx, r); err != nil {
			if ctx.Err() != nil {
				return nil // Ctrl-C is how following ends
			}
			return err
		}
		for _, raw := range page.Data {
			if err := visit(raw); err != nil {
				return err
			}
		}
		if !page.HasMore && !follow {
			return nil
		}
		r.query.Set("cursor", page.NextCursor)
		if !page.HasMore {
			r.query.Set("wait", "30s")
		}
	}
}
