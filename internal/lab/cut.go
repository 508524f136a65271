package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// Area is a part of the network: a host or a site.
type Area interface{ area() netip.Prefix }

func (h *Host) area() netip.Prefix { return netip.PrefixFrom(h.Addr, 32) }
func (s *Site) area() netip.Prefix { return s.prefix }

// Rule says which packets the router drops. Nobody is told: neither end sees an error.
type Rule struct {
	From, To Area   // one of them may be nil: everything outside the other
	Port     uint16 // the destination's, TCP and UDP; 0: any
	Opening  bool   // only what opens TCP connections: open ones go on
}

// Both are the rules that keep two areas (the second may be nil: everything outside the first) from each other; port
// is as in a Rule.
func Both(a, b Area, port uint16) []Rule {
	return []Rule{{From: a, To: b, Port: port}, {From: b, To: a, Port: port}}
}

type cut struct{ rules []Rule }

// Cut puts the rules in force together, beside those of other cuts, and returns what ends them.
func (n *Network) Cut(rules ...Rule) (heal func()) {
	n.t.Helper()
	c := &cut{rules}
	n.setCut(c, true)
	return func() { n.setCut(c, false) }
}

func (n *Network) setCut(c *cut, on bool) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cuts, c)
	if on {
		n.cuts[c] = true
	}
	n.must(n.router.run(n.ruleset(), "nft", "-f", "-"))
}

// ruleset replaces all that was in force, in one transaction.
func (n *Network) ruleset() string {
	var b strings.Builder
	b.WriteString("table ip lab\ndelete table ip lab\ntable ip lab {\nchain cuts {\ntype filter hook forward priority 0;\n")
	for c := range n.cuts {
		for _, r := range c.rules {
			b.WriteString(r.String() + "\n")
		}
	}
	b.WriteString("}\n}\n")
	return b.String()
}

// String is the rule in the words of nft(8).
func (r Rule) String() string {
	words := []string{r.areas()}
	if r.Opening {
		words = append(words, "tcp flags & (syn | ack) == syn")
	} else if r.Port != 0 {
		words = append(words, "meta l4proto { tcp, udp }")
	}
	if r.Port != 0 {
		words = append(words, fmt.Sprintf("th dport %d", r.Port))
	}
	return strings.Join(append(words, "drop"), " ")
}

func (r Rule) areas() string {
	switch {
	case r.To == nil:
		return fmt.Sprintf("ip saddr %[1]s ip daddr != %[1]s", r.From.area())
	case r.From == nil:
		return fmt.Sprintf("ip saddr != %[1]s ip daddr %[1]s", r.To.area())
	}
	return fmt.Sprintf("ip saddr %s ip daddr %s", r.From.area(), r.To.area())
}
