package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

// TestLogThatNobodyReadsHoldsUpNobody: lines beyond what is kept are lost, all others come, and how many were lost is told.
func TestLogThatNobodyReadsHoldsUpNobody(t *testing.T) {
	reader, writer, err := os.Pipe()
	must(t, err)
	defer reader.Close()
	log, flush := newLogger(writer, "text", new(slog.LevelVar))
	const total = 2 * linesKept
	for i := range total { // the pipe holds a small part of that
		log.Info("line", "number", i)
	}
	go func() { flush(); writer.Close() }()
	lines, lost := 0, 0
	for s := bufio.NewScanner(reader); s.Scan(); {
		if _, told, ok := strings.Cut(s.Text(), "lines="); ok {
			var n int
			_, err := fmt.Sscan(told, &n)
			must(t, err)
			lost += n
			continue
		}
		lines++
	}
	if lost == 0 || lines < linesKept || lines+lost != total {
		t.Errorf("%d lines read and %d told to be lost, of %d", lines, lost, total)
	}
}

// TestLogIsFlushed when the process ends.
func TestLogIsFlushed(t *testing.T) {
	var out strings.Builder
	log, flush := newLogger(&out, "json", new(slog.LevelVar))
	for range 1000 {
		log.Info("line")
	}
	flush()
	if n := strings.Count(out.String(), "\n"); n != 1000 {
		t.Errorf("%d lines of 1000", n)
	}
}
