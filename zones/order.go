package zones

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Records are kept in canonical order (RFC 4034 section 6): by owner, then type, then data; the SOA comes before all.

// sortRecords brings records into order of owner and type. Data is ordered by uniq, which looks at it once.
func sortRecords(records []record) {
	if !slices.IsSortedFunc(records, compareRecords) {
		slices.SortFunc(records, compareRecords)
	}
}

func compareRecords(a, b record) int {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(typeRank(a.packed), typeRank(b.packed)), strings.Compare(*a.at.file, *b.at.file), cmp.Compare(a.at.line, b.at.line))
}

// typeRank is a record's type, with the SOA before all others.
func typeRank(p Packed) int {
	if t := p.Type(); t != dns.TypeSOA {
		return int(t)
	}
	return -1
}

// nextSet returns the end of the RRset that begins at i.
func nextSet(records []record, i int) int {
	key, t := records[i].key, records[i].packed.Type()
	for i++; i < len(records) && records[i].key == key && records[i].packed.Type() == t; i++ {
	}
	return i
}

// nextNode returns the end of the records that have the owner of the one at i.
func nextNode(records []record, i int) int {
	key := records[i].key
	for i++; i < len(records) && records[i].key == key; i++ {
	}
	return i
}

// uniq orders the data of every RRset and removes records that another one repeats.
func uniq(records []record) []record {
	out := records[:0]
	for i := 0; i < len(records); {
		end := nextSet(records, i)
		if end == i+1 {
			out = append(out, records[i])
		} else {
			out = appendSet(out, records[i:end])
		}
		i = end
	}
	clear(records[len(out):])
	return out
}

// appendSet appends one RRset of several records, ordered and without repetitions.
func appendSet(out []record, set []record) []record {
	type keyed struct {
		record
		data []byte
	}
	sorted := make([]keyed, len(set))
	for i, r := range set {
		sorted[i] = keyed{r, canonicalData(r.packed)}
	}
	slices.SortStableFunc(sorted, func(a, b keyed) int { return bytes.Compare(a.data, b.data) })
	for i, r := range sorted {
		if i == 0 || !bytes.Equal(r.data, sorted[i-1].data) || r.packed.TTL() != sorted[i-1].packed.TTL() {
			out = append(out, r.record)
		}
	}
	return out
}

// canonicalData returns a record's data with the names in it in lower case where case cannot matter.
func canonicalData(p Packed) []byte { return appendCanonical(nil, p)[p.owner()+recordHead:] }

// appendCanonical appends a record in canonical form (RFC 4034 section 6.2).
func appendCanonical(buf []byte, p Packed) []byte {
	from := len(buf)
	buf = append(buf, p...)
	wire, owner := buf[from:], p.owner()
	data := owner + recordHead
	lowerBytes(wire[:owner])
	if head, tail, ok := nameData(p.Type()); ok && len(wire) >= data+head+tail {
		lowerBytes(wire[data+head : len(wire)-tail])
	}
	return buf
}

// nameData says of a type whose data is names, and other things before and after, how many bytes these others are.
// Lengths of labels are below "A", so that such data can be lowered as a whole.
func nameData(t uint16) (head, tail int, ok bool) {
	switch t {
	case dns.TypeNS, dns.TypeCNAME, dns.TypePTR, dns.TypeDNAME, dns.TypeMB, dns.TypeMG, dns.TypeMR, dns.TypeMINFO, dns.TypeRP:
		return 0, 0, true
	case dns.TypeMX, dns.TypeAFSDB, dns.TypeRT, dns.TypeKX, dns.TypePX:
		return 2, 0, true
	case dns.TypeSRV:
		return 6, 0, true
	case dns.TypeSOA:
		return 0, 20, true
	}
	return 0, 0, false
}

func lowerBytes(data []byte) {
	for i, c := range data {
		if c >= 'A' && c <= 'Z' {
			data[i] = c + 'a' - 'A'
		}
	}
}

// findNode returns the records whose owner has that key.
func findNode(records []record, key string) []record {
	from, _ := slices.BinarySearchFunc(records, key, func(r record, key string) int { return strings.Compare(r.key, key) })
	to := from
	for to < len(records) && records[to].key == key {
		to++
	}
	return records[from:to]
}

// nodeExists says whether an owner has that key or one below it: empty non-terminals exist (RFC 4592).
func nodeExists(records []record, key string) bool {
	from, _ := slices.BinarySearchFunc(records, key, func(r record, key string) int { return strings.Compare(r.key, key) })
	return from < len(records) && strings.HasPrefix(records[from].key, key)
}

// hasType says whether one of a node's records has one of the types.
func hasType(node []record, types ...uint16) bool {
	return slices.ContainsFunc(node, func(r record) bool { return slices.Contains(types, r.packed.Type()) })
}
