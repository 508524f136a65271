package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"

	"github.com/livens/livens/livechat/frame"
)

// supersedes says whether a takes b's place, both being records of one identity. It is a strict order, so that of any records
// of one identity the same one is left at last, whichever came first: of a message the earliest, of an end the latest.
func supersedes(a, b *frame.Msg) bool {
	if a.Kind == frame.End {
		return a.At > b.At
	}
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Name, b.Name)) < 0
}

// sum adds up hashes of records: four 64-bit numbers, each modulo 2⁶⁴, so that the order does not matter and one can be taken
// out again.
type sum [4]uint64

func (s *sum) add(h [32]byte) {
	for i := range s {
		s[i] += binary.BigEndian.Uint64(h[8*i:])
	}
}

func (s *sum) sub(h [32]byte) {
	for i := range s {
		s[i] -= binary.BigEndian.Uint64(h[8*i:])
	}
}

func (s sum) bytes() []byte {
	var b []byte
	for _, n := range s {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func (s *sum) set(b []byte) {
	var h [32]byte
	copy(h[:], b)
	*s = sum{}
	s.add(h)
}

// hash is of all that two stores must hold alike of a record: everything but its position.
func hash(m *frame.Msg) [32]byte {
	var b []byte
	for _, text := range []string{m.C, m.S, m.Kind, m.From, m.Name, m.Text} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.N))
	b = binary.BigEndian.AppendUint64(b, uint64(m.At))
	return sha256.Sum256(b)
}
