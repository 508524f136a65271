package main

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/livens/livens/failover"
)

// The codes of alerts about the process itself. docs/operations.md says what to do for each.
const (
	codeConfigErrors = "config-errors"                 // the files on disk are not what is served
	codeNeedRestart  = "restart-needed"                // changed settings wait for a restart
	codeNoControl    = "control-unavailable"           // livens status, failover and so on cannot reach the server
	codeNoHTTP       = "http-unavailable"              // no metrics, page or API
	codeNoModerator  = "moderator-unavailable"         // clients cannot ask this nameserver who is active
	codeCertificate  = "moderator-certificate"         // its certificate cannot be read: the former is in use, or none
	codeExpires      = "moderator-certificate-expires" // it ends soon, or has ended
	codeCookies      = "cookies-unreadable"            // DNS cookies are not the ones that other nameservers give
	codeUnkept       = "last-good-unkept"              // a restart would not know what is served
	codeUnchecked    = "deployment-unchecked"          // its state cannot be told from this host
	codeStateDamaged = "state-damaged"                 // a file in the state folder could not be read
	codeNoKey        = "cluster-key"                   // the other nameservers cannot be talked to
	codeEventsUnkept = "events-unkept"                 // a restart would not know what happened
	codeSelfDoubt    = "self-doubt"                    // this nameserver does not trust its own verdicts
)

// notices are the alerts that are raised about the process itself, by code.
type notices struct {
	mu  sync.Mutex
	all map[string]failover.Alert
}

func newNotices() *notices { return &notices{all: map[string]failover.Alert{}} }

// raise adds the alert, or renews its text; the time it was first raised stays.
func (n *notices) raise(code, affects, text, hint string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	since := time.Now()
	if before, ok := n.all[code]; ok {
		since = before.Since
	}
	n.all[code] = failover.Alert{Code: code, Severity: failover.Warning, Affects: affects, Text: text, Hint: hint, Since: since}
}

func (n *notices) clear(code string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.all, code)
}

// raised lists the alerts in order of their codes.
func (n *notices) raised() []failover.Alert {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]failover.Alert, 0, len(n.all))
	for _, code := range slices.Sorted(maps.Keys(n.all)) {
		out = append(out, n.all[code])
	}
	return out
}
