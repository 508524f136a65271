package zones

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Most lines of a large zone file are plain: an owner, perhaps a TTL and a class, and an address or names, with nothing
// quoted, escaped, commented or continued. These are packed as they are read, for a tenth of what the parser takes. All
// others are the parser's, and so is whatever might be wrong: a line that is not taken here has changed nothing.

// maxWords is more than the words of any plain line: owner, TTL, class, type, preference, name.
const maxWords = 6

// take takes a line if it is plain, and adds its record.
func (z *zoneText) take(s *stream, f *frame, line []byte) bool {
	var words [maxWords][]byte
	n := split(&words, line)
	if n == 0 || len(z.records) >= z.max {
		return false
	}
	rest, owner := words[:n], f.owner
	if line[0] != ' ' && line[0] != '\t' {
		rest, owner = words[1:n], words[0]
	}
	ttl, given := s.seconds, false
	if rest, ttl, given = headWords(rest, ttl); len(rest) < 2 || !given && s.ttl == nil {
		return false
	}
	origin := f.wireOrigin()
	wire, ok := appendPlain(z.wire[:0], owner, origin)
	if z.wire = wire; !ok || !z.owns(wire) {
		return false
	}
	head := len(wire)
	t, wire, ok := appendData(appendHead(wire, 0, ttl, 0), rest, origin)
	if z.wire = wire; !ok {
		return false
	}
	size := len(wire) - head - recordHead
	wire[head+1] = byte(t)
	wire[head+8], wire[head+9] = byte(size>>8), byte(size)
	z.add(wire, f.position)
	if given && s.ttl == nil {
		s.given = &ttl
	}
	f.owner, f.restore = append(f.owner[:0], owner...), true
	return true
}

// kinds of octets in a plain line.
var kinds = func() (k [256]byte) {
	for c := range k {
		if isPlain(string(rune(c))) || c == ':' {
			k[c] = 'w'
		}
	}
	k[' '], k['\t'], k['\n'] = ' ', ' ', '\n'
	return k
}()

// split cuts a plain line into its words, and returns how many there are; 0: it is not plain.
func split(words *[maxWords][]byte, line []byte) int {
	n, from := 0, -1
	for i, c := range line {
		kind := kinds[c]
		if kind == 'w' {
			if from < 0 {
				from = i
			}
			continue
		}
		if kind == 0 || from >= 0 && n == maxWords {
			return 0
		}
		if from >= 0 {
			words[n], from = line[from:i], -1
			n++
		}
	}
	return n
}

// headWords takes TTL and class, in whichever order, off the words between owner and type.
func headWords(words [][]byte, otherwise uint32) (rest [][]byte, ttl uint32, given bool) {
	ttl, class := otherwise, false
	for ; len(words) > 0; words = words[1:] {
		if string(words[0]) == "IN" && !class {
			class = true
			continue
		}
		value, ok := digits(words[0], 9)
		if !ok || given {
			break
		}
		ttl, given = value, true
	}
	return words, ttl, given
}

// digits reads a number of at most that many digits, nine at most.
func digits(word []byte, most int) (value uint32, ok bool) {
	for _, c := range word {
		if !isDigit(c) {
			return 0, false
		}
		value = value*10 + uint32(c-'0')
	}
	return value, len(word) > 0 && len(word) <= most
}

// appendData appends the data that the words give, the first of which is the type.
func appendData(wire []byte, words [][]byte, origin []byte) (t uint16, out []byte, ok bool) {
	data, last := words[1:], words[len(words)-1]
	switch string(words[0]) {
	case "A":
		out, ok = appendIPv4(wire, last)
		return dns.TypeA, out, ok && len(data) == 1
	case "AAAA":
		address, err := netip.ParseAddr(string(last))
		if err != nil || !address.Is6() {
			return 0, wire, false
		}
		sixteen := address.As16()
		return dns.TypeAAAA, append(wire, sixteen[:]...), len(data) == 1
	case "MX":
		preference, fine := digits(data[0], 5)
		out, ok = appendPlain(append(wire, byte(preference>>8), byte(preference)), last, origin)
		return dns.TypeMX, out, ok && fine && preference < 1<<16 && len(data) == 2
	case "NS":
		t = dns.TypeNS
	case "CNAME":
		t = dns.TypeCNAME
	case "PTR":
		t = dns.TypePTR
	default:
		return 0, wire, false
	}
	out, ok = appendPlain(wire, last, origin)
	return t, out, ok && len(data) == 1
}

// appendIPv4 appends an IPv4 address.
func appendIPv4(wire, word []byte) ([]byte, bool) {
	for part := range 4 {
		n := 0
		for n < len(word) && word[n] != '.' {
			n++
		}
		value, ok := digits(word[:n], 3)
		if !ok || value > 255 || n > 1 && word[0] == '0' || (n == len(word)) != (part == 3) {
			return wire, false
		}
		wire = append(wire, byte(value))
		word = word[min(n+1, len(word)):]
	}
	return wire, true
}

// appendPlain appends a name without escapes in wire form; relative to origin, which is in wire form, if it has no final dot.
func appendPlain(wire, name, origin []byte) ([]byte, bool) {
	from, label := len(wire), len(wire)
	wire = append(wire, 0)
	for _, c := range name {
		if kinds[c] != 'w' || c == ':' { // the owner before may be one that the parser read
			return wire, false
		}
		if c != '.' {
			wire = append(wire, c)
			continue
		}
		size := len(wire) - label - 1
		if size == 0 || size > 63 {
			return wire, false
		}
		wire[label] = byte(size)
		label = len(wire)
		wire = append(wire, 0)
	}
	if size := len(wire) - label - 1; size > 0 {
		wire[label] = byte(size)
		wire = append(wire, origin...)
		return wire, size <= 63 && len(wire)-from <= 255
	}
	return wire, label > from && len(wire)-from <= 255
}

// owns says whether an owner in wire form is the zone's name or below it.
func (z *zoneText) owns(owner []byte) bool {
	at, end := 0, len(owner)-len(z.name)
	for at < end {
		at += int(owner[at]) + 1
	}
	return at == end && strings.EqualFold(string(owner[at:]), z.name)
}

// wireOrigin is the frame's origin in wire form.
func (f *frame) wireOrigin() []byte {
	if f.packedOrigin != f.origin {
		f.wire, f.packedOrigin = packName(f.origin), f.origin
	}
	return f.wire
}

// packName is a name in wire form; the name is canonical.
func packName(name string) []byte {
	var wire [256]byte
	end, _ := dns.PackDomainName(name, wire[:], 0, nil, false)
	return wire[:end]
}
