package dnsserver

import "encoding/binary"

// inbox is what a TCP connection has read and not answered yet: in memory of its own, or, while it has or expects a
// message too long for that, in what it borrowed.
type inbox struct {
	own   [ownBuffer]byte
	large *[2 + maxMessage]byte
	lent  *lender
	have  int
}

func (in *inbox) buf() []byte {
	if in.large != nil {
		return in.large[:]
	}
	return in.own[:]
}

// makeRoom borrows what the message that has begun needs.
func (in *inbox) makeRoom() {
	if in.large != nil || in.have < 2 || 2+int(binary.BigEndian.Uint16(in.own[:])) <= ownBuffer {
		return
	}
	in.large = in.lent.large.Get().(*[2 + maxMessage]byte)
	copy(in.large[:], in.own[:in.have])
}

// drop removes the first octets.
func (in *inbox) drop(octets int) {
	buf := in.buf()
	in.have = copy(buf, buf[octets:in.have])
	if in.large != nil && in.have <= ownBuffer {
		copy(in.own[:], in.large[:in.have])
		in.giveBack()
	}
}

// giveBack returns what was borrowed.
func (in *inbox) giveBack() {
	if in.large != nil {
		in.lent.large.Put(in.large)
		in.large = nil
	}
}
