package dnsserver

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// appendSetHead begins an RRset; see zone for its form.
func appendSetHead(b []byte, rtype uint16, ttl uint32) []byte {
	b = binary.BigEndian.AppendUint16(b, rtype)
	b = binary.BigEndian.AppendUint32(b, ttl)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// appendRecord adds one record to an RRset.
func appendRecord(b, rdata []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(rdata))), rdata...)
}

// closeSet fills in an RRset's counts once its records stand behind its head.
func closeSet(set []byte, count int) {
	binary.BigEndian.PutUint16(set[6:], uint16(count))
	binary.BigEndian.PutUint32(set[8:], uint32(len(set)-rrsetHead))
}

// ordered is a copy of records in which equal owners are neighbours and owners come before the names below them.
func ordered(records []dns.RR) []dns.RR {
	type keyed struct {
		key string
		rr  dns.RR
	}
	all := make([]keyed, len(records))
	for i, rr := range records {
		labels := dns.SplitDomainName(strings.ToLower(rr.Header().Name))
		slices.Reverse(labels)
		all[i] = keyed{strings.Join(labels, "\x00"), rr}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([]dns.RR, len(all))
	for i, k := range all {
		out[i] = k.rr
	}
	return out
}
