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

// chosenEvents are the flags that choose events.
type chosenEvents struct{ kind, connection, endpoint string }

func (e *chosenEvents) on(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&e.kind, "type", "", "only this `TYPE`, such as sync.failed or connection.*")
	flags.StringVar(&e.connection, "connection", "", "only of this `CONNECTION`")
	flags.StringVar(&e.endpoint, "endpoint", "", "only what this `ENDPOINT` asks for")
}

func (e *chosenEvents) query() url.Values {
	query := url.Values{}
	for name, v := range map[string]string{"type": e.kind, "connection": e.connection, "endpoint": e.endpoint} {
		if v != "" {
			query.Set(name, v)
		}
	}
	return query
}

func (c *cli) eventList() *cobra.Command {
	var chosen chosenEvents
	var after string
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
			query := chosen.query()
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
	chosen.on(command)
	flags.StringVar(&after, "after", "", "only what came after this `EVENT`")
	flags.IntVar(&most, "limit", 100, "at most so many")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) eventTail() *cobra.Command {
	var chosen chosenEvents
	var asJSON bool
	command := &cobra.Command{
		Use:   "tail",
		Short: "Follow events as they happen",
		Long:  "Writes what happens from now on, an event a line, until Ctrl-C.",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			query := chosen.query()
			query.Set("cursor", "latest")
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
	chosen.on(command)
	command.Flags().BoolVar(&asJSON, "json", false, "write a JSON object a line")
	return command
}
