package dnsserver

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestHeader is RFC 8906's view of a header: every query is answered, what is unknown is named, what is reserved is
// zero. Queries and responses are in hex; a response is given up to its question.
func TestHeader(t *testing.T) {
	s := compiled(t, publication(t, plainZone))
	const q = "03777777076578616d706c65047465737400 0001 0001" // www.example.test. A
	const opt = "00 0029 04d0 00 00 0000 0000"
	for _, tc := range []struct{ name, query, want string }{
		{"an ordinary query", "1234 0000 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"RD is copied", "1234 0100 0001 0000 0000 0000" + q, "1234 8500 0001 0001 0000 0000"},
		{"AA, TC, RA, Z, AD and CD are not", "1234 06f0 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"an rcode in a query means nothing", "1234 000f 0001 0000 0000 0000" + q, "1234 8400 0001 0001 0000 0000"},
		{"IQUERY", "1234 0800 0000 0001 0000 0000 00 0001 0001 00000000 0004 c0000201", "1234 8804 0000 0000 0000 0000"},
		{"STATUS", "1234 1000 0000 0000 0000 0000", "1234 9004 0000 0000 0000 0000"},
		{"NOTIFY", "1234 2400 0001 0000 0000 0000" + q, "1234 a004 0001 0000 0000 0000"},
		{"UPDATE", "1234 2800 0001 0000 0000 0000" + q, "1234 a804 0001 0000 0000 0000"},
		{"opcode 15, header only", "1234 7900 0000 0000 0000 0000", "1234 f904 0000 0000 0000 0000"},
		{"opcode 6 with two questions", "1234 3000 0002 0000 0000 0000", "1234 b004 0000 0000 0000 0000"},
		{"no question", "1234 0000 0000 0000 0000 0000", "1234 8001 0000 0000 0000 0000"},
		{"two questions", "1234 0000 0002 0000 0000 0000" + q + q, "1234 8001 0000 0000 0000 0000"},
		{"two questions with EDNS", "1234 0000 0002 0000 0000 0001" + q + q + opt, "1234 8001 0000 0000 0000 0001 00 0029 04d0 00 00 0000"},
		{"two questions with EDNS, the second compressed", "1234 0000 0002 0000 0000 0001" + q + "c00c 001c 0001" + opt,
			"1234 8001 0000 0000 0000 0001 00 0029 04d0 00 00 0000"},
		{"two questions with EDNS version 1", "1234 0000 0002 0000 0000 0001" + q + q + "00 0029 04d0 00 01 0000 0000",
			"1234 8000 0000 0000 0000 0001 00 0029 04d0 01 00 0000"},
		{"two questions, one of them there, with EDNS", "1234 0000 0002 0000 0000 0001" + q + opt, "1234 8001 0000 0000 0000 0000"},
		{"65535 questions", "1234 0000 ffff 0000 0000 0000" + q, "1234 8001 0000 0000 0000 0000"},
		{"question cut short", "1234 0000 0001 0000 0000 0000 037777", "1234 8001 0000 0000 0000 0000"},
		{"question without class", "1234 0000 0001 0000 0000 0000 0377777700 0001", "1234 8001 0000 0000 0000 0000"},
		{"compressed name", "1234 0000 0001 0000 0000 0000 c00c 0001 0001", "1234 8001 0000 0000 0000 0000"},
		{"label type 01", "1234 0000 0001 0000 0000 0000 41ff00 0001 0001", "1234 8001 0000 0000 0000 0000"},
		{"octets behind the message", "1234 0000 0001 0000 0000 0000" + q + "00", "1234 8001 0001 0000 0000 0000"},
		{"additional record missing", "1234 0000 0001 0000 0000 0001" + q, "1234 8001 0001 0000 0000 0000"},
		{"answer record in a query", "1234 0000 0001 0001 0000 0000" + q + "c00c 0001 0001 00000000 0004 c0000201", "1234 8400 0001 0001 0000 0000"},
		{"authority record in a query", "1234 0000 0001 0000 0001 0000" + q + "c00c 0006 0001 00000000 0000", "1234 8400 0001 0001 0000 0000"},
		{"class HESIOD", "1234 0000 0001 0000 0000 0000 03777777076578616d706c65047465737400 0001 0004", "1234 8005 0001 0000 0000 0000"},
		{"class ANY", "1234 0000 0001 0000 0000 0000 03777777076578616d706c65047465737400 0001 00ff", "1234 8005 0001 0000 0000 0000"},
		{"AXFR", "1234 0000 0001 0000 0000 0000 076578616d706c65047465737400 00fc 0001", "1234 8005 0001 0000 0000 0000"},
		{"IXFR", "1234 0000 0001 0000 0000 0000 076578616d706c65047465737400 00fb 0001", "1234 8005 0001 0000 0000 0000"},
		{"a response", "1234 8000 0001 0000 0000 0000" + q, ""},
		{"eleven octets", "1234 0000 0001 0000 0000 00", ""},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			query := unhex(t, string(bytes.ReplaceAll([]byte(tc.query), []byte(" "), nil)))
			want := unhex(t, string(bytes.ReplaceAll([]byte(tc.want), []byte(" "), nil)))
			for _, tcp := range []bool{false, true} {
				got := client{s, tcp}.raw(t, query)
				if !bytes.HasPrefix(got, want) || (len(got) == 0) != (len(want) == 0) {
					t.Errorf("got %s", hex.EncodeToString(got))
				}
				if len(want) > 0 && want[5] == 1 && !bytes.Equal(got[12:16], query[12:16]) {
					t.Error("the question is not copied")
				}
			}
		})
	}
}
