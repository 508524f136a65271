package dnsserver

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// section is one record, or question, of a section. Sums of them are a header's four counts, taken as one number.
type section uint64

const (
	additionalSection section = 1 << (16 * iota)
	authoritySection
	answerSection
	questionSection
)

const (
	headerSize      = 12
	pointerRange    = 0x3fff // offsets that a compression pointer reaches
	questionPointer = 0xc000 | headerSize
)

// writer builds one response within limit octets, compressing names as it goes. RRsets go in whole or not at all.
type writer struct {
	buf    []byte // its capacity is at least limit
	limit  int
	counts section
	serial uint32 // put into SOA records; 0: leave them as they are

	question *name  // stands at offset 12
	seeded   bool   // the question's suffixes are in seen
	round    uint16 // which response the entries of seen belong to
	seen     [256]seenName
	rname    name // a name inside RDATA, while it is written
}

// seenName remembers where a name was written.
type seenName struct {
	tag   uint32
	round uint16
	at    uint16
}

func (w *writer) reset(dst []byte, question *name, limit int) {
	w.buf, w.limit, w.counts, w.serial = dst[:0], limit, 0, 0
	w.question, w.seeded = question, false
	w.round++
	if w.round == 0 { // wrapped: entries of 65,536 responses ago would look fresh
		w.seen = [256]seenName{}
		w.round = 1
	}
}

func (w *writer) room(n int) bool { return w.limit-len(w.buf) >= n }

func (w *writer) remember(h uint64, at int) {
	if at <= pointerRange {
		w.seen[uint8(h)] = seenName{uint32(h >> 32), w.round, uint16(at)}
	}
}

// pointer is a compression pointer to an earlier copy of n's suffix from label i on, or 0.
func (w *writer) pointer(n *name, i int) uint16 {
	e := w.seen[uint8(n.hash[i])]
	if e.round != w.round || e.tag != uint32(n.hash[i]>>32) || !sameName(w.buf, int(e.at), n.suffix(i)) {
		return 0
	}
	return 0xc000 | e.at
}

// sameName reports whether the name at msg[at:], compressed or not, is want, a lower-cased wire form.
func sameName(msg []byte, at int, want []byte) bool {
	for at < len(msg) {
		c := int(msg[at])
		if c >= 0xc0 {
			if at+2 > len(msg) {
				return false
			}
			to := int(binary.BigEndian.Uint16(msg[at:]) & pointerRange)
			if to >= at {
				return false
			}
			at = to
			continue
		}
		if at+1+c > len(msg) || len(want) < 1+c || int(want[0]) != c {
			return false
		}
		for i, b := range msg[at+1 : at+1+c] {
			if lower[b] != want[1+i] {
				return false
			}
		}
		if c == 0 {
			return true
		}
		at, want = at+1+c, want[1+c:]
	}
	return false
}

// name writes n's suffix from label i on, spelt as in original (its wire form from that label), compressed.
func (w *writer) name(n *name, i int, original []byte) bool {
	if !w.seeded {
		w.seed()
	}
	start, end := int(n.start[i]), n.labels
	var to uint16
	for j := i; j < n.labels; j++ {
		if to = w.pointer(n, j); to != 0 {
			end = j
			break
		}
	}
	prefix := int(n.start[end]) - start
	if !w.room(prefix + 2) {
		return false
	}
	for j := i; j < end; j++ {
		w.remember(n.hash[j], len(w.buf)+int(n.start[j])-start)
	}
	w.buf = append(w.buf, original[:prefix]...)
	if to != 0 {
		w.buf = binary.BigEndian.AppendUint16(w.buf, to)
	} else {
		w.buf = append(w.buf, 0)
	}
	return true
}

// rrset writes a whole RRset owned by n's suffix from label i on; false, and nothing written, when it does not fit.
func (w *writer) rrset(sec section, n *name, i int, set rrset, ttl uint32) bool {
	mark := len(w.buf)
	rtype := set.rtype()
	names, skip := compressible(rtype)
	if names == 0 && n == w.question && i == 0 && n.labels > 0 && ttl == set.ttl() { // it goes out as it was packed
		if !w.room(len(set.records())) {
			return false
		}
		w.buf = append(w.buf, set.records()...)
		w.counts += sec * section(set.count())
		return true
	}
	for rest := set.records(); len(rest) > 0; {
		var rdata []byte
		rdata, rest = nextRecord(rest)
		if !w.owner(n, i) || !w.room(recordHead) {
			return w.rollback(mark)
		}
		w.buf = appendRecordHead(w.buf, rtype, dns.ClassINET, ttl, 0)
		from := len(w.buf)
		if !w.rdata(rdata, names, skip) {
			return w.rollback(mark)
		}
		binary.BigEndian.PutUint16(w.buf[from-2:], uint16(len(w.buf)-from))
	}
	if rtype == dns.TypeSOA && w.serial != 0 {
		binary.BigEndian.PutUint32(w.buf[len(w.buf)-20:], w.serial)
	}
	w.counts += sec * section(set.count())
	return true
}

// cname writes the CNAME that a DNAME means for n, with target in wire form.
func (w *writer) cname(n *name, target []byte, ttl uint32) bool {
	mark := len(w.buf)
	if !w.owner(n, 0) || !w.room(recordHead) {
		return w.rollback(mark)
	}
	w.buf = appendRecordHead(w.buf, dns.TypeCNAME, dns.ClassINET, ttl, 0)
	from := len(w.buf)
	if !w.rdata(target, 1, 0) {
		return w.rollback(mark)
	}
	binary.BigEndian.PutUint16(w.buf[from-2:], uint16(len(w.buf)-from))
	w.counts += answerSection
	return true
}

// chaosText answers the question with one TXT record of class CHAOS.
func (w *writer) chaosText(text string) bool {
	mark := len(w.buf)
	if !w.owner(w.question, 0) || !w.room(recordHead+1+len(text)) {
		return w.rollback(mark)
	}
	w.buf = appendRecordHead(w.buf, dns.TypeTXT, dns.ClassCHAOS, 0, 1+len(text))
	w.buf = append(append(w.buf, byte(len(text))), text...)
	w.counts += answerSection
	return true
}

const recordHead = 10 // type, class, TTL, length

func appendRecordHead(b []byte, rtype, class uint16, ttl uint32, size int) []byte {
	b = binary.BigEndian.AppendUint16(b, rtype)
	b = binary.BigEndian.AppendUint16(b, class)
	b = binary.BigEndian.AppendUint32(b, ttl)
	return binary.BigEndian.AppendUint16(b, uint16(size))
}

func (w *writer) rollback(mark int) bool {
	w.buf = w.buf[:mark]
	return false
}

// owner writes an owner name: nearly always a pointer, for what leads to a record names its owner.
func (w *writer) owner(n *name, i int) bool {
	if n != w.question || i == n.labels {
		return w.name(n, i, n.suffix(i))
	}
	if !w.room(2) {
		return false
	}
	w.buf = binary.BigEndian.AppendUint16(w.buf, 0xc000|uint16(headerSize+int(n.start[i])))
	return true
}

// seed makes the question's name known to compression. It is put off until a name other than its suffixes is written.
func (w *writer) seed() {
	w.seeded = true
	for i := range w.question.labels {
		w.remember(w.question.hash[i], headerSize+int(w.question.start[i]))
	}
}

func (w *writer) rdata(rdata []byte, names, skip int) bool {
	if !w.room(skip) {
		return false
	}
	w.buf, rdata = append(w.buf, rdata[:skip]...), rdata[skip:]
	for range names {
		end := w.rname.parse(rdata, 0)
		if end == 0 || !w.name(&w.rname, 0, rdata) {
			return false
		}
		rdata = rdata[end:]
	}
	if !w.room(len(rdata)) {
		return false
	}
	w.buf = append(w.buf, rdata...)
	return true
}

// compressible tells how many names a type's RDATA holds that may be compressed, and the octets before them: the types
// of RFC 1035 only (RFC 3597 section 4).
func compressible(rtype uint16) (names, skip int) {
	switch rtype {
	case dns.TypeNS, dns.TypeCNAME, dns.TypePTR, dns.TypeMB, dns.TypeMD, dns.TypeMF, dns.TypeMG, dns.TypeMR:
		return 1, 0
	case dns.TypeMX:
		return 1, 2
	case dns.TypeSOA, dns.TypeMINFO:
		return 2, 0
	}
	return 0, 0
}
