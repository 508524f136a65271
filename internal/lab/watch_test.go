package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/process"
)

// answers is a nameserver that says what it is told to: an address, "" for an empty answer, or an rcode; and an epoch.
type answers struct {
	now   atomic.Value
	epoch atomic.Uint64
}

func (a *answers) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	records := map[uint16]string{
		dns.TypeA:   "chat.test. A " + a.now.Load().(string),
		dns.TypeTXT: fmt.Sprintf(`_livens.chat.test. TXT "active=x" "epoch=%d"`, a.epoch.Load()),
	}
	rr, err := dns.NewRR(records[query.Question[0].Qtype])
	switch rcode, ok := dns.StringToRcode[a.now.Load().(string)]; {
	case ok:
		reply.Rcode = rcode
	case err == nil && a.now.Load() != "":
		reply.Answer = append(reply.Answer, rr)
	}
	_ = w.WriteMsg(reply)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatch(t *testing.T) {
	n := New(t)
	server, visitor := n.Site("A").Host("server"), n.Site("B").Host("visitor")
	at := netip.AddrPortFrom(server.Addr, 53)
	conn, err := listenUDP(server, at)
	must(t, err)
	a := &answers{}
	a.now.Store("192.0.2.1")
	a.epoch.Store(7)
	started := make(chan struct{})
	running := &dns.Server{PacketConn: conn, Handler: a, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = running.ActivateAndServe() }() // until it is shut down
	<-started
	w := visitor.Watch(t, Watched{Server: at, Name: "chat.test", Timeout: time.Second, Epochs: true})

	seen := func() (texts []string) {
		for _, c := range w.Timeline() {
			texts = append(texts, c.Answer)
		}
		return texts
	}
	var want []string
	expect := func(answer string) {
		t.Helper()
		want = append(want, answer)
		err := process.Await(t.Context(), patience, func() error {
			if _, found := w.Timeline().Since(time.Now()).First(answer, time.Now()); !found {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s was not seen: %v", answer, seen())
		}
	}
	expect("192.0.2.1")
	a.epoch.Store(8)
	must(t, process.Await(t.Context(), patience, func() error {
		if line := w.Timeline(); len(line) < 2 || line[len(line)-2].Epoch != 7 || line[len(line)-1].Epoch != 8 { // silence may precede on a busy machine
			return fmt.Errorf("seen %v, want epochs 7 and 8", line)
		}
		return nil
	}))
	a.now.Store("")
	expect(Empty)
	a.now.Store("SERVFAIL")
	expect("SERVFAIL")
	a.now.Store("192.0.2.2")
	expect("192.0.2.2")
	heal := n.Cut(Both(server, visitor, 0)...)
	expect(Silence)
	heal()
	expect("192.0.2.2")
	must(t, running.Shutdown())
	expect(Silence)
	// A server that has no processor for a second is silent as well.
	spoken := func(all []string) []string {
		return slices.Compact(slices.DeleteFunc(all, func(answer string) bool { return answer == Silence }))
	}
	if got := slices.Compact(seen()); !holds(got, want) || !slices.Equal(spoken(got), spoken(slices.Clone(want))) {
		t.Errorf("seen %v, want %v", seen(), want)
	}
	if queries, slowest := w.Asked(); queries < len(want) || slowest <= 0 {
		t.Errorf("%d queries, the slowest %v", queries, slowest)
	}
}

// holds says that want is in got, in this order.
func holds(got, want []string) bool {
	for _, answer := range got {
		if len(want) > 0 && answer == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}
