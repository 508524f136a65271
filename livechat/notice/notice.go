// Package notice bounds how much strangers can write into the log.
package notice

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Log logs what strangers do that they should not, at most 60 lines a minute. Its methods may be called from many goroutines at once.
type Log struct {
	to *slog.Logger

	mu      sync.Mutex
	minute  time.Time
	logged  int
	skipped int
}

// New makes one that writes to another.
func New(to *slog.Logger) *Log { return &Log{to: to} }

// most is how many lines a minute may have.
const most = 60

// take says whether a line may be logged, and how many were not since the last one.
func (l *Log) take(now time.Time) (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.minute) >= time.Minute {
		l.minute, l.logged = now, 0
	}
	if l.logged >= most {
		l.skipped++
		return 0, false
	}
	l.logged++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}

// Warn logs what the client of a request did, unless there were too many; then the next line says how many.
func (l *Log) Warn(r *http.Request, what string, args ...any) {
	skipped, ok := l.take(time.Now())
	if !ok {
		return
	}
	if skipped > 0 {
		args = append(args, "not_logged_before", skipped)
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	l.to.Warn(what, append(args, "client", host)...)
}
