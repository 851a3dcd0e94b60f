package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

// connectionStatus is what the API tells of a connection.
type connectionStatus struct {
	ID        string            `json:"id"`
	Label     string            `json:"label"`
	System    string            `json:"system"`
	Status    string            `json:"status"`
	Since     string            `json:"since"`
	Reason    string            `json:"reason"`
	ManagedBy string            `json:"managed_by"`
	Metadata  map[string]string `json:"metadata"`
}

// hostStatus is what the API tells of the host: its version, and what does not
// come right by itself.
type hostStatus struct {
	Version string         `json:"version"`
	Counts  map[string]int `json:"connections"`
	Needs   []struct {
		Connection string `json:"connection_id,omitempty"`
		Connector  string `json:"connector,omitempty"`
		What       string `json:"what"`
		Do         string `json:"do"`
	} `json:"needs"`
}

func (c *cli) status() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Tell how the host is, and what needs a person",
		Long:  "Exits 1 when something needs a person, and says what to do.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			target, err := c.dial()
			if err != nil {
				return err
			}
			var own hostStatus
			if err := target.do(ctx, request{method: http.MethodGet, segments: admin("status"), into: &own}); err != nil {
				return err
			}
			if asJSON {
				err = c.json(own)
			} else {
				var connections []connectionStatus
				if _, connections, err = items[connectionStatus](ctx, target, request{segments: admin("connections")}, 0); err != nil {
					return err
				}
				err = c.overview(own, connections)
			}
			if err == nil && len(own.Needs) > 0 {
				return exit(exitFailed)
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) overview(own hostStatus, connections []connectionStatus) error {
	fmt.Fprintf(c.out, "dinrail %s\n\n", oneLine(own.Version))
	if len(connections) == 0 {
		fmt.Fprintln(c.out, "No connections yet; dinrail system list tells what can be connected.")
	} else if err := c.connections(connections); err != nil {
		return err
	}
	if len(own.Needs) > 0 {
		fmt.Fprintln(c.out, "\nNeeds a person:")
	}
	for _, n := range own.Needs {
		about := "the host"
		switch {
		case n.Connector != "":
			about = "connector " + n.Connector
		case n.Connection != "":
			about = "connection " + n.Connection
		}
		fmt.Fprintf(c.out, "  %s\n    %s\n    → %s\n", oneLine(about), oneLine(n.What), oneLine(n.Do))
	}
	return nil
}

func (c *cli) connections(all []connectionStatus) error {
	rows := [][]string{{"CONNECTION", "SYSTEM", "STATUS", "SINCE", "LABEL", "REASON"}}
	for _, k := range all {
		rows = append(rows, []string{k.ID, k.System, k.Status, or(k.Since), or(k.Label), k.Reason})
	}
	return c.table(rows)
}
