// Package link connects two deployments: each follows the other's log. So whatever either has, the other soon has too, and
// says so, which is what makes a message safe; and both know when they hold the same.
package link

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/livens/livens/livechat/chat"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/notice"
	"github.com/livens/livens/livechat/store"
)

// Options are what a Link is made of.
type Options struct {
	Name   string // of this deployment
	Peer   string // of the other
	URL    string // of the other's link, such as "wss://chat-b.example.com/link"
	Secret string // which both have
	Build  frame.Build
	Client *http.Client // reaches the other
	Hub    *chat.Hub
	Store  *store.Store
	Log    *slog.Logger
}

// Link is both connections between two deployments.
type Link struct {
	options Options
	secret  [32]byte // its hash
	notices *notice.Log

	mu       sync.Mutex
	leader   *leader // the connection on which the other follows; nil: none
	leaders  int64   // how many there have been
	closed   bool    // no connection is taken any more
	outgoing way     // from this log to the other deployment
	incoming way
	agreed   agreement
	theirs   frame.Build // the other's, as its welcome said
	reread   time.Time   // when the other's log was last read again because digests differed
}

// way is one direction.
type way struct {
	up     bool
	goal   int64     // where the log ended once, which its reader has not reached yet
	behind time.Time // since when that is so; zero: all was there
}

// agreement is how the last comparison of the digests ended.
type agreement uint8

const (
	notCompared agreement = iota
	same
	different
)

const (
	beat    = time.Second     // between two signs of life
	silent  = 3 * time.Second // after which a connection without one is broken
	greet   = 5 * time.Second // for hello and welcome
	stuck   = 5 * time.Second // after which who acknowledges nothing of what it was sent does not follow
	maxLate = 2 * time.Second // how old the oldest may be that the other side lacks
	again   = time.Minute     // between two readings from the beginning

	compareEvery = 5 * time.Second // while messages come without a pause
	settled      = 3 * time.Second // how old what is compared then is: what is younger may be on its way
)

// New makes a Link that is not connected.
func New(o Options) *Link {
	return &Link{options: o, secret: sha256.Sum256([]byte(o.Secret)), notices: notice.New(o.Log)}
}

// Relay sends a passing frame to the other deployment; without a connection, or with one that is full, it is dropped. It
// does not block.
func (l *Link) Relay(f any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leader == nil {
		return
	}
	select {
	case l.leader.passing <- f:
	default:
	}
}

func (l *Link) entitled(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], l.secret[:]) == 1
}

// note changes what is known of the directions.
func (l *Link) note(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// progress notes how far a reader is of what there is. Where messages come without a pause it is never at the end; it is late only when it has not got,
// for too long, to where the end was once.
func (w *way) progress(read, head int64) {
	switch {
	case read >= head:
		w.behind = time.Time{}
	case w.behind.IsZero() || read >= w.goal:
		w.goal, w.behind = head, time.Now()
	}
}
