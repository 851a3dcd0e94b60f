package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes. plan also ends with exitUsage when a reload would change
// something, as such tools do.
const (
	exitFailed = 1
	exitUsage  = 2
)

// cli is one call of the program: where it reads and writes, and the flags that
// every command has.
type cli struct {
	terminal

	config []string
	addr   string
	token  string
}

// exit ends the program with a code after everything was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usage is an error of the person who typed: the command's use is told beside
// it.
type usage struct {
	command *cobra.Command
	err     error
}

func (u *usage) Error() string { return u.err.Error() }
func (u *usage) Unwrap() error { return u.err }

// wrong makes a usage error.
func wrong(c *cobra.Command, format string, args ...any) error {
	return &usage{c, fmt.Errorf(format, args...)}
}

// run is the program: it returns the exit code.
func run(args []string, t terminal) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)

	c := &cli{terminal: t}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	return c.tell(root.ExecuteContext(ctx))
}

// tell writes an error for a person and returns its exit code.
func (c *cli) tell(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := errors.AsType[exit](err); ok {
		return int(code)
	}
	if u, ok := errors.AsType[*usage](err); ok {
		fmt.Fprintf(c.err, "dinrail: %v\nUse: %s\nMore: %s --help\n", u.err, u.command.UseLine(), u.command.CommandPath())
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(c.err, "dinrail: interrupted")
		return exitFailed
	}
	fmt.Fprintf(c.err, "dinrail: %v\n", err)
	if p, ok := errors.AsType[*problem](err); ok {
		for _, e := range p.Errors {
			if strings.Contains(p.Detail, e.Message) {
				continue
			}
			fmt.Fprintf(c.err, "  %s\n", e)
		}
	}
	return exitFailed
}

func (c *cli) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "dinrail",
		Short: "Connect industrial systems, keep their data current, hand it to applications",
		Long: "Dinrail is a self-hosted connector host for industrial systems: it logs in to ERP, CMMS,\n" +
			"MES and databases, keeps a current copy of their data, and answers applications over one API.",
		SilenceUsage:  true,
		SilenceErrors: true,
	},
		c.serve(), c.validate(), c.fmt(), c.plan(), c.reload(), c.status(),
		c.system(), c.connector(), c.connection(), c.connect(), c.ui(), c.tokens(), c.adminTokens(),
		c.sync(), c.record(), c.webhook(), c.event(), c.delivery(), c.logs(), c.keys(), c.backup(), c.restore(), c.plugin(), c.versionCommand(), functions(),
	)
	flags := root.PersistentFlags()
	flags.StringArrayVar(&c.config, "config", nil, "configuration `PATH`, a file or a folder; repeatable (else DINRAIL_CONFIG, else ./dinrail.hcl)")
	flags.StringVar(&c.addr, "addr", "", "`HOST:PORT` or URL of a host elsewhere (else DINRAIL_ADDR, else this machine's control socket)")
	flags.StringVar(&c.token, "token", "", "`TOKEN` for --addr (better DINRAIL_TOKEN, which other users of this machine do not see)")
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error { return &usage{command, err} })
	return root
}

// group makes a command that only holds others. Without one of them, or with an
// unknown one, it is used wrongly.
func group(parent *cobra.Command, children ...*cobra.Command) *cobra.Command {
	parent.Use += " COMMAND"
	parent.DisableFlagsInUseLine = true
	parent.SuggestionsMinimumDistance = 2
	parent.AddCommand(children...)
	parent.Args = cobra.ArbitraryArgs
	parent.RunE = func(command *cobra.Command, args []string) error {
		if len(args) == 0 {
			var names []string
			for _, child := range command.Commands() {
				if child.IsAvailableCommand() {
					names = append(names, child.Name())
				}
			}
			return wrong(command, "say what to do: %s", strings.Join(names, ", "))
		}
		if near := command.SuggestionsFor(args[0]); len(near) > 0 {
			return wrong(command, "%s has no command %q; did you mean %s?", command.CommandPath(), args[0], strings.Join(near, " or "))
		}
		return wrong(command, "%s has no command %q", command.CommandPath(), args[0])
	}
	return parent
}

// between says how many arguments a command takes; most < 0 is any number.
func between(least, most int) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return wrong(command, "%s is missing", missing(command.Use, len(args)))
		case most >= 0 && len(args) > most:
			return wrong(command, "%q is one argument too many", args[most])
		}
		return nil
	}
}

// missing returns the name of the first argument that was not given, as the use
// line has it.
func missing(use string, given int) string {
	words := strings.Fields(use)[1:]
	if given < len(words) {
		return words[given]
	}
	return "an argument"
}

// paths are where the configuration stands: the flag, the environment, the
// folder one is in.
func (c *cli) paths() []string {
	if len(c.config) > 0 {
		return c.config
	}
	if env := os.Getenv("DINRAIL_CONFIG"); env != "" {
		return filepath.SplitList(env)
	}
	return []string{"dinrail.hcl"}
}
