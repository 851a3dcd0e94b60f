package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the program's version",
		Args:  between(0, 0),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "dinrail %s %s/%s %s\n", versionName(), runtime.GOOS, runtime.GOARCH, runtime.Version())
			return err
		},
	}
}

// versionName is what the linker set, else what go install knows.
func versionName() string {
	if version != "" {
		return version
	}
	if built, ok := debug.ReadBuildInfo(); ok && built.Main.Version != "" {
		return built.Main.Version
	}
	return "unknown"
}

// functions is a topic of help: what expressions of the configuration can call.
func functions() *cobra.Command {
	topic := &cobra.Command{Use: "functions", Short: "The functions of the configuration's expressions"}
	topic.SetHelpFunc(func(command *cobra.Command, _ []string) {
		fmt.Fprintf(command.OutOrStdout(), "Functions of the configuration's expressions:\n\n  %s\n", strings.Join(daemon.Functions(), "\n  "))
	})
	return topic
}
