package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

func versionCommand() command {
	return command{
		name: "version", summary: "print which livens this is",
		help: `
Prints the version, the commit that it was built from, and the Go release.

  livens version
  livens version --json`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(_ context.Context, e *env, _ []string) error {
				b := readBuild()
				return e.print(b, func(p *printer) { p.line("livens %s", b) })
			}
		},
	}
}

// build says which livens this is.
type build struct {
	Version string `json:"version"`            // a tag, a pseudo-version or "devel"
	Commit  string `json:"commit,omitempty"`   // that it was built from
	Time    string `json:"time,omitempty"`     // of the commit
	Dirty   bool   `json:"modified,omitempty"` // sources differed from the commit
	Go      string `json:"go"`
	System  string `json:"system"`
}

func readBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	return b
}

// String is one line: "v1.2.0 (1a2b3c4d5e6f 2026-11-22T12:00:00Z) go1.26.8 linux/amd64".
func (b build) String() string {
	s := b.Version
	if b.Commit != "" {
		s += fmt.Sprintf(" (%.12s %s)", b.Commit, b.Time)
	}
	return fmt.Sprintf("%s %s %s", s, b.Go, b.System)
}
