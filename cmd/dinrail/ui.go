package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

// ui prints a link that signs in to the dashboard.
func (c *cli) ui() *cobra.Command {
	return &cobra.Command{
		Use:   "ui",
		Short: "Print a link that signs in to the dashboard, once",
		Long: "Writes the link to standard output. It is good for five minutes and for one time.\n" +
			"Whoever opens it is signed in for twelve hours, with all rights where this is the host's own machine, else with those of --token.",
		Args: between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var link struct {
				URL       string `json:"url"`
				ExpiresAt string `json:"expires_at"`
			}
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("sign-ins"), into: &link}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Good once, until %s:\n", oneLine(link.ExpiresAt))
			_, err = fmt.Fprintln(c.out, oneLine(link.URL))
			return err
		},
	}
}
