// Package xdp takes UDP datagrams from a network interface before the kernel's own stack does, and sends replies past it (AF_XDP).
package xdp

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sizes of headers: Ethernet (without VLAN tag), IPv4 (without options), IPv6, UDP.
const (
	etherSize = 14
	ip4Size   = 20
	ip6Size   = 40
	udpSize   = 8
)

const (
	protocolUDP  = 17
	hopLimit     = 64     // of replies, as the kernel's own
	dontFragment = 0x4000 // in the same octets as a fragment's offset
)

// datagram is a UDP datagram inside of an Ethernet frame.
type datagram struct {
	frame   []byte
	v6      bool
	payload []byte
	from    netip.Addr
}

// parse takes apart a frame that the program let through, which has looked at its headers' kinds already. Not ok is what the kernel
// would not hand to a socket either: lengths that contradict one another, an IPv4 header with a wrong checksum, a sender that nobody
// can reply to. UDP's checksum cannot be looked at, for a sender on the same machine leaves it to an interface that then has no need of it.
func (d *datagram) parse(frame []byte) (ok bool) {
	d.frame = frame
	var length int                                               // of the IP packet's payload
	switch d.v6 = len(frame) > etherSize && frame[12] == 0x86; { // the program lets two protocols through
	case len(frame) < d.udp()+udpSize:
		return false
	case d.v6:
		length = int(binary.BigEndian.Uint16(frame[etherSize+4:]))
		d.from = netip.AddrFrom16([16]byte(frame[etherSize+8:]))
	case fold(sum(frame[etherSize:etherSize+ip4Size], 0)) != 0xffff:
		return false
	default:
		length = int(binary.BigEndian.Uint16(frame[etherSize+2:])) - ip4Size
		d.from = netip.AddrFrom4([4]byte(frame[etherSize+12:]))
	}
	udp := frame[d.udp():]
	size := int(binary.BigEndian.Uint16(udp[4:]))
	if size < udpSize || size > length || size > len(udp) || binary.BigEndian.Uint16(udp) == 0 {
		return false
	}
	d.payload = udp[udpSize:size]
	return frame[6]&1 == 0 && d.to() != d.from && unicast(d.from)
}

// unicast says that an address may be a host's beyond this one (RFC 1122 section 3.2.1.3).
func unicast(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != broadcast && !(a.Is4() && a.As4()[0] == 0)
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// to is the address that was asked.
func (d *datagram) to() netip.Addr {
	if d.v6 {
		return netip.AddrFrom16([16]byte(d.frame[etherSize+24:]))
	}
	return netip.AddrFrom4([4]byte(d.frame[etherSize+16:]))
}

// udp is where the UDP header is.
func (d *datagram) udp() int {
	if d.v6 {
		return etherSize + ip6Size
	}
	return etherSize + ip4Size
}

// room is where in a reply's frame the payload belongs.
func (d *datagram) room(reply []byte) []byte { return reply[d.udp()+udpSize : len(reply) : len(reply)] }

// address writes the headers of a reply of that many octets of payload, which are in their place, and says how long the frame is.
// No IPv4 router is to fragment it: fragments can be forged (RFC 9715). Addresses and ports, which change places, are summed
// up where they came from: to read back as a whole what was just written piece by piece stalls the processor.
func (d *datagram) address(reply []byte, payload int) (size int) {
	at := d.udp()
	size = at + udpSize + payload
	reply = reply[:size]
	copy(reply[0:6], d.frame[6:12])
	copy(reply[6:12], d.frame[0:6])
	copy(reply[12:14], d.frame[12:14])
	ip, from := reply[etherSize:at], d.frame[etherSize:]
	var pseudo uint64
	if d.v6 {
		binary.BigEndian.PutUint32(ip, 6<<28)
		binary.BigEndian.PutUint16(ip[4:], uint16(udpSize+payload))
		ip[6], ip[7] = protocolUDP, hopLimit
		copy(ip[8:24], from[24:40])
		copy(ip[24:40], from[8:24])
		pseudo = sum(from[8:40], 0)
	} else {
		asker, asked := uint64(binary.BigEndian.Uint32(from[12:])), uint64(binary.BigEndian.Uint32(from[16:]))
		first := 0x4500<<48 | uint64(ip4Size+udpSize+payload)<<32 | dontFragment
		second := uint64(hopLimit<<24 | protocolUDP<<16)
		pseudo = asker + asked
		second |= uint64(^fold(first>>32 + first&0xffffffff + second + pseudo))
		binary.BigEndian.PutUint64(ip, first)
		binary.BigEndian.PutUint64(ip[8:], second<<32|asked)
		binary.BigEndian.PutUint32(ip[16:], uint32(asker))
	}
	ports, length := uint64(binary.BigEndian.Uint32(d.frame[at:])), uint64(udpSize+payload)
	check := ^fold(sum(reply[at+udpSize:], uint64(fold(pseudo))+protocolUDP+ports+2*length))
	if check == 0 {
		check = 0xffff // zero means that there is none
	}
	binary.BigEndian.PutUint64(reply[at:], ports<<48|ports>>16<<32|length<<16|uint64(check))
	return size
}

// sum adds up 16-bit words in network order (RFC 1071), of which it takes four at a time: they count the same wherever they stand. What b
// lacks to a whole word is zero.
func sum(b []byte, start uint64) uint64 {
	s, carry := start, uint64(0)
	for ; len(b) >= 8; b = b[8:] {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), carry)
	}
	if len(b) >= 4 {
		s, carry = bits.Add64(s, uint64(binary.BigEndian.Uint32(b)), carry)
		b = b[4:]
	}
	if len(b) >= 2 {
		s, carry = bits.Add64(s, uint64(binary.BigEndian.Uint16(b)), carry)
		b = b[2:]
	}
	if len(b) == 1 {
		s, carry = bits.Add64(s, uint64(b[0])<<8, carry)
	}
	return s + carry
}

// fold brings a sum to 16 bits.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}
