package main

import (
	"flag"
	"fmt"
	"strings"

	"github.com/livens/livens/internal/suggest"
)

const usageHead = `livens is an authoritative nameserver whose pool names follow the health of deployments.

  livens COMMAND [flags]

`

const usageTail = `
Every command takes --config FILE (default ` + defaultConfig + `) and --help.
Exit status: 0 done; 1 not done, or errors were found; 2 the command line was not understood.

To begin with:

  livens check --probe        is the configuration right, and what would be answered?
  livens serve                answer
  livens status               who answers, since when, and why
  livens diff                 do all nameservers hold the same?
  livens events               what happened?
`

// usage is the text of livens --help.
func usage() string {
	var b strings.Builder
	b.WriteString(usageHead)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.summary)
	}
	b.WriteString(usageTail)
	return b.String()
}

// usage is the text of livens COMMAND --help.
func (c *command) usage(flags *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "livens %s: %s\n\n  livens %s", c.name, c.summary, strings.Join(append([]string{c.name}, c.args...), " "))
	b.WriteString(" [flags]\n\n")
	b.WriteString(strings.TrimSpace(c.help))
	b.WriteString("\n\nFlags:\n")
	var rows [][2]string
	width := 0
	flags.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		left := strings.TrimSpace("--" + f.Name + " " + value)
		text = strings.TrimSuffix(strings.TrimSuffix(text, ": "+value), " "+value)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			text += " (default " + f.DefValue + ")"
		}
		rows, width = append(rows, [2]string{left, text}), max(width, len(left))
	})
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, r[0], r[1])
	}
	return b.String()
}

func names(all []command) []string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.name
	}
	return out
}

// hint is ": did you mean X?" for the word nearest to what was written, or "".
func hint(written string, words []string) string {
	if s := suggest.Nearest(written, words); s != "" {
		return ": " + s
	}
	return ""
}
