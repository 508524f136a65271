package zones

import (
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// absolute returns the canonical form of a name as written in a file whose origin is origin: "@" is the origin, a
// name without a final dot is relative to it (RFC 1035 section 5.1).
func absolute(written, origin string) (string, error) {
	name, err := complete(written, origin)
	if err != nil {
		return "", err
	}
	return lower(name), nil
}

// complete is absolute with the case kept.
func complete(written, origin string) (string, error) {
	switch {
	case written == "@":
		return origin, nil
	case written == "":
		return "", errors.New("is empty")
	case strings.ContainsFunc(written, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "", errors.New("is no domain name: write spaces and other octets as \\DDD, international names as xn--…")
	case dns.IsFqdn(written):
	case origin == ".":
		written += "."
	default:
		written += "." + origin
	}
	return spelled(written)
}

// canonical returns an absolute name in lower case with escapes in one spelling, so that names that are equal by
// RFC 4343 are equal strings.
func canonical(name string) (string, error) {
	name, err := spelled(name)
	return lower(name), err
}

// spelled returns an absolute name with escapes in one spelling and its case kept.
func spelled(name string) (string, error) {
	if isPlain(name) && len(name) <= 254 {
		if _, ok := dns.IsDomainName(name); !ok {
			return "", errors.New("is no domain name")
		}
		return name, nil
	}
	var wire [256]byte
	end, err := dns.PackDomainName(name, wire[:], 0, nil, false)
	if err != nil {
		return "", errors.New("is no domain name")
	}
	name, _, err = dns.UnpackDomainName(wire[:end], 0)
	if err != nil {
		return "", errors.New("is no domain name")
	}
	return name, nil
}

// isPlain says whether a name holds only characters that need no escape, so that it has one spelling.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '*' || c == '/' {
			continue
		}
		return false
	}
	return true
}

// lower is strings.ToLower for names: RFC 4343 folds ASCII only, and escapes hold digits.
func lower(name string) string { return dns.CanonicalName(name) }

// within says whether the canonical name is zone or below it.
func within(name, zone string) bool {
	if zone == "." || name == zone {
		return true
	}
	rest, ok := strings.CutSuffix(name, zone)
	return ok && strings.HasSuffix(rest, ".") && !escaped(rest, len(rest)-1)
}

// parent removes the first label of a canonical name.
func parent(name string) string {
	next, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[next:]
}

// doubled says whether an owner looks like an absolute name without its final dot: its zone's name comes twice.
func doubled(name, zone string) bool {
	return zone != "." && name != zone && within(name, zone+zone)
}

// sortKey encodes a canonical or spelled name below zone so that comparing keys as strings is the canonical order of
// names (RFC 4034 section 6.1), and so that a name's key is a prefix of the keys below it. The zone itself is "".
func sortKey(buf []byte, name, zone string) []byte {
	rest := name[:len(name)-len(zone)]
	if zone == "." {
		rest = strings.TrimSuffix(name, ".")
	}
	rest = strings.TrimSuffix(rest, ".")
	for end := len(rest); end > 0; {
		start := end
		for start > 0 && (rest[start-1] != '.' || escaped(rest, start-1)) {
			start--
		}
		buf = appendLabel(buf, rest[start:end])
		end = start - 1
	}
	return buf
}

// escaped says whether the character at i follows an odd number of backslashes.
func escaped(s string, i int) bool {
	n := 0
	for i > 0 && s[i-1] == '\\' {
		i--
		n++
	}
	return n%2 == 1
}

// appendLabel appends one label's octets in lower case, ended by 0; the octets 0 and 1 are written as 1 1 and 1 2 to
// keep both the end mark unique and the order.
func appendLabel(buf []byte, label string) []byte {
	for i := 0; i < len(label); i++ {
		c := label[i]
		if c == '\\' && i+1 < len(label) {
			if i+3 < len(label) && isDigit(label[i+1]) {
				c = (label[i+1]-'0')*100 + (label[i+2]-'0')*10 + (label[i+3] - '0')
				i += 3
			} else {
				i++
				c = label[i]
			}
		}
		buf = appendOctet(buf, c)
	}
	return append(buf, 0)
}

func appendOctet(buf []byte, c byte) []byte {
	switch {
	case c >= 'A' && c <= 'Z':
		c += 'a' - 'A'
	case c <= 1:
		return append(buf, 1, c+1)
	}
	return append(buf, c)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
