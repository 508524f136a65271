package cluster

import (
	"context"
	"slices"
	"sync"
)

// courier writes and reads large messages beside the loop of a Node: the report of ten thousand pools takes a quarter of a
// second either way, several at a time would cost heartbeats, and with them the votes. The order of messages does not matter.
type courier struct {
	unread chan Packet  // large ones, as they came
	read   chan reading // and what they say
	wake   chan struct{}

	mu      sync.Mutex
	waiting []Outgoing
}

// reading is a large message that has been read, or why it could not be.
type reading struct {
	peer    string
	message *Message
	err     error
}

// courierBacklog bounds what waits to be written, and to be read. What finds it full is dropped: it is asked for again.
const courierBacklog = 256

func newCourier() *courier {
	return &courier{unread: make(chan Packet, courierBacklog), read: make(chan reading), wake: make(chan struct{}, 1)}
}

// run works until ctx is done.
func (c *courier) run(ctx context.Context, send func(Outgoing)) {
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() { c.keepReading(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			for o, ok := c.next(); ok && ctx.Err() == nil; o, ok = c.next() {
				send(o)
			}
		}
	}
}

func (c *courier) keepReading(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-c.unread:
			m, err := decode(p.Data)
			select {
			case <-ctx.Done():
			case c.read <- reading{p.Peer, m, err}:
			}
		}
	}
}

// take takes a message that arrived, if it is a large one.
func (c *courier) take(p Packet) bool {
	if len(p.Data) == 0 || p.Data[0] != gzipMagic {
		return false
	}
	select {
	case c.unread <- p:
	default:
	}
	return true
}

// carry takes a message that goes out. A report takes the place of an earlier one that still waits to go the same way.
func (c *courier) carry(o Outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.waiting, func(w Outgoing) bool {
		return w.Peer == o.Peer && w.Message.about() != "" && w.Message.about() == o.Message.about()
	})
	switch {
	case i >= 0:
		c.waiting[i] = o
	case len(c.waiting) < courierBacklog:
		c.waiting = append(c.waiting, o)
	}
	signal(c.wake)
}

func (c *courier) next() (Outgoing, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return Outgoing{}, false
	}
	o := c.waiting[0]
	c.waiting = c.waiting[1:]
	return o, true
}

// large says that a message takes long to write.
func (m *Message) large() bool {
	return len(m.Full) > 0 || slices.ContainsFunc(m.Delta, func(d *Delta) bool { return d.Set.entries() > largeFrom })
}

// largeFrom is how many entries of tables are written in a few milliseconds.
const largeFrom = 200

func (c *Contents) entries() int {
	return len(c.Votes) + len(c.Held) + len(c.Zones) + len(c.Overrides) + len(c.Events)
}

// about is the nameserver whose whole report the message is; "": it is none.
func (m *Message) about() string {
	if len(m.Full) == 0 {
		return ""
	}
	return m.Full[0].Name
}
