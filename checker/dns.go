package checker

import (
	"context"
	"time"

	"github.com/miekg/dns"
)

// dnsProber asks one question over UDP, and over TCP where the reply is truncated. Any NOERROR reply with an answer
// passes.
type dnsProber struct{ t Target }

func newDNS(t Target) prober { return dnsProber{t} }

func (p dnsProber) probe(ctx context.Context) Result {
	reply, r := p.ask(ctx, "udp")
	if reply != nil && reply.Truncated {
		reply, r = p.ask(ctx, "tcp")
	}
	if reply == nil {
		return r
	}
	rcode, known := dns.RcodeToString[reply.Rcode]
	switch {
	case !known:
		return failure("rcode %d, wanted NOERROR", reply.Rcode)
	case reply.Rcode != dns.RcodeSuccess:
		return failure("%s, wanted NOERROR", rcode)
	case len(reply.Answer) == 0:
		return failure("NOERROR without an answer")
	}
	return success("NOERROR")
}

// ask gets the reply over one transport; a nil reply comes with the result that the probe then has.
func (p dnsProber) ask(ctx context.Context, network string) (*dns.Msg, Result) {
	conn, r := dial(ctx, network, p.t)
	if conn == nil {
		return nil, r
	}
	defer conn.Close()
	c := p.t.Check
	q := new(dns.Msg).SetQuestion(c.Query, max(c.QType, dns.TypeA))
	q.SetEdns0(1232, false)
	client := dns.Client{Net: network, Timeout: time.Until(deadline(ctx))}
	// A reply with another id is skipped by the client: it waits on for the right one.
	reply, _, err := client.ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn})
	switch {
	case err == nil && (len(reply.Question) != 1 || !reply.Response || reply.Question[0].Qtype != q.Question[0].Qtype ||
		dns.CanonicalName(reply.Question[0].Name) != dns.CanonicalName(c.Query)):
		return nil, failure("reply is to another question")
	case err == nil:
		return reply, Result{}
	case timedOut(err) && network == "udp":
		return nil, silence("no reply in %s", c.Timeout)
	case network == "udp":
		// An ICMP port unreachable shows as "refused", other ICMP as unreachable, both at the first read or write.
		return nil, datagramFailure(err, p.t)
	}
	return nil, replyFailure(err, c)
}

// deadline of a probe's context: there always is one.
func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}
