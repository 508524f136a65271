package dnsserver

import "github.com/miekg/dns"

// chaos answers what operators ask a server about itself (RFC 4892); all else in class CHAOS is refused.
func (s *snapshot) chaos(sc *scratch) result {
	r := sc.request
	text := ""
	switch string(r.question.suffix(0)) {
	case "\x07version\x04bind\x00", "\x07version\x06server\x00":
		text = s.config.Version
	case "\x02id\x06server\x00":
		text = s.config.NSID
	case "\x08hostname\x04bind\x00":
		if s.config.NSID != "" {
			text = s.hostname
		}
	}
	if text == "" || r.qtype != dns.TypeTXT && r.qtype != dns.TypeANY {
		return result{rcode: dns.RcodeRefused, ede: edeNotAuth}
	}
	if !sc.w.chaosText(text[:min(len(text), 255)]) {
		return result{authoritative: true, truncated: true}
	}
	return result{authoritative: true}
}
