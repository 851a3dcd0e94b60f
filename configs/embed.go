// Package configs holds the example configurations: the quickstart that
// `make run` starts, and one example per system; and the systems that are
// described by a file each. Every file is loaded by a test, so that none of them
// goes stale.
//
// It promises plain files and nothing else; reading them is config's work.
package configs

import (
	"embed"
	"io/fs"
)

// Files are all example configurations.
//
//go:embed *.hcl quickstart/*.hcl
var Files embed.FS

//go:embed systems
var systems embed.FS

// Systems are the files of the systems that come with the program, with the
// guides and tables beside them.
func Systems() fs.FS {
	sub, err := fs.Sub(systems, "systems")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
