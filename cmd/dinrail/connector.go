package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
)

func (c *cli) connector() *cobra.Command {
	return group(&cobra.Command{Use: "connector", Aliases: []string{"connectors"}, Short: "The processes that speak to systems"},
		c.connectorList(), c.connectorShow())
}

func (c *cli) connectorList() *cobra.Command {
	return lister(c, "List the connectors' processes", func() request { return request{segments: admin("connectors")} },
		[]string{"PROCESS", "CONNECTOR", "VERSION", "STATUS", "SINCE", "CONNECTIONS", "RESTARTS", "MEMORY", "REASON"},
		func(p host.Process) []string {
			return []string{
				p.ID, string(p.Connector), or(p.Version), string(p.Status), when(p.Since),
				fmt.Sprint(p.Connections), fmt.Sprint(p.Restarts), mebibytes(p.Memory), p.Reason,
			}
		})
}

func (c *cli) connectorShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show CONNECTOR",
		Short: "Show the processes of a connector, or the one of that id, with their last log lines",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			_, all, err := items[host.Process](command.Context(), target, request{segments: admin("connectors")}, 0)
			if err != nil {
				return err
			}
			found := false
			for _, p := range all {
				if p.ID == args[0] || string(p.Connector) == args[0] {
					found = true
					c.process(p)
				}
			}
			if !found {
				return fmt.Errorf("there is no process of a connector %q; see dinrail connector list", args[0])
			}
			return nil
		},
	}
}

func (c *cli) process(p host.Process) {
	fmt.Fprintf(c.out, "%s  %s since %s, pid %d, %d connections, %d restarts, %s\n",
		p.ID, p.Status, when(p.Since), p.PID, p.Connections, p.Restarts, mebibytes(p.Memory))
	if p.Reason != "" {
		fmt.Fprintf(c.out, "  %s\n", oneLine(p.Reason))
	}
	for _, line := range p.Log {
		fmt.Fprintf(c.out, "  | %s\n", oneLine(line))
	}
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
