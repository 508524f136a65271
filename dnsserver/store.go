package dnsserver

import (
	"encoding/binary"

	"github.com/livens/livens/zones"
)

// zone is one compiled zone. Its two big slices hold no pointers, so that a million records cost the garbage collector
// nothing, and it is immutable: snapshots share it until the zone's data change.
//
// The arena is a sequence of nodes. A node is
//
//	flags 1 | length of name 1 | slot 4 | number of RRsets 2 | name | RRsets, by type
//
// with the owner's labels below the apex, lower-cased, as name; an RRset is
//
//	number of records 2 | octets of records 4 | records
//
// with records as they go out behind a question for their owner, but for their RDATA, which is uncompressed. Every name
// between the apex and an owner has a node of its own (an empty non-terminal has no RRsets), so "exists" is monotone along
// a name.
//
// The index is an open-addressing table of 1<<24 tags and 40-bit arena offsets; 0 is a free slot.
type zone struct {
	source *zones.Zone
	apex   []byte // lower-cased wire form
	hash   uint64 // of apex
	labels int    // of apex
	arena  []byte
	index  []uint64
	nodes  int
	soa    rrset
	negTTL uint32 // seconds: min(TTL of SOA, MINIMUM), RFC 2308 section 5
}

const (
	nodeHead   = 8
	rrsetHead  = 6
	indexBits  = 40 // of an arena offset in an index entry
	offsetMask = 1<<indexBits - 1
)

// Flags of nodes.
const (
	flagCut      = 1 << iota // NS below the apex: a delegation
	flagDNAME                // a DNAME: it owns all names below
	flagCNAME                // an alias
	flagOccluded             // below a cut or a DNAME: glue at best
	flagWildcard             // "*" is a child of this node
)

// node is a view of the arena, from a node's first octet on; nil is no node.
type node []byte

func (n node) flags() byte { return n[0] }

// slot is 0, or the pool that answers here: see poolSlot.
func (n node) slot() uint32 { return binary.BigEndian.Uint32(n[2:]) }

func (n node) rrsets() int { return int(binary.BigEndian.Uint16(n[6:])) }

// name is the owner's wire form up to the apex, lower-cased.
func (n node) name() []byte { return n[nodeHead : nodeHead+int(n[1])] }

func (n node) first() []byte { return n[nodeHead+int(n[1]):] }

// rrset finds the records of one type; nil when there are none.
func (n node) rrset(qtype uint16) rrset {
	rest := n.first()
	for range n.rrsets() {
		set := rrset(rest)
		if set.rtype() == qtype {
			return set[:set.size()]
		}
		rest = rest[set.size():]
	}
	return nil
}

// rrset is a view of one packed RRset; nil is none.
type rrset []byte

func (s rrset) count() int      { return int(binary.BigEndian.Uint16(s)) }
func (s rrset) size() int       { return rrsetHead + int(binary.BigEndian.Uint32(s[2:])) }
func (s rrset) records() []byte { return s[rrsetHead:] }

// What all records of the set share is read in the first.
func (s rrset) rtype() uint16 { return binary.BigEndian.Uint16(s[rrsetHead+2:]) }
func (s rrset) ttl() uint32   { return binary.BigEndian.Uint32(s[rrsetHead+6:]) }

// nextRecord cuts the first record's RDATA off records.
func nextRecord(records []byte) (rdata, rest []byte) {
	const head = 2 + recordHead
	size := head + int(binary.BigEndian.Uint16(records[head-2:]))
	return records[head:size], records[size:]
}

// find returns the node of n's suffix from label i on, which lies in the zone; nil when there is none.
func (z *zone) find(n *name, i int) node {
	if at := z.locate(n, i); at != 0 {
		return node(z.arena[at:])
	}
	return nil
}

// locate is find for the arena offset; 0 when there is none.
func (z *zone) locate(n *name, i int) int {
	rel := n.relative(i, n.labels-z.labels)
	mask := uint64(len(z.index) - 1)
	h := n.hash[i]
	for slot := h & mask; ; slot = (slot + 1) & mask {
		entry := z.index[slot]
		if entry == 0 {
			return 0
		}
		if (entry^h)>>indexBits == 0 && string(z.at(entry).name()) == string(rel) {
			return int(entry & offsetMask)
		}
	}
}

// findWildcard returns the node of "*" before n's suffix from label i on.
func (z *zone) findWildcard(n *name, i int) node {
	rel := n.relative(i, n.labels-z.labels)
	mask := uint64(len(z.index) - 1)
	h := hashWildcard(n.hash[i])
	for slot := h & mask; ; slot = (slot + 1) & mask {
		entry := z.index[slot]
		if entry == 0 {
			return nil
		}
		if (entry^h)>>indexBits != 0 {
			continue
		}
		nd := z.at(entry)
		if own := nd.name(); len(own) == 2+len(rel) && string(own[:2]) == "\x01*" && string(own[2:]) == string(rel) {
			return nd
		}
	}
}

// fetch has the processor get what the answers to requests are made of into its cache: what the index has for all names at once, and then
// all nodes. One answer after the other would wait for memory twice. What it returns is of no use but to make it read.
func fetch(requests []request) (touched byte) {
	var entries [ahead]uint64
	for i := range requests {
		if r := &requests[i]; r.zone != nil {
			entries[i] = r.zone.index[r.question.hash[0]&uint64(len(r.zone.index)-1)]
		}
	}
	for i := range requests {
		if at := int(entries[i] & offsetMask); at != 0 {
			arena := requests[i].zone.arena
			touched ^= arena[at] ^ arena[min(at+cacheLine-1, len(arena)-1)]
		}
	}
	return touched
}

func (z *zone) at(entry uint64) node { return node(z.arena[entry&offsetMask:]) }

// match says how a name relates to a zone's data.
type match uint8

const (
	matchNone     match = iota // no such name
	matchNode                  // the name has a node
	matchWildcard              // the name is covered by a wildcard's node
	matchCut                   // at or below a delegation
	matchDNAME                 // below a DNAME
)

// lookup finds what the zone holds for n (RFC 1034 section 4.3.2, RFC 4592, RFC 6672): the node, and the label that
// the node's owner starts at; for a wildcard the label that its parent starts at.
func (z *zone) lookup(n *name) (match, node, int) {
	nd := z.find(n, 0)
	if nd != nil && nd.flags()&flagOccluded == 0 {
		if nd.flags()&flagCut != 0 {
			return matchCut, nd, 0
		}
		return matchNode, nd, 0
	}
	// All ancestors of a node are nodes: the closest encloser is found by bisection.
	lo, hi := 1, n.labels-z.labels
	for lo < hi {
		mid := (lo + hi) / 2
		if z.find(n, mid) != nil {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	nd = z.find(n, lo)
	for nd.flags()&flagOccluded != 0 {
		lo++
		nd = z.find(n, lo)
	}
	switch flags := nd.flags(); {
	case flags&flagCut != 0:
		return matchCut, nd, lo
	case flags&flagDNAME != 0:
		return matchDNAME, nd, lo
	case flags&flagWildcard != 0:
		return matchWildcard, z.findWildcard(n, lo), lo
	}
	return matchNone, nil, lo
}
