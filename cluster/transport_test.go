package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livens/livens/internal/process"
)

var (
	loopback   = netip.MustParseAddr("127.0.0.1")
	clusterKey = bytes.Repeat([]byte{7}, 32)
	otherKey   = bytes.Repeat([]byte{8}, 32)
)

// freeAddrs are addresses on which nobody listens.
func freeAddrs(t testing.TB, n int) []netip.AddrPort {
	t.Helper()
	var addrs []netip.AddrPort
	for len(addrs) < n {
		port, err := process.FreePort(loopback)
		if err != nil {
			t.Fatal(err)
		}
		if addr := netip.AddrPortFrom(loopback, port); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// testTransport is a Transport whose Run runs, and what it logged.
type testTransport struct {
	*Transport
	log  *logBuffer
	stop func() // as at the end of a process; may be called again
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) count(words string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Count(b.buf.Bytes(), []byte(words))
}

// startTransport runs a nameserver's transport at addrs[i], with all others as peers.
func startTransport(t testing.TB, addrs []netip.AddrPort, i int, change func(*TransportOptions)) *testTransport {
	t.Helper()
	o := TransportOptions{Name: fmt.Sprintf("ns%d", i+1), Listen: addrs[i], Keys: [][]byte{clusterKey}}
	for j, addr := range addrs {
		if j != i {
			o.Peers = append(o.Peers, addr.String())
		}
	}
	r := &testTransport{log: &logBuffer{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, nil))
	if change != nil {
		change(&o)
	}
	var err error
	if r.Transport, err = NewTransport(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// kill ends a transport as the death of its process would: nobody is told.
func (r *testTransport) kill() {
	r.sockets.Shutdown()
	r.stop()
}

// comesTrue waits for what must come true.
func comesTrue(t testing.TB, what string, true func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(60 * time.Second)
	for !true() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// ups is how many peers are up.
func (r *testTransport) ups() int {
	n := 0
	for _, l := range r.Links() {
		if l.Up {
			n++
		}
	}
	return n
}

func (r *testTransport) fault(kind FaultKind) Fault {
	for _, f := range r.Faults() {
		if f.Kind == kind {
			return f
		}
	}
	return Fault{}
}

// meet waits until each of them has met all of its peers.
func meet(t testing.TB, all ...*testTransport) {
	t.Helper()
	for _, r := range all {
		comesTrue(t, r.name+" meets its peers", func() bool { return r.ups() == len(r.Links()) })
	}
}

// exchange has a message go from one to the other. Repeats are for UDP, which loses.
func exchange(t testing.TB, from, to *testTransport, reliable bool, data string) Packet {
	t.Helper()
	for range 50 {
		from.Send(to.advertise.String(), []byte(data), reliable)
		patience := time.After(200 * time.Millisecond)
		for waiting := true; waiting; {
			select {
			case p := <-to.Received():
				if string(p.Data) == data {
					return p
				}
			case <-patience:
				waiting = false
			}
		}
	}
	t.Fatalf("nothing arrives at %s from %s", to.name, from.name)
	return Packet{}
}

func TestThreeNameserversFindEachOther(t *testing.T) {
	addrs := freeAddrs(t, 3)
	var all []*testTransport
	for i := range addrs {
		all = append(all, startTransport(t, addrs, i, nil))
	}
	meet(t, all...)
	for _, from := range all {
		for _, to := range all {
			if from == to {
				continue
			}
			for size, reliable := range map[int]bool{5: false, maxDatagram: false, maxDatagram + 1: false, 6: true, MaxMessage: true} {
				data := string(bytes.Repeat([]byte{from.name[2]}, size)) // repetitions for another one are not taken for it
				p := exchange(t, from, to, reliable, data)
				if p.Peer != from.advertise.String() || p.Name != from.name {
					t.Errorf("from %q (%s), want %s (%s)", p.Peer, p.Name, from.advertise, from.name)
				}
			}
		}
	}
	for _, r := range all {
		if f := r.Faults(); len(f) > 0 {
			t.Errorf("%s: %v", r.name, f)
		}
	}
}

func TestLinkTellsNameAddressAndWhy(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a := startTransport(t, addrs, 0, nil)
	comesTrue(t, "the reason", func() bool { return strings.Contains(a.Links()[0].Err, "refused") })
	if l := a.Links()[0]; l.Up || l.Name != "" || strings.Contains(l.Err, "\n") || l.Since.IsZero() || l.Peer != addrs[1].String() {
		t.Errorf("never met: %+v", l)
	}
	lonely := a.Links()[0].Since
	startTransport(t, addrs, 1, func(o *TransportOptions) { o.Peers = nil }) // it does not call
	meet(t, a)
	if l := a.Links()[0]; l.Name != "ns2" || l.Addr != addrs[1] || l.Err != "" || !l.Since.After(lonely) {
		t.Errorf("met: %+v", l)
	}
}

func TestLeaveIsNoticedAtOnce(t *testing.T) {
	addrs := freeAddrs(t, 3)
	library := &logBuffer{}
	verbose := func(o *TransportOptions) {
		o.Log = slog.New(slog.NewTextHandler(library, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	a, b, c := startTransport(t, addrs, 0, verbose), startTransport(t, addrs, 1, verbose), startTransport(t, addrs, 2, nil)
	meet(t, a, b, c)
	for len(a.Changed()) > 0 {
		<-a.Changed()
	}
	const taken = "Marking ns3 as failed"
	before, failures := time.Now(), library.count(taken)
	c.stop()
	<-a.Changed()
	comesTrue(t, "both see it gone", func() bool { return a.ups() == 1 && b.ups() == 1 })
	link := a.Links()[1]
	if link.Up || link.Name != "ns3" || link.Err == "" || link.Since.Before(before) {
		t.Errorf("after the leave: %+v", link)
	}
	if library.count(taken) > failures { // seconds later
		t.Error("its leave went unheard, and it was taken for dead")
	}
}

func TestKilledIsRejoined(t *testing.T) {
	addrs := freeAddrs(t, 3)
	a, b, c := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil), startTransport(t, addrs, 2, nil)
	meet(t, a, b, c)
	c.kill()
	c = startTransport(t, addrs, 2, nil)
	meet(t, c)
	exchange(t, a, c, false, "to the restarted")
	exchange(t, c, b, true, "from the restarted")
	c.kill()
	comesTrue(t, "the library tells the death", func() bool { return a.ups() == 1 && b.ups() == 1 })
	c = startTransport(t, addrs, 2, nil)
	meet(t, a, b, c)
	exchange(t, a, c, false, "to the risen")
}

// TestReturnsElsewhere has a nameserver die and return with its name at another address that its peers have for it.
func TestReturnsElsewhere(t *testing.T) {
	addrs := freeAddrs(t, 3)
	a := startTransport(t, addrs, 0, nil)
	b := startTransport(t, addrs, 1, nil)
	exceptThird := func(o *TransportOptions) { o.Peers = []string{addrs[0].String()} }
	comesTrue(t, "a meets b", func() bool { return a.Links()[0].Up })
	b.kill()
	moved := startTransport(t, addrs, 2, func(o *TransportOptions) { exceptThird(o); o.Name = "ns2" })
	meet(t, moved)
	comesTrue(t, "a meets the moved", func() bool { l := a.Links(); return !l[0].Up && l[1].Up && l[1].Name == "ns2" })
	if l := a.Links(); l[1].Since.Sub(l[0].Since) >= forgetPatience {
		t.Error("the name was not free before its old holder was forgotten")
	}
	exchange(t, a, moved, false, "here you are")
	exchange(t, moved, a, true, "here I am")
}

func TestKeysRotate(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a := startTransport(t, addrs, 0, func(o *TransportOptions) { o.Keys = [][]byte{otherKey, clusterKey} })
	b := startTransport(t, addrs, 1, func(o *TransportOptions) { o.Keys = [][]byte{clusterKey, otherKey} })
	meet(t, a, b)
	for _, reliable := range []bool{false, true} {
		exchange(t, a, b, reliable, "with the new key")
		exchange(t, b, a, reliable, "with the old key")
	}
	if f := append(a.Faults(), b.Faults()...); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

func TestPeersMayBeNames(t *testing.T) {
	addrs := freeAddrs(t, 2)
	byName := func(other int) func(*TransportOptions) {
		return func(o *TransportOptions) { o.Peers = []string{fmt.Sprintf("localhost:%d", addrs[other].Port())} }
	}
	a, b := startTransport(t, addrs, 0, byName(1)), startTransport(t, addrs, 1, byName(0))
	meet(t, a, b)
	b.Send(b.Links()[0].Peer, []byte("hello"), true)
	if p := <-a.Received(); p.Peer != a.Links()[0].Peer || string(p.Data) != "hello" {
		t.Errorf("received %+v", p)
	}
}

func TestWhatATransportNeeds(t *testing.T) {
	addrs := freeAddrs(t, 1)
	taken := startTransport(t, addrs, 0, nil)
	good := TransportOptions{Name: "ns1", Listen: freeAddrs(t, 1)[0], Keys: [][]byte{clusterKey}, Log: taken.Transport.log}
	for what, change := range map[string]func(*TransportOptions){
		"no name":          func(o *TransportOptions) { o.Name = "" },
		"a name too long":  func(o *TransportOptions) { o.Name = string(bytes.Repeat([]byte{'n'}, 256)) },
		"no key":           func(o *TransportOptions) { o.Keys = nil },
		"a short key":      func(o *TransportOptions) { o.Keys = [][]byte{clusterKey, clusterKey[:16]} },
		"a taken port":     func(o *TransportOptions) { o.Listen = addrs[0] },
		"no way to get to": func(o *TransportOptions) { o.Listen = netip.AddrPortFrom(netip.IPv4Unspecified(), addrs[0].Port()) },
	} {
		o := good
		change(&o)
		if tr, err := NewTransport(o); err == nil {
			t.Errorf("%s: no error", what)
			tr.library.Shutdown()
		}
	}
}
