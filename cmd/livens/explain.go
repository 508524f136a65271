package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/web"
	"github.com/miekg/dns"
)

func explainCommand() command {
	return command{
		name: "explain", args: []string{"NAME"}, summary: "tell what is answered at a name, and why, step by step",
		help: `
Asks the running server for A and AAAA at the name, over DNS as a resolver would, and tells how the
answer comes about: the zone, the pool, every verdict, which nameserver votes what, the rules that led
to the decision, orders in force, and what is expected to change it.

  livens explain chat.example.com`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(ctx context.Context, e *env, args []string) error {
				client, err := e.client()
				if err != nil {
					return err
				}
				x, err := explain(ctx, client, args[0])
				if err != nil {
					return err
				}
				return e.print(x, func(p *printer) { p.explained(x) })
			}
		},
	}
}

// explained is the document of livens explain.
type explained struct {
	*web.Explanation
	Asked     netip.AddrPort      `json:"asked"` // where the answers come from
	Answers   []answer            `json:"answers"`
	Overrides []failover.Override `json:"overrides,omitempty"` // in force for the pool

	status *web.Status
}

// answer is what the running server replied to one query.
type answer struct {
	Type      string   `json:"type"`
	Rcode     string   `json:"rcode"`
	Answer    []string `json:"answer"`              // records in presentation format
	Authority []string `json:"authority,omitempty"` // of a referral or a negative answer
	Failed    string   `json:"failed,omitempty"`    // why there was no reply
}

func explain(ctx context.Context, client *web.Client, name string) (*explained, error) {
	found, err := client.Explain(ctx, name)
	if err != nil {
		return nil, err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	if len(status.Listen.DNS) == 0 {
		return nil, errors.New("the running server is a witness and answers no queries: ask one that does")
	}
	x := &explained{Explanation: found, Asked: reachable(status.Listen.DNS[0]), status: status}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		x.Answers = append(x.Answers, query(ctx, x.Asked, found.Name, qtype))
	}
	for _, o := range status.Overrides {
		if found.Pool != nil && o.Pool == found.Pool.Pool {
			x.Overrides = append(x.Overrides, o)
		}
	}
	return x, nil
}

// reachable is an address at which a socket bound to addr can be asked on this host.
func reachable(addr netip.AddrPort) netip.AddrPort {
	switch {
	case !addr.Addr().IsUnspecified():
		return addr
	case addr.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port())
}

func query(ctx context.Context, server netip.AddrPort, name string, qtype uint16) answer {
	q := new(dns.Msg).SetQuestion(name, qtype)
	q.RecursionDesired = false
	a := answer{Type: dns.TypeToString[qtype], Answer: []string{}}
	client := dns.Client{Timeout: 2 * time.Second}
	reply, _, err := client.ExchangeContext(ctx, q, server.String())
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, q, server.String())
	}
	if err != nil {
		a.Failed = err.Error()
		return a
	}
	a.Rcode = dns.RcodeToString[reply.Rcode]
	a.Answer = append(a.Answer, present(reply.Answer)...)
	a.Authority = present(reply.Ns)
	return a
}

func present(rrs []dns.RR) []string {
	var out []string
	for _, rr := range rrs {
		out = append(out, strings.ReplaceAll(rr.String(), "\t", " "))
	}
	return out
}

func (p *printer) explained(x *explained) {
	p.line("%s, asked at %s", p.paint(strong, bare(x.Name)), x.Asked)
	var rows [][]string
	for _, a := range x.Answers {
		rows = append(rows, a.rows(p)...)
	}
	p.table("  ", rows)
	if x.Pool != nil {
		p.line("")
		p.pool(x.status, x.Pool)
		p.votes(x.status, x.voted())
	}
	if len(x.Records) > 0 {
		p.line("")
		p.line("records at %s", bare(x.Owner))
		for _, r := range x.Records {
			p.line("  %s", r)
		}
	}
	p.line("")
	p.line("step by step")
	for i, step := range x.Steps {
		p.hang(fmt.Sprintf("%4d. ", i+1), step)
	}
}

// voted is the pool whose targets are voted on: the name's own, or the one that it follows.
func (x *explained) voted() *web.Pool {
	if followed := x.status.Pool(x.Pool.Follow); followed != nil {
		return followed
	}
	return x.Pool
}

// votes tells which nameserver says what of each target.
func (p *printer) votes(s *web.Status, pool *web.Pool) {
	if s.Cluster == nil {
		return
	}
	p.line("")
	p.line("votes on pool %s", pool.Pool)
	var rows [][]string
	for i := range pool.Targets {
		t := &pool.Targets[i]
		rows = append(rows, []string{t.Deployment, t.Address.String(), t.Check, s.Votes(t)})
	}
	p.table("  ", rows)
}

// rows are an answer in a table: type, and records or what stands for them.
func (a *answer) rows(p *printer) [][]string {
	if a.Failed != "" {
		return [][]string{{a.Type, p.paint(bad, "no reply: "+a.Failed)}}
	}
	if len(a.Answer) == 0 {
		what := a.Rcode
		switch {
		case what == "NOERROR" && len(a.Authority) > 0 && !strings.Contains(a.Authority[0], " SOA "):
			what = "referral: " + strings.Join(a.Authority, "; ")
		case what == "NOERROR":
			what = "NODATA: no record of this type"
		}
		return [][]string{{a.Type, p.paint(unwell, what)}}
	}
	var out [][]string
	for i, r := range a.Answer {
		label := a.Type
		if i > 0 {
			label = ""
		}
		out = append(out, []string{label, r})
	}
	return out
}
