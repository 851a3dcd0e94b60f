package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/dinrail/dinrail/host/daemon"
)

func (c *cli) backup() *cobra.Command {
	command := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a backup of the running host to a file",
		Long: "Writes all that the host keeps, as it is at one moment, while it goes on; FILE appears when it is whole and checked.\n" +
			"It holds sealed values, never the master key: keep a copy of the key file elsewhere.",
		Args: between(1, 1),
		RunE: func(command *cobra.Command, args []string) error { return c.takeBackup(command, args[0]) },
	}
	command.AddCommand(&cobra.Command{
		Use:   "verify FILE",
		Short: "Check that a backup is whole",
		Args:  between(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			read := c.passing("checked")
			version, at, err := daemon.VerifyBackup(io.TeeReader(f, read))
			read.end()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			fmt.Fprintf(c.out, "%s is whole: %s, written by dinrail %s at %s.\n", args[0], mebibytes(read.bytes), oneLine(version), at.Format(time.RFC3339))
			return nil
		},
	})
	return command
}

func (c *cli) takeBackup(command *cobra.Command, file string) (err error) {
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already: choose another name, or remove it", file)
	}
	target, err := c.dial()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	answer, err := target.open(command.Context(), request{method: http.MethodGet, segments: admin("backup")})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	written := c.passing("written")
	_, _, err = daemon.VerifyBackup(io.TeeReader(answer.Body, io.MultiWriter(f, written)))
	written.end()
	if err != nil {
		return fmt.Errorf("the backup did not come whole, and was thrown away: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil { // never in the place of another
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s holds all of the host: %s. Keep the master key elsewhere; it is not in it.\n", file, mebibytes(written.bytes))
	return nil
}

func (c *cli) restore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Make an empty data folder of a backup",
		Long: "Restores a backup into the data_dir of the configuration, which must hold no store; the host is started afterwards.\n" +
			"A damaged backup is refused, and nothing of it is left. Cursors of the feed from before answer 410, so that nobody misses a change.",
		Args: between(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			read := c.passing("read")
			dir, key, err := daemon.Restore(c.paths(), io.TeeReader(f, read))
			read.end()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			fmt.Fprintf(c.out, "Restored into %s.\n", dir)
			if _, err := os.Stat(key); key != "" && errors.Is(err, os.ErrNotExist) {
				fmt.Fprintf(c.out, "Before the host is started, put its master key into %s: a backup never holds it.\n", key)
			}
			return nil
		},
	}
}

// passing counts what goes by: on a terminal as it goes, elsewhere as a line
// now and then.
func (c *cli) passing(what string) *passing {
	return &passing{to: c.err, live: isTerminal(c.err), what: what, next: time.Now().Add(time.Second)}
}

type passing struct {
	to    io.Writer
	live  bool
	what  string
	bytes int64
	next  time.Time
	shown bool
}

func (p *passing) Write(b []byte) (int, error) {
	p.bytes += int64(len(b))
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(10 * time.Second)
		if p.live {
			p.next = now.Add(time.Second / 5)
			fmt.Fprintf(p.to, "\r%s %s ", mebibytes(p.bytes), p.what)
		} else {
			fmt.Fprintf(p.to, "%s %s\n", mebibytes(p.bytes), p.what)
		}
		p.shown = true
	}
	return len(b), nil
}

func (p *passing) end() {
	if p.live && p.shown {
		fmt.Fprintln(p.to)
	}
}
