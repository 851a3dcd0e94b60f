package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

func (c *cli) event() *cobra.Command {
	return group(&cobra.Command{Use: "event", Aliases: []string{"events"}, Short: "What happened, as facts"}, c.eventList(), c.eventTail())
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

func (c *cli) eventTail() *cobra.Command {
	var kind string
	var asJSON bool
	command := &cobra.Command{
		Use:   "tail",
		Short: "Follow events as they happen",
		Long:  "Writes what happens from now on, an event a line, until Ctrl-C.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			query := url.Values{"cursor": {"latest"}}
			if kind != "" {
				query.Set("type", kind)
			}
			return c.tail(command, request{segments: admin("events"), query: query}, true, func(raw json.RawMessage) error {
				if asJSON {
					_, err := fmt.Fprintln(c.out, string(escaped(raw)))
					return err
				}
				var e struct {
					ID         string          `json:"id"`
					Type       string          `json:"type"`
					Timestamp  string          `json:"timestamp"`
					Connection string          `json:"connection_id"`
					Data       json.RawMessage `json:"data"`
				}
				if err := json.Unmarshal(raw, &e); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, oneLine(fmt.Sprintf("%s  %s  %s  %s  %s", e.Timestamp, e.Type, or(e.Connection), e.ID, e.Data)))
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&kind, "type", "", "only this `TYPE`, such as sync.failed or connection.*")
	flags.BoolVar(&asJSON, "json", false, "write a JSON object a line")
	return command
}
