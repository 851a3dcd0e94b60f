package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) serve() *cobra.Command {
	var strict bool
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the host until it is told to stop",
		Long: "Runs the host. SIGINT or SIGTERM let what is in progress end, for as long as host.drain says; a second\n" +
			"signal ends it at once. SIGHUP reads the configuration again, as dinrail reload does.",
		Args: between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			return daemon.Run(command.Context(), daemon.Options{
				Config: c.paths(), Strict: strict, Version: versionName(), Log: c.err,
				Ready: func(addr string) { fmt.Fprintf(c.out, "dinrail %s is ready at %s\n", versionName(), addr) },
			})
		},
	}
	command.Flags().BoolVar(&strict, "strict", false, "refuse to start on any mistake in the configuration")
	return command
}
