package cluster

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// TestOnePoolOfTwoIsAnsweredWrongly: that the other one is answered rightly hides it neither, nor that it ends.
func TestOnePoolOfTwoIsAnsweredWrongly(t *testing.T) {
	p := newPlace(t, 2)
	p.others = []string{"mail"}
	var wrong atomic.Bool
	answer := func(_ context.Context, query *dns.Msg, _ netip.AddrPort) (*dns.Msg, error) {
		reply := new(dns.Msg).SetReply(query)
		a := &dns.A{Hdr: dns.RR_Header{Name: query.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(203, 0, 113, 10)}
		if wrong.Load() && strings.HasPrefix(a.Hdr.Name, "mail.") {
			a.A = net.IPv4(192, 0, 2, 1)
		}
		reply.Answer = []dns.RR{a}
		return reply, nil
	}
	asks := func(o *Options, _ *zones.Pool) { o.Exchange = answer }
	a, b := p.start(0, asks), p.start(1, asks)
	b.Serving([]string{"127.0.0.1:53"})
	p.meet(2, a, b)
	told := func() string {
		alerts := a.Status().Alerts(time.Now())
		i := slices.IndexFunc(alerts, func(x failover.Alert) bool { return x.Code == "peer-answers" })
		if i < 0 {
			return ""
		}
		return alerts[i].Affects + ": " + alerts[i].Text
	}
	wrong.Store(true)
	want := "nameserver ns2: pool mail: it answers [192.0.2.1] for mail.example.com. and holds [203.0.113.10]"
	comesTrue(t, "somebody is told: "+want, func() bool { return told() == want })
	wrong.Store(false)
	comesTrue(t, "it is over", func() bool { return told() == "" })
}

// TestHalfOfAThousandPoolsAnsweredWrongly: it is told with the third question about the first of them that is met, all are found,
// and once all is right again that is seen five times as fast.
func TestHalfOfAThousandPoolsAnsweredWrongly(t *testing.T) {
	const pools = 1000
	v := &outlook{wrong: map[string]*misses{}}
	ask := func(regular bool, wrong int) {
		pool, due := v.pick(regular)
		if !due {
			return
		}
		about := cmp.Or(pool, fmt.Sprintf("p%03d", v.turn%pools))
		v.asks(pool)
		text := ""
		if strings.Compare(about, fmt.Sprintf("p%03d", wrong)) < 0 {
			text = "pool " + about + ": wrong"
		}
		v.note(about, text)
	}
	for range lookoutMisses {
		ask(true, pools/2)
	}
	if v.text() != "pool p000: wrong" {
		t.Fatalf("told %q", v.text())
	}
	for range pools * (lookoutMisses + 1) {
		ask(true, pools/2)
		ask(false, pools/2)
	}
	if want := "pool p000: wrong; and wrongly for p001, p002, p003 and 496 more"; v.text() != want {
		t.Fatalf("told %q, want %q", v.text(), want)
	}
	for range pools / 2 {
		ask(false, 0)
	}
	if v.text() != "" {
		t.Errorf("told %q after all is right", v.text())
	}
}
