package dnsserver

import (
	"encoding/binary"
	"net/netip"

	"github.com/miekg/dns"
)

// peer is where a query came from.
type peer struct {
	address netip.Addr
	tcp     bool
}

// request is one query, as it was read.
type request struct {
	query    []byte
	from     peer
	zone     *served // that the question lies in; nil: none
	broken   bool    // reading or answering it panicked
	qdcount  int
	question name
	end      int // offset behind the question; 0: there is none that can be copied
	qtype    uint16
	qclass   uint16
	edns     edns
	formErr  bool // something in the message is malformed
}

// read takes a query apart and finds the zone that its question lies in, for the answer of the same snapshot. The request keeps the query.
func (s *snapshot) read(r *request, query []byte, from peer) {
	r.query, r.from, r.zone, r.broken = query, from, nil, false
	if r.ignored() {
		return
	}
	r.parse(query, from.tcp)
	if r.end > 0 && s.table != nil {
		r.zone = s.zone(&r.question, 0)
	}
}

// ignored: what is shorter than a header or is itself a response is never answered, or two servers could talk for ever.
func (r *request) ignored() bool { return len(r.query) < headerSize || r.query[2]&0x80 != 0 }

// parse reads a query of at least a header's size. It never fails: what cannot be read sets formErr.
func (r *request) parse(query []byte, tcp bool) {
	r.qdcount = int(binary.BigEndian.Uint16(query[4:]))
	r.end, r.formErr = 0, !tcp && len(query) > maxQuery
	if r.edns.present { // of the query that was here before
		r.edns = edns{}
	}
	r.question.length, r.question.labels, r.qtype, r.qclass = 0, 0, 0, 0
	off := headerSize
	switch r.qdcount {
	case 0:
	case 1:
		end := r.question.parse(query, off)
		if end == 0 || end+4 > len(query) {
			r.formErr = true
			return
		}
		r.qtype = binary.BigEndian.Uint16(query[end:])
		r.qclass = binary.BigEndian.Uint16(query[end+2:])
		off = end + 4
		r.end = off
	default: // RFC 9619; what stands behind the questions is read all the same, for EDNS
		r.formErr = true
		for range r.qdcount {
			end := skipName(query, off)
			if end == 0 || end+4 > len(query) {
				return
			}
			off = end + 4
		}
	}
	r.records(query, off, tcp)
}

// records walks the records behind the question for the OPT record. Other records in a query mean nothing to this
// server and are passed over, as Postel would have it; they have to be well-formed all the same.
func (r *request) records(query []byte, off int, tcp bool) {
	other := int(binary.BigEndian.Uint16(query[6:])) + int(binary.BigEndian.Uint16(query[8:]))
	total := other + int(binary.BigEndian.Uint16(query[10:]))
	for i := range total {
		rec, end := cutRecord(query, off)
		if end == 0 {
			r.formErr = true
			return
		}
		if rec.rtype == dns.TypeOPT {
			// RFC 6891 section 6.1.1: one, owned by the root, in the additional section.
			if i < other || r.edns.present || query[off] != 0 {
				r.formErr = true
			} else if !r.edns.parse(rec, tcp) {
				r.formErr = true
			}
		}
		off = end
	}
	if off != len(query) {
		r.formErr = true
	}
}

// record is the fixed part of a resource record, and its RDATA.
type record struct {
	rtype, class uint16
	ttl          uint32
	rdata        []byte
}

// cutRecord reads the record at msg[off:] and returns the offset behind it; 0 when there is none.
func cutRecord(msg []byte, off int) (record, int) {
	off = skipName(msg, off)
	if off == 0 || off+10 > len(msg) {
		return record{}, 0
	}
	end := off + 10 + int(binary.BigEndian.Uint16(msg[off+8:]))
	if end > len(msg) {
		return record{}, 0
	}
	return record{
		rtype: binary.BigEndian.Uint16(msg[off:]),
		class: binary.BigEndian.Uint16(msg[off+2:]),
		ttl:   binary.BigEndian.Uint32(msg[off+4:]),
		rdata: msg[off+10 : end],
	}, end
}

// skipName returns the offset behind the name, compressed or not, at msg[off:]; 0 when it runs out of the message.
func skipName(msg []byte, off int) int {
	for off < len(msg) {
		switch c := int(msg[off]); {
		case c == 0:
			return off + 1
		case c >= 0xc0:
			if off+2 > len(msg) {
				return 0
			}
			return off + 2
		case c > 63:
			return 0
		default:
			off += 1 + c
		}
	}
	return 0
}
