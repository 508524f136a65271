package server

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// notices bounds how often strangers can make a log line.
type notices struct {
	mu      sync.Mutex
	minute  time.Time
	logged  int
	skipped int
}

// maxNotices is how many lines a minute may have.
const maxNotices = 60

// take says whether a line may be logged, and how many were not since the last one.
func (n *notices) take(now time.Time) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.minute) >= time.Minute {
		n.minute, n.logged = now, 0
	}
	if n.logged >= maxNotices {
		n.skipped++
		return 0, false
	}
	n.logged++
	skipped, n.skipped = n.skipped, 0
	return skipped, true
}

// notice logs what a client did that it should not.
func (s *Server) notice(r *http.Request, what string, args ...any) {
	skipped, ok := s.notices.take(time.Now())
	if !ok {
		return
	}
	if skipped > 0 {
		args = append(args, "not_logged_before", skipped)
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	s.log.Warn(what, append(args, "client", host)...)
}
