package dnsserver

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/miekg/dns"
)

// away are the ways that an interface goes, and comes back.
var away = map[string]struct {
	leave, comeBack func(server, client *lab.Host) error
}{
	"deleted": {
		func(server, _ *lab.Host) error { return server.Unplug() },
		func(server, client *lab.Host) error {
			if err := lab.Plug(server, client); err != nil {
				return err
			}
			return sixes(server, client)
		},
	},
	"down": {
		func(server, _ *lab.Host) error { return server.IP("link set down dev eth0") },
		func(server, client *lab.Host) error {
			if err := server.IP("link set up dev eth0", "addr flush dev eth0 scope global", "addr add 10.77.0.1/24 dev eth0"); err != nil {
				return err
			}
			return server.IP("addr add fd77::1/64 dev eth0 nodad")
		},
	},
	"without addresses": {
		func(server, _ *lab.Host) error { return server.IP("addr flush dev eth0 scope global") },
		func(server, _ *lab.Host) error {
			return server.IP("addr add 10.77.0.1/24 dev eth0", "addr add fd77::1/64 dev eth0 nodad")
		},
	},
}

// sixes gives both hosts IPv6 addresses.
func sixes(server, client *lab.Host) error {
	if err := server.IP("addr add fd77::1/64 dev eth0 nodad"); err != nil {
		return err
	}
	return client.IP("addr add fd77::2/64 dev eth0 nodad")
}

// TestInterfaceGoesAndComesBack: responses that have no way are counted, no error of the sockets keeps their reader busy meanwhile, and
// once the address is there again the same sockets answer.
func TestInterfaceGoesAndComesBack(t *testing.T) {
	for name, way := range away {
		for listen, asked := range map[string]string{
			"10.77.0.1:53": "10.77.0.1:53", "0.0.0.0:53": "10.77.0.1:53", "[fd77::1]:53": "[fd77::1]:53", "[::]:53": "[fd77::1]:53",
		} {
			t.Run(name+" "+listen, func(t *testing.T) {
				onBothPaths(t, func(t *testing.T, open opener) {
					to := netip.MustParseAddrPort(asked)
					server, client := cable(t)
					must(t, sixes(server, client))
					s, release := held(t, server, open, listen)
					overTCP(t, client, to) // and so both know the other's interface
					conn := dialFromHost(t, client, "", to)
					query, _ := question("www.example.test. A").Pack()
					for range 10 {
						if _, err := conn.Write(query); err != nil {
							t.Fatal(err)
						}
					}
					until(t, "a query", func() bool { return theGate(s).waiting(t) })
					must(t, way.leave(server, client))
					release()
					until(t, "all counted", func() bool {
						lost := heard(t, s)
						return lost > 0 && drops(t, s, "send") == lost
					})
					must(t, way.comeBack(server, client))
					answeredOver(t, dialFromHost(t, client, "", to))
					overTCP(t, client, to)
					if n := drops(t, s, "receive"); n != 0 {
						t.Errorf("%d errors of receiving", n)
					}
				})
			})
		}
	}
}

// overTCP asks over a new connection.
func overTCP(t *testing.T, client *lab.Host, to netip.AddrPort) {
	t.Helper()
	var conn net.Conn
	must(t, client.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp", to.String(), 10*time.Second)
		return err
	}))
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := dns.Conn{Conn: conn}
	if err := c.WriteMsg(question("www.example.test. A")); err != nil {
		t.Fatal(err)
	}
	if m, err := c.ReadMsg(); err != nil || len(m.Answer) != 1 {
		t.Fatal(m, err)
	}
}
