package dnsserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/livens/livens/zones"
	"github.com/miekg/dns"
)

// compiler holds what lives only while one zone is compiled. It is larger than most zones: one compiles many, one after
// another.
type compiler struct {
	*zone
	owner   name
	scratch [2 * maxName]byte // a name in wire form: room for one that is too long, so that parse says so
	problem []error
}

// compile packs a zone for the query path. With debugNames every answer name of a pool gets a TXT at _livens below it.
// Records that cannot be packed are left out and reported; the zone is usable all the same.
func (c *compiler) compile(source *zones.Zone, debugNames bool) (*zone, error) {
	records := source.Records
	c.zone, c.problem = &zone{source: source}, nil
	if err := c.setName(source.Name); err != nil {
		return nil, err
	}
	c.apex, c.labels, c.hash = slices.Clone(c.owner.suffix(0)), c.owner.labels, c.owner.hash[0]
	// The estimates fit zones of addresses; others grow.
	c.arena = make([]byte, 1, 64+len(records)*48)
	c.index = make([]uint64, indexSize(len(records)+2*len(source.Pools)))
	c.addNode(c.owner.relative(0, 0), c.hash)
	for len(records) > 0 {
		run := ownerRun(records)
		if err := c.addRecords(records[:run]); err != nil {
			return nil, err
		}
		records = records[run:]
	}
	for i, p := range source.Pools {
		if err := c.addPool(uint32(i), p, debugNames); err != nil {
			return nil, err
		}
	}
	if cap(c.arena)-len(c.arena) > len(c.arena)/8 {
		c.arena = append(make([]byte, 0, len(c.arena)), c.arena...)
	}
	if err := c.findSOA(); err != nil {
		return nil, err
	}
	return c.zone, errors.Join(c.problem...)
}

func (c *compiler) findSOA() error {
	c.setName(c.source.Name)
	c.soa = c.find(&c.owner, 0).rrset(dns.TypeSOA)
	if c.soa == nil {
		return fmt.Errorf("zone %s has no SOA", c.source.Name)
	}
	rdata, _ := nextRecord(c.soa.records())
	c.negTTL = min(c.soa.ttl(), binary.BigEndian.Uint32(rdata[len(rdata)-4:]))
	return nil
}

// setName makes the name, in presentation format, the current owner.
func (c *compiler) setName(owner string) error {
	if _, err := dns.PackDomainName(dns.Fqdn(owner), c.scratch[:], 0, nil, false); err != nil {
		return fmt.Errorf("name %q: %w", owner, err)
	}
	if c.owner.parse(c.scratch[:], 0) == 0 {
		return fmt.Errorf("name %q: no domain name", owner)
	}
	return nil
}

// ownerRun counts the leading records that share an owner.
func ownerRun(records []zones.Packed) int {
	owner := records[0].WireOwner()
	n := 1
	for n < len(records) {
		if next := records[n].WireOwner(); next != owner && !strings.EqualFold(next, owner) {
			break
		}
		n++
	}
	return n
}

// addRecords writes the node that all these records belong to.
func (c *compiler) addRecords(records []zones.Packed) error {
	copy(c.scratch[:], records[0].WireOwner())
	c.owner.parse(c.scratch[:], 0)
	if err := c.enter(); err != nil {
		c.problem = append(c.problem, err)
		return nil
	}
	at := c.node()
	if len(c.arena) != at+nodeHead+int(c.arena[at+1]) || node(c.arena[at:]).rrsets() > 0 {
		// The node is not the arena's last, or has its records.
		return fmt.Errorf("zone %s is not in canonical order at %s", c.source.Name, records[0].Owner())
	}
	if !slices.IsSortedFunc(records, byType) {
		records = slices.Clone(records)
		slices.SortStableFunc(records, byType)
	}
	sets := 0
	for len(records) > 0 {
		rtype, n := records[0].Type(), 1
		for n < len(records) && records[n].Type() == rtype {
			n++
		}
		c.addSet(records[:n])
		sets++
		c.arena[at] |= c.typeFlag(rtype)
		records = records[n:]
	}
	binary.BigEndian.PutUint16(c.arena[at+6:], uint16(sets))
	return nil
}

func byType(a, b zones.Packed) int { return int(a.Type()) - int(b.Type()) }

func (c *compiler) typeFlag(rtype uint16) byte {
	switch {
	case rtype == dns.TypeCNAME:
		return flagCNAME
	case rtype == dns.TypeDNAME:
		return flagDNAME
	case rtype == dns.TypeNS && c.owner.labels > c.labels:
		return flagCut
	}
	return 0
}

// addSet appends one RRset.
func (c *compiler) addSet(records []zones.Packed) {
	start := len(c.arena)
	c.arena = appendSetHead(c.arena)
	for _, r := range records {
		c.arena = appendRecord(c.arena, r.Type(), records[0].TTL(), r.Data())
	}
	closeSet(c.arena[start:], len(records))
}

// addPool hangs a pool's slot, and its debug name's, on the nodes it answers at.
func (c *compiler) addPool(i uint32, p *zones.Pool, debugNames bool) error {
	for _, answer := range p.Answers {
		if err := c.enterName(answer); err != nil {
			return err
		}
		c.setSlot(poolSlot(i, false))
		if !debugNames {
			continue
		}
		if err := c.enterName(debugLabel + "." + answer); err != nil {
			c.problem = append(c.problem, err)
			continue
		}
		if c.arena[c.node()]&(flagCNAME|flagCut|flagOccluded) == 0 {
			c.setSlot(poolSlot(i, true))
		}
	}
	return nil
}

func (c *compiler) setSlot(slot uint32) { binary.BigEndian.PutUint32(c.arena[c.node()+2:], slot) }

// node is the arena offset of the current owner's node.
func (c *compiler) node() int { return c.locate(&c.owner, 0) }

// enterName is enter for the name, in presentation format, which becomes the current owner.
func (c *compiler) enterName(owner string) error {
	if err := c.setName(owner); err != nil {
		return err
	}
	return c.enter()
}

// enter sees to it that the current owner and all names between it and the apex have nodes.
func (c *compiler) enter() error {
	end := c.owner.labels - c.labels
	if end < 0 || string(c.owner.suffix(end)) != string(c.apex) {
		name, _, _ := dns.UnpackDomainName(c.owner.wire[:], 0)
		return fmt.Errorf("name %q lies outside zone %s", name, c.source.Name)
	}
	missing := 0
	for missing < end && c.find(&c.owner, missing) == nil {
		missing++
	}
	for i := missing - 1; i >= 0; i-- {
		parent := c.find(&c.owner, i+1)
		label := c.owner.relative(i, i+1)
		if len(label) == 2 && label[1] == '*' {
			parent[0] |= flagWildcard
		}
		var flags byte
		if parent.flags()&(flagCut|flagDNAME|flagOccluded) != 0 {
			flags = flagOccluded
		}
		c.addNode(c.owner.relative(i, end), c.owner.hash[i])
		c.find(&c.owner, i)[0] = flags
	}
	return nil
}

// addNode appends an empty node and indexes it.
func (c *compiler) addNode(rel []byte, h uint64) {
	c.nodes++
	if c.nodes*4 > len(c.index)*3 {
		c.growIndex()
	}
	at := uint64(len(c.arena))
	c.arena = append(c.arena, 0, byte(len(rel)), 0, 0, 0, 0, 0, 0)
	c.arena = append(c.arena, rel...)
	c.enlist(h>>indexBits<<indexBits|at, h)
}

func (c *compiler) enlist(entry, h uint64) {
	mask := uint64(len(c.index) - 1)
	at := h & mask
	for c.index[at] != 0 {
		at = (at + 1) & mask
	}
	c.index[at] = entry
}

// growIndex doubles the index. It hashes the names again, for the entries hold only tags.
func (c *compiler) growIndex() {
	old := c.index
	c.index = make([]uint64, 2*len(old))
	var n name
	var buf [2 * maxName]byte
	for _, entry := range old {
		if entry == 0 {
			continue
		}
		nd := c.at(entry)
		size := copy(buf[:], nd[nodeHead:nodeHead+int(nd[1])])
		copy(buf[size:], c.apex)
		n.parse(buf[:], 0)
		c.enlist(entry, n.hash[0])
	}
}

// indexSize is the power of two that holds n nodes three quarters full at most.
func indexSize(n int) int {
	size := 8
	for size*3 < n*4 {
		size *= 2
	}
	return size
}
