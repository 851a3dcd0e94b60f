package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) connection() *cobra.Command {
	return group(&cobra.Command{Use: "connection", Aliases: []string{"connections"}, Short: "The logins to systems that this host keeps"},
		c.connectionList(), c.connectionShow(), c.connectionAdd(), c.connectionReconnect(), c.connectionExport(),
		c.connectionAct("check", "Try the login and the system now"),
		c.connectionAct("pause", "Stop syncs and checks until resume"),
		c.connectionAct("resume", "Let syncs and checks go on"),
		c.connectionEnd("remove", "Remove a connection that was made by API or command line", http.MethodDelete),
		c.connectionEnd("purge", "End a detached connection now: its data, tokens and keys", http.MethodPost, "purge"),
	)
}

func (c *cli) connectionList() *cobra.Command {
	return lister(c, "List the connections and how they are", func() request { return request{segments: admin("connections")} },
		[]string{"CONNECTION", "SYSTEM", "STATUS", "SINCE", "LABEL", "REASON"},
		func(k connectionStatus) []string {
			return []string{k.ID, k.System, k.Status, or(k.Since), or(k.Label), k.Reason}
		})
}

func (c *cli) connectionShow() *cobra.Command {
	return shower(c, "show CONNECTION", "Show a connection",
		func(args []string) []string { return admin("connections", args[0]) },
		func(k connectionStatus) error {
			rows := [][]string{{"connection", k.ID}, {"label", or(k.Label)}, {"system", k.System}, {"status", k.Status}, {"since", or(k.Since)}}
			if k.Reason != "" {
				rows = append(rows, []string{"reason", k.Reason})
			}
			return c.table(append(rows, []string{"managed by", or(k.ManagedBy)}))
		})
}

// connectionAct makes a command that asks something of connections and tells
// how they are then.
func (c *cli) connectionAct(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " CONNECTION...",
		Short: short,
		Args:  between(1, -1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			for _, id := range args {
				if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("connections", id, verb)}); err != nil {
					return err
				}
				var k connectionStatus
				if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("connections", id), into: &k}); err != nil {
					return err
				}
				line := id + " is " + k.Status
				if k.Reason != "" {
					line += ": " + k.Reason
				}
				fmt.Fprintln(c.out, oneLine(line))
				if verb == "check" && k.Status != "online" {
					err = exit(exitFailed)
				}
			}
			return err
		},
	}
}

// connectionEnd makes a command that takes data away, and so asks first.
func (c *cli) connectionEnd(verb, short, method string, segments ...string) *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:   verb + " CONNECTION",
		Short: short,
		Long:  short + ". Its records and tokens are gone for good, so it asks first.",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if !yes {
				if !c.answers() {
					return wrong(command, "say --yes: the records and tokens of %s will be gone for good", args[0])
				}
				typed, err := c.ask("Records and tokens of "+args[0]+" will be gone for good. Type its id to go on", false)
				if err != nil {
					return err
				}
				if typed != args[0] {
					return fmt.Errorf("%q is not %q; nothing was done", typed, args[0])
				}
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			if err := target.do(command.Context(), request{method: method, segments: admin(append([]string{"connections", args[0]}, segments...)...)}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s is gone.\n", args[0])
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command
}

// pairs reads KEY=VALUE arguments.
func pairs(command *cobra.Command, flag string, given []string) (map[string]string, error) {
	all := map[string]string{}
	for _, pair := range given {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, wrong(command, "--%s %s is not KEY=VALUE", flag, pair)
		}
		all[key] = value
	}
	return all, nil
}
