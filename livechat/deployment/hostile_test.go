package deployment

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
)

// TestBadFramesCloseTheirSenderAlone: each with the protocol's code; who sat beside them notices nothing, and nothing is stored.
func TestBadFramesCloseTheirSenderAlone(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key, victim := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	beside, _, _ := d.attach(visitor(key, victim))
	beside.send(say(c, victim, 1, "mine"))
	beside.acked(c, victim, 1, frame.Disk)
	before := d.store.Mark().Count

	mine, own := chattest.Sender("visitor"), conversationOf(t, "a-key-of-somebody-else-00")
	forged := frame.Msg{S: victim, N: 2, From: frame.Visitor, At: 1, Text: "forged"}
	long := strings.Repeat("x", frame.MaxText+1)
	for name, test := range map[string]struct {
		role  string
		frame any
		code  int
	}{
		"no JSON":                      {frame.Visitor, []byte("hello"), frame.Malformed},
		"a list":                       {frame.Visitor, []byte("[]"), frame.Malformed},
		"wrong types":                  {frame.Visitor, []byte(`{"t":"msg","n":"1"}`), frame.Malformed},
		"no number":                    {frame.Visitor, say(own, mine, 0, "x"), frame.Malformed},
		"a number far ahead":           {frame.Visitor, say(own, mine, 1002, "x"), frame.Malformed},
		"an empty text":                {frame.Visitor, say(own, mine, 1, ""), frame.Malformed},
		"a long text":                  {frame.Visitor, say(own, mine, 1, long), frame.Malformed},
		"an oversize frame":            {frame.Visitor, []byte(`{"t":"nothing","x":"` + strings.Repeat("x", frame.MaxFrame) + `"}`), frame.Malformed},
		"a second hello":               {frame.Visitor, frame.Hello{T: "hello", V: 1}, frame.Malformed},
		"what a deployment says":       {frame.Visitor, frame.Welcome{T: "welcome"}, frame.Malformed},
		"another's conversation":       {frame.Visitor, say(c, mine, 1, "x"), frame.Forged},
		"another's sender":             {frame.Visitor, say(own, victim, 1, "x"), frame.Forged},
		"a visitor's transcript":       {frame.Visitor, frame.Put{T: "put", C: own, Msgs: []frame.Msg{forged}}, frame.Forged},
		"an acknowledgement elsewhere": {frame.Visitor, frame.Ack{T: "ack", C: c, Have: frame.Have{victim: 1}, By: frame.Visitor}, frame.Forged},
		"another's acknowledgement":    {frame.Visitor, frame.Ack{T: "ack", C: own, Have: frame.Have{mine: 1}, By: frame.Operator}, frame.Forged},
		"safety, by a client":          {frame.Visitor, frame.Ack{T: "ack", C: own, Have: frame.Have{mine: 1}, By: frame.Safe}, frame.Forged},
		"an end by a visitor":          {frame.Visitor, frame.Msg{T: "msg", C: own, Kind: frame.End}, frame.Forged},
		"a forged role in a put":       {frame.Operator, frame.Put{T: "put", C: c, Msgs: []frame.Msg{{S: victim, N: 2, From: frame.Operator, At: 1, Text: "x"}}}, frame.Malformed},
		"a put from the future":        {frame.Operator, frame.Put{T: "put", C: c, Msgs: []frame.Msg{{S: victim, N: 2, From: frame.Visitor, At: 1 << 52, Text: "x"}}}, frame.Malformed},
		"a put of too many":            {frame.Operator, frame.Put{T: "put", C: c, Msgs: make([]frame.Msg, frame.MaxPut+1)}, frame.Malformed},
		"a conversation that is none":  {frame.Operator, frame.Msg{T: "msg", C: "../etc", N: 1, Text: "x"}, frame.Malformed},
		"an oversize operator's frame": {frame.Operator, []byte(`{"t":"nothing","x":"` + strings.Repeat("x", frame.MaxBulkFrame) + `"}`), frame.Malformed},
	} {
		hello := visitor("a-key-of-somebody-else-00", mine)
		if test.role == frame.Operator {
			hello = operator(chattest.Sender("operator"))
		}
		bad, _, _ := d.attach(hello)
		bad.send(test.frame)
		if code := bad.closed(); code != test.code {
			t.Errorf("%s: closed with %d, want %d", name, code, test.code)
		}
	}
	beside.send(say(c, victim, 2, "still here"))
	beside.acked(c, victim, 2, frame.Disk)
	if after := d.store.Mark().Count; after != before+1 {
		t.Errorf("%d messages were stored that should not", after-before-1)
	}
	if !strings.Contains(d.logs.String(), `reason="another's conversation"`) {
		t.Error("what was refused is not in the log")
	}
}

func TestBadHellos(t *testing.T) {
	d := start(t, settings(t, "primary"))
	good := visitor(chattest.Key(), chattest.Sender("visitor"))
	for name, test := range map[string]struct {
		spoil func(*frame.Hello)
		code  int
	}{
		"a short key":                 {func(h *frame.Hello) { h.Key = "short" }, frame.Forged},
		"an operator's sender":        {func(h *frame.Hello) { h.Sender = "o-12345678" }, frame.Forged},
		"a wrong token":               {func(h *frame.Hello) { *h = operator("o-12345678"); h.Token = "guess" }, frame.Forged},
		"no token":                    {func(h *frame.Hello) { *h = operator("o-12345678"); h.Token = "" }, frame.Forged},
		"no role":                     {func(h *frame.Hello) { h.Role = "" }, frame.Malformed},
		"a deployment":                {func(h *frame.Hello) { h.Role = frame.Deployment }, frame.Malformed},
		"a long name":                 {func(h *frame.Hello) { h.Name = strings.Repeat("x", frame.MaxName+1) }, frame.Malformed},
		"another version":             {func(h *frame.Hello) { h.V = 2 }, frame.Malformed},
		"have of no conversation":     {func(h *frame.Hello) { h.Have = map[string]frame.Have{"x": {}} }, frame.Malformed},
		"have of a sender that isn't": {func(h *frame.Hello) { h.Have = map[string]frame.Have{conversationOf(t, h.Key): {"x": 1}} }, frame.Malformed},
	} {
		hello := good
		test.spoil(&hello)
		hello.T = "hello"
		if hello.V == 0 {
			hello.V = 1
		}
		c := d.dial()
		c.send(hello)
		if code := c.closed(); code != test.code {
			t.Errorf("%s: closed with %d, want %d", name, code, test.code)
		}
	}
	for name, first := range map[string]any{"msg": say(strings.Repeat("a", 32), "v-12345678", 1, "x"), "unknown": []byte(`{"t":"nothing"}`)} {
		c := d.dial()
		c.send(first)
		if code := c.closed(); code != frame.Malformed {
			t.Errorf("%s before hello: closed with %d", name, code)
		}
	}
	if n := d.hub.Clients(); n != 0 {
		t.Errorf("%d sessions without a hello", n)
	}
}

// TestUnknownFramesAreIgnored, so that versions may differ.
func TestUnknownFramesAreIgnored(t *testing.T) {
	d := start(t, settings(t, "primary"))
	v, _, _ := d.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	v.send([]byte(`{"t":"weather","c":7}`))
	v.send(frame.Msg{T: "msg", Kind: "wave"})
	v.send([]byte(`{"t":"ack","ping":5,"later":true}`))
	expect(v, func(a *frame.Ack) bool { return a.Pong == "5" })
}

// TestFloodIsClosed: an outbox after an outage is taken; what goes on beyond it is a flood, and others are answered meanwhile.
func TestFloodIsClosed(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key, sender := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	began := time.Now()
	flood, _, _ := d.attach(visitor(key, sender))
	for n := range int64(100) {
		flood.send(say(c, sender, n+1, "kept over an outage"))
	}
	flood.acked(c, sender, 100, frame.Disk)
	for n := range int64(200) {
		if flood.Send(say(c, sender, 101+n, "more")) != nil {
			break
		}
	}
	if code := flood.closed(); code != frame.Malformed {
		t.Errorf("closed with %d", code)
	}
	if n, most := d.store.Mark().Count, 150+int64(5*time.Since(began).Seconds()); n > most {
		t.Errorf("%d messages of a flood were stored, at most %d may be by now", n, most)
	}
	v, _, _ := d.attach(visitor(chattest.Key(), chattest.Sender("visitor")))
	v.send(frame.Ack{T: "ack", Ping: "1"})
	expect(v, func(a *frame.Ack) bool { return a.Pong == "1" })
}

// TestSlowReaderIsClosed, and finds what it missed when it returns; the operator who writes to it is not held up.
func TestSlowReaderIsClosed(t *testing.T) {
	t.Parallel()
	c := settings(t, "primary")
	c.Limits.Burst, c.Limits.Rate = 100000, 100000
	d := start(t, c)
	key := chattest.Key()
	id := conversationOf(t, key)
	slow, _, _ := d.attach(visitor(key, chattest.Sender("visitor")))
	ann := chattest.Sender("operator")
	o, _, _ := d.attach(operator(ann))
	text := strings.Repeat("x", frame.MaxText)
	const many = 1500 // 12 MB: more than the kernel holds for a connection
	for n := int64(1); n <= many; n++ {
		o.send(say(id, ann, n, text))
		if n%50 == 0 {
			o.acked(id, ann, n, frame.Disk)
		}
	}
	if code := slow.closed(); code != frame.Busy && code != -1 { // -1: its buffers were too full for a close frame
		t.Errorf("closed with %d", code)
	}
	_, _, missed := d.attach(visitor(key, chattest.Sender("visitor")))
	if len(missed) != many {
		t.Errorf("on return it was shown %d of %d", len(missed), many)
	}
}

func TestOrigins(t *testing.T) {
	c := settings(t, "primary")
	c.Origins = []string{"https://shop.example.com"}
	c.Client.URL = "wss://chat.example.com/chat"
	d := start(t, c)
	for origin, want := range map[string]bool{
		"": true, "http://" + d.Addr(): true, "https://shop.example.com": true, "https://chat.example.com": true, "HTTPS://Shop.example.com": true,
		"https://evil.example.com": false, "http://shop.example.com": false, "null": false, "https://shop.example.com.evil.net": false, "https://shop.example.com:8443": false,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		conn, resp, err := websocket.Dial(ctx, "ws://"+d.Addr()+"/chat", &websocket.DialOptions{HTTPHeader: header, Subprotocols: []string{frame.ChatProtocol}})
		if (err == nil) != want || !want && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%q: %v", origin, err)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
		cancel()
	}
}

// TestStrangersCannotFillTheLog: of many refusals a minute only some are logged, and how many were not is said.
func TestStrangersCannotFillTheLog(t *testing.T) {
	d := start(t, settings(t, "primary"))
	for range 80 {
		c := d.dial()
		c.send([]byte("x"))
		c.closed()
	}
	if n := strings.Count(d.logs.String(), "a client was refused"); n < 10 || n > 60 {
		t.Errorf("%d of 80 refusals were logged", n)
	}
}

// TestHTMLIsOnlyText: it is stored and shown as it was written.
func TestHTMLIsOnlyText(t *testing.T) {
	d := start(t, settings(t, "primary"))
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := d.attach(visitor(key, ada))
	text := "<img src=x onerror=alert(1)>\x00\u2028&amp;"
	v.send(say(c, ada, 1, text))
	v.acked(c, ada, 1, frame.Disk)
	_, _, missed := d.attach(operator(chattest.Sender("operator")))
	if len(missed) != 1 || !bytes.Equal([]byte(missed[0].Text), []byte(text)) {
		t.Errorf("%+v", missed)
	}
}

func TestSilentConnectionIsClosed(t *testing.T) {
	t.Parallel()
	d := start(t, settings(t, "primary"))
	began := time.Now()
	if code := d.dial().closed(); code != frame.Malformed {
		t.Errorf("closed with %d after %v", code, time.Since(began))
	}
}
