package dnsserver

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestNameLimits: RFC 1035 section 2.3.4: 63 octets a label, 255 a name, 127 labels.
func TestNameLimits(t *testing.T) {
	long := func(last int) []byte { // 3 labels of 63 and one of last octets: 3*64 + 1 + last + 1
		return append(bytes.Repeat(append([]byte{63}, make([]byte, 63)...), 3), append(append([]byte{byte(last)}, make([]byte, last)...), 0)...)
	}
	many := func(labels int) []byte { return append(bytes.Repeat([]byte{1, 'a'}, labels), 0) }
	for _, tc := range []struct {
		what   string
		wire   []byte
		labels int // 0: no name
	}{{"255 octets", long(61), 4}, {"256 octets", long(62), 0}, {"127 labels", many(127), 127}, {"128 labels", many(128), 0},
		{"64 octets in a label", append(append([]byte{64}, make([]byte, 64)...), 0), 0}} {
		var n name
		end := n.parse(tc.wire, 0)
		if (end == len(tc.wire)) != (tc.labels > 0) || end > 0 && n.labels != tc.labels {
			t.Errorf("%s: ends at %d of %d, %d labels", tc.what, end, len(tc.wire), n.labels)
		}
	}
}

// TestSuffixHashes: a suffix hashes as the name that it is, whatever the case, and labels do not run into each other.
func TestSuffixHashes(t *testing.T) {
	parse := func(text string) *name {
		buf := make([]byte, 300)
		if _, err := dns.PackDomainName(text, buf, 0, nil, false); err != nil {
			t.Fatal(err)
		}
		n := new(name)
		n.parse(buf, 0)
		return n
	}
	whole := parse("a.LONGER-than-8-octets.exactly7.b.c.Test.")
	for i := range whole.labels + 1 {
		rest := strings.Join(dns.SplitDomainName("a.longer-than-8-octets.exactly7.b.c.test.")[i:], ".") + "."
		if got := parse(rest); got.hash[0] != whole.hash[i] || string(got.suffix(0)) != string(whole.suffix(i)) {
			t.Errorf("suffix %d differs from %s", i, rest)
		}
	}
	seen := map[uint64]string{}
	for _, text := range []string{".", "a.", "aa.", "a.a.", "a.b.", "b.a.", "ab.", `a\.b.`, `a\000.`, `\000a.`, `\000.`, "*.a.", "aaaaaaa.", "aaaaaaaa."} {
		h := parse(text).hash[0]
		if other, taken := seen[h]; taken {
			t.Errorf("%s hashes as %s", text, other)
		}
		seen[h] = text
	}
	if hashWildcard(parse("a.").hash[0]) != parse("*.a.").hash[0] {
		t.Error("the wildcard's hash is not that of its name")
	}
}

// TestLabelsInWords: every octet at every place of a label of every length is lower-cased as RFC 4343 says, and what stands behind the
// name, or that nothing does, is not part of it.
func TestLabelsInWords(t *testing.T) {
	for size := 1; size <= 63; size++ {
		for first := range 256 {
			wire := []byte{byte(size)}
			want := []byte{byte(size)}
			for i := range size {
				wire = append(wire, byte(first+i))
				want = append(want, lower[byte(first+i)])
			}
			wire, want = append(wire, 0), append(want, 0)
			var alone, among, lowered name
			alone.parse(wire, 0)
			among.parse(append(bytes.Clone(wire), bytes.Repeat([]byte{0xff}, 8)...), 0)
			lowered.parse(want, 0)
			if string(alone.suffix(0)) != string(want) || string(among.suffix(0)) != string(want) {
				t.Fatalf("%x is read as %x and %x, want %x", wire, alone.suffix(0), among.suffix(0), want)
			}
			if alone.hash[0] != among.hash[0] || alone.hash[0] != lowered.hash[0] {
				t.Fatalf("%x has hashes %x and %x, lower-cased %x", wire, alone.hash[0], among.hash[0], lowered.hash[0])
			}
		}
	}
}
