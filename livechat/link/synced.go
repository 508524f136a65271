package link

import (
	"errors"
	"fmt"
	"time"
)

// Synced is nil when both deployments are known to hold the same; else it says why not.
func (l *Link) Synced() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	peer, mine := l.options.Peer, l.options.Build
	switch {
	case !l.incoming.up:
		return fmt.Errorf("not connected to %s", peer)
	case !l.outgoing.up:
		return fmt.Errorf("%s is not connected to this deployment", peer)
	case l.theirs.Version != mine.Version:
		return fmt.Errorf("%s runs version %s, this deployment %s", peer, l.theirs.Version, mine.Version)
	case l.theirs.Settings != mine.Settings:
		return fmt.Errorf("%s has other settings (%s, here %s): compare pool, operators, origins, limits and client of both livechat.toml", peer, l.theirs.Settings, mine.Settings)
	case l.incoming.late():
		return fmt.Errorf("%s has messages that are not here yet", peer)
	case l.outgoing.late():
		return fmt.Errorf("%s has not got all messages yet", peer)
	}
	switch l.agreed {
	case notCompared:
		return errors.New("what both hold has not been compared yet")
	case different:
		return fmt.Errorf("%s does not hold the same, though both have read all of each other", peer)
	}
	return nil
}

func (w *way) late() bool { return !w.behind.IsZero() && time.Since(w.behind) > maxLate }
