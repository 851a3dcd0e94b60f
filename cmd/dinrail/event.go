package main

import (
	"encoding/json"
	"net/url"

	"github.com/spf13/cobra"
)

func (c *cli) event() *cobra.Command {
	return group(&cobra.Command{Use: "event", Aliases: []string{"events"}, Short: "What happened, as facts"}, c.eventList())
}

func (c *cli) eventList() *cobra.Command {
	var kind, after string
	var most int
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List events, oldest first",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			if most < 1 {
				return wrong(command, "--limit is 1 or more")
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			query := url.Values{}
			if kind != "" {
				query.Set("type", kind)
			}
			if after != "" {
				query.Set("after", after)
			}
			return show(command, c, target, request{segments: admin("events"), query: query}, most, asJSON,
				[]string{"TIME", "TYPE", "CONNECTION", "EVENT", "DATA"},
				func(e struct {
					ID         string          `json:"id"`
					Type       string          `json:"type"`
					Timestamp  string          `json:"timestamp"`
					Connection string          `json:"connection_id"`
					Data       json.RawMessage `json:"data"`
				}) []string {
					return []string{e.Timestamp, e.Type, or(e.Connection), e.ID, string(e.Data)}
				})
		},
	}
	flags := command.Flags()
	flags.StringVar(&kind, "type", "", "only this `TYPE`, such as sync.failed")
	flags.StringVar(&after, "after", "", "only what came after this `EVENT`")
	flags.IntVar(&most, "limit", 100, "at most so many")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	return command
}
