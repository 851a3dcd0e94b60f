package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/sdk/sdktest/acceptance"
)

func (c *cli) plugin() *cobra.Command {
	return group(&cobra.Command{Use: "plugin", Aliases: []string{"plugins"}, Short: "For authors: write a connector, and hold it against what the host expects"},
		c.pluginNew(), c.pluginCheck())
}

func (c *cli) pluginCheck() *cobra.Command {
	var o acceptance.Options
	var set []string
	var file string
	command := &cobra.Command{
		Use:   "check PATH",
		Short: "Run the acceptance suite against a connector's program",
		Long: "Drives the program as the host does and says which of the host's expectations it does not meet. It needs no host.\n" +
			"With a system that it can reach, and a login (--set, --credentials-file), everything is looked at; without, what\n" +
			"needs no login. It reads from the system, and tries two wrong logins.",
		Example: "  dinrail plugin check ./dinrail-plugin-stock --set url=https://stock.example.com --credentials-file login.json",
		Args:    between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if s, err := os.Stat(path); err != nil || s.IsDir() || s.Mode()&0o111 == 0 {
				return fmt.Errorf("%s is no program that can be run; build the connector, and give its path", args[0])
			}
			o.Binary = path
			login := len(set) > 0 || file != ""
			if login {
				if err := c.reached(command, &o, set, file); err != nil {
					return err
				}
			}
			return c.held(command, o, login)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.System, "system", "", "`SYSTEM`, where the connector has several (else the first)")
	flags.StringVar(&o.Auth, "auth", "", "`METHOD` of login, where the system has several")
	flags.StringArrayVar(&set, "set", nil, "`KEY=VALUE` of a setting; repeatable")
	flags.StringVar(&file, "credentials-file", "", credentialsHelp)
	flags.StringArrayVar(&o.Entities, "entity", nil, "`ENTITY` to read; repeatable (else all that the login may read)")
	return command
}

// reached fills in how the system is reached, by what the connector asks for.
func (c *cli) reached(command *cobra.Command, o *acceptance.Options, set []string, file string) error {
	described, err := acceptance.System(command.Context(), *o)
	if err != nil {
		return err
	}
	system := host.System{Name: host.SystemName(described.GetName()), Settings: fieldsOf(described.GetSettings())}
	for _, a := range described.GetAuth() {
		system.Auth = append(system.Auth, host.AuthMethod{Name: a.GetName(), Label: a.GetLabel(), Fields: fieldsOf(a.GetFields())})
	}
	given, err := pairs(command, "set", set)
	if err != nil {
		return err
	}
	method, err := login(command, system, o.Auth)
	if err != nil {
		return err
	}
	if o.Settings, err = c.settings(command, system, given); err != nil {
		return err
	}
	secret := secrets(system.Settings)
	if o.Credentials, err = c.credentials(command, append(secret, method.Fields...), file); err != nil {
		return err
	}
	for _, f := range secret { // they come with the credentials, and are settings all the same
		if v, ok := o.Credentials[f.Name]; ok {
			o.Settings[f.Name] = v
			delete(o.Credentials, f.Name)
		}
	}
	return nil
}

func fieldsOf(fields []*connectorv1.Setting) []host.Setting {
	out := make([]host.Setting, len(fields))
	for i, f := range fields {
		out[i] = host.Setting{
			Name: f.GetName(), Type: f.GetType(), Label: f.GetLabel(), Help: f.GetHelp(), Placeholder: f.GetPlaceholder(),
			Pattern: f.GetPattern(), Choices: f.GetChoices(), Default: f.GetDefault(), Required: f.GetRequired(), Secret: f.GetSecret(),
		}
	}
	return out
}

// held runs the checks and tells each.
func (c *cli) held(command *cobra.Command, o acceptance.Options, login bool) error {
	passed, failed, left := 0, 0, 0
	for _, check := range acceptance.Checks() {
		if check.Login && !login {
			left++
			continue
		}
		began := time.Now()
		err := check.Run(command.Context(), o)
		if ended := command.Context().Err(); ended != nil {
			return ended
		}
		if err != nil {
			failed++
			fmt.Fprintf(c.out, "FAILED  %-12s %s\n        %s\n", check.Name, check.Promise, strings.ReplaceAll(clean(err.Error()), "\n", "\n        "))
			continue
		}
		passed++
		fmt.Fprintf(c.out, "ok      %-12s %s (%s)\n", check.Name, check.Promise, time.Since(began).Round(time.Millisecond))
	}
	fmt.Fprintf(c.out, "%d passed, %d failed", passed, failed)
	if left > 0 {
		fmt.Fprintf(c.out, ", %d left out: they need a system and a login, given by --set and --credentials-file", left)
	}
	fmt.Fprintln(c.out)
	if failed > 0 {
		return exit(exitFailed)
	}
	return nil
}
