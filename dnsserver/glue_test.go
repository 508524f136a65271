package dnsserver

import (
	"fmt"
	"strings"
	"testing"
)

// TestGlueIsCompleteOrTruncated: RFC 9471: all glue below the cut, or TC; glue of siblings only where it fits.
func TestGlueIsCompleteOrTruncated(t *testing.T) {
	zone := func(servers int, below bool) string { // of 60, names fit into 1232 octets, addresses do not
		var b strings.Builder
		b.WriteString(plainZone)
		for i := range servers {
			host := fmt.Sprintf("n%02d.sub", i)
			if !below {
				host = fmt.Sprintf("n%02d.sibling", i)
			}
			fmt.Fprintf(&b, "sub NS %s\n%s A 192.0.2.%d\n", host, host, i)
		}
		return b.String()
	}
	for _, tc := range []struct {
		servers   int
		below     bool
		truncated bool
	}{{5, true, false}, {60, true, true}, {5, false, false}, {60, false, false}} {
		s := compiled(t, publication(t, zone(tc.servers, tc.below)))
		reply := client{s, false}.ask(t, "x.sub.example.test. A")
		if reply.Truncated != tc.truncated || len(reply.Ns) != tc.servers {
			t.Errorf("%d servers, below %v: TC %v, %d NS", tc.servers, tc.below, reply.Truncated, len(reply.Ns))
		}
		if complete := len(reply.Extra)-1 == tc.servers; complete != (tc.servers == 5) {
			t.Errorf("%d servers, below %v: %d additional", tc.servers, tc.below, len(reply.Extra))
		}
		if full := (client{s, true}).ask(t, "x.sub.example.test. A"); full.Truncated || len(full.Extra)-1 != tc.servers {
			t.Errorf("over TCP: TC %v, %d additional", full.Truncated, len(full.Extra))
		}
	}
}
