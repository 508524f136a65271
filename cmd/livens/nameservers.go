package main

import (
	"fmt"
	"strings"

	"github.com/livens/livens/web"
)

// nameservers tells how this nameserver and the others stand.
func (p *printer) nameservers(s *web.Status) {
	if s.Cluster == nil {
		return
	}
	p.line("")
	p.line("%s", p.paint(strong, "nameservers"))
	var rows [][]string
	for _, n := range s.Nameservers() {
		rows = append(rows, p.nameserver(s, &n))
	}
	p.table("  ", rows)
}

func (p *printer) nameserver(s *web.Status, n *web.Nameserver) []string {
	name, state, rtt := p.paint(strong, n.Name), p.paint(toneOf(n.Well), n.State), ""
	if n.Site != "" {
		name += " (" + n.Site + ")"
	}
	since := ""
	if !n.Since.IsZero() {
		since = s.Ago(n.Since)
	}
	if n.RTT > 0 {
		rtt = web.Age(n.RTT)
	}
	return []string{name, state, since, rtt, strings.Join(n.Notes, "; ")}
}

func toneOf(well bool) string {
	if well {
		return good
	}
	return bad
}

// others tells which nameservers answer otherwise for a pool.
func (p *printer) others(s *web.Status, pool *web.Pool) {
	for _, o := range s.Others(pool.Pool) {
		p.hang("  but      ", p.paint(bad, fmt.Sprintf("%s says %s (epoch %d), for %s", o.Nameserver, strings.Join(o.Active, ", "), o.Epoch, s.Ago(o.Apart))))
	}
}
