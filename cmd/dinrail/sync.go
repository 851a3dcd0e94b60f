package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
)

// followEvery is how often a followed run is looked at.
const followEvery = 500 * time.Millisecond

func (c *cli) sync() *cobra.Command {
	return group(&cobra.Command{Use: "sync", Aliases: []string{"syncs"}, Short: "Keeping a connection's data current"},
		c.syncRun(), c.syncStatus())
}

func (c *cli) syncRun() *cobra.Command {
	var full, follow bool
	command := &cobra.Command{
		Use:   "run CONNECTION [ENTITY...]",
		Short: "Sync now: every entity, or the named ones",
		Long:  "Queues runs. With --follow it shows them until all have ended, and exits 1 if one failed.",
		Args:  between(1, -1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			body := map[string]any{"mode": host.Incremental}
			if full {
				body["mode"] = host.Full
			}
			if len(args) > 1 {
				body["entities"] = args[1:]
			}
			var runs list[host.Run]
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("connections", args[0], "sync"), body: body, into: &runs}); err != nil {
				return err
			}
			if !follow {
				for _, r := range runs.Data {
					fmt.Fprintf(c.out, "%s %s %s %s\n", r.ID, r.Entity, r.Mode, r.Status)
				}
				return nil
			}
			return c.follow(command.Context(), target, args[0], runs.Data)
		},
	}
	command.Flags().BoolVar(&full, "full", false, "read everything, which also finds deletions")
	command.Flags().BoolVar(&follow, "follow", false, "show progress until all have ended")
	return command
}

// follow shows runs until all have ended: one line that moves on a terminal, a
// line for each change elsewhere.
func (c *cli) follow(ctx context.Context, target *client, connection string, runs []host.Run) error {
	told := map[host.RunID]host.RunStatus{}
	failed := false
	for tick := time.NewTicker(followEvery); ; {
		open := runs[:0:0]
		for _, r := range runs {
			if err := target.do(ctx, request{method: http.MethodGet, segments: []string{"v1", "sync-runs", string(r.ID)}, connection: connection, into: &r}); err != nil {
				tick.Stop()
				return err
			}
			ended := r.Status != host.RunQueued && r.Status != host.RunRunning
			if ended && c.interactive() {
				fmt.Fprint(c.out, "\r\x1b[K")
			}
			if ended || !c.interactive() && told[r.ID] != r.Status {
				fmt.Fprintln(c.out, progress(r))
			}
			told[r.ID] = r.Status
			failed = failed || ended && r.Status != host.RunCompleted
			if !ended {
				open = append(open, r)
			}
		}
		runs = open
		if len(runs) == 0 {
			tick.Stop()
			break
		}
		if c.interactive() {
			c.moving(runs)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return fmt.Errorf("%w; the runs go on: dinrail sync status %s", ctx.Err(), connection)
		case <-tick.C:
		}
	}
	if failed {
		return exit(exitFailed)
	}
	return nil
}

// moving writes the one line that stands for all open runs.
func (c *cli) moving(runs []host.Run) {
	at := runs[0]
	for _, r := range runs {
		if r.Status == host.RunRunning {
			at = r
			break
		}
	}
	line := progress(at)
	if len(runs) > 1 {
		line += fmt.Sprintf("  (%d more)", len(runs)-1)
	}
	fmt.Fprint(c.out, "\r\x1b[K"+line)
}

// progress tells of a run in one line.
func progress(r host.Run) string {
	words := []string{string(r.Entity), string(r.Status)}
	n := r.Counts
	switch {
	case r.Status == host.RunQueued:
	case r.Status == host.RunRunning && r.Total > 0:
		words = append(words, fmt.Sprintf("%d of %d", n.Read, r.Total))
	case r.Status == host.RunRunning:
		words = append(words, fmt.Sprint(n.Read))
	default:
		words = append(words, fmt.Sprintf("created %d, updated %d, deleted %d, unchanged %d", n.Created, n.Updated, n.Deleted, n.Unchanged))
		if n.Bad > 0 {
			words = append(words, fmt.Sprintf("bad %d", n.Bad))
		}
	}
	if r.Error != nil {
		words = append(words, fmt.Sprintf("%s (%s)", r.Error.Message, r.Error.Code))
	}
	return oneLine(strings.Join(words, "  "))
}

// syncState is what the API tells of one sync.
type syncState struct {
	Entity        string        `json:"entity"`
	Status        string        `json:"status"`
	Records       int64         `json:"records"`
	LastSuccessAt time.Time     `json:"last_success_at"`
	NextRunAt     time.Time     `json:"next_run_at"`
	Error         *host.Problem `json:"error"`
}

func (c *cli) syncStatus() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status CONNECTION",
		Short: "Tell how current each entity is",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			return show(command, c, target, request{segments: []string{"v1", "sync-status"}, connection: args[0], whole: true}, 0, asJSON,
				[]string{"ENTITY", "STATUS", "RECORDS", "LAST SUCCESS", "NEXT RUN", "ERROR"},
				func(s syncState) []string {
					why := cmp.Or(s.Error, &host.Problem{})
					return []string{s.Entity, s.Status, fmt.Sprint(s.Records), when(s.LastSuccessAt), when(s.NextRunAt), why.Message}
				})
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}
