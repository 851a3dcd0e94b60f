package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host"
)

const credentialsHelp = "`FILE` with a JSON object of what the system asks for, or - for standard input (else it is asked for)"

// minted is an answer that carries a token, once.
type minted struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

func (c *cli) connectionAdd() *cobra.Command {
	var id, label, auth, file string
	var set, metadata []string
	command := &cobra.Command{
		Use:   "add SYSTEM",
		Short: "Connect a system",
		Long: "Makes a connection and writes its token, once, to standard output. What the system asks for is told by\n" +
			"dinrail system show SYSTEM: settings come by --set, secrets by prompt or --credentials-file.",
		Example: "  dinrail connection add tryton --id plant-7-erp --set url=https://erp.example.com --set database=plant7",
		Args:    between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var system host.System
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("systems", args[0]), into: &system}); err != nil {
				return err
			}
			given, err := pairs(command, "set", set)
			if err != nil {
				return err
			}
			own, err := pairs(command, "metadata", metadata)
			if err != nil {
				return err
			}
			method, err := login(command, system, auth)
			if err != nil {
				return err
			}
			settings, err := c.settings(command, system, given)
			if err != nil {
				return err
			}
			credentials, err := c.credentials(command, append(secrets(system.Settings), method.Fields...), file)
			if err != nil {
				return err
			}
			body := map[string]any{"system": args[0], "label": label, "settings": settings, "credentials": credentials}
			if label == "" {
				body["label"] = system.Label
			}
			if id != "" {
				body["id"] = id
			}
			if method.Name != "" {
				body["auth"] = method.Name
			}
			if len(own) > 0 {
				body["metadata"] = own
			}
			var made minted
			if err := target.do(command.Context(), request{method: http.MethodPost, segments: admin("connections"), body: body, into: &made}); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Connection %s is made. Its token, shown this once:\n", oneLine(made.ID))
			fmt.Fprintln(c.out, oneLine(made.Token))
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&id, "id", "", "`ID` of the connection (else the host gives one)")
	flags.StringVar(&label, "label", "", "`NAME` for people (else the system's)")
	flags.StringVar(&auth, "auth", "", "`METHOD` of login, where the system has several")
	flags.StringArrayVar(&set, "set", nil, "`KEY=VALUE` of a setting; repeatable")
	flags.StringArrayVar(&metadata, "metadata", nil, "`KEY=VALUE` of your own, returned with the connection; repeatable")
	flags.StringVar(&file, "credentials-file", "", credentialsHelp)
	return command
}

func (c *cli) connectionReconnect() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:   "reconnect CONNECTION",
		Short: "Give a connection new credentials",
		Long:  "Keeps the connection, its data and cursors; ends every token of it and writes a new one, once, to standard output.",
		Args:  between(1, 1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := c.dial()
			if err != nil {
				return err
			}
			var k struct {
				System string `json:"system"`
				Auth   string `json:"auth"`
			}
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("connections", args[0]), into: &k}); err != nil {
				return err
			}
			var system host.System
			if err := target.do(command.Context(), request{method: http.MethodGet, segments: admin("systems", k.System), into: &system}); err != nil {
				return err
			}
			method, err := login(command, system, k.Auth)
			if err != nil {
				return err
			}
			credentials, err := c.credentials(command, append(secrets(system.Settings), method.Fields...), file)
			if err != nil {
				return err
			}
			var made minted
			r := request{method: http.MethodPost, segments: admin("connections", args[0], "reconnect"), body: map[string]any{"credentials": credentials}, into: &made}
			if err := target.do(command.Context(), r); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Connection %s has new credentials; its old tokens have ended. The new one, shown this once:\n", args[0])
			fmt.Fprintln(c.out, oneLine(made.Token))
			return nil
		},
	}
	command.Flags().StringVar(&file, "credentials-file", "", credentialsHelp)
	return command
}

// login picks the way to log in: the named one, or the only or first one.
func login(command *cobra.Command, s host.System, name string) (host.AuthMethod, error) {
	if name == "" {
		if len(s.Auth) == 0 {
			return host.AuthMethod{}, nil
		}
		return s.Auth[0], nil
	}
	var names []string
	for _, m := range s.Auth {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return host.AuthMethod{}, wrong(command, "%s has no login %q; it has %s", s.Name, name, strings.Join(names, ", "))
}

// secrets are the settings that are kept with the credentials.
func secrets(settings []host.Setting) []host.Setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s host.Setting) bool { return !s.Secret })
}

// settings gives each value the type that the system declares, and asks for
// required ones that are missing.
func (c *cli) settings(command *cobra.Command, s host.System, given map[string]string) (map[string]any, error) {
	values := map[string]any{}
	for _, f := range s.Settings {
		text, ok := given[f.Name]
		delete(given, f.Name)
		if f.Secret {
			if ok {
				return nil, wrong(command, "setting %s is a secret, which other users of this machine would see in --set: leave it out to be asked, or put it in --credentials-file", f.Name)
			}
			continue
		}
		if !ok && f.Required && f.Default == "" {
			if !c.answers() {
				return nil, wrong(command, "setting %s is missing: --set %s=…", f.Name, f.Name)
			}
			typed, err := c.ask(named(f), false)
			if err != nil {
				return nil, err
			}
			text, ok = typed, typed != ""
		}
		if !ok {
			continue
		}
		value, err := typed(f.Type, text)
		if err != nil {
			return nil, wrong(command, "setting %s: %q is no %s", f.Name, text, f.Type)
		}
		values[f.Name] = value
	}
	for name := range given {
		return nil, wrong(command, "%s has no setting %q; see dinrail system show %s", s.Name, name, s.Name)
	}
	return values, nil
}

func typed(kind, text string) (any, error) {
	switch kind {
	case "number":
		return strconv.ParseFloat(text, 64)
	case "bool":
		return strconv.ParseBool(text)
	default:
		return text, nil
	}
}

func named(f host.Setting) string {
	if f.Label == "" {
		return f.Name
	}
	return oneLine(f.Label)
}

// credentials reads what the fields ask for, from a file or from the person.
func (c *cli) credentials(command *cobra.Command, fields []host.Setting, file string) (map[string]string, error) {
	if file != "" {
		return c.credentialsFile(file)
	}
	values := map[string]string{}
	for _, f := range fields {
		if !c.answers() {
			if !f.Required {
				continue
			}
			return nil, wrong(command, "%s is needed: give --credentials-file FILE, or - to read JSON from standard input", f.Name)
		}
		typed, err := c.ask(named(f), f.Secret)
		if err != nil {
			return nil, err
		}
		if typed != "" {
			values[f.Name] = typed
		}
	}
	return values, nil
}

func (c *cli) credentialsFile(name string) (map[string]string, error) {
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the credentials: %w", err)
		}
		defer f.Close()
		in = f
	}
	values := map[string]string{}
	body, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the credentials: %w", err)
	}
	if json.Unmarshal(body, &values) != nil { // its error would show parts of a secret
		return nil, fmt.Errorf(`read the credentials from %s: not a JSON object of strings, such as {"username":"…","password":"…"}`, name)
	}
	return values, nil
}
