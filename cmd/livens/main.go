// Command livens is an authoritative nameserver whose pool names follow the health of deployments, and the tool to
// run it with.
//
// # Output contract
//
// What was asked for goes to stdout, in words that may change between versions; with --json as one JSON document
// whose field names stay. Errors go to stderr, one line each, beginning with "livens COMMAND: ". Colours and line
// breaks to fit are for terminals only; NO_COLOR is obeyed.
//
// Exit status: 0 done as asked; 1 not done, or what was checked has errors; 2 the command line was not understood.
//
// Commands that act or show a running server's state go through the control socket in its state folder (mode 0600):
// the file system says who may.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], &env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}
