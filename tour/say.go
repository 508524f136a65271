package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/livens/livens/internal/stage"
)

const (
	width  = 80
	margin = "            " // what does not begin with a time
)

// say prints a line with the time since the story began.
func (s *story) say(format string, args ...any) {
	fmt.Printf("  %6.2f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// note prints what belongs to the line before.
func note(format string, args ...any) { fmt.Println(margin + fmt.Sprintf(format, args...)) }

// quote prints livens' own words, broken to fit.
func quote(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(margin)+len(line)+1+len(word) > width {
			note("%s", dim(line))
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	note("%s", dim(line))
}

func bold(text string) string { return styled("1", text) }
func dim(text string) string  { return styled("2", text) }

func styled(code, text string) string {
	if !stage.IsTerminal(os.Stdout) {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f ms", d.Seconds()*1000) }
