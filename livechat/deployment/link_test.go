package deployment

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/rig"
)

// follow says hello to a deployment's link as the other one does, and returns its welcome and the first put; nil when synced comes first.
func follow(t *testing.T, d *running, log string, seq int64) (*frame.Welcome, *frame.Put) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+d.Addr()+"/link", &websocket.DialOptions{Subprotocols: []string{frame.LinkProtocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	hello := frame.Hello{T: "hello", V: 1, Role: frame.Deployment, Token: d.config.Secret, Name: d.config.PeerName, Log: log, Seq: seq}
	if err := conn.Write(ctx, websocket.MessageText, frame.Encode(hello)); err != nil {
		t.Fatal(err)
	}
	var welcome *frame.Welcome
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f, err := frame.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		switch f := f.(type) {
		case *frame.Welcome:
			welcome = f
		case *frame.Put:
			return welcome, f
		case *frame.Synced:
			return welcome, nil
		}
	}
}

// TestOnlyAPositionOfThisLogCounts: a follower that read another log, or more than there is, begins at the beginning.
func TestOnlyAPositionOfThisLogCounts(t *testing.T) {
	p, _ := pair(t, nil) // the other is not there: the test speaks for it
	d := start(t, p)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := d.attach(visitor(key, ada))
	for n := range int64(3) {
		v.send(say(c, ada, n+1, "Hello"))
	}
	v.acked(c, ada, 3, frame.Disk)
	own := d.store.Mark().Log
	for name, test := range map[string]struct {
		log  string
		seq  int64
		from int64
		puts int
	}{
		"nothing was read":      {"", 0, 0, 3},
		"some was":              {own, 1, 1, 2},
		"all was":               {own, 3, 3, 0},
		"another log":           {strings.Repeat("0", 32), 2, 0, 3},
		"more than there is":    {own, 4, 0, 3},
		"a position below none": {own, -5, 0, 3},
	} {
		welcome, put := follow(t, d, test.log, test.seq)
		if welcome == nil || welcome.Log != own || welcome.Seq != test.from {
			t.Errorf("%s: %+v", name, welcome)
		}
		if put == nil && test.puts > 0 || put != nil && len(put.Msgs) != test.puts {
			t.Errorf("%s: %+v, want %d messages", name, put, test.puts)
		}
	}
}

// TestSilentLinkIsNoticed: where packets vanish nobody is told of a broken connection. Both sides find out, and when the
// path is whole again they are connected, and hold the same.
func TestSilentLinkIsNoticed(t *testing.T) {
	t.Parallel()
	p, r := pair(t, nil)
	path, err := rig.NewPath(netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort(r.Listen), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(path.Close)
	p.Peer = "ws://" + path.Addr() + "/link"
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)

	path.Swallow(true)
	for d, complaint := range map[*running]string{primary: "not connected to redundant", redundant: "primary is not connected to this deployment"} {
		await(t, func() error {
			if code, body := d.get("/syncz"); code != 503 || !strings.Contains(body, complaint) {
				return errors.New(d.config.Name + ": " + body)
			}
			return nil
		})
	}
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := redundant.attach(visitor(key, ada))
	v.send(say(c, ada, 1, "written meanwhile"))
	v.acked(c, ada, 1, frame.Disk)

	path.Swallow(false)
	inSync(t, primary, redundant)
	if m := primary.store.Mark(); m.Count != 1 {
		t.Errorf("the primary holds %d messages", m.Count)
	}
}
