package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
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

// need is something that only a person can put right.
type need struct {
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	Do   string `json:"do"`
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
			var own map[string]any
			if err := target.do(ctx, request{method: http.MethodGet, segments: admin("status"), into: &own}); err != nil {
				return err
			}
			rawConnections, connections, err := items[connectionStatus](ctx, target, request{segments: admin("connections")}, 0)
			if err != nil {
				return err
			}
			rawProcesses, processes, err := items[connectorStatus](ctx, target, request{segments: admin("connectors")}, 0)
			if err != nil {
				return err
			}
			needs := needsOf(connections, processes)
			if asJSON {
				err = c.json(struct {
					Host        any               `json:"host"`
					Connections []json.RawMessage `json:"connections"`
					Connectors  []json.RawMessage `json:"connectors"`
					Needs       []need            `json:"needs"`
				}{own, rawConnections, rawProcesses, needs})
			} else {
				err = c.overview(own, connections, needs)
			}
			if err == nil && len(needs) > 0 {
				return exit(exitFailed)
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

// needsOf picks what does not come right by itself, with what to do about each.
func needsOf(connections []connectionStatus, connectors []connectorStatus) []need {
	needs := []need{}
	add := func(what, why, format string, args ...any) {
		needs = append(needs, need{what, why, fmt.Sprintf(format, args...)})
	}
	for _, k := range connections {
		what := "connection " + k.ID + " is " + k.Status
		switch host.ConnectionStatus(k.Status) {
		case host.StatusAuthRequired:
			add(what, k.Reason, "give it new credentials: dinrail connection reconnect %s", k.ID)
		case host.StatusInvalid:
			add(what, k.Reason, "put its block right, then: dinrail reload")
		case host.StatusDetached:
			add(what, k.Reason, "put its block back, or end it now: dinrail connection purge %s", k.ID)
		case host.StatusOffline:
			add(what, k.Reason, "see that its system runs and can be reached from here; it comes back by itself, at once with: dinrail connection check %s", k.ID)
		}
	}
	for _, k := range connectors {
		for _, p := range k.Processes {
			if p.Status == host.ProcessCrashed || p.Status == host.ProcessQuarantined {
				add(fmt.Sprintf("connector %s is %s", k.Name, p.Status), p.Reason, "see its last words: dinrail connector show %s", k.Name)
			}
		}
	}
	return needs
}

func (c *cli) overview(own map[string]any, connections []connectionStatus, needs []need) error {
	if v, ok := own["version"].(string); ok {
		fmt.Fprintf(c.out, "dinrail %s\n\n", oneLine(v))
	}
	if len(connections) == 0 {
		fmt.Fprintln(c.out, "No connections yet; dinrail system list tells what can be connected.")
	} else if err := c.connections(connections); err != nil {
		return err
	}
	if len(needs) > 0 {
		fmt.Fprintln(c.out, "\nNeeds a person:")
	}
	for _, n := range needs {
		fmt.Fprintln(c.out, "  "+oneLine(n.What))
		if n.Why != "" {
			fmt.Fprintln(c.out, "    "+oneLine(n.Why))
		}
		fmt.Fprintln(c.out, "    → "+oneLine(n.Do))
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
