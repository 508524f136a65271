package zones

import (
	"encoding/binary"
	"strings"

	"github.com/miekg/dns"
)

// Packed is one record in wire form, uncompressed, with its names in the case that they were written in. As a string it
// is immutable, and a million of them lie in a few large pieces of memory without a pointer. It is known to unpack.
type Packed string

// Pack returns a record in wire form. The error says why it cannot be sent.
func Pack(rr dns.RR) (Packed, error) {
	var p packer
	wire, err := p.pack(rr)
	return Packed(wire), err
}

// recordHead is what lies between owner and data: type, class, TTL and the data's length.
const recordHead = 10

// owner is the length of the owner's wire form.
func (p Packed) owner() int {
	i := 0
	for p[i] != 0 {
		i += int(p[i]) + 1
	}
	return i + 1
}

func (p Packed) number(at int) uint32 {
	return uint32(p[at])<<24 | uint32(p[at+1])<<16 | uint32(p[at+2])<<8 | uint32(p[at+3])
}

// WireOwner is the owner in wire form.
func (p Packed) WireOwner() string { return string(p[:p.owner()]) }

// Owner is the owner in presentation format, fully qualified.
func (p Packed) Owner() string {
	name, _, _ := dns.UnpackDomainName([]byte(p[:p.owner()]), 0)
	return name
}

// Type is the record's type.
func (p Packed) Type() uint16 { return uint16(p.number(p.owner()) >> 16) }

// TTL is in seconds.
func (p Packed) TTL() uint32 { return p.number(p.owner() + 4) }

// Data is the record's data in wire form.
func (p Packed) Data() string { return string(p[p.owner()+recordHead:]) }

// RR is the record unpacked; nobody else has it.
func (p Packed) RR() dns.RR {
	rr, _, err := dns.UnpackRR([]byte(p), 0)
	if err != nil {
		panic(err) // it was packed, and admitted only if it unpacks
	}
	return rr
}

// SOA is the zone's SOA as its files say; nil if the zone has none, which no zone of a Set does.
func (z *Zone) SOA() *dns.SOA {
	if len(z.Records) == 0 {
		return nil
	}
	soa, _ := z.Records[0].RR().(*dns.SOA)
	return soa
}

// slab holds many small strings in few pieces of memory.
type slab struct {
	piece strings.Builder // never grown: strings that were cut from it stay as they are
}

// A slab's pieces grow from the first size to the last: there may be many small zones.
const (
	firstPiece = 256
	lastPiece  = 1 << 20
)

// keep returns a copy of data that lies in the slab.
func (s *slab) keep(data []byte) string {
	if s.piece.Cap()-s.piece.Len() < len(data) {
		size := max(min(2*s.piece.Cap(), lastPiece), firstPiece, len(data))
		s.piece = strings.Builder{}
		s.piece.Grow(size)
	}
	from := s.piece.Len()
	s.piece.Write(data)
	return s.piece.String()[from:]
}

// appendHead appends what lies between owner and data.
func appendHead(wire []byte, rrtype uint16, ttl uint32, data int) []byte {
	wire = binary.BigEndian.AppendUint16(wire, rrtype)
	wire = binary.BigEndian.AppendUint16(wire, dns.ClassINET)
	wire = binary.BigEndian.AppendUint32(wire, ttl)
	return binary.BigEndian.AppendUint16(wire, uint16(data))
}

// appendKey is sortKey of an owner in wire form below a zone whose name has that many octets.
func appendKey(key []byte, owner string, zone int) []byte {
	var starts [128]uint8
	labels := 0
	for i := 0; i < len(owner)-zone; i += int(owner[i]) + 1 {
		starts[labels] = uint8(i)
		labels++
	}
	for labels--; labels >= 0; labels-- {
		from := int(starts[labels])
		for _, c := range []byte(owner[from+1 : from+1+int(owner[from])]) {
			key = appendOctet(key, c)
		}
		key = append(key, 0)
	}
	return key
}
