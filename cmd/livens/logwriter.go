package main

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"
)

// logWriter hands log lines on to a writer that may stand still, as a pipe does whose reader hangs. Whoever logs never waits for it:
// probes, decisions and answers go on, and what does not fit any more is counted.
type logWriter struct {
	to      io.Writer
	lines   chan []byte
	flushes chan chan<- struct{}
	lost    atomic.Uint64
	tell    func(lost uint64) // writes to to that lines were lost
}

const (
	// linesKept is how many lines wait at most: some 15 MB.
	linesKept = 1 << 16
	// flushLimit is how long the process waits at its end for what was logged to be written.
	flushLimit = time.Second
)

// newLogWriter writes until flush. tell is called by the goroutine that writes, once there is room again.
func newLogWriter(to io.Writer, tell func(lost uint64)) *logWriter {
	w := &logWriter{to: to, lines: make(chan []byte, linesKept), flushes: make(chan chan<- struct{}), tell: tell}
	go w.run()
	return w
}

// Write takes one line, and never fails: package slog calls it once for each.
func (w *logWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- bytes.Clone(line):
	default:
		w.lost.Add(1)
	}
	return len(line), nil
}

func (w *logWriter) run() {
	for {
		select {
		case line := <-w.lines:
			w.write(line)
		case done := <-w.flushes:
			for len(w.lines) > 0 {
				w.write(<-w.lines)
			}
			close(done)
			return
		}
	}
}

func (w *logWriter) write(line []byte) {
	_, _ = w.to.Write(line) // there is nobody to tell
	if n := w.lost.Swap(0); n > 0 {
		w.tell(n)
	}
}

// flush writes what was logged before, and ends the writing. It gives up after flushLimit.
func (w *logWriter) flush() {
	limit := time.After(flushLimit)
	done := make(chan struct{})
	select {
	case w.flushes <- done:
	case <-limit:
		return
	}
	select {
	case <-done:
	case <-limit:
	}
}
