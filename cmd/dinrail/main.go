// Dinrail is the host, its command line and its tools in one binary.
//
// It turns flags and signals into calls of the daemon and of the host's HTTP
// API, and their answers into words on a terminal. On the host's own machine it
// talks over the control socket and needs no token; elsewhere --addr and
// --token say where and who.
//
// It promises that a list can be had as JSON, that an error says what to do,
// and its exit codes: 0 done, 1 failed, 2 wrong usage. It refuses secrets on
// the command line, where other users of the machine would see them; they come
// from a prompt, a file or standard input.
package main

import (
	"os"
)

// version is set by the linker.
var version string

func main() {
	os.Exit(run(os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}
