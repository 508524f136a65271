package dnsserver

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// edns is the OPT record of a query (RFC 6891). Its slices are views of the query.
type edns struct {
	present   bool
	version   byte
	udpSize   int
	dnssecOK  bool   // echoed, RFC 3225
	nsid      bool   // RFC 5001: asked for
	keepalive bool   // RFC 7828: asked for, over TCP
	cookie    []byte // RFC 7873: 8, or 16 to 40 octets; nil: none
	subnet    []byte // RFC 7871: the option's content; nil: none
}

// Extended DNS errors of RFC 8914 that this server gives; 0 is none here, for its own "other" says nothing.
const (
	edeNone         = 0
	edeNotReady     = dns.ExtendedErrorCodeNotReady
	edeNotAuth      = dns.ExtendedErrorCodeNotAuthoritative
	edeNotSupported = dns.ExtendedErrorCodeNotSupported
)

// parse reads the OPT record; false when an option is malformed. Of a repeated option the first counts (RFC 7873
// section 5.2), and unknown ones are ignored.
func (e *edns) parse(rec record, tcp bool) bool {
	e.present = true
	e.udpSize = int(rec.class)
	e.version = byte(rec.ttl >> 16)
	e.dnssecOK = rec.ttl&0x8000 != 0
	if e.version != 0 {
		return true // options of another version are not ours to judge
	}
	ok := true
	for rest := rec.rdata; len(rest) > 0; {
		if len(rest) < 4 || len(rest) < 4+int(binary.BigEndian.Uint16(rest[2:])) {
			return false
		}
		code, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		data := rest[4 : 4+size]
		rest = rest[4+size:]
		switch code {
		case dns.EDNS0NSID:
			e.nsid = true
		case dns.EDNS0TCPKEEPALIVE:
			e.keepalive = tcp // over UDP it MUST be ignored
		case dns.EDNS0COOKIE:
			if size != 8 && (size < 16 || size > 40) {
				ok = false
			} else if e.cookie == nil {
				e.cookie = data
			}
		case dns.EDNS0SUBNET:
			if !validSubnet(data) {
				ok = false
			} else if e.subnet == nil {
				e.subnet = data
			}
		}
	}
	return ok
}

// validSubnet checks a query's client subnet (RFC 7871 section 6): prefix within the family's bounds, scope 0, no octet
// and no bit beyond the prefix. Family 0 is what a client sends that wants nothing but to be counted.
func validSubnet(data []byte) bool {
	if len(data) < 4 || data[3] != 0 {
		return false
	}
	prefix, addr := int(data[2]), data[4:]
	switch binary.BigEndian.Uint16(data) {
	case 0:
		return prefix == 0 && len(addr) == 0
	case 1:
		if prefix > 32 {
			return false
		}
	case 2:
		if prefix > 128 {
			return false
		}
	default:
		return false
	}
	if len(addr) != (prefix+7)/8 {
		return false
	}
	spare := uint(len(addr)*8 - prefix)
	return spare == 0 || addr[len(addr)-1]&(1<<spare-1) == 0
}

const optHead = 11 // root owner, type, size, extended rcode, version, flags, length

// optSize is how many octets appendOPT will add, an extended error not counted.
func (s *settings) optSize(e *edns) int {
	if !e.present {
		return 0
	}
	size := optHead
	if e.version != 0 {
		return size
	}
	if e.nsid && s.config.NSID != "" {
		size += 4 + len(s.config.NSID)
	}
	if e.cookie != nil {
		size += 4 + cookieSize
	}
	if e.subnet != nil {
		size += 4 + len(e.subnet)
	}
	if e.keepalive {
		size += 6
	}
	return size
}

// appendOPT writes the response's OPT record.
func (s *settings) appendOPT(b []byte, e *edns, rcode int, ede uint16, cookie *[cookieSize]byte) []byte {
	b = append(b, 0, 0, byte(dns.TypeOPT))
	b = binary.BigEndian.AppendUint16(b, uint16(s.config.UDPSize))
	b = append(b, byte(rcode>>4), 0)
	var flags uint16
	if e.dnssecOK {
		flags = 0x8000
	}
	b = binary.BigEndian.AppendUint16(b, flags)
	length := len(b)
	b = append(b, 0, 0)
	if e.version == 0 {
		b = s.appendOptions(b, e, cookie)
	}
	if ede != edeNone {
		b = appendOption(b, dns.EDNS0EDE, 2)
		b = binary.BigEndian.AppendUint16(b, ede)
	}
	binary.BigEndian.PutUint16(b[length:], uint16(len(b)-length-2))
	return b
}

func (s *settings) appendOptions(b []byte, e *edns, cookie *[cookieSize]byte) []byte {
	if e.nsid && s.config.NSID != "" {
		b = appendOption(b, dns.EDNS0NSID, len(s.config.NSID))
		b = append(b, s.config.NSID...)
	}
	if e.cookie != nil {
		b = appendOption(b, dns.EDNS0COOKIE, cookieSize)
		b = append(b, cookie[:]...)
	}
	if e.subnet != nil { // scope 0: the answer is the same for every client
		b = appendOption(b, dns.EDNS0SUBNET, len(e.subnet))
		b = append(b, e.subnet...)
	}
	if e.keepalive {
		b = appendOption(b, dns.EDNS0TCPKEEPALIVE, 2)
		b = binary.BigEndian.AppendUint16(b, uint16(min(s.config.TCPIdle.Milliseconds()/100, 65535)))
	}
	return b
}

func appendOption(b []byte, code uint16, size int) []byte {
	b = binary.BigEndian.AppendUint16(b, code)
	return binary.BigEndian.AppendUint16(b, uint16(size))
}
