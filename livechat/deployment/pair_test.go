package deployment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/livechat/chattest"
	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/frame"
	"github.com/livens/livens/livechat/rig"
)

// moderators answers as a nameserver does.
type moderators struct {
	*httptest.Server
	mu     sync.Mutex
	active string
	epoch  int64
	states map[string]string
	mute   bool
	asked  int
}

func newModerators(t *testing.T, active string) *moderators {
	m := &moderators{active: active, epoch: 1000, states: map[string]string{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *moderators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path != "/v1/pools/chat" || m.mute {
		http.NotFound(w, r)
		return
	}
	m.asked++
	tag := fmt.Sprintf(`"%d-%s-%v"`, m.epoch, m.active, m.states)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"pool": "chat", "active": m.active, "epoch": m.epoch, "states": m.states})
}

// count is how often it was asked.
func (m *moderators) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

// decide makes another deployment active; states are pairs of name and state.
func (m *moderators) decide(active string, states ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.active, m.epoch, m.states = active, m.epoch+1, map[string]string{}
	for i := 0; i < len(states); i += 2 {
		m.states[states[i]] = states[i+1]
	}
}

// pair are the settings of two deployments that know each other. Their ports are chosen before, since each must know the other's, at an address of
// their own: nobody takes one while its deployment is not there.
func pair(t *testing.T, m *moderators) (primary, redundant *config.Config) {
	t.Helper()
	primary, redundant = settings(t, "primary"), settings(t, "redundant")
	addr := rig.Loopback()
	for _, c := range []*config.Config{primary, redundant} {
		port, err := process.FreePort(addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Listen, c.Secret = netip.AddrPortFrom(addr, port).String(), "the link's secret"
		if m != nil {
			c.Moderators = []string{m.URL}
		}
	}
	primary.Peer, primary.PeerName = "ws://"+redundant.Listen+"/link", "redundant"
	redundant.Peer, redundant.PeerName = "ws://"+primary.Listen+"/link", "primary"
	return primary, redundant
}

// await waits until ok returns nil.
func await(t *testing.T, ok func() error) {
	t.Helper()
	if err := process.Await(context.Background(), patience, ok); err != nil {
		t.Fatal(err)
	}
}

// inSync waits until both deployments pass syncz.
func inSync(t *testing.T, pair ...*running) {
	t.Helper()
	await(t, func() error {
		for _, d := range pair {
			if code, body := d.get("/syncz"); code != 200 {
				return errors.New(d.config.Name + ": " + body)
			}
		}
		return nil
	})
}

// TestMessagesAreSafeOnceTheOtherHasThem, and meet whoever is at the other deployment.
func TestMessagesAreSafeOnceTheOtherHasThem(t *testing.T) {
	m := newModerators(t, "primary")
	p, r := pair(t, m)
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)

	key, ada, ann := chattest.Key(), chattest.Sender("visitor"), chattest.Sender("operator")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	elsewhere := operator(ann)
	elsewhere.Tried = []string{"primary"}
	o, _, _ := redundant.attach(elsewhere)
	expect(v, func(m *frame.Msg) bool { return m.Kind == frame.Presence && *m.Operators == 1 })

	v.send(say(c, ada, 1, "Hello"))
	v.acked(c, ada, 1, frame.Disk)
	v.acked(c, ada, 1, frame.Safe)
	if got := expect(o, func(m *frame.Msg) bool { return m.N == 1 }); got.Text != "Hello" {
		t.Fatalf("the operator at the other deployment is shown %+v", got)
	}
	o.send(frame.Ack{T: "ack", C: c, Have: frame.Have{ada: 1}, By: frame.Operator})
	v.acked(c, ada, 1, frame.Operator)
	o.send(frame.Msg{T: "msg", C: c, Kind: frame.Typing})
	expect(v, func(m *frame.Msg) bool { return m.Kind == frame.Typing })
	o.send(say(c, ann, 1, "Hi"))
	expect(v, func(m *frame.Msg) bool { return m.S == ann && m.Text == "Hi" })
	o.acked(c, ann, 1, frame.Safe)
	inSync(t, primary, redundant)
	if a, b := primary.store.Mark(), redundant.store.Mark(); a.Digest != b.Digest || a.Count != 2 || a.Log == b.Log {
		t.Fatalf("%+v %+v", a, b)
	}
}

// TestNotSafeWhileTheOtherMayLive: the disk of one deployment is not enough until the other is known to be down.
func TestNotSafeWhileTheOtherMayLive(t *testing.T) {
	t.Parallel()
	m := newModerators(t, "primary")
	p, _ := pair(t, m)
	primary := start(t, p)
	await(t, func() error { return heard(primary) })
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	v.send(say(c, ada, 1, "Hello"))
	v.acked(c, ada, 1, frame.Disk)
	v.send(frame.Ack{T: "ack", Ping: "7"})
	for {
		if a, ok := v.next().(*frame.Ack); ok {
			if a.By == frame.Safe {
				t.Fatal("safe on one disk")
			}
			if a.Pong == "7" {
				break
			}
		}
	}
	m.decide("primary", "redundant", "down")
	v.acked(c, ada, 1, frame.Safe)
}

// heard is nil once a deployment has heard a Moderator.
func heard(d *running) error {
	if !strings.Contains(d.logs.String(), "the Moderators say") {
		return errors.New("no Moderator has been heard")
	}
	return nil
}

// TestSafeOnceTheOtherPartyHasIt: an operator's client that holds a visitor's message is a second copy.
func TestSafeOnceTheOtherPartyHasIt(t *testing.T) {
	m := newModerators(t, "primary")
	p, _ := pair(t, m)
	primary := start(t, p)
	await(t, func() error { return heard(primary) })
	key, ada, ann := chattest.Key(), chattest.Sender("visitor"), chattest.Sender("operator")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	o, _, _ := primary.attach(operator(ann))
	v.send(say(c, ada, 1, "Hello"))
	expect(o, func(m *frame.Msg) bool { return m.N == 1 })
	o.send(frame.Ack{T: "ack", C: c, Have: frame.Have{ada: 1}, By: frame.Operator})
	v.acked(c, ada, 1, frame.Safe)
}

// TestReturningDeploymentCatchesUp (F15): what was written meanwhile is pulled before syncz passes.
func TestReturningDeploymentCatchesUp(t *testing.T) {
	t.Parallel()
	m := newModerators(t, "primary")
	p, r := pair(t, m)
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)
	primary.stop()
	m.decide("redundant", "primary", "down")

	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	hello := visitor(key, ada)
	hello.Tried = []string{"primary"}
	v, _, _ := redundant.attach(hello)
	for n := range int64(15) {
		v.send(say(c, ada, n+1, fmt.Sprintf("offline %d", n+1)))
	}
	v.acked(c, ada, 15, frame.Safe)
	if code, body := redundant.get("/syncz"); code != 503 || !strings.Contains(body, "primary") {
		t.Fatalf("%d %s", code, body)
	}
	primary = start(t, p)
	inSync(t, primary, redundant)
	hello = operator(chattest.Sender("operator"))
	hello.Tried = []string{"redundant"}
	if _, _, missed := primary.attach(hello); len(missed) != 15 || missed[14].Text != "offline 15" {
		t.Fatalf("after its return the primary has %v", missed)
	}
}

// TestInSyncUnderTraffic: deployments that were connected anew pass syncz while messages come in without a pause, and a difference
// is found all the same.
func TestInSyncUnderTraffic(t *testing.T) {
	t.Parallel()
	p, r := pair(t, nil)
	for _, c := range []*config.Config{p, r} {
		c.Limits.Burst, c.Limits.Rate = 1_000_000, 1_000_000
	}
	primary, redundant := start(t, p), start(t, r)
	inSync(t, primary, redundant)
	key, ada := chattest.Key(), chattest.Sender("visitor")
	c := conversationOf(t, key)
	v, _, _ := primary.attach(visitor(key, ada))
	n, stop, talking := int64(0), make(chan struct{}), sync.WaitGroup{}
	talking.Go(func() { // four messages are always on their way
		for {
			done := v.wait()
			n++
			if err := v.Send(say(c, ada, n, "and another")); err != nil {
				t.Error(err)
				return
			}
			if n > 4 {
				if _, err := chattest.Until(v.Client, func(a *frame.Ack) bool { return a.By == frame.Disk && a.Have[ada] >= n-4 }); err != nil {
					t.Error(err)
					return
				}
			}
			done()
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	defer func() {
		close(stop)
		talking.Wait()
		await(t, func() error {
			if a, b := primary.store.Mark(), redundant.store.Mark(); a.Count != n || b.Count != n || a.Digest != b.Digest {
				return fmt.Errorf("%d messages were sent, %d are at the primary and %d at the redundant one", n, a.Count, b.Count)
			}
			return nil
		})
	}()
	redundant.stop()
	redundant = start(t, r)
	inSync(t, primary, redundant)
	redundant.stop()
	lose(t, r.Data, ada, 2)
	redundant = start(t, r)
	await(t, func() error {
		if !strings.Contains(redundant.logs.String(), "does not hold the same") {
			return errors.New("the difference is not found")
		}
		return nil
	})
	inSync(t, primary, redundant)
}
