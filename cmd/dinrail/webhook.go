package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/dinrail/dinrail/host"
)

// hook is an endpoint as the API shows it.
type hook struct {
	ID         string           `json:"id"`
	URL        string           `json:"url"`
	ManagedBy  string           `json:"managed_by"`
	Status     string           `json:"status"`
	Reason     string           `json:"reason"`
	Events     []string         `json:"events"`
	Deliveries map[string]int64 `json:"deliveries"`
	Secret     string           `json:"secret"`
}

func (c *cli) webhook() *cobra.Command {
	return group(&cobra.Command{Use: "webhook", Aliases: []string{"webhooks"}, Short: "The endpoints that events are sent to"},
		c.webhookList(), c.webhookAdd(),
		c.webhookDo("remove", "Remove an endpoint that the API made; what it is owed is dead", http.MethodDelete, ""),
		c.webhookDo("test", "Send an endpoint a test event", http.MethodPost, "test"),
		c.webhookSecret("secret", "Show an endpoint's signing secret", http.MethodGet, "secret"),
		c.webhookSecret("rotate", "Mint a new signing secret; the old one signs along for 24 hours", http.MethodPost, "rotate-secret"),
		c.webhookDo("enable", "Serve a disabled endpoint again; what it is owed goes out", http.MethodPost, "enable"),
		c.webhookDo("disable", "Stop serving an endpoint; what it is owed is held", http.MethodPost, "disable"),
		c.webhookListen())
}

func (c *cli) webhookList() *cobra.Command {
	return lister(c, "List the endpoints", func() request { return request{segments: admin("webhooks")} },
		[]string{"ENDPOINT", "STATUS", "URL", "EVENTS", "PENDING", "HELD", "DEAD", "MANAGED BY", "REASON"},
		func(h hook) []string {
			d := h.Deliveries
			return []string{
				h.ID, h.Status, h.URL, strings.Join(h.Events, " "), fmt.Sprint(d["pending"]), fmt.Sprint(d["held"]), fmt.Sprint(d["dead"]), h.ManagedBy, h.Reason,
			}
		})
}

func (c *cli) webhookAdd() *cobra.Command {
	var id string
	var events, connections []string
	command := &cobra.Command{
		Use:   "add URL",
		Short: "Make an endpoint",
		Long:  "Writes the signing secret to standard output. The endpoint may be in a private network only where host.private_targets names it.",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			body := map[string]any{"url": args[0]}
			given(body, "id", id)
			if len(events) > 0 {
				body["events"] = events
			}
			if len(connections) > 0 {
				body["connections"] = connections
			}
			var made hook
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("webhooks"), body: body, into: &made}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Made endpoint %s; its signing secret:\n", made.ID)
			fmt.Fprintln(c.out, made.Secret)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&id, "id", "", "`ID` of the endpoint (else one is made up)")
	flags.StringSliceVar(&events, "events", nil, "`TYPES` of events, such as sync.*,connection.* (else all but those of single records)")
	flags.StringSliceVar(&connections, "connections", nil, "`PATTERNS` of connections (else all)")
	return command
}

// webhookDo is a command that calls one route of an endpoint.
func (c *cli) webhookDo(name, short, method, route string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ENDPOINT",
		Short: short,
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			segments := admin("webhooks", args[0])
			if route != "" {
				segments = admin("webhooks", args[0], route)
			}
			if err := target.do(command.Context(), request{method: method, segments: segments}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s: done\n", args[0])
			return nil
		},
	}
}

// webhookSecret is a command whose answer is a signing secret.
func (c *cli) webhookSecret(name, short, method, route string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ENDPOINT",
		Short: short,
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var answer hook
			if err := target.do(command.Context(), request{method: method, segments: admin("webhooks", args[0], route), into: &answer}); err != nil {
				return err
			}
			fmt.Fprintln(c.out, answer.Secret)
			return nil
		},
	}
}

// secretVariable names the environment variable with a receiver's secret: on
// the command line every user of the machine could see it.
const secretVariable = "DINRAIL_WEBHOOK_SECRET"

func (c *cli) webhookListen() *cobra.Command {
	var address string
	var answer int
	command := &cobra.Command{
		Use:   "listen",
		Short: "Receive webhooks, verify and print them: for trying out",
		Long: "Answers every webhook and prints a line for it. With the signing secret in the environment variable\n" +
			secretVariable + " it verifies them, and answers 401 to one that is not signed with it.",
		Args: between(0, 0),
		RunE: func(command *cobra.Command, _ []string) error {
			if answer < 100 || answer > 599 {
				return wrong(command, "--answer is a status from 100 to 599")
			}
			return c.listen(command.Context(), address, answer)
		},
	}
	flags := command.Flags()
	flags.StringVar(&address, "address", "127.0.0.1:7422", "`HOST:PORT` to listen on")
	flags.IntVar(&answer, "answer", http.StatusOK, "`STATUS` to answer with, to see what a failure does")
	return command
}

// listen receives webhooks until it is interrupted.
func (c *cli) listen(ctx context.Context, address string, answer int) error {
	var verify *standardwebhooks.Webhook
	if secret := os.Getenv(secretVariable); secret != "" {
		key, err := host.ParseSigningSecret(secret)
		if err == nil {
			verify, err = standardwebhooks.NewWebhookRaw(key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", secretVariable, err)
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; choose another --address", address, err)
	}
	fmt.Fprintf(c.err, "Listening on http://%s; Ctrl-C ends it.\n", l.Addr())
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, host.MaxEventBytes+1))
		if err != nil {
			return
		}
		status, verdict := answer, "not verified"
		if verify != nil {
			if verdict = "verified"; verify.Verify(body, r.Header) != nil {
				status, verdict = http.StatusUnauthorized, "WRONG SIGNATURE"
			}
		}
		w.WriteHeader(status)
		var e struct {
			Type       string          `json:"type"`
			Connection string          `json:"connection_id"`
			Data       json.RawMessage `json:"data"`
		}
		if json.Unmarshal(body, &e) != nil {
			e.Type = "no event"
		}
		fmt.Fprintln(c.out, oneLine(fmt.Sprintf("%s  %-28s %-16s %s  %s  answered %d  %s",
			host.FormatTime(time.Now()), e.Type, or(e.Connection), r.Header.Get("webhook-id"), verdict, status, e.Data)))
	})}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
