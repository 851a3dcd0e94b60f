// Package configs holds the example configurations: the quickstart that
// `make run` starts, and one example per system. Every file is loaded by a
// test, so that none of them goes stale.
//
// It promises plain files and nothing else; reading them is config's work.
package configs

import "embed"

// Files are all example configurations.
//
//go:embed *.hcl quickstart/*.hcl
var Files embed.FS
