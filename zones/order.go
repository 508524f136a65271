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
	ends := runs(records)
	if len(ends) > maxRuns {
		slices.SortFunc(records, compareRecords)
		return
	}
	for i := 1; i < len(ends); i++ {
		merge(records[:ends[i]], ends[i-1])
	}
}

// maxRuns is how many runs in order are merged: large zone files are written by programs, mostly in some order.
const maxRuns = 8

// runs returns where runs of records that are in order end; of more than maxRuns the first ones.
func runs(records []record) (ends []int) {
	for i := 1; i <= len(records) && len(ends) <= maxRuns; i++ {
		if i == len(records) || compareRecords(records[i-1], records[i]) > 0 {
			ends = append(ends, i)
		}
	}
	return ends
}

// merge brings records into order of which those up to middle and those from there are. What is set aside is the shorter part
// that has to move.
func merge(records []record, middle int) {
	first := records[middle]
	from, _ := slices.BinarySearchFunc(records[:middle], first, compareRecords)
	last := records[middle-1]
	end, _ := slices.BinarySearchFunc(records[middle:], last, compareRecords)
	records, middle = records[from:middle+end], middle-from
	if right := len(records) - middle; right < middle {
		mergeBackwards(records, slices.Clone(records[middle:]), middle)
		return
	}
	left := slices.Clone(records[:middle])
	for to := 0; len(left) > 0; to++ {
		if middle < len(records) && compareRecords(records[middle], left[0]) < 0 {
			records[to] = records[middle]
			middle++
			continue
		}
		records[to], left = left[0], left[1:]
	}
}

// mergeBackwards is merge from the end, with what stands from middle on set aside.
func mergeBackwards(records, right []record, middle int) {
	for to := len(records) - 1; len(right) > 0; to-- {
		if middle > 0 && compareRecords(records[middle-1], right[len(right)-1]) > 0 {
			middle--
			records[to] = records[middle]
			continue
		}
		records[to], right = right[len(right)-1], right[:len(right)-1]
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
