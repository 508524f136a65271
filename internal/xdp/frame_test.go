package xdp

import (
	"encoding/binary"
	"slices"
	"testing"
)

// frames are a datagram of each family.
func frames() map[string][]byte {
	payload := []byte("what is it?")
	udp := binary.BigEndian.AppendUint16([]byte{0xc0, 0, 0, 53}, uint16(udpSize+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	ether := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	four := append(slices.Clone(ether), 8, 0, 0x45, 0)
	four = binary.BigEndian.AppendUint16(four, uint16(ip4Size+len(udp)))
	four = append(four, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 9, 192, 0, 2, 53)
	six := append(slices.Clone(ether), 0x86, 0xdd, 0x60, 0, 0, 0)
	six = binary.BigEndian.AppendUint16(six, uint16(len(udp)))
	six = append(six, 17, 64)
	six = append(six, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9)
	six = append(six, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53)
	all := map[string][]byte{"IPv4": append(four, udp...), "IPv6": append(six, udp...)}
	seal(all["IPv4"])
	return all
}

// seal puts the right checksum into an IPv4 header.
func seal(frame []byte) {
	if header := frame[etherSize:][:ip4Size]; frame[12] == 8 {
		header[10], header[11] = 0, 0
		binary.BigEndian.PutUint16(header[10:], ^uint16(words(header)))
	}
}

// TestReplyGoesBack: everything that says where to is turned round, and the checksums are right: what they cover, they included, adds
// up to ones (RFC 1071).
func TestReplyGoesBack(t *testing.T) {
	for family, frame := range frames() {
		for _, said := range []string{"", "4", "42", "forty-two", "a reply whose length is no multiple of eight"} {
			var d datagram
			if !d.parse(frame) || string(d.payload) != "what is it?" {
				t.Fatalf("%s: payload %q", family, d.payload)
			}
			chunk := make([]byte, 200)
			size := d.address(chunk, copy(d.room(chunk), said))
			reply := chunk[:size]
			var back datagram
			if !back.parse(reply) || string(back.payload) != said {
				t.Fatalf("%s: the reply holds %q, not %q", family, back.payload, said)
			}
			at := d.udp()
			for what, pair := range map[string][2][]byte{
				"Ethernet address": {reply[0:6], frame[6:12]}, "own Ethernet address": {reply[6:12], frame[0:6]},
				"port": {reply[at+2 : at+4], frame[at : at+2]}, "own port": {reply[at : at+2], frame[at+2 : at+4]},
			} {
				if !slices.Equal(pair[0], pair[1]) {
					t.Errorf("%s: %s %x, want %x", family, what, pair[0], pair[1])
				}
			}
			pseudo := reply[etherSize+12 : etherSize+20]
			if d.v6 {
				pseudo = reply[etherSize+8 : etherSize+40]
			} else if got := words(reply[etherSize:at]); got != 0xffff {
				t.Errorf("the IPv4 header adds up to %#x", got)
			} else if got := reply[etherSize+4 : etherSize+8]; !slices.Equal(got, []byte{0, 0, 0x40, 0}) {
				t.Errorf("identification, flags and offset are %x: it may be fragmented", got)
			}
			covered := slices.Concat(pseudo, []byte{0, protocolUDP}, reply[at+4:at+6], reply[at:])
			if got := words(covered); got != 0xffff {
				t.Errorf("%s: UDP adds up to %#x", family, got)
			}
		}
	}
}

// words adds up one word after the other.
func words(b []byte) uint32 {
	s := uint32(0)
	for i, o := range b {
		s += uint32(o) << (8 * (1 - i%2))
		s = s>>16 + s&0xffff
	}
	return s
}

func TestWhatNobodyCanReplyTo(t *testing.T) {
	for _, c := range []struct {
		what, family string
		at           int
		to           []byte
	}{
		{"a UDP length below its header's", "IPv4", etherSize + ip4Size + 4, []byte{0, 7}},
		{"a UDP length beyond the packet's", "IPv4", etherSize + ip4Size + 4, []byte{0, 200}},
		{"an IP length below UDP's", "IPv4", etherSize + 2, []byte{0, 30}},
		{"a sender's port of 0", "IPv4", etherSize + ip4Size, []byte{0, 0}},
		{"no sender", "IPv4", etherSize + 12, []byte{0, 0, 0, 0}},
		{"a group as sender", "IPv4", etherSize + 12, []byte{224}},
		{"everybody as sender", "IPv4", etherSize + 12, []byte{255, 255, 255, 255}},
		{"this host as sender", "IPv4", etherSize + 12, []byte{127}},
		{"this network as sender", "IPv4", etherSize + 12, []byte{0, 0, 0, 1}},
		{"who is asked as sender", "IPv4", etherSize + 12, []byte{192, 0, 2, 53}},
		{"a group of Ethernet addresses as sender", "IPv4", 6, []byte{3}},
		{"a UDP length beyond the packet's", "IPv6", etherSize + ip6Size + 4, []byte{0, 200}},
		{"a group as sender", "IPv6", etherSize + 8, []byte{0xff}},
	} {
		frame := frames()[c.family]
		copy(frame[c.at:], c.to)
		seal(frame)
		var d datagram
		if d.parse(frame) {
			t.Errorf("%s: %s is taken", c.family, c.what)
		}
	}
	wrong := frames()["IPv4"]
	wrong[etherSize+10]++
	var d datagram
	if d.parse(wrong) {
		t.Error("an IPv4 header with a wrong checksum is taken")
	}
	for family, frame := range frames() {
		for n := range len(frame) {
			var d datagram
			if d.parse(frame[:n]) {
				t.Errorf("%s: %d octets of %d are taken", family, n, len(frame))
			}
		}
	}
}
