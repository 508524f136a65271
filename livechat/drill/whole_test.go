package drill_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/peertest"
)

const (
	dnsPort       = 53
	chatPort      = 8080
	pagePort      = 80
	moderatorPort = 443
	gossipPort    = 7946
)

// region is the whole way: the primary deployment and ns1 are in data center A, the redundant one and ns2 in B, ns3 in C;
// people, their resolver and the shop's web server are elsewhere.
type region struct {
	*world
	network *lab.Network
	a       *lab.Site
}

// newRegion builds one in network namespaces, with a browser that asks unbound, and has two chat there.
func newRegion(t *testing.T) *region {
	t.Helper()
	n := lab.New(t)
	r := &region{network: n, a: n.Site("A"), world: &world{t: t, plan: plan{dns: fmt.Sprintf("ws://%s:%d/chat", zoneName, chatPort)}}}
	b, c, elsewhere := n.Site("B"), n.Site("C"), n.Site("D")
	r.primary, r.redundant = r.place("primary", r.a), r.place("redundant", b)
	people := elsewhere.Host("people")
	r.origin = r.serve(elsewhere.Host("shop"))
	hosts := []*lab.Host{r.a.Host("ns1"), b.Host("ns2"), c.Host("ns3")}
	cert, key := r.certify(hosts)
	r.startDeployments()
	r.startCluster(hosts, cert, key)
	r.settle()
	r.browse(people, r.startUnbound(elsewhere.Host("resolver")))
	r.enter()
	r.began = time.Now()
	return r
}

func (r *region) place(name string, site *lab.Site) *deployment {
	host := site.Host(name)
	d := newDeployment(r.world, name, netip.AddrPortFrom(host.Addr, chatPort))
	d.enter = host.Enter
	d.dial = func(context.Context, string, string) (net.Conn, error) { return host.DialTCP(d.addr) }
	return d
}

// serve serves the drills' page on a host, and returns its origin.
func (r *region) serve(host *lab.Host) string {
	listener, err := host.Listen(netip.AddrPortFrom(host.Addr, pagePort))
	r.must(err)
	server := &http.Server{Handler: pageFiles()}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	r.t.Cleanup(func() { server.Close() })
	return "http://" + host.Addr.String()
}

// certify says where Moderators will be, and makes their certificate and key.
func (r *region) certify(hosts []*lab.Host) (cert, key string) {
	r.t.Helper()
	var addrs []netip.Addr
	for _, h := range hosts {
		addrs = append(addrs, h.Addr)
		r.distant = append(r.distant, "https://"+netip.AddrPortFrom(h.Addr, moderatorPort).String())
	}
	r.moderatorCA, key = certificate(r.t, addrs)
	return r.moderatorCA, key
}

// startCluster starts a nameserver on each host.
func (r *region) startCluster(hosts []*lab.Host, cert, key string) {
	r.t.Helper()
	var addrs []netip.Addr
	var gossip []string
	for _, h := range hosts {
		addrs, gossip = append(addrs, h.Addr), append(gossip, netip.AddrPortFrom(h.Addr, gossipPort).String())
	}
	for i, h := range hosts {
		ns := &nameserver{moderator: netip.AddrPortFrom(h.Addr, moderatorPort).String()}
		config := fmt.Sprintf("name = \"ns%d\"\nlisten = [\"%s:%d\"]\nsite = \"%c\"\n[http]\nlisten = \"off\"\n[moderator]\nlisten = [%q]\ncert = %q\nkey = %q\n",
			i+1, h.Addr, dnsPort, 'A'+i, ns.moderator, cert, key)
		r.startNameserver(ns, config, gossip, i, r.zone(addrs...), h.Enter)
	}
}

// startUnbound starts the resolver, which knows all nameservers of the zone.
func (r *region) startUnbound(host *lab.Host) netip.Addr {
	r.t.Helper()
	var stubs strings.Builder
	for _, ns := range r.nameservers {
		fmt.Fprintf(&stubs, "    stub-addr: %s@%d\n", ns.DNS.Addr(), dnsPort)
	}
	peertest.Start(r.t, peertest.Spec{
		Tool: "unbound", Listen: host.Addr, Port: dnsPort, Enter: host.Enter,
		Setup: func(dir string, addr netip.AddrPort) ([]string, error) {
			file := filepath.Join(dir, "config")
			return []string{"-d", "-c", file}, os.WriteFile(file, []byte(fmt.Sprintf(unboundConfig, addr.Addr(), addr.Port(), dir, zoneName, stubs.String())), 0o600)
		},
		Ready: func(addr netip.AddrPort) error {
			conn, err := host.DialTCP(addr)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	})
	return host.Addr
}

const unboundConfig = `server:
    interface: %s@%d
    directory: %q
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    num-threads: 1
    do-ip6: no
    module-config: "iterator"
    access-control: 10.0.0.0/8 allow
    local-zone: "test." nodefault
remote-control:
    control-enable: no
stub-zone:
    name: %q
%s`

// browse starts a browser on a host, which asks a resolver for names.
func (r *region) browse(host *lab.Host, resolver netip.Addr) {
	r.t.Helper()
	file := filepath.Join(shortDir(r.t), "resolv.conf")
	r.must(os.WriteFile(file, []byte(fmt.Sprintf("nameserver %s\n", resolver)), 0o644))
	dial := func(port string) (net.Conn, error) {
		addr, err := netip.ParseAddrPort("127.0.0.1:" + port)
		if err != nil {
			return nil, err
		}
		return host.DialTCP(addr)
	}
	b, err := startBrowser([]string{"--ignore-certificate-errors"}, host.Enter, dial, "unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, file)
	r.must(err)
	r.t.Cleanup(b.end)
	r.browser = b
}

// TestDrillChatWholeWay (F9, F11, F12): Chromium asks unbound, which asks three nameservers. One of these is killed, then
// the primary deployment. The chat goes on by the script at once; a page that is opened then follows DNS.
func TestDrillChatWholeWay(t *testing.T) {
	r := newRegion(t)
	began := time.Now()
	r.lose(1)
	r.hear(time.Now())
	r.unmoved(began, r.noticed(began, time.Now()))
	struck := time.Now()
	r.primary.kill()
	r.bothTo(r.redundant, struck)
	r.active(r.redundant)
	r.hear(time.Now())
	took := r.followsDNS("bob")
	f := r.finish(began)
	r.below(killedBound, f)
	report(t, row{what: "the whole way: a nameserver killed, the primary killed", promised: promise(killedBound), figures: f, more: "a new page followed DNS after " + round(took).String()})
}

// followsDNS opens further pages until one gets its first welcome from the redundant deployment by the service's name.
func (r *region) followsDNS(name string) time.Duration {
	r.t.Helper()
	start := time.Now()
	for time.Since(start) < followLimit {
		_, at, url := r.firstWelcome(name)
		if at == r.redundant.name && url == r.plan.dns {
			return time.Since(start)
		}
	}
	r.t.Errorf("no new page is led to the redundant deployment by %s", r.plan.dns)
	return 0
}

// TestDrillChatDataCenterLost (F3, F4): nothing passes to or from data center A any more, where the primary deployment and
// a nameserver are.
func TestDrillChatDataCenterLost(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	began := time.Now()
	r.network.Cut(lab.Both(r.a, nil, 0)...)
	r.forget(0)
	r.bothTo(r.redundant, began)
	r.hear(time.Now())
	r.active(r.redundant)
	r.followsDNS("bob")
	f := r.finish(began)
	r.below(silentBound, f)
	report(t, row{what: "a data center black-holed", promised: promise(silentBound), figures: f})
}
