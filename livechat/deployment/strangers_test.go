package deployment

import (
	"testing"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// TestAFloodOfAcknowledgementsReachesNobody: an operator who is reading something else meanwhile is not closed for it.
func TestAFloodOfAcknowledgementsReachesNobody(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key := chattest.Key()
	c := conversationOf(t, key)
	o, _, _ := d.attach(operator(chattest.Sender("operator")))
	v, _, _ := d.attach(visitor(key, chattest.Sender("visitor")))
	have := frame.Have{}
	for range 1500 {
		have[chattest.Sender("operator")] = 1<<53 - 1
	}
	claim := frame.Encode(frame.Ack{T: "ack", C: c, Have: have, By: frame.Visitor})
	for n := range 350 { // 15 MB: more than the kernel holds for a connection
		v.send(claim)
		if n%5 == 0 {
			o.send(frame.Ack{T: "ack", Ping: "3"}) // on a slow machine it would be silent for too long: it does not read that it is asked
		}
	}
	v.send(frame.Ack{T: "ack", Ping: "1"})
	expect(v, func(a *frame.Ack) bool { return a.Pong == "1" })
	o.send(frame.Ack{T: "ack", Ping: "2"})
	expect(o, func(a *frame.Ack) bool { return a.Pong == "2" })
}
