package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

// connect prints a link with which a person connects a system.
func (c *cli) connect() *cobra.Command {
	var id, label, expires, renew string
	command := &cobra.Command{
		Use:   "connect [SYSTEM]",
		Short: "Print a link with which a person connects a system",
		Long: "Writes the link to standard output. Whoever opens it picks a system (or is asked for SYSTEM's login at once), logs in,\n" +
			"and is shown the new connection's token, once. The link is used up by success alone.\n" +
			"With --renew it asks for the login of a connection that exists: its tokens end, and a new one is shown.",
		Args: between(0, 1),
		RunE: func(command *cobra.Command, args []string) error {
			body := map[string]any{"deliver_token": "page"}
			preset := map[string]any{}
			given(preset, "id", id)
			given(preset, "label", label)
			given(body, "expires_in", expires)
			given(body, "connection_id", renew)
			if len(args) > 0 {
				body["systems"] = args
			}
			if renew != "" && (len(args) > 0 || len(preset) > 0) {
				return wrong(command, "--renew names a connection that exists: SYSTEM, --id and --label are for a new one")
			}
			if len(preset) > 0 {
				body["new"] = preset
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			var link struct {
				URL       string `json:"url"`
				ExpiresAt string `json:"expires_at"`
			}
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("connect-sessions"), body: body, into: &link}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Good until %s, for whoever has the link:\n", oneLine(link.ExpiresAt))
			_, err = fmt.Fprintln(c.out, oneLine(link.URL))
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&id, "id", "", "`ID` of the new connection")
	flags.StringVar(&label, "label", "", "what the new connection is called")
	flags.StringVar(&expires, "expires", "", "`DURATION` for which the link is good, from 1s to 7d (else 1h)")
	flags.StringVar(&renew, "renew", "", "`CONNECTION` whose login is renewed")
	return command
}
