package livens_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/livens/livens/dnsserver"
	"github.com/livens/livens/failover"
	"github.com/livens/livens/zones"
)

// newServer is a DNS server on loopback. It lives outside the bubble of fake time, for sockets wait in real time.
func newServer(t *testing.T, name string) *dnsserver.Server {
	server, err := dnsserver.New(dnsserver.Options{
		Config: zones.DNSConfig{UDPSize: 1232, TCPIdle: time.Second, TCPLimit: 10, TCPPerClient: 10, DebugNames: true},
		Name:   name, Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server
}

// publish is how decisions become answers.
func (n *nameserver) publish(p failover.Publication) {
	n.servers[n.name].Publish(p)
	n.answering.Store(!n.witness)
	if !n.witness {
		n.show(p)
	}
}

// show prints the decisions that changed.
func (n *nameserver) show(p failover.Publication) {
	for _, pool := range p.Set.Pools {
		d := p.Decisions[pool.Name]
		if d == nil {
			continue // it is as it was
		}
		addresses := make([]string, len(d.Addresses))
		for i, a := range d.Addresses {
			addresses[i] = a.String()
		}
		text := fmt.Sprintf("%s answers %s (%s) TTL %d: %s", d.Pool, strings.Join(addresses, " "), strings.Join(d.Active, ", "), d.TTL, d.Reason)
		if n.shown[d.Pool] != text {
			n.shown[d.Pool] = text
			n.say(true, "%s", text)
		}
	}
}

// ask sends a real query. The answer comes in real time, in which the fake clock stands still.
func (n *nameserver) ask(name, qtype string) {
	if !n.answering.Load() {
		n.print("no answer")
		return
	}
	reply, err := n.reply(new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[qtype]))
	n.must(err)
	if reply.Rcode != dns.RcodeSuccess || len(reply.Answer) == 0 {
		n.print("%s, %d answers", dns.RcodeToString[reply.Rcode], len(reply.Answer))
	}
	for _, rr := range reply.Answer {
		n.print("%s", strings.ReplaceAll(rr.String(), "\t", " "))
	}
}

// reply is what the nameserver answers over UDP.
func (n *nameserver) reply(question *dns.Msg) (*dns.Msg, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(n.servers[n.name].Addrs()[0]))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	query, err := question.Pack()
	if err != nil {
		return nil, err
	}
	if _, err = conn.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	size, err := conn.Read(buf)
	if err != nil {
		return nil, err
	}
	reply := new(dns.Msg)
	return reply, reply.Unpack(buf[:size])
}

// exchange is how this nameserver asks another's DNS port.
func (n *nameserver) exchange(ctx context.Context, query *dns.Msg, where netip.AddrPort) (*dns.Msg, error) {
	i := slices.IndexFunc(n.nameservers, func(m *nameserver) bool { return m.address() == where.Addr().String() })
	to := n.nameservers[i]
	delay := n.network.delay(n.place, to.place)
	time.Sleep(delay)
	if !to.answering.Load() || n.network.isCut(n.name, to.name, everything) {
		<-ctx.Done()
		return nil, os.ErrDeadlineExceeded
	}
	reply, err := to.reply(query)
	time.Sleep(delay)
	return reply, err
}
