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
	hash   [maxLabels + 1]uint64        // hash[i] is that of the suffix from label i on; hash[labels] is the root's
	wire   [maxName + 1 + wordSize]byte // and slack, for it is written in whole words
}

// parse reads the uncompressed name at msg[off:] and returns the offset behind it, or 0 when there is no such name:
// cut short, too long, compressed or with a label type that nobody defined.
//
// Labels are lower-cased, and their hashes taken, from registers: to read back as a word what was just written octet by octet stalls the
// processor. The hash needs no secret: its keys are the operator's names, never a client's.
func (n *name) parse(msg []byte, off int) int {
	n.length, n.labels = 0, 0
	length, labels := 0, 0
	for off < len(msg) {
		size := 1 + int(msg[off]) // of the label, with its length octet
		n.start[labels] = uint8(length)
		if size == 1 {
			n.wire[length] = 0
			n.length, n.labels = length+1, labels
			n.chainHashes()
			return off + 1
		}
		if size > 64 || length+size+1 > maxName || off+size > len(msg) {
			return 0
		}
		hash, left := uint64(0), size
		for ; left > wordSize; left -= wordSize {
			w := lowerWord(binary.LittleEndian.Uint64(msg[off:]))
			binary.LittleEndian.PutUint64(n.wire[length:], w)
			hash = fold(hash ^ w)
			off, length = off+wordSize, length+wordSize
		}
		w := lowerWord(word(msg[off:]))
		binary.LittleEndian.PutUint64(n.wire[length:], w)
		n.hash[labels] = hash ^ w<<(8*uint(wordSize-left))
		off, length = off+left, length+left
		labels++
	}
	return 0
}

// chainHashes replaces the hash of each label with that of the suffix that it begins.
func (n *name) chainHashes() {
	h := uint64(hashSeed)
	n.hash[n.labels] = h
	for i := n.labels - 1; i >= 0; i-- {
		h = fold(h ^ n.hash[i])
		n.hash[i] = h
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

func fold(x uint64) uint64 {
	hi, lo := bits.Mul64(x^hashPrime, hashSeed)
	return hi ^ lo
}

// hashWildcard is the hash of "*." before the suffix whose hash is h: that of a label of two octets as parse hashes it.
func hashWildcard(h uint64) uint64 {
	return fold(h ^ (1|'*'<<8)<<(8*(wordSize-2)))
}

const wordSize = 8

// word is the first eight octets of b, or as many as it has.
func word(b []byte) uint64 {
	if len(b) >= wordSize {
		return binary.LittleEndian.Uint64(b)
	}
	var w uint64
	for i, c := range b {
		w |= uint64(c) << (8 * uint(i))
	}
	return w
}

// lowerWord is lower for eight octets at once. A length octet is no letter: labels are shorter than 'A'.
func lowerWord(w uint64) uint64 {
	const ones = 0x0101010101010101
	ascii := w & (0x7f * ones)
	fromA, behindZ := ascii+(0x80-'A')*ones, ascii+(0x7f-'Z')*ones // bit 7 tells
	return w | (fromA&^behindZ&^w&(0x80*ones))>>2
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
