package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

const (
	// lookoutPause is how often a nameserver that is reached is asked for one of its pools' answers; one that is silent is
	// asked every heartbeat.
	lookoutPause = time.Second
	// lookoutPatience is how long an answer may take.
	lookoutPatience = 500 * time.Millisecond
)

// lookout asks the other nameservers' DNS ports: that they answer, and what they say they answer. Of one that is silent
// here it tells whether it is lost or only cut off.
type lookout struct {
	mu    sync.Mutex
	views map[string]*outlook // by configured peer
}

// question is one that is put to a peer.
type question struct {
	peer    string
	where   netip.AddrPort
	name    string
	pool    string
	family  uint16       // A or AAAA
	want    []netip.Addr // nil: any answer will do
	reached bool
}

func newLookout(peers []string) *lookout {
	l := &lookout{views: map[string]*outlook{}}
	for _, p := range peers {
		l.views[p] = &outlook{wrong: map[string]*misses{}}
	}
	return l
}

// run asks until ctx is done.
func (l *lookout) run(ctx context.Context, n *Node) {
	tick := time.NewTicker(Heartbeat)
	defer tick.Stop()
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, q := range l.due(n, time.Now()) {
			asking.Go(func() { l.ask(ctx, n, q) })
		}
	}
}

// due are the questions of this moment.
func (l *lookout) due(n *Node, now time.Time) []question {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []question
	for peer, v := range l.views {
		regular := now.Sub(v.asked) >= lookoutPause
		pool, due := v.pick(regular)
		q, silent, ok := n.question(peer, pool, regular, v.turn)
		if pool != "" && q.pool != pool {
			delete(v.wrong, pool) // it is no more, or is defined otherwise there
		}
		if !ok || !due && !silent {
			continue
		}
		if regular {
			v.asked = now
		}
		v.asks(pool)
		out = append(out, q)
	}
	return out
}

// question is what to ask a peer about a pool, or ("") about the one whose turn it is; ok is false when it answers no
// queries, or nobody knows where.
func (n *Node) question(peer, pool string, regular bool, turn int) (q question, silent, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q = question{peer: peer, name: ".", family: dns.TypeSOA}
	p := n.core.behind(peer)
	if p == nil {
		p = &neighbour{}
	}
	q.reached, q.where = p.reached(), n.whereDNS(peer, p.report)
	silent = time.Since(p.heard) > 2*heartbeat
	if !q.where.IsValid() || p.report != nil && p.report.Witness {
		return q, silent, false
	}
	if n.set == nil {
		return q, silent, true
	}
	q.name = n.set.Zones[0].Name
	if !q.reached || len(p.report.Held) == 0 || !regular && pool == "" {
		return q, silent, true
	}
	if pool == "" {
		all := names(p.report.Held)
		pool = all[turn%len(all)]
	}
	q.about(n.set, p.report.Held[pool])
	return q, silent, true
}

// about has the question be for what a peer holds for a pool, if that is defined alike here.
func (q *question) about(set *zones.Set, held *failover.Decision) {
	if held == nil {
		return
	}
	pool := set.Pool(held.Pool)
	if pool == nil || pool.Hash != held.Definition {
		return
	}
	q.pool, q.name, q.want = pool.Name, strings.Replace(pool.Answers[0], "*.", "livens.", 1), held.Addresses
	q.family = dns.TypeA
	if !slices.ContainsFunc(q.want, netip.Addr.Is4) {
		q.family = dns.TypeAAAA
	}
}

// whereDNS is where a peer answers: what it says, or, while it has said nothing, its cluster address with the port of
// this nameserver.
func (n *Node) whereDNS(peer string, report *Report) netip.AddrPort {
	said := n.core.report.DNS
	if report != nil {
		said = report.DNS
	}
	met := n.met(peer)
	for _, s := range said {
		at, err := netip.ParseAddrPort(s)
		switch {
		case err != nil:
		case report == nil || at.Addr().IsUnspecified():
			if met.IsValid() {
				return netip.AddrPortFrom(met, at.Port())
			}
		case !at.Addr().IsLoopback() || met.IsLoopback():
			return at
		}
	}
	return netip.AddrPort{}
}

// met is the address at which a configured peer was met, or which it is configured with; the zero value: neither.
func (n *Node) met(peer string) netip.Addr {
	if n.carrier != nil {
		for _, link := range n.carrier.Links() {
			if link.Peer == peer && link.Addr.IsValid() {
				return link.Addr.Addr()
			}
		}
	}
	written, _ := netip.ParseAddrPort(peer) // a name that was never resolved is nowhere
	return written.Addr()
}

// askUDP asks over UDP.
func askUDP(ctx context.Context, query *dns.Msg, where netip.AddrPort) (*dns.Msg, error) {
	client := dns.Client{Net: "udp", Timeout: lookoutPatience}
	reply, _, err := client.ExchangeContext(ctx, query, where.String())
	return reply, err
}

// ask puts a question, and draws the conclusions.
func (l *lookout) ask(ctx context.Context, n *Node, q question) {
	query := new(dns.Msg).SetQuestion(q.name, q.family)
	query.RecursionDesired = false
	waiting, cancel := context.WithTimeout(ctx, lookoutPatience)
	defer cancel()
	reply, err := n.options.Exchange(waiting, query, q.where)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		n.do(func(c *Core, now time.Time) { c.Answered(q.peer, now) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.views[q.peer]
	switch {
	case !q.reached:
		clear(v.wrong)
	case err != nil:
		v.note("", fmt.Sprintf("it does not answer DNS queries at %s: %v", q.where, err))
	default:
		v.note("", "")
		v.note(q.pool, compareAnswer(q, reply))
	}
}

// compareAnswer says what is wrong with an answer, or "".
func compareAnswer(q question, reply *dns.Msg) string {
	if q.pool == "" {
		return ""
	}
	var want, got []string
	for _, a := range q.want {
		if a.Is4() == (q.family == dns.TypeA) {
			want = append(want, a.String())
		}
	}
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			got = append(got, rr.A.String())
		case *dns.AAAA:
			got = append(got, rr.AAAA.String())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	switch {
	case reply.Rcode != dns.RcodeSuccess:
		return fmt.Sprintf("pool %s: it answers %s for %s", q.pool, dns.RcodeToString[reply.Rcode], q.name)
	case !slices.Equal(want, got):
		return fmt.Sprintf("pool %s: it answers %v for %s and holds %v", q.pool, got, q.name, want)
	}
	return ""
}

// report adds what was seen to a status.
func (l *lookout) report(s *Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range s.Peers {
		s.Peers[i].Answers = l.views[s.Peers[i].Address].text()
	}
}
