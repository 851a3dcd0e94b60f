package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
)

func (c *cli) tokens() *cobra.Command {
	return group(&cobra.Command{Use: "token", Aliases: []string{"tokens"}, Short: "The tokens that open a connection's data"},
		c.tokenCreate(), c.tokenRevoke(), c.tokenList())
}

func (c *cli) tokenCreate() *cobra.Command {
	var name, access, expires string
	command := &cobra.Command{
		Use:   "create CONNECTION",
		Short: "Mint a token; one of the same name ends",
		Long:  "Writes the token, once, to standard output; only its hash is kept. An earlier token of the same name ends.",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if access != string(host.AccessRead) && access != string(host.AccessWrite) {
				return wrong(command, "--access is read or write, not %q", access)
			}
			body := map[string]any{"access": access}
			given(body, "name", name)
			given(body, "expires_in", expires)
			return c.mint(command, admin("connections", args[0], "token"), body)
		},
	}
	flags := command.Flags()
	flags.StringVar(&name, "name", "", "`NAME` that tells it from the connection's other tokens")
	flags.StringVar(&access, "access", string(host.AccessRead), "`read` or write")
	flags.StringVar(&expires, "expires", "", "`DURATION` after which it opens nothing, such as 90d (else never)")
	return command
}

func (c *cli) tokenRevoke() *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:   "revoke CONNECTION",
		Short: "End a token at once",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			query := url.Values{}
			if name != "" {
				query.Set("name", name)
			}
			return c.revoke(command, request{segments: admin("connections", args[0], "token"), query: query})
		},
	}
	command.Flags().StringVar(&name, "name", "", "`NAME` of the token (else all of the connection)")
	return command
}

func (c *cli) tokenList() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "list CONNECTION",
		Short: "List a connection's tokens, without their secrets",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			return show(command, c, target, request{segments: admin("connections", args[0], "tokens")}, 0, asJSON,
				[]string{"NAME", "ACCESS", "CREATED", "EXPIRES", "TOKEN"},
				func(t host.Token) []string {
					return []string{or(t.Name), string(t.Access), when(t.CreatedAt), when(t.ExpiresAt), string(t.ID)}
				})
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return command
}

func (c *cli) adminTokens() *cobra.Command {
	return group(&cobra.Command{Use: "admin-token", Aliases: []string{"admin-tokens"}, Short: "The tokens that open the host's administration"},
		c.adminTokenCreate(), c.adminTokenRevoke(),
		lister(c, "List the admin tokens, without their secrets", func() request { return request{segments: admin("tokens")} },
			[]string{"NAME", "ROLE", "CONNECTIONS", "CREATED", "EXPIRES", "TOKEN"},
			func(t host.Token) []string {
				return []string{or(t.Name), string(t.Role), or(strings.Join(t.Scope, " ")), when(t.CreatedAt), when(t.ExpiresAt), string(t.ID)}
			}))
}

func (c *cli) adminTokenCreate() *cobra.Command {
	var role, expires string
	var connections []string
	command := &cobra.Command{
		Use:   "create NAME",
		Short: "Mint an admin token",
		Long: "Writes the token, once, to standard output; only its hash is kept.\n" +
			"Roles: viewer reads; operator also checks, pauses, syncs, retries, reconnects; connector makes connect sessions only; admin may all.",
		Args: between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			switch host.Role(role) {
			case host.RoleViewer, host.RoleOperator, host.RoleConnector, host.RoleAdmin:
			default:
				return wrong(command, "--role is viewer, operator, connector or admin, not %q", role)
			}
			body := map[string]any{"name": args[0], "role": role}
			given(body, "expires_in", expires)
			if len(connections) > 0 {
				body["connections"] = connections
			}
			return c.mint(command, admin("tokens"), body)
		},
	}
	flags := command.Flags()
	flags.StringVar(&role, "role", string(host.RoleViewer), "`ROLE`: viewer, operator, connector or admin")
	flags.StringVar(&expires, "expires", "", "`DURATION` after which it opens nothing, such as 90d (else never)")
	flags.StringArrayVar(&connections, "connection", nil, "`PATTERN` of connections it is limited to, such as plant-7-*; repeatable")
	return command
}

func (c *cli) adminTokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End an admin token at once",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if args[0] == "" {
				return wrong(command, "NAME is empty")
			}
			return c.revoke(command, request{segments: admin("tokens"), query: url.Values{"name": {args[0]}}})
		},
	}
}

func given(body map[string]any, name, value string) {
	if value != "" {
		body[name] = value
	}
}

// mint asks for a token and writes it alone to out, so that a shell can take
// it.
func (c *cli) mint(command *cobra.Command, segments []string, body map[string]any) error {
	target, err := c.dial()
	if err != nil {
		return err
	}
	var made minted
	if err := target.do(command.Context(), request{method: http.MethodPost, segments: segments, body: body, into: &made}); err != nil {
		return err
	}
	fmt.Fprintln(c.err, "The token, shown this once:")
	_, err = fmt.Fprintln(c.out, oneLine(made.Token))
	return err
}

func (c *cli) revoke(command *cobra.Command, r request) error {
	target, err := c.dial()
	if err != nil {
		return err
	}
	var ended struct {
		Revoked int `json:"revoked"`
	}
	r.method, r.into = http.MethodDelete, &ended
	if err := target.do(command.Context(), r); err != nil {
		return err
	}
	if ended.Revoked == 0 {
		return errors.New("there is no such token; nothing was ended")
	}
	fmt.Fprintf(c.err, "Ended: %d. What was minted opens nothing any more.\n", ended.Revoked)
	return nil
}
