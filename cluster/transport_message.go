package cluster

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/hashicorp/memberlist"
)

// Packet is a message from a peer.
type Packet struct {
	Peer string // as configured
	Name string // of the nameserver that sent it
	Data []byte
}

const (
	// MaxMessage is the size of the largest message, in bytes: the report of 50,000 pools with as many zones and four targets
	// each fits.
	MaxMessage = 8 << 20
	// maxDatagram is the size of the largest message that goes by UDP. With all that is put around it, it stays below
	// 1400 bytes, which no usual path cuts into pieces.
	maxDatagram = 1200
	maxNodeName = 255
)

// Received are the messages that arrived. Those that find it full are dropped and counted.
func (t *Transport) Received() <-chan Packet { return t.received }

// Send sends a message to the peer that is configured by this string, once the peer has been met; before, and where
// too many wait, it is dropped. Messages up to 1200 bytes that need not be reliable go by UDP. The others go by TCP,
// one after the other; they, too, may get lost with a connection. Send does not wait for any of this.
func (t *Transport) Send(peer string, data []byte, reliable bool) {
	c := t.contacts.named(peer)
	if c == nil {
		return
	}
	if len(data) > MaxMessage {
		t.faults.add(Oversize, t.name, fmt.Sprintf("a message of %d bytes is not sent: %d is the most", len(data), MaxMessage))
		return
	}
	link := t.contacts.link(c)
	if link.Name == "" {
		return
	}
	frame := t.frame(data)
	if !reliable && len(data) <= maxDatagram {
		// Encrypts and hands over to the kernel: some microseconds, not worth a queue.
		if err := t.library.SendBestEffort(node(link), frame); err != nil {
			t.log.Debug("a message was not sent", "peer", peer, "err", err)
		}
		return
	}
	if !c.enqueue(frame) {
		t.faults.add(Dropped, peer, "too many messages wait for TCP to the peer")
	}
}

// sendReliably sends what is queued for a peer over TCP. When the peer cannot be reached, what waits is dropped: it
// would be old by the time it arrived.
func (t *Transport) sendReliably(ctx context.Context, c *contact) {
	for {
		select {
		case <-ctx.Done():
			return
		case frame := <-c.queue:
			link := t.contacts.link(c)
			err := t.library.SendReliable(node(link), frame)
			c.waiting.Add(-int64(len(frame)))
			if err != nil {
				t.log.Debug("messages were not sent", "peer", link.Peer, "err", err)
				c.empty()
			}
		}
	}
}

// enqueue has a frame wait for TCP, if there is room: not only for its number, but also for its bytes.
func (c *contact) enqueue(frame []byte) bool {
	size := int64(len(frame))
	if c.waiting.Add(size) > maxWaiting {
		c.waiting.Add(-size)
		return false
	}
	select {
	case c.queue <- frame:
		return true
	default:
		c.waiting.Add(-size)
		return false
	}
}

func (c *contact) empty() {
	for {
		select {
		case frame := <-c.queue:
			c.waiting.Add(-int64(len(frame)))
		default:
			return
		}
	}
}

func node(link Link) *memberlist.Node {
	return &memberlist.Node{Name: link.Name, Addr: link.Addr.Addr().AsSlice(), Port: link.Addr.Port()}
}

// frame puts before a message who sends it: the length of the name, the name, and the same of the advertised address.
// The library does not tell whom a message is from, and the source of a packet may be that of a NAT.
func (t *Transport) frame(data []byte) []byte {
	addr, _ := t.advertise.MarshalBinary() // has no error
	frame := make([]byte, 0, 2+len(t.name)+len(addr)+len(data))
	frame = append(frame, byte(len(t.name)))
	frame = append(frame, t.name...)
	frame = append(frame, byte(len(addr)))
	frame = append(frame, addr...)
	return append(frame, data...)
}

// unframe is the reverse of frame; data is part of the frame.
func unframe(frame []byte) (name string, addr netip.AddrPort, data []byte, ok bool) {
	head, rest, ok := cutCounted(frame)
	if !ok {
		return "", addr, nil, false
	}
	where, data, ok := cutCounted(rest)
	if !ok || addr.UnmarshalBinary(where) != nil || !addr.IsValid() {
		return "", addr, nil, false
	}
	return string(head), plain(addr), data, true
}

// cutCounted takes off what a byte before it counts.
func cutCounted(b []byte) (head, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, false
	}
	end := 1 + int(b[0])
	return b[1:end], b[end:], true
}

// receive takes a frame, which is not kept.
func (t *Transport) receive(frame []byte) {
	name, addr, data, ok := unframe(frame)
	if !ok {
		t.faults.add(Malformed, "", "a message with the right key bears no sender")
		return
	}
	if name == t.name {
		t.faults.add(DuplicateName, addr.String(), fmt.Sprintf("%s sends messages under this nameserver's name %q: rename one", addr, name))
		return
	}
	peer, known, taken := t.contacts.sender(name, addr, time.Now())
	switch {
	case !known:
		if _, sure := t.contacts.belongs(addr); sure {
			t.faults.add(UnknownMember, addr.String(), fmt.Sprintf("%q at %s sends messages, but is none of the configured peers", name, addr))
		}
	case taken:
		t.faults.add(DuplicateName, addr.String(), fmt.Sprintf("%s sends messages under the name %q of another peer: rename one", addr, name))
	default:
		t.deliver(Packet{Peer: peer, Name: name, Data: bytes.Clone(data)})
	}
}

func (t *Transport) deliver(p Packet) {
	select {
	case t.received <- p:
	default:
		t.faults.add(Dropped, p.Peer, "messages arrive faster than they are taken in")
	}
}

// Refuse books what the reader of Received refused.
func (t *Transport) Refuse(faults []Fault) {
	for _, f := range faults {
		t.faults.add(f.Kind, f.From, f.Detail)
	}
}
