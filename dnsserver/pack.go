package dnsserver

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// appendSetHead begins an RRset; see zone for its form.
func appendSetHead(b []byte) []byte { return append(b, 0, 0, 0, 0, 0, 0) }

// appendRecord adds one record to an RRset.
func appendRecord[D []byte | string](b []byte, rtype uint16, ttl uint32, rdata D) []byte {
	b = binary.BigEndian.AppendUint16(b, questionPointer)
	b = appendRecordHead(b, rtype, dns.ClassINET, ttl, len(rdata))
	return append(b, rdata...)
}

// closeSet fills in an RRset's counts once its records stand behind its head.
func closeSet(set []byte, count int) {
	binary.BigEndian.PutUint16(set, uint16(count))
	binary.BigEndian.PutUint32(set[2:], uint32(len(set)-rrsetHead))
}
