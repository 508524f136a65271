package dnsserver_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// exchangeLimit is how long one reply may take on a slow and busy machine; loopback loses nothing.
const exchangeLimit = 20 * time.Second

// reply is what came back for one query.
type reply struct {
	wire []byte
	msg  *dns.Msg
}

// asker puts queries to one server, one after the other, over one UDP socket and one TCP connection.
type asker struct {
	addr netip.AddrPort
	udp  net.Conn
	tcp  net.Conn // nil until needed
	id   uint16
}

func newAsker(t testing.TB, addr netip.AddrPort) *asker {
	t.Helper()
	udp, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	a := &asker{addr: addr, udp: udp}
	t.Cleanup(func() {
		udp.Close()
		if a.tcp != nil {
			a.tcp.Close()
		}
	})
	return a
}

// ask returns the reply to one query, checked for being well-formed wire that answers this query.
func (a *asker) ask(t testing.TB, q query) (reply, error) {
	t.Helper()
	a.id++
	wire := q.pack(t, a.id)
	exchange := a.overUDP
	if q.tcp {
		exchange = a.overTCP
	}
	got, err := exchange(wire)
	if err != nil {
		return reply{}, err
	}
	r := reply{wire: got, msg: new(dns.Msg)}
	if err := r.msg.Unpack(got); err != nil {
		return r, fmt.Errorf("%w in % x", err, got)
	}
	if err := wellFormed(got); err != nil {
		return r, fmt.Errorf("%w in % x", err, got)
	}
	if end, _ := skipName(wire, 12, false); len(got) < end+4 || !bytes.Equal(got[12:end+4], wire[12:end+4]) {
		return r, fmt.Errorf("question %v", r.msg.Question)
	}
	return r, a.echoes(q, r.msg)
}

// echoes checks what every reply repeats of its query.
func (a *asker) echoes(q query, m *dns.Msg) error {
	switch {
	case m.Id != a.id, !m.Response, m.Opcode != dns.OpcodeQuery, m.RecursionDesired != q.rd, m.RecursionAvailable:
		return fmt.Errorf("header %+v", m.MsgHdr)
	case len(m.Question) != 1:
		return fmt.Errorf("%d questions", len(m.Question))
	case (m.IsEdns0() != nil) != (q.edns != noEDNS):
		return errors.New("OPT in the reply although not in the query, or the other way round")
	}
	return nil
}

func (a *asker) overUDP(wire []byte) ([]byte, error) {
	buf := make([]byte, 65535)
	if err := a.udp.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		return nil, err
	}
	if _, err := a.udp.Write(wire); err != nil {
		return nil, err
	}
	for {
		n, err := a.udp.Read(buf)
		if err != nil {
			return nil, err
		}
		if n >= 2 && bytes.Equal(buf[:2], wire[:2]) {
			return bytes.Clone(buf[:n]), nil
		}
	}
}

// overTCP reuses the connection, and opens another one when the server has closed it.
func (a *asker) overTCP(wire []byte) ([]byte, error) {
	var err error
	for range 2 {
		if a.tcp == nil {
			if a.tcp, err = net.Dial("tcp", a.addr.String()); err != nil {
				return nil, err
			}
		}
		var got []byte
		if got, err = frameExchange(a.tcp, wire); err == nil {
			return got, nil
		}
		a.tcp.Close()
		a.tcp = nil
	}
	return nil, err
}

func frameExchange(conn net.Conn, wire []byte) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(frame(wire)); err != nil {
		return nil, err
	}
	return readFrame(conn)
}

// frame puts the two octets of length before a message (RFC 1035 section 4.2.2).
func frame(wire []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	got := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, got)
	return got, err
}

// wellFormed walks a message by hand, more strictly than a resolver would: nothing follows the last record, pointers
// lead backwards, and only the types of RFC 1035 have compressed names in their data (RFC 3597 section 4).
func wellFormed(wire []byte) error {
	off := 12
	for range binary.BigEndian.Uint16(wire[4:]) {
		next, err := skipName(wire, off, true)
		if err != nil {
			return err
		}
		off = next + 4
	}
	for range int(binary.BigEndian.Uint16(wire[6:])) + int(binary.BigEndian.Uint16(wire[8:])) + int(binary.BigEndian.Uint16(wire[10:])) {
		next, err := skipName(wire, off, true)
		if err != nil {
			return err
		}
		rtype := binary.BigEndian.Uint16(wire[next:])
		off = next + 10 + int(binary.BigEndian.Uint16(wire[next+8:]))
		if skip, ok := uncompressedName[rtype]; ok {
			if _, err := skipName(wire, next+10+skip, false); err != nil {
				return fmt.Errorf("data of %s: %w", dns.Type(rtype), err)
			}
		}
	}
	if off != len(wire) {
		return fmt.Errorf("%d octets, and the records end at %d", len(wire), off)
	}
	return nil
}

// uncompressedName tells where the name starts in the data of types whose names must not be compressed.
var uncompressedName = map[uint16]int{dns.TypeSRV: 6, dns.TypeSVCB: 2, dns.TypeHTTPS: 2, dns.TypeDNAME: 0, dns.TypeKX: 2,
	dns.TypeRP: 0, dns.TypeAFSDB: 2, dns.TypeRT: 2, dns.TypeLP: 2}

// skipName returns where the name at off ends.
func skipName(wire []byte, off int, mayPoint bool) (int, error) {
	for {
		if off >= len(wire) {
			return 0, errors.New("a name runs over the end")
		}
		switch n := int(wire[off]); {
		case n == 0:
			return off + 1, nil
		case n < 64:
			off += 1 + n
		case n < 0xc0 || off+1 >= len(wire):
			return 0, fmt.Errorf("label type %#x", n)
		case !mayPoint:
			return 0, errors.New("a compressed name where none may be")
		default:
			if to := int(binary.BigEndian.Uint16(wire[off:]) & 0x3fff); to >= off {
				return 0, fmt.Errorf("a pointer from %d to %d", off, to)
			}
			return off + 2, nil
		}
	}
}
