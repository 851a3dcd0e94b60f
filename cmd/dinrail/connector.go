package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
)

// connectorStatus is what the API tells of a connector.
type connectorStatus struct {
	Name      string         `json:"name"`
	Version   string         `json:"version"`
	Status    string         `json:"status"`
	Reason    string         `json:"reason"`
	Systems   []string       `json:"systems"`
	Processes []host.Process `json:"processes"`
}

func (c *cli) connector() *cobra.Command {
	return group(&cobra.Command{Use: "connector", Aliases: []string{"connectors"}, Short: "The programs that speak to systems, and their processes"},
		c.connectorList(), c.connectorShow())
}

func (c *cli) connectorList() *cobra.Command {
	return lister(c, "List the connectors and their processes", func() request { return request{segments: admin("connectors")} },
		[]string{"CONNECTOR", "VERSION", "PROCESSES", "RESTARTS", "MEMORY", "STATUS"},
		func(k connectorStatus) []string {
			status, restarts, memory := k.Status, 0, int64(0)
			for _, p := range k.Processes {
				restarts, memory = restarts+p.Restarts, memory+p.Memory
				if status == "" || p.Status == host.ProcessCrashed {
					status = string(p.Status)
				}
			}
			return []string{k.Name, or(k.Version), fmt.Sprint(len(k.Processes)), fmt.Sprint(restarts), mebibytes(memory), or(status)}
		})
}

func (c *cli) connectorShow() *cobra.Command {
	return shower(c, "show CONNECTOR", "Show a connector's processes and their last log lines",
		func(args []string) []string { return admin("connectors", args[0]) },
		func(k connectorStatus) error {
			fmt.Fprintf(c.out, "%s %s\n", k.Name, k.Version)
			if k.Reason != "" {
				fmt.Fprintf(c.out, "  %s\n", oneLine(k.Reason))
			}
			for _, p := range k.Processes {
				fmt.Fprintf(c.out, "\n%s  %s since %s, pid %d, %d restarts, %s, %d connections\n", p.ID, p.Status, when(p.Since), p.PID, p.Restarts, mebibytes(p.Memory), p.Connections)
				if p.Reason != "" {
					fmt.Fprintf(c.out, "  %s\n", oneLine(p.Reason))
				}
				for _, line := range p.Log {
					fmt.Fprintf(c.out, "  | %s\n", oneLine(line))
				}
			}
			return nil
		})
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
