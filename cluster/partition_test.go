package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// split is one way in which a cluster falls apart: the sides, each with its nameservers and perhaps the witness, and
// whether the first side is the one that still sees the active deployment.
type split struct {
	sides  []string // "ns1 ns2", "ns3 w"
	keeps  bool     // the first side sees the primary alone; else all but the first see it
	dnsCut bool     // nor do DNS queries get through
	sites  []string // where each is, by the order of their names; nil: no sites are named
	sees   []string // who sees the primary, wherever the cuts are; nil: see keeps
}

// String is the split in words.
func (s split) String() string {
	name := strings.Join(s.sides, " | ")
	if !s.dnsCut {
		name += ", only the cluster ports cut"
	}
	if s.keeps {
		return name + ", the first side sees the active one"
	}
	return name + ", the first side does not see the active one"
}

// splits are all ways in which n nameservers, and perhaps a witness, fall apart: nameservers are alike, so sizes of the
// sides are all that matters.
func splits(n int, witness bool) []split {
	var out []split
	for _, sizes := range partitions(n, n) {
		if !witness {
			out = append(out, variants(n, sides(sizes, -1))...)
			continue
		}
		for at := range len(sizes) + 1 {
			if at > 0 && at < len(sizes) && sizes[at] == sizes[at-1] {
				continue // the same as beside the one before
			}
			out = append(out, variants(n, sides(sizes, at))...)
		}
	}
	return slices.DeleteFunc(out, func(s split) bool { return len(s.sides) < 2 })
}

func variants(n int, sides []string) []split {
	out := []split{{sides: sides, keeps: true, dnsCut: true}, {sides: sides, dnsCut: true}}
	if n == 2 && len(sides) == 2 && !strings.Contains(strings.Join(sides, " "), "w") {
		out = append(out, split{sides: sides, keeps: true})
	}
	return out
}

// partitions are the ways to write n as a sum, the largest part first.
func partitions(n, most int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for first := min(n, most); first > 0; first-- {
		for _, rest := range partitions(n-first, first) {
			out = append(out, append([]int{first}, rest...))
		}
	}
	return out
}

// sides names the members of each side; the witness joins side number at, or stands alone.
func sides(sizes []int, at int) []string {
	var out []string
	next := 1
	for i, size := range sizes {
		var names []string
		for range size {
			names = append(names, fmt.Sprintf("ns%d", next))
			next++
		}
		if i == at {
			names = append(names, "w")
		}
		out = append(out, strings.Join(names, " "))
	}
	if at == len(sizes) {
		out = append(out, "w")
	}
	return out
}

// TestPartitions proves who answers what in every partition of 2, 3 and 5 nameservers, with and without a witness, and
// holds the table of docs/agreement.md to it.
func TestPartitions(t *testing.T) {
	var rows []func(*testing.T) string
	for _, n := range []int{2, 3, 5} {
		for _, witness := range []bool{false, true} {
			for _, s := range splits(n, witness) {
				rows = append(rows, func(t *testing.T) string { return s.row(t, n, witness) })
			}
		}
	}
	provesTable(t, rows)
}

// TestSitesAndPorts proves who answers what where only the cluster ports of three are cut, and where observers are in sites:
// the primary is in a, the redundant one in b.
func TestSitesAndPorts(t *testing.T) {
	var rows []func(*testing.T) string
	for _, s := range variants(3, []string{"ns1 ns2", "ns3"}) {
		s.dnsCut = false
		rows = append(rows, func(t *testing.T) string { return s.row(t, 3, false) })
	}
	for _, s := range variants(3, []string{"ns1", "ns2", "ns3"}) {
		s.dnsCut = false
		rows = append(rows, func(t *testing.T) string { return s.row(t, 3, false) })
	}
	abc, two := []string{"a", "b", "c"}, []string{"a", "b"}
	for _, s := range []split{
		{sides: []string{"ns1 ns2"}, sites: two, sees: []string{"ns1"}},
		{sides: []string{"ns1 ns2"}, sites: two, sees: []string{"ns2"}},
		{sides: []string{"ns1", "ns2"}, sites: two, sees: []string{"ns1"}, dnsCut: true},
		{sides: []string{"ns1 ns2 ns3"}, sites: abc, sees: []string{"ns1"}},
		{sides: []string{"ns1 ns2 ns3"}, sites: abc, sees: []string{"ns2"}},
		{sides: []string{"ns1 ns2 ns3"}, sites: abc, sees: []string{"ns1", "ns2"}},
		{sides: []string{"ns1 ns2 ns3"}, sites: abc, sees: []string{"ns2", "ns3"}},
		{sides: []string{"ns1", "ns2 ns3"}, sites: abc, sees: []string{"ns1"}, dnsCut: true},
		{sides: []string{"ns1 ns2", "ns3"}, sites: abc, sees: []string{"ns1"}, dnsCut: true},
		{sides: []string{"ns1 ns2 ns3"}, sites: []string{"a", "b", "b"}, sees: []string{"ns1", "ns2"}},
		{sides: []string{"ns1 ns2 ns3"}, sites: []string{"a", "a", "b"}, sees: []string{"ns1", "ns2"}},
	} {
		rows = append(rows, func(t *testing.T) string { return s.row(t, len(s.sites), false) })
	}
	provesTable(t, rows)
}

// row plays a partition, asserts what holds for all of them, and tells what was answered.
func (s split) row(t *testing.T, n int, witness bool) string {
	w := newWorld(t, 7)
	w.verbose = testing.Verbose()
	for i := range n {
		w.add(append(s.sites, make([]string, n)...)[i])
	}
	if witness {
		w.add("!")
		w.nodes[n].rename("w")
	}
	w.start()
	w.run(30 * time.Second)
	w.apart(s)
	w.run(5 * time.Second)
	soon := s.answers(w)
	if s.sees == nil {
		s.holds(w)
	}
	w.run(10 * time.Second)
	later := s.answers(w)
	w.mend()
	w.run(time.Second)
	first := w.nodes[0]
	for _, x := range w.nodes[:n] {
		if !slices.Equal(x.answers, first.answers) {
			w.fail("1 s after healing %s answers %v, %s answers %v", first.name, first.answers, x.name, x.answers)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", s.who(n, witness), s.cuts(), s.seen(), soon, later, first.answers[0])
}

// who are the nameservers in words, and where they are.
func (s split) who(n int, witness bool) string {
	who := fmt.Sprint(n)
	if witness {
		who += " + witness"
	}
	if s.sites != nil {
		who += " in " + strings.Join(s.sites, ", ")
	}
	return who
}

// cuts are the sides in words.
func (s split) cuts() string {
	cut := strings.Join(s.sides, " ✂ ")
	if !s.dnsCut && len(s.sides) > 1 {
		cut += " (cluster ports only)"
	}
	return cut
}

// seen is who sees the primary.
func (s split) seen() string {
	switch {
	case s.sees != nil:
		return strings.Join(s.sees, ", ")
	case s.keeps:
		return s.sides[0]
	}
	return strings.Join(s.sides[1:], ", ")
}

// apart cuts the sides from each other, and from the deployments that they shall not see. The standby is seen by all.
func (w *world) apart(s split) {
	for i, a := range s.sides {
		for j, b := range s.sides {
			for _, x := range strings.Fields(a) {
				for _, y := range strings.Fields(b) {
					w.cut[[2]string{x, y}], w.noDNS[[2]string{x, y}] = i != j, i != j && s.dnsCut
				}
			}
		}
		for _, x := range strings.Fields(a) {
			w.blind[[2]string{x, "primary"}] = s.sees == nil && (i == 0) != s.keeps || s.sees != nil && !slices.Contains(s.sees, x)
		}
	}
	w.change("apart: %s", s)
}

// holds asserts the rules: a side with a quorum that sees the active one dead leaves it at once, one without a quorum
// does not yet.
func (s split) holds(w *world) {
	for i, side := range s.sides {
		members := strings.Fields(side)
		quorum := 2*len(members) > len(w.nodes) || len(w.nodes) == 2 && s.dnsCut
		want := "primary"
		if quorum && (i == 0) != s.keeps {
			want = "redundant"
		}
		for _, name := range members {
			if x := w.node(name); !x.witness && x.answers[0] != want {
				w.fail("%s answers %v after 5 s, want %s", name, x.answers, want)
			}
		}
	}
}

// answers tells what each side answers, which must be one thing.
func (s split) answers(w *world) string {
	var out []string
	for _, side := range s.sides {
		said := ""
		for _, name := range strings.Fields(side) {
			x := w.node(name)
			if x.witness {
				continue
			}
			text := x.decision().Active[0]
			if x.decision().Provisional {
				text = "*" + text + "*"
			}
			if said != "" && said != text {
				w.fail("one side answers %s and %s", said, text)
			}
			said = text
		}
		if said == "" {
			said = "–"
		}
		out = append(out, said)
	}
	if slices.Max(out) == slices.Min(out) {
		return out[0]
	}
	return strings.Join(out, " ✂ ")
}
