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
