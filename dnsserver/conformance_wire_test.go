package dnsserver_test

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// question is a query's wire form: "www.example.test." A, id, RD.
func question(t *testing.T, id uint16, name string) []byte {
	t.Helper()
	return query{name: name, qtype: dns.TypeA, flags: flags{edns: noEDNS, rd: true}}.pack(t, id)
}

// damaged is a good query after a change.
func damaged(t *testing.T, change func([]byte) []byte) []byte {
	t.Helper()
	return change(question(t, 4711, "www.example.test."))
}

var opt = []byte{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0}

// malformed are messages with a header and something wrong behind it: each gets FORMERR, over UDP and TCP alike.
var malformed = []struct {
	name   string
	change func([]byte) []byte
}{
	{"two questions", func(b []byte) []byte { b[5] = 2; return append(b, b[12:]...) }}, // RFC 9619
	{"65535 questions and none there", func(b []byte) []byte { b[4], b[5] = 255, 255; return b[:12] }},
	{"a question announced and none there", func(b []byte) []byte { return b[:12] }},
	{"a question cut off in the name", func(b []byte) []byte { return b[:20] }},
	{"a question cut off in the class", func(b []byte) []byte { return b[:len(b)-1] }},
	{"a name that points to itself", func(b []byte) []byte { return append(b[:12], 0xc0, 12, 0, 1, 0, 1) }},
	{"a label of the type 0x40", func(b []byte) []byte { b[12] = 0x41; return b }},
	{"a name of more than 255 octets", func(b []byte) []byte {
		b = b[:12]
		for range 5 {
			b = append(append(b, 63), make([]byte, 63)...)
		}
		return append(b, 0, 0, 1, 0, 1)
	}},
	{"octets behind the last record", func(b []byte) []byte { return append(b, 1, 2, 3) }},
	{"an additional record announced and none there", func(b []byte) []byte { b[11] = 1; return b }},
	{"two OPT records", func(b []byte) []byte { b[11] = 2; return append(append(b, opt...), opt...) }},
	{"an OPT record whose owner is not the root", func(b []byte) []byte {
		b[11] = 1
		return append(append(b, 0xc0, 12), opt[1:]...)
	}},
	{"an OPT record in the answer section", func(b []byte) []byte { b[7] = 1; return append(b, opt...) }},
	{"an EDNS option longer than its record", func(b []byte) []byte {
		b[11] = 1
		return append(append(b, opt[:9]...), 0, 4, 0, 3, 0, 9)
	}},
}

func TestMalformedMessagesAreFORMERR(t *testing.T) {
	addr := servePeerZones(t)
	a := newAsker(t, addr)
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			wire := damaged(t, tt.change)
			overUDP, err := a.overUDP(wire)
			if err != nil {
				t.Fatal(err)
			}
			overTCP, err := a.overTCP(wire)
			if err != nil {
				t.Fatal(err)
			}
			wantFormErr(t, wire, overUDP)
			wantFormErr(t, wire, overTCP)
		})
	}
}

func wantFormErr(t *testing.T, query, got []byte) {
	t.Helper()
	switch {
	case len(got) < 12, got[0] != query[0], got[1] != query[1], got[2]&0x80 == 0:
		t.Errorf("no reply to this query: % x", got)
	case got[3]&15 != dns.RcodeFormatError:
		t.Errorf("rcode %s", dns.RcodeToString[int(got[3]&15)])
	case binary.BigEndian.Uint16(got[4:]) > 1:
		t.Errorf("%d questions in the reply", binary.BigEndian.Uint16(got[4:]))
	}
	if err := wellFormed(got); err != nil {
		t.Error(err)
	}
}

// TestSilence sends what must not be answered, or two servers could answer each other for ever, and then a query: its
// reply is the first to come.
func TestSilence(t *testing.T) {
	addr := servePeerZones(t)
	for name, wire := range map[string][]byte{
		"a response":                 damaged(t, func(b []byte) []byte { b[2] |= 0x80; return b }),
		"a response that is damaged": damaged(t, func(b []byte) []byte { b[2] |= 0x80; return b[:14] }),
		"less than a header":         damaged(t, func(b []byte) []byte { return b[:11] }),
		"nothing":                    {},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, "udp", addr.String())
			send(t, conn, wire)
			send(t, conn, question(t, 1, "only4.example.test."))
			buf := make([]byte, 512)
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if id := binary.BigEndian.Uint16(buf[:n]); id != 1 {
				t.Errorf("a reply with the id %d, and not the query's", id)
			}
		})
	}
}

func dial(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn net.Conn, wire []byte) {
	t.Helper()
	if _, err := conn.Write(wire); err != nil {
		t.Fatal(err)
	}
}

// wantReplies reads replies to the queries 0 to n-1, in whatever order, each once.
func wantReplies(t *testing.T, conn net.Conn, n int) {
	t.Helper()
	seen := make(map[uint16]bool)
	for range n {
		got, err := readFrame(conn)
		if err != nil {
			t.Fatalf("after %d of %d replies: %v", len(seen), n, err)
		}
		var m dns.Msg
		if err := m.Unpack(got); err != nil {
			t.Fatal(err)
		}
		if m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 || seen[m.Id] || int(m.Id) >= n {
			t.Fatalf("reply %d: %v", m.Id, &m)
		}
		seen[m.Id] = true
	}
}

// TestPipelining sends queries over one TCP connection without waiting for replies (RFC 7766 section 6.2.1.1).
func TestPipelining(t *testing.T) {
	const queries = 200 // more than stock servers allow on a connection
	addr := servePeerZones(t)
	var all []byte
	for i := range queries {
		all = append(all, frame(question(t, uint16(i), []string{"www", "large"}[i%2]+".example.test."))...)
	}
	t.Run("all in one write", func(t *testing.T) {
		conn := dial(t, "tcp", addr.String())
		go conn.Write(all) // replies are read meanwhile, or both sides could wait for ever
		wantReplies(t, conn, queries)
	})
	t.Run("octet by octet", func(t *testing.T) {
		conn := dial(t, "tcp", addr.String())
		for _, octet := range append(frame(question(t, 0, "www.example.test.")), frame(question(t, 1, "large.example.test."))...) {
			send(t, conn, []byte{octet})
		}
		wantReplies(t, conn, 2)
	})
	t.Run("the client says no more and still gets its replies", func(t *testing.T) {
		conn := dial(t, "tcp", addr.String())
		send(t, conn, all[:len(frame(question(t, 0, "www.example.test.")))])
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		wantReplies(t, conn, 1)
	})
}
