package dnsserver

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/process"
	"github.com/miekg/dns"
)

var expressAddrs = []netip.Addr{netip.MustParseAddr("10.99.0.1"), netip.MustParseAddr("fd00:99::1")}

// cabled are two hosts with both families of addresses.
func cabled(t *testing.T) (server, client *lab.Host) {
	t.Helper()
	server, client, err := lab.Cable(expressAddrs[0], netip.MustParseAddr("10.99.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	command(t, server, "addr add fd00:99::1/64 dev eth0 nodad")
	command(t, client, "addr add fd00:99::2/64 dev eth0 nodad")
	return server, client
}

func command(t *testing.T, on *lab.Host, lines ...string) {
	t.Helper()
	if err := on.IP(lines...); err != nil {
		t.Fatal(err)
	}
}

// TestExpressAnswersAlike: what is taken from the interface is answered byte for byte as sockets do, and what cannot be taken is the
// sockets'.
func TestExpressAnswersAlike(t *testing.T) {
	host, client := cabled(t)
	frozen := *kindsSnapshot(t).settings
	frozen.now = func() time.Time { return time.Unix(1_780_000_000, 0) }
	short := append(fuzzSeeds(t), nil, make([]byte, 1400))
	for len(short) < 3*64 {
		short = append(short, short...)
	}
	long := bytes.Repeat([]byte{0, 1}, 1500) // two fragments
	for _, listen := range [][]netip.Addr{expressAddrs, {netip.IPv4Unspecified(), netip.IPv6Unspecified()}} {
		answers := map[string][2][][]byte{}
		for _, way := range []string{"sockets", "express"} {
			s, stop := onHost(t, host, listen, way == "express")
			s.live.Store(kindsSnapshot(t).withSettings(&frozen))
			var got [2][][]byte
			for i, to := range expressAddrs {
				conn, err := client.DialUDP(netip.AddrPortFrom(to, s.Addrs()[i].Port()))
				if err != nil {
					t.Fatal(err)
				}
				for range 20 { // in all more than there are chunks
					got[i] = append(got[i], exchangeOver(t, conn, short)...)
				}
				conn.Write(long)
				if _, err := conn.Read(make([]byte, 100)); err != nil {
					t.Errorf("a query in fragments: %v", err)
				}
				conn.Close()
				tcp, err := client.DialTCP(netip.AddrPortFrom(to, s.Addrs()[i].Port()))
				if err != nil {
					t.Fatal(err)
				}
				if reply, _, err := new(dns.Client).ExchangeWithConn(question("www.example.test. A"), &dns.Conn{Conn: tcp}); err != nil || len(reply.Answer) != 1 {
					t.Errorf("TCP: %v, %v", reply, err)
				}
				tcp.Close()
				slices.SortFunc(got[i], bytes.Compare)
			}
			answers[way] = got
			stop()
			if way == "express" {
				taken, left := s.counts()
				if want := uint64(len(got[0]) + len(got[1])); taken < want || left > 10 {
					t.Errorf("%d queries taken from the interface, %d left to sockets; %d were to be taken", taken, left, want)
				}
			}
		}
		for i := range expressAddrs {
			got, want := answers["express"][i], answers["sockets"][i]
			if len(got) != len(want) || len(want) < len(short)/2 {
				t.Fatalf("%d answers, %d from sockets", len(got), len(want))
			}
			for n := range want {
				if !bytes.Equal(got[n], want[n]) {
					t.Fatalf("answer %d\n%x, from sockets\n%x", n, got[n], want[n])
				}
			}
		}
	}
}

// onHost is a server on a host. The way from the interface is open when it returns.
func onHost(t *testing.T, host *lab.Host, listen []netip.Addr, express bool) (s *Server, stop func()) {
	t.Helper()
	if express {
		s = expressOn(t, host, listen)
	} else {
		s = listeningOn(t, host, listen, nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	return s, func() { cancel(); <-done }
}

// expressOn is a server that is to take queries from the host's interface, once it serves.
func expressOn(t *testing.T, host *lab.Host, listen []netip.Addr) *Server {
	t.Helper()
	s := listeningOn(t, host, listen, []string{"eth0"})
	if s.express[0].link == nil {
		t.Fatal("no XDP: " + s.express[0].said)
	}
	return s
}

func listeningOn(t *testing.T, host *lab.Host, listen []netip.Addr, xdp []string) *Server {
	t.Helper()
	o := Options{Config: testConfig(), Name: "host1", Log: slog.New(slog.DiscardHandler)}
	o.Config.XDP = xdp
	for _, a := range listen {
		o.Listen = append(o.Listen, netip.AddrPortFrom(a, 0))
	}
	s, err := New(o)
	if err == nil {
		err = host.Do(s.Listen)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// counts are the answers by the express way and by sockets.
func (s *Server) counts() (taken, left uint64) {
	crew := map[*stats]bool{}
	for _, e := range s.express {
		for _, w := range e.crew {
			crew[w.stats] = true
		}
	}
	workers, _ := s.counted()
	for _, w := range workers {
		if crew[w] {
			taken += w.answered()
		} else {
			left += w.answered()
		}
	}
	return taken, left
}

func (s *stats) answered() (n uint64) {
	all := s.zones.Load()
	if all == nil {
		return 0
	}
	for i := range *all {
		zone := (*all)[i].Load()
		for r := uint8(0); zone != nil && int(r) <= len(zone.others); r++ {
			if counts := zone.row(r); counts != nil {
				for q := range counts {
					n += counts[q].Load()
				}
			}
		}
	}
	return n
}

// TestExpressCountsWhatFindsNoRoom: nobody takes anything, and more comes than there is room for.
func TestExpressCountsWhatFindsNoRoom(t *testing.T) {
	host, client := cabled(t)
	s := expressOn(t, host, expressAddrs[:1])
	defer s.express[0].close()
	conn, err := client.DialUDP(s.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	query, _ := question("www.example.test. A").Pack()
	for deadline := time.Now().Add(20 * time.Second); s.dropped(dropOverflow, nil) == 0; {
		if conn.Write(query); time.Now().After(deadline) {
			t.Fatal("nothing is counted")
		}
	}
}

// TestFloodDoesNotHoldUpTheEnd, neither of sockets nor of the express way: what was received by then is answered, and no more.
func TestFloodDoesNotHoldUpTheEnd(t *testing.T) {
	for _, express := range []bool{false, true} {
		host, client := cabled(t)
		s, stop := onHost(t, host, expressAddrs[:1], express)
		s.Publish(publication(t, plainZone))
		query, _ := question("www.example.test. A").Pack()
		end := make(chan struct{})
		var flood sync.WaitGroup
		for range 16 { // threads: together they get more of the processors than who answers
			conn, err := client.DialUDP(s.Addrs()[0])
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			flood.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for {
					select {
					case <-end:
						return
					default:
						conn.Write(query)
					}
				}
			})
		}
		for taken, left := s.counts(); taken+left < 1000; taken, left = s.counts() {
			runtime.Gosched()
		}
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		select {
		case <-stopped:
		case <-time.After(20 * time.Second):
			t.Errorf("express %t: it does not end", express)
		}
		close(end)
		flood.Wait()
	}
}

// TestExpressAllocatesNothing for a query.
func TestExpressAllocatesNothing(t *testing.T) {
	host, client := cabled(t)
	s, stop := onHost(t, host, expressAddrs[:1], true)
	defer stop()
	s.Publish(publication(t, plainZone))
	conn, err := client.DialUDP(s.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	allocatesNothing(t, conn)
}

// TestExpressServer is not a test of its own: TestExpressInterfaceGoes runs it on a host.
func TestExpressServer(t *testing.T) {
	if os.Getenv("LIVENS_TEST_EXPRESS") == "" {
		return
	}
	o := Options{Config: testConfig(), Name: "host1", Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
		Listen: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:5300")}}
	o.Config.XDP = []string{"eth0"}
	s, err := New(o)
	if err == nil {
		err = s.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Publish(publication(t, plainZone))
	t.Fatal(s.Serve(context.Background()))
}

// TestExpressInterfaceGoes down and up, away and back: nobody is left without answers for longer than the interface is, and a process
// that is killed leaves nothing of XDP behind.
func TestExpressInterfaceGoes(t *testing.T) {
	host, client := cabled(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestExpressServer$", "-test.v")
	cmd.Env = append(os.Environ(), "LIVENS_TEST_EXPRESS=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run, err := process.Start(cmd, host.Enter)
	if err != nil {
		t.Fatal(err)
	}
	defer run.End(syscall.SIGKILL)
	lines := make(chan string, 100)
	go func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
		close(lines)
	}()
	said := func(what string) {
		t.Helper()
		for {
			select {
			case line, more := <-lines:
				if !more {
					t.Fatalf("it ended without saying %q", what)
				}
				if strings.Contains(line, what) {
					return
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("it never said %q", what)
			}
		}
	}
	said("taken from the network interface itself")
	answers(t, client)
	if !attached(t, host) {
		t.Fatal("there is no XDP program at the interface")
	}

	command(t, host, "link set down dev eth0", "link set up dev eth0")
	command(t, client, "link set down dev eth0", "link set up dev eth0")
	answers(t, client)

	if err := host.Unplug(); err != nil {
		t.Fatal(err)
	}
	said("the interface is gone")
	if err := lab.Plug(host, client); err != nil {
		t.Fatal(err)
	}
	said("taken from the network interface itself")
	answers(t, client)

	run.End(syscall.SIGKILL)
	if attached(t, host) {
		t.Error("a killed process leaves its XDP program behind")
	}
}

// answers waits for an answer.
func answers(t *testing.T, client *lab.Host) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		conn, err := client.DialUDP(netip.MustParseAddrPort("10.99.0.1:5300"))
		if err == nil {
			c := dns.Client{Timeout: 200 * time.Millisecond}
			var reply *dns.Msg
			reply, _, err = c.ExchangeWithConn(question("www.example.test. A"), &dns.Conn{Conn: net.Conn(conn)})
			conn.Close()
			if err == nil && len(reply.Answer) == 1 {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer: %v", err)
		}
	}
}

// attached reports whether an XDP program is at the host's interface.
func attached(t *testing.T, host *lab.Host) (yes bool) {
	t.Helper()
	err := host.Do(func() error {
		out, err := exec.Command("ip", "link", "show", "dev", "eth0").CombinedOutput()
		yes = strings.Contains(string(out), "xdp")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return yes
}
