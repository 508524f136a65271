package server

import (
	"time"

	"github.com/livens/livens/livechat/frame"
)

// How long a client may be silent after its hello. It speaks within 5 s of what it heard last (20 s without an open chat), and later by at
// most a minute when a browser slows down a hidden page's timers; what it is asked it answers without a timer. Visitors of an
// operator who vanished write into the void until it is noticed.
const (
	operatorSilence = 15 * time.Second
	visitorSilence  = 75 * time.Second
)

func silenceOf(role string) time.Duration {
	if role == frame.Operator {
		return operatorSilence
	}
	return visitorSilence
}

// hark has a client asked when half of the limit has passed, and cut off when all of it has, unless stop is called before.
func hark(limit time.Duration, ask, cut func()) (stop func()) {
	half, end := time.AfterFunc(limit/2, ask), time.AfterFunc(limit, cut)
	return func() {
		half.Stop()
		end.Stop()
	}
}

// areYouThere is what a silent client is asked. Its answer is heard, whatever it says.
var areYouThere = frame.Encode(frame.Ack{T: "ack", Ping: "1"})
