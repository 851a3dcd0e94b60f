package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

func (c *cli) keys() *cobra.Command {
	return group(&cobra.Command{Use: "keys", Short: "The master key, with which secrets and data are sealed"}, c.keysRotate())
}

func (c *cli) keysRotate() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new master key and seal anew with it",
		Long: "Makes a new master key in the host's key file and seals with it, while the host goes on, all credentials, signing secrets and data keys. " +
			"The keys before stay in the file, since events and answers of the last days are sealed with them.\n\n" +
			"Keep a copy of the file apart from backups: they hold sealed values, never the key. " +
			"A master key that host.key or host.key_command gives is rotated there: the new one in the first line, the one before in the next, and a start of the host.",
		Args: between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var did struct {
				Key         string `json:"key"`
				File        string `json:"file"`
				OlderKeys   int    `json:"older_keys"`
				DataKeys    int    `json:"data_keys"`
				Connections int    `json:"connections"`
				Endpoints   int    `json:"endpoints"`
			}
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("keys", "rotate"), into: &did}); err != nil {
				return err
			}
			if asJSON {
				return c.json(did)
			}
			fmt.Fprintf(c.out, "The new master key %s seals from now on. Sealed anew: %s, %s, %s.\n", oneLine(did.Key),
				counted(did.Connections, "connection's credentials", "connections' credentials"),
				counted(did.Endpoints, "endpoint's secrets", "endpoints' secrets"),
				counted(did.DataKeys, "data key", "data keys"))
			fmt.Fprintf(c.out, "Keep a copy of %s apart from the backups: without it nothing can be read.\n", oneLine(did.File))
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
