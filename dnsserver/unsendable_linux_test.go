package dnsserver

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"golang.org/x/sys/unix"
)

// cable is a server's and a client's host.
func cable(t *testing.T) (server, client *lab.Host) {
	t.Helper()
	server, client, err := lab.Cable(netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2"))
	must(t, err)
	return server, client
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestResponsesThatCannotBeSent, between such as can, received in one batch: each is counted, and costs nobody else an answer.
func TestResponsesThatCannotBeSent(t *testing.T) {
	const each = batchSize / 2
	for name, set := range map[string]struct {
		from string // the client's address with the trouble
		make func(t *testing.T, server, client *lab.Host)
	}{
		"forbidden": {"10.77.0.2:4000", func(t *testing.T, server, _ *lab.Host) { // EPERM
			must(t, server.Run("table ip t {\nchain out {\ntype filter hook output priority 0;\nudp dport 4000 drop\n}\n}\n", "nft", "-f", "-"))
		}},
		"no route": {"192.0.2.7:4000", func(t *testing.T, server, client *lab.Host) { // ENETUNREACH
			must(t, client.IP("addr add 192.0.2.7/32 dev lo"))
			must(t, server.Run("", "sh", "-c", "echo 0 | tee /proc/sys/net/ipv4/conf/*/rp_filter"))
		}},
		"unreachable": {"192.0.2.7:4000", func(t *testing.T, server, client *lab.Host) { // EHOSTUNREACH
			must(t, client.IP("addr add 192.0.2.7/32 dev lo"))
			must(t, server.IP("route add unreachable 192.0.2.7/32"))
			must(t, server.Run("", "sh", "-c", "echo 0 | tee /proc/sys/net/ipv4/conf/*/rp_filter"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			onBothPaths(t, func(t *testing.T, open opener) {
				for _, listen := range []string{"10.77.0.1:53", "0.0.0.0:53"} {
					server, client := cable(t)
					set.make(t, server, client)
					s, release := held(t, server, open, listen)
					to := netip.MustParseAddrPort("10.77.0.1:53")
					fine, troubled := dialFromHost(t, client, "", to), dialFromHost(t, client, set.from, to)
					query, _ := question("www.example.test. A").Pack()
					for range each {
						for _, conn := range []net.Conn{troubled, fine} {
							if _, err := conn.Write(query); err != nil {
								t.Fatal(err)
							}
						}
					}
					release()
					buf := make([]byte, 4096)
					fine.SetDeadline(time.Now().Add(20 * time.Second))
					for i := range each {
						if _, err := fine.Read(buf); err != nil {
							t.Fatalf("%s: answer %d: %v", listen, i, err)
						}
					}
					until(t, "all counted", func() bool { return drops(t, s, "send") == each })
					answeredOver(t, fine)
				}
			})
		})
	}
}

// TestFullSendBuffer: responses for which the socket has no room, for the network takes them too slowly, are counted; when it takes
// them again the next query is answered.
func TestFullSendBuffer(t *testing.T) {
	onBothPaths(t, func(t *testing.T, open opener) {
		server, client := cable(t)
		s, release := held(t, server, open, "10.77.0.1:53")
		conn := dialFromHost(t, client, "", s.Addrs()[0])
		theGate(s).set(t, unix.SOL_SOCKET, unix.SO_SNDBUF, 4608)
		must(t, server.Run("", "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "1000000"))
		query, _ := question("www.example.test. A").Pack()
		for range 50 {
			conn.Write(query)
		}
		release()
		until(t, "responses that find no room", func() bool { return drops(t, s, "send") > 5 })
		must(t, server.Run("", "tc", "qdisc", "del", "dev", "eth0", "root"))
		answeredOver(t, conn)
	})
}

// TestFullQueue: ENOBUFS, the interface's queue is full. Linux tells it only sockets that want to hear of errors of all kinds, which
// livens' do not, for anyone can forge these: then the kernel counts what it drops. Either way the next query is answered.
func TestFullQueue(t *testing.T) {
	for name, told := range map[string]int{"told": 1, "not told": 0} {
		t.Run(name, func(t *testing.T) {
			onBothPaths(t, func(t *testing.T, open opener) {
				server, client := cable(t)
				s, release := held(t, server, open, "10.77.0.1:53")
				theGate(s).set(t, unix.IPPROTO_IP, unix.IP_RECVERR, told)
				conn := dialFromHost(t, client, "", s.Addrs()[0])
				must(t, server.Run("", "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "2000"))
				query, _ := question("www.example.test. A").Pack()
				for range 50 {
					conn.Write(query)
				}
				release()
				until(t, "drops that are counted", func() bool {
					if told == 1 {
						return drops(t, s, "send") > 5
					}
					return udpCounter(t, server, "SndbufErrors") > 5
				})
				must(t, server.Run("", "tc", "qdisc", "del", "dev", "eth0", "root"))
				answeredOver(t, conn)
			})
		})
	}
}

// udpCounter is one of the kernel's for all UDP sockets of a host.
func udpCounter(t *testing.T, host *lab.Host, name string) (n int) {
	t.Helper()
	var text []byte
	must(t, host.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/snmp")
		return err
	}))
	var names []string
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		n, err := strconv.Atoi(f[slices.Index(names, name)])
		must(t, err)
		return n
	}
	t.Fatal("the kernel does not count " + name)
	return 0
}
