package deployment

import (
	"testing"

	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// TestVisitorAndOperatorTalk: each message is acknowledged, shown to the other party and, with its time, to its sender.
func TestVisitorAndOperatorTalk(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key, ada, ann := chattest.Key(), chattest.Sender("visitor"), chattest.Sender("operator")
	c := conversationOf(t, key)

	v, welcome, missed := d.attach(visitor(key, ada))
	if welcome.C != c || welcome.Operators != 0 || welcome.Deployment != "primary" || len(missed) != 0 {
		t.Fatalf("welcomed with %+v and %v", welcome, missed)
	}
	v.send(say(c, ada, 1, "<b>Is this in stock?</b>"))
	v.acked(c, ada, 1, frame.Disk)
	v.acked(c, ada, 1, frame.Safe) // there is no other deployment

	o, welcome, missed := d.attach(operator(ann))
	if welcome.Have[c][ada] != 1 || len(missed) != 1 || missed[0].Text != "<b>Is this in stock?</b>" || missed[0].From != frame.Visitor || missed[0].Name != "Ada" {
		t.Fatalf("the operator is shown %+v and %v", welcome, missed)
	}
	expect(v, func(m *frame.Msg) bool { return m.Kind == frame.Presence && *m.Operators == 1 })
	o.send(frame.Ack{T: "ack", C: c, Have: frame.Have{ada: 1}, By: frame.Operator})
	v.acked(c, ada, 1, frame.Operator)

	o.send(frame.Msg{T: "msg", C: c, S: ann, Kind: frame.Typing})
	expect(v, func(m *frame.Msg) bool { return m.Kind == frame.Typing && m.From == frame.Operator })
	o.send(say(c, ann, 1, "Yes."))
	got := expect(v, func(m *frame.Msg) bool { return m.S == ann && m.N == 1 })
	own := expect(o, func(m *frame.Msg) bool { return m.S == ann && m.N == 1 })
	if got.Text != "Yes." || got.From != frame.Operator || own.At != got.At || own.At <= missed[0].At {
		t.Fatalf("the visitor is shown %+v, the operator %+v", got, own)
	}

	o.send(frame.Msg{T: "msg", C: c, Kind: frame.End})
	expect(v, func(m *frame.Msg) bool { return m.Kind == frame.End && m.At > got.At })
	if _, welcome, _ := d.attach(operator(chattest.Sender("operator"))); len(welcome.Have) != 0 {
		t.Fatalf("a closed conversation is shown as open: %v", welcome.Have)
	}
	v.send(say(c, ada, 2, "One more thing"))
	v.acked(c, ada, 2, frame.Safe)
	if _, welcome, missed := d.attach(operator(chattest.Sender("operator"))); welcome.Have[c][ada] != 2 || len(missed) != 3 {
		t.Fatalf("a conversation that goes on is not open: %v %v", welcome.Have, missed)
	}
}

// TestSentAgainIsOneMessage: whoever has a message drops it, and acknowledges it again.
func TestSentAgainIsOneMessage(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := d.attach(visitor(key, ada))
	for range 3 {
		v.send(say(c, ada, 1, "Hello"))
		v.acked(c, ada, 1, frame.Disk)
	}
	v.Cut()
	v, welcome, missed := d.attach(visitor(key, ada))
	if welcome.Have[c][ada] != 1 || len(missed) != 1 {
		t.Fatalf("%v %v", welcome.Have, missed)
	}
	v.acked(c, ada, 1, frame.Safe) // of what the earlier connection sent
}

// TestRestartTellsClients: a deployment that ends says so, and has all messages when it is there again.
func TestRestartTellsClients(t *testing.T) {
	c := settings(t, "primary")
	d := start(t, c)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	v, _, _ := d.attach(visitor(key, ada))
	v.send(say(conversationOf(t, key), ada, 1, "Hello"))
	v.acked(conversationOf(t, key), ada, 1, frame.Disk)
	go d.stop()
	if code := v.closed(); code != frame.Restart {
		t.Fatalf("closed with %d", code)
	}
	d.stop()
	d = start(t, c)
	if _, _, missed := d.attach(visitor(key, chattest.Sender("visitor"))); len(missed) != 1 {
		t.Fatalf("after the restart there is %v", missed)
	}
}

func TestHealthz(t *testing.T) {
	d := start(t, settings(t, "primary"))
	if code, body := d.get("/healthz"); code != 200 {
		t.Fatal(code, body)
	}
}
