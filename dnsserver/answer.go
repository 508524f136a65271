package dnsserver

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// scratch is a worker's working memory: everything that answering needs, so that answering allocates nothing. After
// answer it also tells what came out.
type scratch struct {
	request *request
	w       writer
	chain   [2]name          // targets of aliases, by turns
	target  name             // of additional data
	seen    [maxChain]uint64 // aliases followed, by hash
	added   []uint64         // owners in the additional section, by hash
	spelled [2 * maxName]byte
	cookie  [cookieSize]byte
	outcome outcome
}

func newScratch() *scratch { return &scratch{added: make([]uint64, 0, 64)} }

// outcome is what became of a query, for the counters.
type outcome struct {
	zone      *served // that the question lies in; nil: none
	rcode     int
	qtype     uint16
	truncated bool
}

// result is the kind of a response: what its header and its OPT record say.
type result struct {
	rcode         int
	ede           uint16
	authoritative bool
	truncated     bool
}

// answer builds the response to what was read into dst, whose capacity bounds it: 4096 octets are enough for UDP, 65535 for TCP. Together
// with read it is a pure function of the snapshot, the query and its sender, and the only answer path there is. nil means silence.
func (s *snapshot) answer(dst []byte, r *request, sc *scratch) []byte {
	if r.ignored() {
		return nil
	}
	w := &sc.w
	sc.request = r
	w.reset(dst, &r.question, min(s.limit(r.from.tcp, &r.edns), cap(dst))-s.optSize(&r.edns))
	sc.added = sc.added[:0]
	sc.outcome = outcome{qtype: r.qtype}
	w.buf = append(w.buf, r.query[:max(headerSize, r.end)]...)
	cookieValid := false
	if r.edns.cookie != nil {
		cookieValid = s.cookies.respond(&sc.cookie, r.edns.cookie, r.from.address, uint32(s.now().Unix()))
	}
	v := s.respond(sc, cookieValid)
	sc.outcome.rcode, sc.outcome.truncated = v.rcode, v.truncated
	return s.finish(sc, v)
}

// limit is the largest response that may go out.
func (s *settings) limit(tcp bool, e *edns) int {
	switch {
	case tcp:
		return 65535
	case !e.present:
		return 512
	}
	return min(max(e.udpSize, 512), s.config.UDPSize)
}

// respond decides what to answer and writes the sections.
func (s *snapshot) respond(sc *scratch, cookieValid bool) result {
	r := sc.request
	switch opcode := r.query[2] >> 3 & 15; {
	case opcode != dns.OpcodeQuery:
		// Neither IQUERY (RFC 3425), STATUS, NOTIFY (this is nobody's secondary), UPDATE nor what is yet to come.
		return result{rcode: dns.RcodeNotImplemented, ede: edeNotSupported}
	case r.edns.version != 0: // before FORMERR: only version 0 says what is well-formed
		return result{rcode: dns.RcodeBadVers}
	case r.formErr:
		return result{rcode: dns.RcodeFormatError}
	case r.qdcount == 0:
		return cookieOnly(&r.edns, cookieValid)
	case r.qclass == dns.ClassCHAOS:
		return s.chaos(sc)
	case r.qclass != dns.ClassINET:
		return result{rcode: dns.RcodeRefused, ede: edeNotSupported}
	case s.table == nil:
		return result{rcode: dns.RcodeServerFailure, ede: edeNotReady}
	case r.qtype == dns.TypeAXFR || r.qtype == dns.TypeIXFR:
		return result{rcode: dns.RcodeRefused, ede: edeNotSupported}
	}
	return s.resolve(sc)
}

// cookieOnly answers a query without question, which is legal to fetch or test a cookie (RFC 7873 section 5.4).
func cookieOnly(e *edns, valid bool) result {
	switch {
	case e.cookie == nil:
		return result{rcode: dns.RcodeFormatError}
	case len(e.cookie) > clientCookie && !valid:
		return result{rcode: dns.RcodeBadCookie}
	}
	return result{}
}

// finish appends the OPT record and fills in the header: the query's identity, opcode and RD; QR, AA and TC; nothing of
// RA, AD and CD, which are between resolvers and their clients (RFC 4035 section 3.1.6), and Z zero (RFC 8906).
func (s *snapshot) finish(sc *scratch, v result) []byte {
	r, w := sc.request, &sc.w
	b := w.buf
	if r.edns.present {
		b = s.appendOPT(b, &r.edns, v.rcode, v.ede, &sc.cookie)
		w.counts += additionalSection
	}
	b[2] = 0x80 | r.query[2]&0x79
	if v.authoritative {
		b[2] |= 0x04
	}
	if v.truncated {
		b[2] |= 0x02
	}
	b[3] = byte(v.rcode & 15)
	if r.end > 0 {
		w.counts += questionSection
	}
	binary.BigEndian.PutUint64(b[4:], uint64(w.counts))
	return b
}
