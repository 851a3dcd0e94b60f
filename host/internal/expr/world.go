package expr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dinrail/dinrail/sdk/expr"
)

// Bounds of what configuration reads from outside.
const (
	commandTimeout = 10 * time.Second
	maxRead        = 1 << 20
)

// world are the functions that read the environment, files, systemd's
// credentials and the output of programs.
func world(p Params) map[string]function.Function {
	return map[string]function.Function{
		"env": function.New(&function.Spec{
			Description: "The value of an environment variable, sensitive; with a second argument, that where it is not set.",
			Params:      []function.Parameter{expr.StringParam("name")},
			VarParam:    &function.Parameter{Name: "default", Type: cty.String},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				if len(args) > 2 {
					return cty.UnknownVal(cty.String), errors.New("env takes a name and at most one default")
				}
				name := args[0].AsString()
				if v, ok := p.Env(name); ok {
					return cty.StringVal(v).Mark(expr.Sensitive), nil
				}
				if len(args) == 2 {
					return args[1].Mark(expr.Sensitive), nil
				}
				return cty.UnknownVal(cty.String), fmt.Errorf("the environment variable %q is not set; set it, or give a default: env(%q, \"…\")", name, name)
			},
		}),
		"file": expr.Text("The content of a file, relative to the configuration file's folder.", cty.String, func(a []string) (cty.Value, error) {
			path := a[0]
			if !filepath.IsAbs(path) {
				path = filepath.Join(p.Dir, path)
			}
			return read(path)
		}, "path"),
		"credential": expr.Text("A credential that systemd handed to the host, sensitive.", cty.String, func(a []string) (cty.Value, error) {
			dir, ok := p.Env("CREDENTIALS_DIRECTORY")
			if !ok || dir == "" {
				return cty.NilVal, errors.New("systemd gave no credentials (CREDENTIALS_DIRECTORY is not set); add LoadCredential= to the unit")
			}
			if a[0] == "" || a[0] == ".." || a[0] != filepath.Base(a[0]) {
				return cty.NilVal, errors.New("a credential's name is a plain file name")
			}
			v, err := read(filepath.Join(dir, a[0]))
			if err != nil {
				return v, err
			}
			return cty.StringVal(strings.TrimRight(v.AsString(), "\r\n")).Mark(expr.Sensitive), nil
		}, "name"),
		"command": commandFunc(),
	}
}

func read(path string) (cty.Value, error) {
	// A pipe or a device could keep the host waiting for ever.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return cty.NilVal, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return cty.NilVal, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	switch {
	case err != nil:
		return cty.NilVal, err
	case len(b) > maxRead:
		return cty.NilVal, fmt.Errorf("%s has more than 1 MiB", path)
	case !utf8.Valid(b):
		return cty.NilVal, fmt.Errorf("%s is not UTF-8 text", path)
	}
	return cty.StringVal(string(b)), nil
}

// commandFunc runs each program once, however often it is named: a vault that
// asks a person should ask once.
func commandFunc() function.Function {
	type result struct {
		out string
		err error
	}
	var mu sync.Mutex
	done := map[string]result{}
	return function.New(&function.Spec{
		Description: "What a program prints, without its last line break; sensitive. No shell, 10 seconds.",
		Params:      []function.Parameter{{Name: "argv", Type: cty.List(cty.String)}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			var argv []string
			for _, a := range args[0].AsValueSlice() {
				if a.IsNull() {
					return cty.UnknownVal(cty.String), errors.New("an argument is null")
				}
				argv = append(argv, a.AsString())
			}
			if len(argv) == 0 || argv[0] == "" {
				return cty.UnknownVal(cty.String), errors.New("name a program: command([\"vault\", \"read\", \"…\"])")
			}
			mu.Lock()
			defer mu.Unlock()
			key := strings.Join(argv, "\x00")
			r, ok := done[key]
			if !ok {
				r.out, r.err = Run(argv)
				done[key] = r
			}
			if r.err != nil {
				return cty.UnknownVal(cty.String), r.err
			}
			return cty.StringVal(r.out).Mark(expr.Sensitive), nil
		},
	})
}

// Run runs a program of configuration, without a shell, and returns what it
// prints, without the last line break. Errors name the program and how it
// ended, never its arguments or output: those may be secret.
func Run(argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	var out bounded
	cmd.Stdout = &out
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s did not end within 10 seconds; run it by hand to see why", argv[0])
	case out.over:
		return "", fmt.Errorf("%s printed more than 1 MiB", argv[0])
	case err != nil:
		return "", fmt.Errorf("run %s: %w; run it by hand to see why", argv[0], err)
	case !utf8.Valid(out.Bytes()):
		return "", fmt.Errorf("%s printed something that is not UTF-8 text", argv[0])
	}
	return strings.TrimRight(out.String(), "\r\n"), nil
}

// bounded keeps the first mebibyte that is written to it.
type bounded struct {
	bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRead {
		b.over = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
