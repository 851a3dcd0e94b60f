package main

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) connectionExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export CONNECTION",
		Short: "Write a connection as HCL, without its credentials",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var k host.Exported
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("connections", args[0]), into: &k}); err != nil {
				return err
			}
			_, err = c.out.Write(daemon.Format([]byte(k.HCL())))
			return err
		},
	}
}
