package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// owed is a delivery as the API shows it.
type owed struct {
	ID         string `json:"id"`
	Event      string `json:"event_id"`
	EventType  string `json:"event_type"`
	Endpoint   string `json:"endpoint"`
	Connection string `json:"connection_id"`
	Status     string `json:"status"`
	Attempts   int    `json:"attempts"`
	CreatedAt  string `json:"created_at"`
	Next       string `json:"next_attempt_at"`
	Reason     string `json:"reason"`
}

func (c *cli) delivery() *cobra.Command {
	return group(&cobra.Command{Use: "delivery", Aliases: []string{"deliveries"}, Short: "What endpoints are owed, and what became of it"},
		c.deliveryList(), c.deliveryShow(), c.deliveryRetry())
}

// choice is which deliveries are meant.
type choice struct{ status, endpoint, connection, kind, since, until string }

func (f *choice) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.status, "status", "", "`STATUS`: pending, delivered, held or dead")
	flags.StringVar(&f.endpoint, "endpoint", "", "only of this `ENDPOINT`")
	flags.StringVar(&f.connection, "connection", "", "only of this `CONNECTION`")
	flags.StringVar(&f.kind, "type", "", "only events of this `TYPE`, such as sync.*")
	flags.StringVar(&f.since, "since", "", "only those made since a `TIME` (RFC 3339) or so long ago, such as 12h")
	flags.StringVar(&f.until, "until", "", "only those made before a `TIME` (RFC 3339) or so long ago")
}

// fields returns what was given, by the API's names.
func (f *choice) fields(command *cobra.Command) (map[string]string, error) {
	out := map[string]string{"status": f.status, "endpoint": f.endpoint, "connection": f.connection, "event_type": f.kind}
	for name, v := range map[string]string{"since": f.since, "until": f.until} {
		if v == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, v)
		if d, durationErr := time.ParseDuration(v); durationErr == nil {
			at, err = time.Now().Add(-d), nil
		}
		if err != nil {
			return nil, wrong(command, "--%s is a time such as 2026-01-31T12:00:00Z, or so long ago, such as 12h", name)
		}
		out[name] = at.UTC().Format(time.RFC3339)
	}
	for name, v := range out {
		if v == "" {
			delete(out, name)
		}
	}
	return out, nil
}

func (c *cli) deliveryList() *cobra.Command {
	var f choice
	var most int
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List deliveries, newest first",
		Args:  between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			if most < 1 {
				return wrong(command, "--limit is 1 or more")
			}
			fields, err := f.fields(command)
			if err != nil {
				return err
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			query := url.Values{}
			for name, v := range fields {
				query.Set(name, v)
			}
			return show(command, c, target, request{segments: admin("deliveries"), query: query}, most, asJSON,
				[]string{"DELIVERY", "STATUS", "ENDPOINT", "TYPE", "CONNECTION", "ATTEMPTS", "NEXT", "REASON"},
				func(d owed) []string {
					return []string{d.ID, d.Status, d.Endpoint, d.EventType, or(d.Connection), fmt.Sprint(d.Attempts), or(d.Next), d.Reason}
				})
		},
	}
	f.flags(command)
	command.Flags().IntVar(&most, "limit", 100, "at most so many")
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) deliveryShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show DELIVERY",
		Short: "Show a delivery with its attempts",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var d owed
			if err := target.do(command.Context(), request{segments: admin("deliveries", args[0]), into: &d}); err != nil {
				return err
			}
			_, attempts, err := items[struct {
				Number  int     `json:"number"`
				Status  string  `json:"status"`
				Started string  `json:"started_at"`
				Took    float64 `json:"took_ms"`
				HTTP    int     `json:"http_status"`
				Error   string  `json:"error"`
			}](command.Context(), target, request{segments: admin("deliveries", args[0], "attempts")}, 0)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.out, "%s  %s  %s to %s, made %s\n", d.ID, d.Status, d.EventType, d.Endpoint, d.CreatedAt)
			if d.Next != "" {
				fmt.Fprintf(c.out, "  next attempt %s\n", d.Next)
			}
			if d.Reason != "" {
				fmt.Fprintf(c.out, "  %s\n", oneLine(d.Reason))
			}
			for _, a := range attempts {
				fmt.Fprintln(c.out, oneLine(fmt.Sprintf("  %2d  %s  %-9s %3d  %.0f ms  %s", a.Number, a.Started, a.Status, a.HTTP, a.Took, a.Error)))
			}
			return nil
		},
	}
}

func (c *cli) deliveryRetry() *cobra.Command {
	var f choice
	command := &cobra.Command{
		Use:   "retry [DELIVERY]",
		Short: "Try one delivery again now, or all that the flags choose (dead ones unless --status says)",
		Args:  between(0, 1),
		RunE: func(command *cobra.Command, args []string) error {
			fields, err := f.fields(command)
			if err != nil {
				return err
			}
			target, err := c.dial()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if len(fields) > 0 {
					return wrong(command, "name a delivery or choose by flags, not both")
				}
				if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("deliveries", args[0], "retry")}); err != nil {
					return err
				}
				fmt.Fprintf(c.err, "%s is due now\n", args[0])
				return nil
			}
			return c.retryAll(command, target, fields)
		},
	}
	f.flags(command)
	return command
}

// retryAll asks for a retry of many and tells how far it is until it is done.
func (c *cli) retryAll(command *cobra.Command, target *client, fields map[string]string) error {
	var w struct {
		ID     string `json:"id"`
		Count  int64  `json:"count"`
		Done   int64  `json:"done"`
		DoneAt string `json:"done_at"`
	}
	if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("deliveries", "retry"), body: fields, into: &w}); err != nil {
		return err
	}
	for w.DoneAt == "" {
		fmt.Fprintf(c.err, "%d of %d are due again\n", w.Done, w.Count)
		select {
		case <-time.After(500 * time.Millisecond):
		case <-command.Context().Done():
			return command.Context().Err()
		}
		if err := target.do(command.Context(), request{segments: admin("retries", w.ID), into: &w}); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.out, "%d deliveries are due again\n", w.Done)
	return nil
}
