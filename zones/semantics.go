package zones

import (
	"strings"

	"github.com/miekg/dns"
)

// semantics checks what records and pools mean together. Records are in canonical order, so that everything below a
// name follows it at once.
type semantics struct {
	*builder
	section *section // [zone]; nil: the zone has no name
	records []record
	answers map[string]answerAt // pools' answer names, by sort key
	cut     *record             // the delegation or DNAME that hides the names now looked at
	signed  bool                // DNSSEC records were warned of
	partial bool                // records are missing because they are wrong: that something is missing is not said
}

// answerAt is one answer name of a pool.
type answerAt struct {
	pool poolAt
	name string
	line int
}

func (c *semantics) check() {
	c.checkApex()
	c.checkAnswers()
	for i := 0; i < len(c.records); {
		end := nextNode(c.records, i)
		c.checkNode(c.records[i:end])
		i = end
	}
}

// checkApex wants one SOA and a nameserver.
func (c *semantics) checkApex() {
	apex := findNode(c.records, "")
	var soas []record
	for _, r := range apex {
		if r.packed.Type() == dns.TypeSOA {
			soas = append(soas, r)
		}
	}
	if len(soas) == 0 && !c.partial {
		c.section.problem(Problem{Line: c.section.at.at(), Key: "zone", Message: "the zone has no SOA record"})
	}
	for _, r := range soas[min(1, len(soas)):] {
		c.problemAt(false, r.at, "a zone has exactly one (RFC 1035 section 5.2)",
			"another SOA record is at %s line %d", c.shown(*soas[0].at.file), soas[0].at.line)
	}
	if !hasType(apex, dns.TypeNS) && !c.partial {
		c.section.errorf("ns", `for example ns = ["ns1", "ns2.example.net."]`, "the zone has no NS records")
	}
}

// checkNode checks the records of one owner.
func (c *semantics) checkNode(node []record) {
	if c.cut != nil && !strings.HasPrefix(node[0].key, c.cut.key) {
		c.cut = nil
	}
	if c.cut != nil {
		c.checkHidden(node)
	} else {
		c.checkAlias(node)
		c.checkCut(node)
		c.checkPoolNode(node)
	}
	for i := 0; i < len(node); {
		end := nextSet(node, i)
		c.checkSet(node[i:end])
		i = end
	}
	if c.cut == nil || c.cut.key == node[0].key {
		for _, r := range node {
			c.checkRecord(r)
		}
	}
}

// checkAlias checks CNAME and DNAME against their neighbours.
func (c *semantics) checkAlias(node []record) {
	for i := 0; i < len(node); {
		end := nextSet(node, i)
		set := node[i:end]
		switch t := set[0].packed.Type(); t {
		case dns.TypeCNAME, dns.TypeDNAME:
			if len(set) > 1 {
				c.problemAt(false, set[1].at, "an alias has one target", "%s has another %s record, at %s", owner(set[0]), dns.Type(t), c.where(set[0]))
			}
			if t == dns.TypeCNAME {
				c.checkCNAME(set[0], node)
			}
		}
		i = end
	}
}

// checkCNAME wants a CNAME alone but for its signatures (RFC 2181 section 10.1, RFC 4034 sections 2.5 and 4).
func (c *semantics) checkCNAME(alias record, node []record) {
	for _, r := range node {
		switch r.packed.Type() {
		case dns.TypeCNAME, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeKEY, dns.TypeSIG, dns.TypeNXT:
			continue
		}
		c.problemAt(false, r.at, "a name with a CNAME can have no other data (RFC 2181 section 10.1)",
			"%s has %s beside the CNAME at %s", owner(r), article(r.packed.Type()), c.where(alias))
		return
	}
}

// checkCut notes a delegation or a DNAME and what it hides at its own name.
func (c *semantics) checkCut(node []record) {
	for i := range node {
		r := &node[i]
		t, wildcard := r.packed.Type(), strings.HasPrefix(string(r.packed), "\x01*")
		switch {
		case t == dns.TypeNS && r.key != "" && c.cut == nil:
			c.cut = r
			if wildcard {
				c.problemAt(true, r.at, "", "%s: a wildcard delegation is discouraged (RFC 4592 section 4.2)", owner(*r))
			}
		case t == dns.TypeDNAME:
			c.cut = r
			if wildcard {
				c.problemAt(true, r.at, "", "%s: a wildcard DNAME is discouraged (RFC 4592 section 4.4)", owner(*r))
			}
			if r.key != "" && hasType(node, dns.TypeNS) {
				c.problemAt(false, r.at, "", "%s is delegated and has a DNAME (RFC 6672 section 2.3)", owner(*r))
			}
		}
	}
	if c.cut == nil || c.cut.packed.Type() != dns.TypeNS {
		return
	}
	for _, r := range node {
		switch r.packed.Type() {
		case dns.TypeNS, dns.TypeDS, dns.TypeNSEC, dns.TypeRRSIG, dns.TypeA, dns.TypeAAAA, dns.TypeDNAME, dns.TypeCNAME:
		default:
			c.problemAt(true, r.at, "move it to the delegated zone",
				"%s is delegated at %s: its %s is never answered", owner(r), c.where(*c.cut), dns.Type(r.packed.Type()))
		}
	}
}

// checkHidden checks records below a delegation or a DNAME.
func (c *semantics) checkHidden(node []record) {
	if c.cut.packed.Type() == dns.TypeDNAME {
		c.problemAt(false, node[0].at, "no data can be below a DNAME (RFC 6672 section 2.4)",
			"%s is below the DNAME of %s at %s", owner(node[0]), owner(*c.cut), c.where(*c.cut))
		return
	}
	for _, r := range node {
		switch r.packed.Type() {
		case dns.TypeA, dns.TypeAAAA, dns.TypeRRSIG, dns.TypeNSEC: // glue
		default:
			c.problemAt(true, r.at, "move it to the delegated zone", "%s is below the delegation of %s at %s: its %s is never answered",
				owner(r), owner(*c.cut), c.where(*c.cut), dns.Type(r.packed.Type()))
			return
		}
	}
}

// checkPoolNode checks static records at a pool's answer name.
func (c *semantics) checkPoolNode(node []record) {
	answer, ok := c.answers[node[0].key]
	if !ok {
		return
	}
	for _, r := range node {
		switch t := r.packed.Type(); t {
		case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME:
			c.problemAt(false, r.at, "remove the record, or the name from the pool's answers",
				"%s has %s, and pool %q answers there", owner(r), article(t), answer.pool.Name)
		}
	}
}

// checkSet checks an RRset as a whole.
func (c *semantics) checkSet(set []record) {
	first, t := set[0].packed, set[0].packed.Type()
	if len(set) == 1 || t == dns.TypeRRSIG {
		return // signatures form no RRset (RFC 4034 section 3)
	}
	size := 12 + 2*first.owner() + 4
	for _, r := range set {
		if ttl := r.packed.TTL(); ttl != first.TTL() {
			c.problemAt(false, r.at, "give all records of a name and type one TTL (RFC 2181 section 5.2)",
				"%s %s has TTL %d here and %d at %s", owner(r), dns.Type(t), ttl, first.TTL(), c.where(set[0]))
			break
		}
	}
	for _, r := range set {
		if size += len(r.packed) - first.owner(); size > dns.MaxMsgSize {
			c.problemAt(false, r.at, "", "%s has %d %s records: they do not fit into a message", owner(r), len(set), dns.Type(t))
			break
		}
	}
}

// checkAnswers checks the pools' answer names against each other and the zone's cuts.
func (c *semantics) checkAnswers() {
	c.answers = map[string]answerAt{}
	for _, p := range c.pools {
		for i, name := range p.Answers {
			here := answerAt{p, name, p.section.elementLine("answers", i)}
			key := string(sortKey(nil, name, c.zone.Name))
			if other, taken := c.answers[key]; taken {
				p.section.problem(Problem{Line: here.line, Key: p.section.join("answers"),
					Message: c.spoken(name) + " is answered by pool " + other.pool.Name + " already"})
				continue
			}
			c.answers[key] = here
			c.checkAnswerVisible(here)
		}
	}
}

// spoken is an answer name as problems give it: relative while the zone's own name is not known.
func (c *semantics) spoken(name string) string {
	switch {
	case c.section != nil:
		return name
	case name == c.zone.Name:
		return "@"
	}
	return strings.TrimSuffix(name, ".")
}

// checkAnswerVisible reports an answer name that a delegation or a DNAME hides.
func (c *semantics) checkAnswerVisible(a answerAt) {
	cut := c.hiddenBy(a.name)
	if cut == nil {
		return
	}
	what := "the delegation of "
	if cut.packed.Type() == dns.TypeDNAME {
		what = "the DNAME of "
	}
	a.pool.section.problem(Problem{Line: a.line, Key: a.pool.section.join("answers"),
		Message: a.name + " is hidden by " + what + owner(*cut) + " at " + c.where(*cut), Hint: "the pool would never answer there"})
}

// hiddenBy returns the record that keeps a name of the zone from being answered: a delegation at or above it, or a
// DNAME above it. The highest hides the others.
func (c *semantics) hiddenBy(name string) (cut *record) {
	for at := name; ; at = parent(at) {
		apex := at == c.zone.Name
		for _, r := range findNode(c.records, string(sortKey(nil, at, c.zone.Name))) {
			t := r.packed.Type()
			if t == dns.TypeNS && !apex || t == dns.TypeDNAME && at != name {
				cut = &r
				break
			}
		}
		if apex || at == "." {
			return cut
		}
	}
}

// where is a record's place in words.
func (c *semantics) where(r record) string {
	return Problem{File: c.shown(*r.at.file), Line: int(r.at.line)}.place()
}

func owner(r record) string { return r.packed.Owner() }

// article is a type with its article: "an A record", "a TXT record".
func article(t uint16) string {
	name := dns.Type(t).String()
	if strings.ContainsRune("AEFHIMNRSX", rune(name[0])) && name != "HIP" && name != "RP" {
		return "an " + name + " record"
	}
	return "a " + name + " record"
}
