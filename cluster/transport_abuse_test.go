package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// labelled is what every packet and stream begins with.
var labelled = append([]byte{244, byte(len(clusterLabel))}, clusterLabel...)

func TestWrongKeyIsRefusedByBothSides(t *testing.T) {
	addrs := freeAddrs(t, 3)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	c := startTransport(t, addrs, 2, func(o *TransportOptions) { o.Keys = [][]byte{otherKey} })
	for _, r := range []*testTransport{a, b, c} {
		comesTrue(t, r.name+" reports the wrong key", func() bool { return r.fault(WrongKey).Count > 0 })
	}
	f := a.fault(WrongKey)
	if from, err := netip.ParseAddrPort(f.From); err != nil || from.Addr() != loopback || f.Last.IsZero() || f.Detail == "" {
		t.Errorf("fault %+v, want its source and words", f)
	}
	comesTrue(t, "a and b are joined, c is not, and a says why", func() bool {
		return a.ups() == 1 && b.ups() == 1 && a.Links()[1].Err != ""
	})
	exchange(t, a, b, false, "still here")
	if c.ups() != 0 {
		t.Errorf("c: %+v; a: %+v", c.Links(), a.Links())
	}
}

// sendDatagrams has somebody without a key say these things to a transport over UDP.
func sendDatagrams(t *testing.T, to netip.AddrPort, datagrams ...[]byte) {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, d := range datagrams {
		if _, err := conn.Write(d); err != nil {
			t.Fatal(err)
		}
	}
}

// sendStream does the same over TCP, and waits until the transport hangs up.
func sendStream(t *testing.T, to netip.AddrPort, data []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	conn.Write(data) // may be cut short
	var answer []byte
	if answer, err = io.ReadAll(io.LimitReader(conn, 1<<20)); errors.Is(err, context.DeadlineExceeded) || len(answer) > 200 {
		t.Errorf("%d bytes came back, %v", len(answer), err)
	}
}

// encrypted begins a stream as an encrypted one whose length is given.
func encrypted(length uint32, body []byte) []byte {
	head := binary.BigEndian.AppendUint32(append(bytes.Clone(labelled), 10), length)
	return append(head, body...)
}

func TestNoiseHarmsNobody(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	noise := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 100)
	whole := append(bytes.Clone(labelled), noise...)
	for _, c := range []struct {
		what      string
		kind      FaultKind
		datagrams [][]byte
		stream    []byte
	}{
		{what: "noise by UDP", kind: Malformed, datagrams: [][]byte{noise}},
		{what: "an empty datagram", kind: Malformed, datagrams: [][]byte{{}}},
		{what: "half a label by UDP", kind: Malformed, datagrams: [][]byte{labelled[:4]}},
		{what: "another cluster by UDP", kind: Malformed, datagrams: [][]byte{{244, 3, 'o', 'n', 'e', 1, 2}}},
		{what: "nothing but the label", kind: Malformed, datagrams: [][]byte{labelled}},
		{what: "a short one with the label", kind: Malformed, datagrams: [][]byte{append(bytes.Clone(labelled), 1, 2)}},
		{what: "noise that may be encrypted", kind: WrongKey, datagrams: [][]byte{whole}},
		{what: "a datagram too long", kind: Oversize, datagrams: [][]byte{bytes.Repeat(whole, 20)}},
		{what: "noise by TCP", kind: Malformed, stream: noise},
		{what: "cleartext by TCP", kind: WrongKey, stream: append(bytes.Clone(labelled), 6, 0x80)},
		{what: "noise that may be encrypted by TCP", kind: WrongKey, stream: encrypted(800, noise)},
		{what: "a stream that promises 4 GB", kind: Oversize, stream: encrypted(1<<32-1, noise)},
		{what: "a stream of 10 MB", kind: Oversize, stream: encrypted(10<<20, make([]byte, 10<<20))},
	} {
		before := a.fault(c.kind).Count
		sendDatagrams(t, addrs[0], c.datagrams...)
		if c.stream != nil {
			sendStream(t, addrs[0], c.stream)
		}
		comesTrue(t, c.what+" counts as "+string(c.kind), func() bool { return a.fault(c.kind).Count > before })
	}
	exchange(t, a, b, false, "still talking")
	exchange(t, b, a, true, "still listening")
	if a.ups() != 1 || b.ups() != 1 {
		t.Error("the noise cost a peer")
	}
	for _, kind := range []FaultKind{Malformed, WrongKey, Oversize} {
		if n := a.log.count("fault=" + string(kind)); n != 1 {
			t.Errorf("%d lines about %s, want one a minute", n, kind)
		}
	}
}

func TestMessageTooLongIsNotSent(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	a.Send(addrs[1].String(), make([]byte, MaxMessage+1), true)
	if a.fault(Oversize).Count != 1 {
		t.Errorf("faults: %v", a.Faults())
	}
	exchange(t, a, b, true, "the next")
}

func TestMessageWithoutSender(t *testing.T) {
	a := startTransport(t, freeAddrs(t, 2), 0, nil)
	for _, frame := range [][]byte{nil, {0}, {3, 'n', 's'}, {2, 'n', 's'}, {2, 'n', 's', 6, 1}, {2, 'n', 's', 2, 1, 2}} {
		before := a.fault(Malformed).Count
		a.receive(frame)
		if a.fault(Malformed).Count != before+1 {
			t.Errorf("%v passes", frame)
		}
	}
	if len(a.Received()) > 0 {
		t.Error("something was taken in")
	}
}

// TestDuplicateName has a third nameserver come with the name of the first.
func TestDuplicateName(t *testing.T) {
	addrs := freeAddrs(t, 3)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	comesTrue(t, "a and b are joined", func() bool { return a.ups() == 1 && b.ups() == 1 })
	since := b.Links()[0].Since
	c := startTransport(t, addrs, 2, func(o *TransportOptions) { o.Name = "ns1" })
	for _, r := range []*testTransport{a, b, c} {
		comesTrue(t, r.advertise.String()+" reports the duplicate", func() bool { return r.fault(DuplicateName).Count > 0 })
	}
	comesTrue(t, "c says why it is alone", func() bool { return c.Links()[1].Err != "" })
	c.receive((&Transport{name: "ns1", advertise: addrs[0]}).frame([]byte("from my double")))
	b.receive((&Transport{name: "ns1", advertise: addrs[2]}).frame([]byte("from the double")))
	if len(b.Received()) > 0 || len(c.Received()) > 0 {
		t.Error("a message of the double was taken in")
	}
	exchange(t, a, b, false, "from the first")
	exchange(t, b, a, true, "to the first")
	c.stop()
	exchange(t, a, b, false, "from the first, once more")
	if l := b.Links()[0]; !l.Up || l.Since != since || c.ups() != 0 {
		t.Errorf("b's link to the first %+v; up since %v before", l, since)
	}
}

func TestUnknownMember(t *testing.T) {
	addrs := freeAddrs(t, 3)
	withoutThird := func(o *TransportOptions) {
		o.Peers = o.Peers[:1]
	}
	a, b := startTransport(t, addrs, 0, withoutThird), startTransport(t, addrs, 1, withoutThird)
	meet(t, a, b)
	c := startTransport(t, addrs, 2, nil)
	meet(t, c)
	for _, r := range []*testTransport{a, b} {
		comesTrue(t, r.name+" reports the stranger", func() bool { return r.fault(UnknownMember).From == addrs[2].String() })
	}
	before := a.fault(UnknownMember).Count
	c.Send(addrs[0].String(), []byte("let me in"), true)
	comesTrue(t, "its message is refused", func() bool { return a.fault(UnknownMember).Count > before })
	if len(a.Received()) > 0 || a.library.NumMembers() != 2 {
		t.Errorf("%d messages taken in, %d members", len(a.Received()), a.library.NumMembers())
	}
	exchange(t, a, b, false, "between us")
}

func TestQueueFullDropsAndCounts(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	frame := b.frame([]byte("x"))
	for range receivedBacklog + 3 {
		a.receive(frame)
	}
	if n := a.fault(Dropped).Count; n != 3 || len(a.Received()) != receivedBacklog {
		t.Errorf("%d dropped, %d wait", n, len(a.Received()))
	}
}

// TestStoppedPeerHoldsUpNobody has a peer that takes connections, but never reads.
func TestStoppedPeerHoldsUpNobody(t *testing.T) {
	addrs := freeAddrs(t, 3)
	a, b, c := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil), startTransport(t, addrs, 2, nil)
	meet(t, a, b, c)
	c.kill()
	deaf, err := net.Listen("tcp", addrs[2].String())
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	big := make([]byte, MaxMessage)
	for range 2 * sendBacklog { // more than the kernel and the queue take
		a.Send(addrs[2].String(), big, true)
	}
	if a.fault(Dropped).Count == 0 {
		t.Error("nothing was dropped")
	}
	exchange(t, a, b, true, "over TCP")
	exchange(t, a, b, false, "over UDP")
}

// TestEndWaitsForNobody ends a transport while it waits for a peer that has taken the connection, and says nothing.
func TestEndWaitsForNobody(t *testing.T) {
	addrs := freeAddrs(t, 2)
	deaf, err := net.Listen("tcp", addrs[1].String())
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	a := startTransport(t, addrs, 0, nil)
	conn, err := deaf.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(labelled)+1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	a.stop()
	if took := time.Since(began); took > streamPatience/2 {
		t.Errorf("the end took %v", took)
	}
}

func TestFloodOfDatagrams(t *testing.T) {
	a := startTransport(t, freeAddrs(t, 1), 0, nil)
	noise := make([][]byte, 500)
	for i := range noise {
		noise[i] = []byte("noise")
	}
	comesTrue(t, "some are not even looked at", func() bool {
		sendDatagrams(t, a.advertise, noise...)
		return a.fault(Refused).Count > 0
	})
	if a.fault(Malformed).Count == 0 {
		t.Error("none was looked at")
	}
}

// flood opens connections from an address that is no peer's, and sends what a wrong key makes.
func flood(ctx context.Context, to netip.AddrPort) (tried int64) {
	var n atomic.Int64
	var work sync.WaitGroup
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: time.Second}
	udp, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return 0
	}
	defer udp.Close()
	noise := bytes.Repeat([]byte{1}, 100)
	for range 4 {
		work.Go(func() {
			for ctx.Err() == nil {
				if conn, err := dialer.DialContext(ctx, "tcp", to.String()); err == nil {
					n.Add(1)
					conn.Write(encrypted(100, noise))
					io.Copy(io.Discard, conn)
					conn.Close()
				}
				udp.Write(append(bytes.Clone(labelled), noise...))
			}
		})
	}
	work.Wait()
	return n.Load()
}

func TestFloodOfJoins(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a, b := startTransport(t, addrs, 0, nil), startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	ctx, cancel := context.WithCancel(context.Background())
	tried := make(chan int64, 1)
	go func() { tried <- flood(ctx, addrs[0]) }()
	comesTrue(t, "the flood is refused", func() bool { return a.fault(Refused).Count > 100 && a.fault(WrongKey).Count > 100 })
	for range 20 {
		exchange(t, a, b, true, "out of the flood")
		exchange(t, b, a, false, "into the flood")
	}
	cancel()
	if n := <-tried; n < 200 {
		t.Errorf("only %d connections were no flood", n)
	}
	if a.ups() != 1 || b.ups() != 1 {
		t.Error("the flood cost a peer")
	}
	if lines := a.log.count("\n"); lines > 10 {
		t.Errorf("%d log lines", lines)
	}
}

// TestSilentStrangersKeepNobodyOut has strangers take all places that strangers have.
func TestSilentStrangersKeepNobodyOut(t *testing.T) {
	addrs := freeAddrs(t, 2)
	a := startTransport(t, addrs, 0, nil)
	for i := range 6 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i))}}
		for range 10 {
			conn, err := dialer.Dial("tcp", addrs[0].String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
	}
	comesTrue(t, "60 connections are too many", func() bool { return a.fault(Refused).Count >= 60-maxStrangers })
	b := startTransport(t, addrs, 1, nil)
	meet(t, a, b)
	exchange(t, b, a, true, "got in")
}

func TestGate(t *testing.T) {
	now := time.Now()
	g := newGate()
	stranger, peer := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")
	var leave func()
	for range maxPerStranger {
		var ok bool
		if leave, ok = g.enter(now, stranger, false); !ok {
			t.Fatal("no room for the first")
		}
	}
	if _, ok := g.enter(now, netip.MustParseAddr("2001:db8::2"), false); ok {
		t.Error("a neighbour in the same /64 got in")
	}
	leave()
	if _, ok := g.enter(now, stranger, false); !ok {
		t.Error("the place was not given back")
	}
	for range maxPerPeerAddress {
		if _, ok := g.enter(now, peer, true); !ok {
			t.Fatal("a peer was kept out")
		}
	}
	if _, ok := g.enter(now, peer, true); ok {
		t.Error("a peer took more than its share")
	}
	var b budget
	for i := range 5 {
		if ok := b.take(now, 3); ok != (i < 3) {
			t.Errorf("take %d: %v", i, ok)
		}
	}
	if !b.take(now.Add(time.Second), 3) {
		t.Error("a second later there is nothing")
	}
}
