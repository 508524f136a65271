package zones

import "github.com/miekg/dns"

const internationalHint = `write international names as xn--…, and other octets as \DDD`

// rawName returns the first of a record's names that was written with octets beyond ASCII, or "". Nobody would ever
// ask for it: on the wire international names are xn--… (RFC 5891 section 4.4).
func rawName(rr dns.RR) string {
	if name := rr.Header().Name; !isASCII(name) {
		return name
	}
	target := ""
	switch rr := rr.(type) {
	case *dns.NS:
		target = rr.Ns
	case *dns.CNAME:
		target = rr.Target
	case *dns.DNAME:
		target = rr.Target
	case *dns.PTR:
		target = rr.Ptr
	case *dns.MX:
		target = rr.Mx
	case *dns.SRV:
		target = rr.Target
	case *dns.SVCB:
		target = rr.Target
	case *dns.HTTPS:
		target = rr.Target
	case *dns.SOA:
		target = rr.Ns
	}
	if isASCII(target) {
		return ""
	}
	return target
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
