package lab

import (
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/internal/process"
)

// answers is a nameserver that says what it is told to: an address, "" for an empty answer, or an rcode.
type answers struct{ now atomic.Value }

func (a *answers) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg).SetReply(query)
	records := map[uint16]string{dns.TypeA: "chat.test. A " + a.now.Load().(string), dns.TypeTXT: `_livens.chat.test. TXT "active=x" "epoch=7"`}
	rr, err := dns.NewRR(records[query.Question[0].Qtype])
	switch rcode, ok := dns.StringToRcode[a.now.Load().(string)]; {
	case ok:
		reply.Rcode = rcode
	case err == nil && a.now.Load() != "":
		reply.Answer = append(reply.Answer, rr)
	}
	_ = w.WriteMsg(reply)
}

func TestWatch(t *testing.T) {
	n := New(t)
	server, visitor := n.Site("A").Host("server"), n.Site("B").Host("visitor")
	at := netip.AddrPortFrom(server.Addr, 53)
	conn, err := listenUDP(server, at)
	if err != nil {
		t.Fatal(err)
	}
	a := &answers{}
	a.now.Store("192.0.2.1")
	running := &dns.Server{PacketConn: conn, Handler: a}
	go func() { _ = running.ActivateAndServe() }() // until it is shut down
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
	if line := w.Timeline(); line[0].Epoch != 7 {
		t.Errorf("epoch %d, want 7", line[0].Epoch)
	}
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
	if err := running.Shutdown(); err != nil {
		t.Fatal(err)
	}
	expect(Silence)
	if got := slices.Compact(seen()); !slices.Equal(got, want) {
		t.Errorf("seen %v, want %v", got, want)
	}
	if queries, slowest := w.Asked(); queries < len(want) || slowest <= 0 {
		t.Errorf("%d queries, the slowest %v", queries, slowest)
	}
}
