package dnsserver

import "encoding/binary"

// appendSetHead begins an RRset; see zone for its form.
func appendSetHead(b []byte, rtype uint16, ttl uint32) []byte {
	b = binary.BigEndian.AppendUint16(b, rtype)
	b = binary.BigEndian.AppendUint32(b, ttl)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// appendRecord adds one record to an RRset.
func appendRecord[D []byte | string](b []byte, rdata D) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(rdata))), rdata...)
}

// closeSet fills in an RRset's counts once its records stand behind its head.
func closeSet(set []byte, count int) {
	binary.BigEndian.PutUint16(set[6:], uint16(count))
	binary.BigEndian.PutUint32(set[8:], uint32(len(set)-rrsetHead))
}
