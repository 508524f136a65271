package dnsserver

import (
	"encoding/binary"
	"math/bits"
)

// Limits of RFC 1035 section 2.3.4.
const (
	maxName   = 255 // octets of a name on the wire, the root's included
	maxLabels = 127
)

// name is a domain name under look-up: lower-cased, cut into labels, with the hash of every suffix, so that zones,
// closest enclosers, wildcards and compression pointers are all found without reading it twice.
type name struct {
	length int // octets, the root's included
	labels int // the root not counted
	start  [maxLabels + 1]uint8
	hash   [maxLabels + 1]uint64 // hash[i] is that of the suffix from label i on; hash[labels] is the root's
	wire   [maxName + 1 + 8]byte // 8 octets of slack: hashing loads whole words
}

// parse reads the uncompressed name at msg[off:] and returns the offset behind it, or 0 when there is no such name:
// cut short, too long, compressed or with a label type that nobody defined.
func (n *name) parse(msg []byte, off int) int {
	n.length, n.labels = 0, 0
	for off < len(msg) {
		c := int(msg[off])
		if c == 0 {
			n.start[n.labels] = uint8(n.length)
			n.wire[n.length] = 0
			n.length++
			n.hashSuffixes()
			return off + 1
		}
		if c > 63 || n.length+c+2 > maxName || off+1+c > len(msg) {
			return 0
		}
		n.start[n.labels] = uint8(n.length)
		n.labels++
		to := n.wire[n.length : n.length+1+c]
		to[0] = byte(c)
		for i, b := range msg[off+1 : off+1+c] {
			to[i+1] = lower[b]
		}
		n.length += 1 + c
		off += 1 + c
	}
	return 0
}

func (n *name) hashSuffixes() {
	h := uint64(hashSeed)
	n.hash[n.labels] = h
	end := n.length - 1
	for i := n.labels - 1; i >= 0; i-- {
		from := int(n.start[i])
		h = hashLabel(h, n.wire[from:], end-from)
		n.hash[i] = h
		end = from
	}
}

// suffix is the lower-cased wire form from label i on, the root included.
func (n *name) suffix(i int) []byte { return n.wire[n.start[i]:n.length] }

// relative is the lower-cased wire form from label i up to, and without, label end.
func (n *name) relative(i, end int) []byte { return n.wire[n.start[i]:n.start[end]] }

const (
	hashSeed  = 0x9e3779b97f4a7c15
	hashPrime = 0xa0761d6478bd642f
)

// hashLabel folds one label, its length octet included, into the hash of what follows it. buf holds size octets of
// label and at least 8 more. The hash needs no secret: its keys are the operator's names, never a client's.
func hashLabel(h uint64, buf []byte, size int) uint64 {
	for size >= 8 {
		h = fold(h ^ binary.LittleEndian.Uint64(buf))
		buf, size = buf[8:], size-8
	}
	if size > 0 {
		tail := binary.LittleEndian.Uint64(buf) & (1<<(8*uint(size)) - 1)
		h = fold(h ^ tail)
	}
	return h
}

func fold(x uint64) uint64 {
	hi, lo := bits.Mul64(x^hashPrime, hashSeed)
	return hi ^ lo
}

// hashWildcard is the hash of "*." before the suffix whose hash is h.
func hashWildcard(h uint64) uint64 {
	return fold(h ^ uint64(binary.LittleEndian.Uint16([]byte{1, '*'})))
}

// lower maps an octet of a label to its lower case (RFC 4343: ASCII only).
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()
